"""Bad input ends a command with one line that names it, and status 2; never with a traceback."""

import sys
from importlib.resources import files

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.cli.main import run

SHIPPED = files("lpsnmr.data") / "models" / "lps.uf3"


@pytest.fixture
def lpsnmr(monkeypatch, capsys):
    """Return a function that runs the command line; (status, standard error)."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["lpsnmr", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code, capsys.readouterr().err

    return call


@pytest.fixture
def labelled(tmp_path):
    """Return a function that writes a labelled frame with entries of the header; its path."""

    def write(**info):
        atoms = Atoms("LiS", [[0, 0, 0], [2.4, 0, 0]], cell=[6.0] * 3, pbc=True)
        atoms.info = {"run": "a", "run_step": 0, "label_id": "x", **info}
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0, forces=np.zeros((2, 3)), stress=np.zeros(6))
        atoms.new_array("efg", np.zeros((2, 9)))
        ase.io.write(tmp_path / "frames.extxyz", atoms, format="extxyz")
        return tmp_path / "frames.extxyz"

    return write


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--volume-strain=-2"], "--volume-strain: expected relative changes above -1, got -2"),
        (["--volume-strain", "0,nan"], "above -1, got nan"),
        (["--seed", "-1", "--rattle", "0.1"], "-1 is not in the range x>=0"),
        (["--density", "0"], "density: expected"),
        (["--melt-k", "700"], "--melt-k: expected --melt-quench with it"),
        (["--pack", "--pressure-bar", "1"], "--pressure-bar: expected --melt-quench with it"),
    ],
)
def test_structures(lpsnmr, tmp_path, words, message):
    status, said = lpsnmr("structures", "beta-Li3PS4", "-o", tmp_path / "out.extxyz", *words)
    assert status == 2
    assert message in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"run_step": "abc"}, "frames.extxyz: frame 0: run_step: expected an integer, got 'abc'"),
        ({"run_step": 1.5}, "run_step: expected an integer, got 1.5"),
        ({"run_T": "hot"}, "run_T: expected a finite number, got 'hot'"),
    ],
)
@pytest.mark.parametrize("command", ["merge-labels", "fit-ufp", "validate-ufp"])
def test_header(lpsnmr, labelled, tmp_path, command, info, message):
    path = labelled(**info)
    words = {
        "merge-labels": [path, "--into", tmp_path / "set.extxyz"],
        "fit-ufp": [path, "-o", tmp_path / "p.uf3", "--steps-per-block", "5"],
        "validate-ufp": [SHIPPED, "--reference", path, "-o", tmp_path / "out"],
    }[command]
    status, said = lpsnmr(command, *words)
    assert status == 2
    assert message in said


@pytest.mark.parametrize(
    "words",
    [
        ["structures", "beta-Li3PS4", "-o", "/proc/x.extxyz"],
        ["label", "FRAMES", "--engine", "lj", "-o", "/proc/x.extxyz"],
        ["merge-labels", "FRAMES", "--into", "/proc/x.extxyz"],
        ["efg", "CRYSTAL", "-o", "/proc/x.csv"],
        ["run", "--set", "output.folder=/proc/x"],
    ],
)
def test_output_that_cannot_be_written(lpsnmr, labelled, tmp_path, words):
    """Also for root."""
    from lpsnmr.structures import load_structure

    frames, crystal = labelled(), tmp_path / "crystal.extxyz"
    ase.io.write(crystal, load_structure("beta-Li3PS4"), format="extxyz")
    status, said = lpsnmr(*({"FRAMES": frames, "CRYSTAL": crystal}.get(word, word) for word in words))
    assert status == 2
    assert "/proc/" in said.splitlines()[-1]
    assert said.splitlines()[-1].startswith("lpsnmr: error: ")


@pytest.mark.parametrize("style", ["", "  "])
def test_empty_pair_style(lpsnmr, style):
    status, said = lpsnmr("run", "--set", f'potential.style="{style}"')
    assert status == 2
    assert "potential.style" in said
