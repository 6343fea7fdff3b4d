"""LAMMPS data files: rotation into the LAMMPS frame and the way back."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.data_file import read_data_file, to_lammps_frame, write_data_file


def random_crystal(seed, n=7):
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(5, 9, 3)) + rng.normal(scale=0.7, size=(3, 3))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    if np.linalg.det(rotation) < 0:
        rotation[0] *= -1
    cell = cell @ rotation
    if np.linalg.det(cell) < 0:
        cell[0] *= -1
    return Atoms(
        rng.choice(["Li", "P", "S"], n), scaled_positions=rng.uniform(-1, 2, (n, 3)), cell=cell, pbc=True
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_round_trip(tmp_path_factory, seed):
    atoms = random_crystal(seed)
    path = tmp_path_factory.mktemp("data") / "crystal.data"
    elements = write_data_file(path, atoms)
    assert elements == [e for e in ("Li", "P", "S") if e in atoms.symbols]
    back = read_data_file(path)
    np.testing.assert_array_equal(back.numbers, atoms.numbers)
    np.testing.assert_allclose(back.cell @ back.cell.T, atoms.cell @ atoms.cell.T, atol=1e-10)
    np.testing.assert_allclose(back.get_all_distances(mic=True), atoms.get_all_distances(mic=True), atol=1e-9)
    assert np.allclose(np.triu(back.cell, 1), 0)
    assert np.all(np.diag(back.cell) > 0)


def test_orthogonal_stays_as_it_is(tmp_path):
    atoms = Atoms("LiS", positions=[[1, 2, 3], [4, 5, 6]], cell=[7, 8, 9], pbc=True)
    write_data_file(tmp_path / "a.data", atoms)
    text = (tmp_path / "a.data").read_text()
    assert "xy xz yz" not in text
    np.testing.assert_allclose(read_data_file(tmp_path / "a.data").positions, atoms.positions, atol=1e-13)
    write_data_file(tmp_path / "b.data", atoms)
    assert (tmp_path / "b.data").read_text() == text


def test_left_handed_cell_is_refused():
    with pytest.raises(InputError, match="right-handed"):
        to_lammps_frame(np.diag([5.0, 5.0, -5.0]))


def test_element_order_and_missing_element(tmp_path):
    atoms = Atoms("SLi", positions=[[0, 0, 0], [2.5, 0, 0]], cell=[6, 6, 6], pbc=True)
    assert write_data_file(tmp_path / "a.data", atoms, ["Li", "P", "S"]) == ["Li", "P", "S"]
    np.testing.assert_array_equal(read_data_file(tmp_path / "a.data").numbers, [16, 3])
    with pytest.raises(InputError, match="elements S"):
        write_data_file(tmp_path / "a.data", atoms, ["Li"])


GOOD = """title

2 atoms
2 atom types
0 5 xlo xhi
0 6 ylo yhi
0 7 zlo zhi

Masses

1 6.94 # Li
2 32.06 # S

Atoms # atomic

2 2 1 1 1 1 0 -1
1 1 0.5 0 0 0 0 0
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2 atoms", "3 atoms", "expected 3 atoms, got 2"),
        ("6.94 # Li", "8.1", r":11: no element"),
        ("6.94 # Li", "8.1 # Ob", r":11: no element for type 1 of mass 8.1"),
        ("1 6.94", "2 6.94", r":12: a second mass of type 2"),
        ("2 32.06 # S", "2 32.06 3 # S", r":12: expected a type and its mass"),
        ("1 6.94", "x 6.94", r":11: expected an atom type, an integer, got 'x'"),
        ("title", "made by hand, units = lj", r":1: units lj; expected metal or real"),
        ("Masses", "Masses\n\n1 6.94\n\nMasses", "a second section Masses"),
        ("2 atom types", "2 atom types\n3 strange things", r":5: unknown header line"),
        ("# atomic", "# peri", "atom style 'peri'; expected atomic, charge"),
        ("2 2 1 1 1 1 0 -1", "2 2 1 1 x 1 0 -1", r":16: expected numbers"),
        ("2 2 1 1 1 1 0 -1", "2 2 1 1 nan 1 0 -1", r":16: expected finite"),
        ("2 2 1 1 1 1 0 -1", "2 3 1 1 1 1 0 -1", r":16: atom type 3"),
        ("2 2 1 1 1 1 0 -1", "1 2 1 1 1 1 0 -1", "atom id occurs twice"),
        ("2 2 1 1 1 1 0 -1", "2 2 1 1 1 1", r":16: expected id type x y z"),
        ("# atomic", "# charge", "atom style 'charge'"),
        ("0 7 zlo zhi", "", "zlo zhi"),
        ("Masses", "Bonds", "section 'Bonds'"),
    ],
)
def test_damaged_file(tmp_path, old, new, words):
    path = tmp_path / "bad.data"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(FileFormatError, match=words):
        read_data_file(path)


def test_image_flags_unwrap(tmp_path):
    path = tmp_path / "good.data"
    path.write_text(GOOD)
    atoms = read_data_file(path)
    np.testing.assert_allclose(atoms.positions, [[0.5, 0, 0], [6, 1, -6]])
