"""Shipped crystals, supercells, checks."""

import ase.io
import numpy as np
import pytest
from ase import Atoms

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.structures import CRYSTALS, intact_ps4, load_structure, made, report_structure, supercell
from lpsnmr.structures.checks import check_distances


@pytest.mark.parametrize(
    ("name", "formula", "density"), [("beta-Li3PS4", "Li12P4S16", 1.853), ("gamma-Li3PS4", "Li6P2S8", 1.934)]
)
def test_crystals(name, formula, density):
    atoms = load_structure(name)
    assert str(atoms.symbols.get_chemical_formula()) == formula
    report = report_structure(atoms)
    assert report.n_intact == report.n_phosphorus == len(atoms) // 8
    assert report.density == pytest.approx(density, abs=2e-3)
    assert 1.9 < report.shortest_angstrom < 2.1
    assert set(CRYSTALS) == {"beta-Li3PS4", "gamma-Li3PS4"}


def test_supercell_keeps_the_crystal():
    atoms = load_structure("beta-Li3PS4")
    large = supercell(atoms, (2, 1, 3))
    assert len(large) == 6 * len(atoms)
    a, b = report_structure(atoms), report_structure(large)
    assert b.n_intact == 6 * a.n_intact
    assert b.density == pytest.approx(a.density)
    assert b.shortest_angstrom == pytest.approx(a.shortest_angstrom)
    for repeats in [(0, 1, 1), (1, 1)]:
        with pytest.raises(InputError, match="three positive"):
            supercell(atoms, repeats)


def test_intact_ps4_sees_a_broken_unit_and_any_image():
    atoms = load_structure("gamma-Li3PS4")
    shifted = atoms.positions + np.array([3.0, -2.0, 11.0])  # out of the cell
    assert intact_ps4(shifted, atoms.cell[:], (True, True, True), atoms.numbers) == (2, 2)
    phosphorus = np.flatnonzero(atoms.numbers == 15)[0]
    bonded = np.flatnonzero(
        (atoms.numbers == 16) & (atoms.get_distances(phosphorus, range(16), mic=True) < 2.5)
    )
    bond = atoms.get_distance(phosphorus, bonded[0], mic=True, vector=True)
    shifted[bonded[0]] += bond / np.linalg.norm(bond)  # from 2.05 Å to 3.05 Å
    assert intact_ps4(shifted, atoms.cell[:], (True, True, True), atoms.numbers)[0] < 2
    assert intact_ps4(np.zeros((1, 3)), np.eye(3) * 9, (True, True, True), np.array([3])) == (0, 0)


def test_atoms_on_top_of_each_other():
    atoms = Atoms("LiLi", positions=[[0, 0, 0], [0, 0, 9.5]], cell=[10, 10, 10], pbc=True)
    with pytest.raises(InputError, match=r"atoms 1 \(Li\) and 2 \(Li\) are 0.500"):
        check_distances(atoms)


def test_files(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        load_structure(tmp_path / "absent.cif")
    (tmp_path / "bad.cif").write_text("nonsense")
    with pytest.raises(FileFormatError, match=r"bad\.cif"):
        load_structure(tmp_path / "bad.cif")
    load_structure("beta-Li3PS4").write(tmp_path / "a.extxyz")
    alone = load_structure(tmp_path / "a.extxyz")
    assert len(alone) == 32
    assert "last of" not in made(alone)
    for name in ("POSCAR", "a.gen", "a.res", "a.cif"):
        alone.write(tmp_path / name)
        assert len(load_structure(tmp_path / name)) == 32
    ase.io.write(tmp_path / "b.extxyz", [alone, supercell(alone, (1, 1, 2))])
    several = load_structure(tmp_path / "b.extxyz")
    assert len(several) == 64
    assert made(several) == "file b.extxyz, the last of several structures"
    Atoms("Li", positions=[[0, 0, 0]]).write(tmp_path / "open.xyz")
    with pytest.raises(InputError, match="periodic"):
        load_structure(tmp_path / "open.xyz")


def test_a_supercell_beyond_memory_is_refused():
    with pytest.raises(InputError, match="at most 20000000 atoms, got 4000000000"):
        supercell(load_structure("beta-Li3PS4"), (500, 500, 500))


PARTIAL = """data_x
_cell_length_a 6
_cell_length_b 6
_cell_length_c 6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Li1 Li 0.1 0.1 0.1 {0}
Li2 Li 0.6 0.6 0.1 {1}
S1 S 0.5 0.5 0.5 1.0
{2}"""


def test_partly_occupied_sites_are_refused_with_counts(tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(PARTIAL.format("0.7", "0.3", ""))
    with pytest.raises(InputError, match=r"1 sites of 0.7 Li \(0.7 atoms\); 1 sites of 0.3 Li .* order them"):
        load_structure(path)
    path.write_text(PARTIAL.format("1.0", "0.5", "Na1 Na 0.6 0.6 0.1 0.5\n"))
    with pytest.raises(InputError, match=r"0.5 Li \(0.5 atoms\) \+ 0.5 Na"):
        load_structure(path)
    path.write_text(PARTIAL.format("1.0", "1.0", ""))
    assert str(load_structure(path).symbols) == "Li2S"
    text = PARTIAL.format("0.25", "1.0", "").replace("'P 1'", "'F m -3 m'")
    path.write_text(text.replace("0.1 0.1 0.1", ".25 .25 .25").replace("0.6 0.6 0.1", "0 0 0"))
    with pytest.raises(InputError, match=r"8 sites of 0.25 Li \(2 atoms\)"):
        load_structure(path)
