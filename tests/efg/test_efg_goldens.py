"""One set of goldens for Python and LAMMPS; cpp/core/tests/test_efg_goldens.cpp reads it too."""

from pathlib import Path

import ase
import numpy as np
from ase.io.lammpsdata import write_lammps_data

from lammps_runs import run_lmp
from lpsnmr.efg import EfgModel
from lpsnmr.efg.tensors import tensor_to_components

GOLDENS = Path(__file__).parent / "goldens"
DECK = """units metal
atom_style atomic
read_data data.golden
pair_style zero 6.0
pair_coeff * *
comm_modify cutoff 8.0
compute efg all efg/atom {model} Li P S
dump all all custom 1 dump.efg id c_efg[*]
dump_modify all sort id format float %22.16g
run 0
"""


def golden_atoms():
    lines = [line.split() for line in (GOLDENS / "frame.txt").read_text().splitlines()]
    atoms = np.array(lines[3:], dtype=float)
    return ase.Atoms(atoms[:, 0].astype(int), atoms[:, 1:], cell=np.array(lines[:3], dtype=float), pbc=True)


def expected():
    return np.loadtxt(GOLDENS / "expected.txt")


def test_python_predictor_meets_the_goldens():
    found = tensor_to_components(EfgModel.load(GOLDENS / "model.efg").predict(golden_atoms()))
    np.testing.assert_allclose(found, expected(), rtol=0, atol=1e-12 * np.abs(expected()).max())


def test_lammps_compute_meets_the_goldens(tmp_path):
    atoms = golden_atoms()
    write_lammps_data(
        tmp_path / "data.golden", atoms, specorder=["Li", "P", "S"], masses=True, atom_style="atomic"
    )
    done = run_lmp(DECK.format(model=GOLDENS / "model.efg"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    table = np.loadtxt(tmp_path / "dump.efg", skiprows=9)[atoms.numbers == 3]
    xx, yy, zz, xy, xz, yz = table[:, 1:].T
    tensors = np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=1).reshape(-1, 3, 3)
    np.testing.assert_allclose(
        tensor_to_components(tensors), expected(), rtol=0, atol=1e-12 * np.abs(expected()).max()
    )
