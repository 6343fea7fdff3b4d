"""``lpsnmr fit-ufp`` as a user runs it."""

import hashlib
import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.potential import Ufp, read_uf3, read_ufd
from support.lpsnmr_runs import run_lpsnmr
from support.ufp_cases import harmless_frames

OPTIONS = [
    "--elements", "Li,S", "--two-body-cutoff", "4.5", "--two-body-spacing", "0.5",
    "--three-body-cutoff", "3.0", "--three-body-spacing", "1", "--folds", "2",
]  # fmt: skip


def lpsnmr(*arguments):
    return run_lpsnmr(Path.cwd(), "fit-ufp", *arguments)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve frames of two runs with harmless labels."""
    frames = harmless_frames(12, lambda k: (f"run{k % 2}", k, 300.0))
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


def test_density_terms_from_fit_to_file(data, tmp_path):
    """Errors of the sidecar are those of the written files; the same input gives the same bytes."""
    out = tmp_path / "a.uf3"
    density = ["--density", "S=34:Li,4.5,2,2;S,4.5,1,1,1.6", "--density", "Li=3:S,4.4,2,1"]
    done = lpsnmr(data, "-o", out, *OPTIONS, *density, "--prior-density", "0.03,0.1", "--committee")
    assert done.returncode == 0, done.stderr
    names = [f"a.{k}" for k in ("fold1.uf3", "fold1.ufd", "fold2.uf3", "fold2.ufd", "json", "report.html")]
    assert sorted(p.name for p in tmp_path.iterdir()) == [*names, "a.report.png", "a.uf3", "a.ufd", "a.ufx"]
    record = json.loads((tmp_path / "a.json").read_text())
    assert len(record["candidates"]) == 2
    assert record["density"]["columns"] == len(np.concatenate([b.coefficients for b in read_ufd(
        tmp_path / "a.ufd").blocks]))  # fmt: skip
    frames = ase.io.read(data, ":")
    errors = np.concatenate([(Ufp(out).predict(f).forces - f.get_forces()).ravel() for f in frames])
    row = next(r for r in record["training_errors"] if r["run"] == "all")
    assert row["force_eV_per_angstrom"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-9)
    first = (tmp_path / "a.ufd").read_bytes()
    again = lpsnmr(data, "-o", out, *OPTIONS, *density, "--prior-density", "0.03,0.1", "--no-report")
    assert again.returncode == 0
    assert (tmp_path / "a.ufd").read_bytes() == first
    # a fit without density terms leaves none of an earlier one
    assert lpsnmr(data, "-o", out, *OPTIONS, "--no-report").returncode == 0
    assert not (tmp_path / "a.ufd").exists()


def test_wide_anchor_is_no_anchor_and_narrow_holds_the_fit_without(data, tmp_path):
    density = ["--density", "S=34:Li,4.5,2,2;S,4.5,1,1,1.6", "--no-report", "--no-extrapolation"]
    runs = {"alone": [], "held": [*density, "--prior-anchor", "1e10"], "free": [*density]}
    pairs = {}
    for name, extra in runs.items():
        done = lpsnmr(data, "-o", tmp_path / f"{name}.uf3", *OPTIONS, "--free-core", *extra)
        assert done.returncode == 0, done.stderr
        pairs[name] = np.concatenate([b.coefficients for b in read_uf3(tmp_path / f"{name}.uf3").pairs])
    np.testing.assert_allclose(pairs["held"], pairs["alone"], atol=1e-5)
    assert np.abs(pairs["free"] - pairs["alone"]).max() > 1e-3


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--three-body-cutoff", "9"], "three-body cutoff: expected 0, or above"),
        (["--elements", "Li"], "element S is not in the potential"),
        (["--triple", "Li-S"], "--triple: expected CENTRE-NEIGHBOUR=CUTOFF"),
        (["--prior-2b-ridge", "a,b"], "--prior-2b-ridge: expected numbers"),
        (["--density", "S=34;Li,4,2,2"], "--density: expected CENTRE=ORDERS:"),
        (["--density", "S=34:Li,4,2"], "--density: expected CENTRE=ORDERS:"),
        (["--density", "S=34:Li,1,2,2"], "density of Li: expected a shortest distance"),
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
    assert "bare.extxyz: frame 0" in done.stderr
    assert "forces" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
