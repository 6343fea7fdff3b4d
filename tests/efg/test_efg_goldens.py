"""One set of goldens for Python and LAMMPS; cpp/core/tests/efg/test_goldens.cpp reads it too."""

import json
from pathlib import Path

import ase
import numpy as np
import pytest
from ase.io.lammpsdata import write_lammps_data

from lpsnmr.efg import EfgModel
from lpsnmr.efg.tensors import tensor_to_components
from support.lammps_runs import run_lmp

GOLDENS = Path(__file__).parent / "goldens"
MODELS = ("model", "field")
DECK = """units metal
atom_style atomic
read_data data.golden
pair_style zero 6.0
pair_coeff * *
compute efg all efg/atom {model} Li P S
dump all all custom 1 dump.efg id c_efg[*]
dump_modify all sort id format float %22.16g
run 0
"""


def golden_atoms():
    lines = [line.split() for line in (GOLDENS / "frame.txt").read_text().splitlines()]
    atoms = np.array(lines[3:], dtype=float)
    return ase.Atoms(atoms[:, 0].astype(int), atoms[:, 1:], cell=np.array(lines[:3], dtype=float), pbc=True)


def assert_as_expected(found, name):
    expected = np.loadtxt(GOLDENS / f"expected_{name}.txt")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_model_is_of_the_first_version_field_of_the_newest():
    versions = [json.loads((GOLDENS / f"{name}.efg").read_text())["version"] for name in MODELS]
    assert versions == [1, 2]
    assert EfgModel.load(GOLDENS / "model.efg").settings.field_cutoff == 0.0


@pytest.mark.parametrize("name", MODELS)
def test_python_predictor_meets_the_goldens(name):
    model = EfgModel.load(GOLDENS / f"{name}.efg")
    assert_as_expected(tensor_to_components(model.predict(golden_atoms())), name)


@pytest.mark.parametrize("name", MODELS)
def test_lammps_compute_meets_the_goldens(tmp_path, name):
    atoms = golden_atoms()
    write_lammps_data(
        tmp_path / "data.golden", atoms, specorder=["Li", "P", "S"], masses=True, atom_style="atomic"
    )
    done = run_lmp(DECK.format(model=GOLDENS / f"{name}.efg"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    table = np.loadtxt(tmp_path / "dump.efg", skiprows=9)[atoms.numbers == 3]
    xx, yy, zz, xy, xz, yz = table[:, 1:].T
    tensors = np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=1).reshape(-1, 3, 3)
    assert_as_expected(tensor_to_components(tensors), name)
