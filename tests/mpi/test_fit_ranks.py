"""A fit shared by ranks: the same answer to round-off, and an error that ends all of them."""

import json

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.potential import read_uf3, read_ufd
from support.lpsnmr_runs import run_lpsnmr
from support.ufp_cases import random_structure

pytestmark = pytest.mark.ranks
OPTIONS = [
    "--elements", "Li,S", "--two-body-cutoff", "4.5", "--two-body-spacing", "0.5",
    "--three-body-cutoff", "3.0", "--three-body-spacing", "1", "--folds", "2", "--bootstrap", "2",
]  # fmt: skip


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(1)
    frames = []
    for k in range(11):
        atoms = random_structure(k, np.eye(3) * 6.5, n=8, least=1.6, elements=("Li", "S"))
        atoms.calc = SinglePointCalculator(
            atoms, energy=-30 + rng.normal(), forces=rng.normal(size=(8, 3)), stress=0.01 * rng.normal(size=6)
        )
        atoms.info.update(run=f"run{k % 3}", run_step=k, run_T=300.0)
        frames.append(atoms)
    ase.io.write(tmp_path / "data.extxyz", frames, format="extxyz")
    return tmp_path


def test_ranks_agree_to_round_off(data):
    for ranks in (1, 3):
        done = run_lpsnmr(data, "fit-ufp", "data.extxyz", "-o", f"r{ranks}.uf3", *OPTIONS, ranks=ranks)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("written:") == 1
    one, three = (read_uf3(data / f"r{n}.uf3") for n in (1, 3))
    for a, b in zip((*one.pairs, *one.triples), (*three.pairs, *three.triples), strict=True):
        np.testing.assert_allclose(a.coefficients, b.coefficients, atol=1e-9)
    a, b = (json.loads((data / f"r{n}.json").read_text()) for n in (1, 3))
    for x, y in zip(a["held_out_errors"], b["held_out_errors"], strict=True):
        assert x["run"] == y["run"]
        assert x["force_eV_per_angstrom"] == pytest.approx(y["force_eV_per_angstrom"], rel=1e-8)
    for x, y in zip(a["committee_spread"], b["committee_spread"], strict=True):
        assert x["force_spread_eV_per_angstrom"] == pytest.approx(y["force_spread_eV_per_angstrom"], rel=1e-6)
    assert not list(data.glob("*.part*"))


def test_ranks_agree_on_density_terms(data):
    density = ["--density", "S=34:Li,4.5,2,2;S,4.5,1,1", "--no-report"]
    for ranks in (1, 3):
        done = run_lpsnmr(
            data, "fit-ufp", "data.extxyz", "-o", f"d{ranks}.uf3", *OPTIONS, *density, ranks=ranks
        )
        assert done.returncode == 0, done.stderr
    one, three = (read_ufd(data / f"d{n}.ufd").blocks[0] for n in (1, 3))
    np.testing.assert_allclose(one.coefficients, three.coefficients, atol=1e-8)
    assert one.bound == pytest.approx(three.bound, rel=1e-6)
    limits = [[f[0] for c in block.channels for f in c[5]] for block in (one, three)]
    assert limits[0] == pytest.approx(limits[1], rel=1e-12)


def test_an_error_ends_all_ranks(data):
    done = run_lpsnmr(data, "fit-ufp", "data.extxyz", "-o", "x.uf3", *OPTIONS, "--elements", "Li", ranks=2)
    assert done.returncode != 0
    assert "element S is not in the potential" in done.stderr
    assert done.stderr.strip().count("\n") == 0, done.stderr  # one rank's line, and none of the launcher's
