"""The files of ``lpsnmr fit-ufp``: all of them or none, checked before the fit, nothing left behind."""

import os
import subprocess
import sys

import ase.io
import pytest

from lpsnmr.cli.main import run
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.fitting import memory
from lpsnmr.fitting.accumulate import matrices_of
from lpsnmr.potential import BasisSettings, DataSet, FitSettings, fit, fit_ufp
from lpsnmr.reference import read_reference
from support.ufp_cases import harmless_frames

OPTIONS = [
    "--elements", "Li,S", "--two-body-cutoff", "4.5", "--two-body-spacing", "0.5",
    "--three-body-cutoff", "3.0", "--three-body-spacing", "1", "--folds", "0", "--no-report",
]  # fmt: skip
BASIS = BasisSettings(("Li", "S"), body_order=2, two_body_cutoff=4.5)

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from lpsnmr.cli.main import run
run()
"""


def lpsnmr_on_full_disk(folder, size, *arguments):
    """Run the command line in a folder, with files of at most ``size`` bytes; (status, standard error)."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), "fit-ufp", *map(str, arguments)],
        cwd=folder, capture_output=True, text=True, timeout=300, env=environment, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.strip()


@pytest.fixture
def lpsnmr(monkeypatch, capsys, tmp_path):
    """Return a function that runs ``fit-ufp`` in ``tmp_path``; (status, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["lpsnmr", "fit-ufp", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code or 0, capsys.readouterr().err.strip()

    return call


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four frames of two runs with harmless labels."""
    frames = harmless_frames(4, lambda k: (f"run{k % 2}", k, 300.0), stress=False)
    path = tmp_path_factory.mktemp("data") / "data.extxyz"
    ase.io.write(path, frames, format="extxyz")
    return path


@pytest.mark.process
def test_a_disk_that_fills_leaves_the_earlier_fit(lpsnmr, data, tmp_path):
    assert lpsnmr(data, "-o", "f.uf3", *OPTIONS)[0] == 0
    before = contents(tmp_path)
    assert set(before) == {"f.uf3", "f.ufx", "f.json"}
    size = len(before["f.ufx"]) - 1
    assert size > 4096  # what is written to see whether there is room
    assert len(before["f.uf3"]) < size  # which is written first
    changed = [data, "-o", "f.uf3", *OPTIONS, "--prior-2b-ridge", "2"]
    status, said = lpsnmr_on_full_disk(tmp_path, size, *changed)
    assert status == 2
    assert said.startswith("lpsnmr: error: f.ufx: [Errno 27] File too large; expected")
    assert len(said.splitlines()) == 1
    assert contents(tmp_path) == before
    assert lpsnmr(*changed)[0] == 0
    assert contents(tmp_path)["f.uf3"] != before["f.uf3"]


@pytest.mark.parametrize(
    "name", ["y.uf3", "y.ufd", "y.ufx", "y.json", "y.part.npz", "y.report.png", "y.boot2.uf3"]
)
def test_a_folder_in_the_way_is_seen_before_the_fit(lpsnmr, data, tmp_path, name):
    (tmp_path / name).mkdir()
    options = [*OPTIONS, "--report", "--committee", "--bootstrap", "2"]
    status, said = lpsnmr(data, "nowhere.extxyz", "-o", "y.uf3", *options)  # which is not looked for
    assert status == 2
    assert said == f"lpsnmr: error: {name}: expected the name of a file, got that of a folder"
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_fit_removes_what_killed_ones_left(lpsnmr, data, tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f".f.part.npz.{dead.pid}.part", f".f.part.npz.1.{dead.pid}.part", f".f.uf3.{dead.pid}.part"):
        (tmp_path / name).write_bytes(b"x" * 100)
    alive = tmp_path / f".f.part.npz.{os.getppid()}.part"
    alive.write_bytes(b"x")
    assert lpsnmr(data, "-o", "f.uf3", *OPTIONS)[0] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [alive.name, "f.json", "f.uf3", "f.ufx"]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--weigh", "run1x=0.1"], "got 'run1x', which matches none; there are run0, run1"),
        (["--steps-per-block", "0"], "steps per block: expected at least 1, got 0"),
        (["--search", "-2"], "search: expected 0 or more, got -2"),
        (["--bootstrap", "-1"], "bootstrap: expected 0 or more, got -1"),
        (["--body-order", "2", "--triple", "Li-S=3"], "--triple: expected --body-order 3"),
        (["--folds", "2", "--prior-density", "0.1,0.2"], "--prior-density: expected --density"),
        (["--body-order", "2", "--two-body-spacing", "1e-9"], "knots: expected at most 50000 between"),
        (["--body-order", "2", "--two-body-spacing", "1e-320"], "knots: expected at most 50000 between"),
        (["--three-body-spacing", "0.02"], "expected at most 50000 coefficients, got 33 of V2"),
    ],
)
def test_options_that_cannot_be_meant(lpsnmr, data, tmp_path, extra, words):
    status, said = lpsnmr(data, "-o", "x.uf3", *OPTIONS, *extra)
    assert status == 2
    assert words in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_pattern_that_matches_no_run_is_told(lpsnmr, data):
    """A script for many sets may have patterns that one of them does not need."""
    status, said = lpsnmr(data, "-o", "x.uf3", *OPTIONS, "--weigh", "run*=0.5", "--weigh", "*melt*=0.1")
    assert status == 0
    assert "lpsnmr: note: --weigh: expected" in said
    assert "got '*melt*', which matches none; there are run0, run1" in said


def test_a_pattern_may_match_a_run_of_a_second_set_alone(lpsnmr, data, tmp_path):
    frames = ase.io.read(data, ":2")
    for frame in frames:
        frame.info["run"] = "other"
    ase.io.write(tmp_path / "second.extxyz", frames, format="extxyz")
    options = [*OPTIONS, "--second", "second.extxyz", "--weigh", "oth*=0.1"]
    assert lpsnmr(data, "-o", "x.uf3", *options)[0] == 0


def test_matrices_larger_than_the_memory_are_refused(data, monkeypatch):
    monkeypatch.setattr(memory.os, "sysconf", lambda name: 100)
    with pytest.raises(
        InputError, match=r"coefficients: expected matrices that fit into the 1e-05 GB of memory"
    ):
        fit_ufp([DataSet(read_reference(data, ()))], FitSettings(BASIS, folds=0))


class Fake:
    """Ranks on machines."""

    def __init__(self, *machines):
        self.machines = machines

    def gather(self, item):
        return [(name, item[1]) for name in self.machines]


def test_ranks_of_one_machine_share_its_memory(monkeypatch):
    monkeypatch.setattr(memory.os, "sysconf", lambda name: 100)  # 10 kB; four matrices of 800 B
    matrices = matrices_of(FitSettings(BASIS, folds=0))
    memory.check_matrices(10, matrices, Fake("a", "b", "a", "b", "a", "b"))
    with pytest.raises(InputError, match=r"got 4 of 8e-07 GB on each of 4 ranks; fewer ranks, fewer folds"):
        memory.check_matrices(10, matrices, Fake("b", "a", "a", "a", "a"))


def test_memory_that_the_system_refuses_is_said(data, monkeypatch):
    def refuse(*_):
        raise MemoryError("Unable to allocate 20 GiB")

    monkeypatch.setattr(fit, "accumulate", refuse)
    with pytest.raises(
        ComputeError, match=r"^60 coefficients: not enough memory \(Unable to allocate 20 GiB\)"
    ):
        fit_ufp([DataSet(read_reference(data, ()))], FitSettings(BASIS, folds=0))
