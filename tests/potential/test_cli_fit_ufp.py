"""``lpsnmr fit-ufp`` as a user runs it."""

import hashlib
import json
import os
import subprocess
import sys

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.potential import Ufp
from ufp_cases import random_structure

OPTIONS = [
    "--elements", "Li,S", "--two-body-cutoff", "4.5", "--two-body-spacing", "0.5",
    "--three-body-cutoff", "3.0", "--three-body-spacing", "1", "--folds", "2",
]  # fmt: skip


def lpsnmr(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    code = "from lpsnmr.cli.main import run; run()"
    return subprocess.run(
        [sys.executable, "-c", code, "fit-ufp", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, env=environment, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve frames of two runs with harmless labels."""
    rng = np.random.default_rng(1)
    frames = []
    for k in range(12):
        atoms = random_structure(k, np.eye(3) * 6.5, n=8, least=1.6, elements=("Li", "S"))
        forces = rng.normal(size=(8, 3))
        atoms.calc = SinglePointCalculator(
            atoms, energy=-30 + rng.normal(), forces=forces, stress=0.01 * rng.normal(size=6)
        )
        atoms.info.update(run=f"run{k % 2}", run_step=k, run_T=300.0)
        frames.append(atoms)
    path = tmp_path_factory.mktemp("data") / "data.extxyz"
    ase.io.write(path, frames, format="extxyz")
    return path


def test_end_to_end_and_deterministic(data, tmp_path):
    out = tmp_path / "a.uf3"
    done = lpsnmr(
        data, "-o", out, *OPTIONS, "--prior-3b-ridge", "0.1,1", "--committee", "--second", f"{data},0.1,1.2"
    )
    assert done.returncode == 0, done.stderr
    assert "held-out errors" in done.stdout
    assert "run0" in done.stdout
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["potential"]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert record["data"][0]["files"][0]["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert record["data"][1]["scale"] == 1.2
    assert len(record["candidates"]) == 2
    assert {row["run"] for row in record["held_out_errors"]} == {"run0", "run1", "all"}
    assert {row["pair"] for row in record["short_range"]} == {"Li Li", "Li S", "S S"}
    assert Ufp(out).predict(ase.io.read(data)).forces.shape == (8, 3)
    assert Ufp(tmp_path / "a.fold2.uf3").elements == ("Li", "S")
    first = out.read_bytes()
    again = lpsnmr(
        data, "-o", out, *OPTIONS, "--prior-3b-ridge", "0.1,1", "--committee", "--second", f"{data},0.1,1.2"
    )
    assert again.returncode == 0
    assert out.read_bytes() == first
    names = ["a.fold1.uf3", "a.fold2.uf3", "a.json", "a.report.html", "a.report.png", "a.uf3", "a.ufx"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--three-body-cutoff", "9"], "three-body cutoff: expected 0, or above"),
        (["--elements", "Li"], "element S is not in the potential"),
        (["--triple", "Li-S"], "--triple: expected CENTRE-NEIGHBOUR=CUTOFF"),
        (["--prior-2b-ridge", "a,b"], "--prior-2b-ridge: expected numbers"),
        (["--second", "nowhere.extxyz"], "nowhere.extxyz"),
        (["--folds", "0", "--committee"], "--committee"),
    ],
)
def test_errors_are_one_line(data, tmp_path, extra, words):
    done = lpsnmr(data, "-o", tmp_path / "x.uf3", *OPTIONS, *extra)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_frames_without_forces(data, tmp_path):
    frame = ase.io.read(data)
    bare = frame.copy()
    bare.calc = SinglePointCalculator(bare, energy=-1.0)
    ase.io.write(tmp_path / "bare.extxyz", bare, format="extxyz")
    done = lpsnmr(tmp_path / "bare.extxyz", "-o", tmp_path / "x.uf3", *OPTIONS)
    assert done.returncode == 2
    assert "bare.extxyz:0" in done.stderr
    assert "forces" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
