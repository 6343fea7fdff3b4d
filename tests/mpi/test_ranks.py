"""Runs on several ranks: the same numbers, ranks without Li, errors that do not hang."""

import subprocess
import sys

import numpy as np
import pytest

from lpsnmr.results.tensor_file import read_tensors
from support.lpsnmr_runs import BIN, TIMEOUT_S, results_of, run_here, run_lpsnmr, write_config
from support.results_groups import extra_of

pytestmark = pytest.mark.ranks
NMR = ("sampling.window_ps=0.04", "sampling.field_directions=[[0, 0, 1]]", "output.tensors_ps=0.1")


def test_same_answer_on_one_two_and_four_ranks(tmp_path):
    write_config(tmp_path, equilibration_ps=0)  # the Langevin noise of the equilibration differs by rank
    run_here(tmp_path, f"output.folder={tmp_path / 'r1'}", *NMR)
    reference = results_of(tmp_path / "r1")
    assert extra_of(reference).keys() >= {"echo", "direction_0", "tensor_samples"}
    for ranks in (2, 4):
        changes = [word for change in (f"output.folder=r{ranks}", *NMR) for word in ("--set", change)]
        done = run_lpsnmr(tmp_path, "run", "run.toml", "--no-analysis", *changes, ranks=ranks)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("finished: 21 samples") == 1
        results = results_of(tmp_path / f"r{ranks}")
        np.testing.assert_array_equal(results.li_ids, np.arange(1, 13))
        for name in ("efg_correlation", "displacement"):
            a, b = getattr(results, name), getattr(reference, name)
            np.testing.assert_array_equal(a.counts, b.counts)
            np.testing.assert_allclose(a.values, b.values, rtol=1e-9, atol=1e-10)
            np.testing.assert_allclose(a.block_means, b.block_means, rtol=1e-9, atol=1e-10)
        for group, arrays in extra_of(reference).items():
            for name, value in arrays.items():
                np.testing.assert_allclose(
                    extra_of(results)[group][name], value, rtol=1e-9, atol=1e-10, err_msg=f"{group}/{name}"
                )
        here, there = (read_tensors(tmp_path / f"r{n}" / "tensors.h5") for n in (1, ranks))
        for a, b in zip(here, there, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
        assert results.mean_temperature_k == pytest.approx(reference.mean_temperature_k, rel=1e-9)


def test_resume_on_another_number_of_ranks(tmp_path):
    write_config(tmp_path, equilibration_ps=0)
    done = run_lpsnmr(tmp_path, "run", "run.toml", "--no-analysis", "--set", "md.production_ps=0.2", ranks=2)
    assert done.returncode == 0, done.stderr
    assert run_here(tmp_path).n_samples == 21
    run_here(tmp_path, f"output.folder={tmp_path / 'whole'}")
    a, b = results_of(tmp_path / "out"), results_of(tmp_path / "whole")
    assert a.n_samples == b.n_samples == 21
    np.testing.assert_allclose(a.efg_correlation.values, b.efg_correlation.values, rtol=1e-8)


def test_ranks_without_lithium_or_atoms(tmp_path):
    """One Li and one Li-free neighbourhood in a slab: rank 0 owns no Li, a subdomain no atoms."""
    write_config(tmp_path, equilibration_ps=0)
    (tmp_path / "slab.data").write_text(
        "slab\n\n5 atoms\n3 atom types\n0 8 xlo xhi\n0 8 ylo yhi\n0 60 zlo zhi\n\nMasses\n\n"
        "1 6.94 # Li\n2 30.97 # P\n3 32.06 # S\n\nAtoms # atomic\n\n"
        "1 2 4 4 4\n2 3 5.2 5.2 5.2\n3 3 2.8 2.8 5.2\n4 3 2.8 5.2 2.8\n5 3 5.2 2.8 2.8\n"
    )
    text = (tmp_path / "slab.data").read_text()
    (tmp_path / "slab.data").write_text(text.replace("5 atoms", "6 atoms") + "6 1 4 4 7\n")
    options = ["structure.file=slab.data", "md.temperature_k=50"]
    run_here(tmp_path, *options, f"output.folder={tmp_path / 'r1'}")
    words = [word for option in (*options, "output.folder=r3") for word in ("--set", option)]
    done = run_lpsnmr(tmp_path, "run", "run.toml", "--no-analysis", *words, ranks=3)
    assert done.returncode == 0, done.stderr
    a, b = results_of(tmp_path / "r1"), results_of(tmp_path / "r3")
    np.testing.assert_array_equal(b.li_ids, [6])
    np.testing.assert_allclose(a.efg_correlation.values, b.efg_correlation.values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("structure.file=absent.cif", "absent.cif: no such file"),
        ("potential.commands=['pair_style nonsense']", "nonsense"),
        (
            "potential.commands=['pair_style lj/cut 5.0','pair_coeff * * 50.0 3.9']",
            "lpsnmr: error",
        ),  # explodes
    ],
)
def test_errors_do_not_hang(tmp_path, change, words):
    write_config(tmp_path)
    own = "absent" in change
    done = run_lpsnmr(tmp_path, "run", "run.toml", "--set", change, ranks=2, own_process=own)
    assert done.returncode != 0
    assert words in done.stderr
    assert done.stderr.count("lpsnmr: error") == 1


LONELY = """
import sys
from mpi4py import MPI
from lpsnmr.cli.run import command
from lpsnmr.errors import ComputeError
from lpsnmr.sampling.sampler import Sampler

def fail(self, *arguments):
    raise {error}("only rank one is in trouble")

if MPI.COMM_WORLD.rank == 1:
    Sampler.take = fail
command(["run.toml"], standalone_mode=False)
"""


@pytest.mark.parametrize("error", ["ComputeError", "KeyError"])
def test_a_rank_alone_in_trouble_ends_all(tmp_path, error):
    write_config(tmp_path, equilibration_ps=0)
    (tmp_path / "lonely.py").write_text(LONELY.format(error=error))
    done = subprocess.run(
        [str(BIN / "mpirun"), "-np", "2", sys.executable, "lonely.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "only rank one is in trouble" in done.stderr
    assert ("Traceback" in done.stderr) == (error == "KeyError")
