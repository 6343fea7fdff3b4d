"""Known sites: symmetry, partial occupation, shared sites, repeats, merging, and what is refused."""

import ase.io
import numpy as np
import pytest
from ase import Atoms

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.structures import load_structure, read_known_sites, supercell
from lpsnmr.structures.known_sites import merge_sites

CIF = """data_x
_cell_length_a 8
_cell_length_b 9
_cell_length_c 10
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P m m m'
_symmetry_Int_Tables_number 47
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Li1 Li 0.2 0.3 0.1 0.4
Mg1 Mg 0.5 0.5 0.5 0.7
Li2 Li 0.5 0.5 0.5 0.3
S1 S 0.0 0.0 0.0 1.0
"""


def test_partly_occupied_sites_are_expanded_by_symmetry(tmp_path):
    (tmp_path / "x.cif").write_text(CIF)
    sites = read_known_sites(tmp_path / "x.cif")
    expected = {(x, y, z) for x in (0.2, 0.8) for y in (0.3, 0.7) for z in (0.1, 0.9)} | {(0.5, 0.5, 0.5)}
    assert {tuple(np.round(s, 6).tolist()) for s in sites.fractional} == expected
    assert len(sites.fractional) == 9


def test_repeats_and_whole_cell_are_the_same(tmp_path):
    """The unit cell repeated, or the supercell itself, strained by 3 %."""
    crystal = load_structure("beta-Li3PS4")
    large = supercell(crystal, (1, 2, 2))
    cell = large.cell[:] * 1.03
    expected = large.get_scaled_positions()[large.numbers == 3]
    for name, atoms in (("unit.extxyz", crystal), ("whole.extxyz", large)):
        ase.io.write(tmp_path / name, atoms)
        found = read_known_sites(tmp_path / name).in_cell(cell, (1, 2, 2), 1.2)
        assert found.shape == (48, 3)
        step = found[:, None] - expected
        distance = np.linalg.norm((step - np.round(step)) @ cell, axis=2)
        assert distance.min(axis=0).max() < 1e-6


def test_close_sites_are_merged(tmp_path, caplog):
    cell = np.diag([8.0, 9.0, 10.0])
    points = np.array([[0.01, 0.5, 0.5], [0.5, 0.5, 0.5], [0.99, 0.5, 0.5], [0.88, 0.5, 0.5]])
    merged = merge_sites(points, cell, 1.0)  # across the boundary, and in a chain
    assert sorted(np.round(merged[:, 0], 6).tolist()) == [0.5, 0.96]
    ase.io.write(tmp_path / "x.extxyz", Atoms("Li4", scaled_positions=points, cell=cell, pbc=True))
    assert len(read_known_sites(tmp_path / "x.extxyz").in_cell(cell, (1, 1, 1), 1.0)) == 2
    assert "x.extxyz: 2 sites closer than 1 Å to another were merged, 2 are left" in caplog.text


def test_refusals(tmp_path):
    with pytest.raises(FileFormatError, match=r"absent\.cif: no such file"):
        read_known_sites(tmp_path / "absent.cif")
    (tmp_path / "bad.cif").write_text("nothing")
    with pytest.raises(FileFormatError, match=r"bad\.cif: not a CIF that ASE can read"):
        read_known_sites(tmp_path / "bad.cif")
    ase.io.write(tmp_path / "s.extxyz", Atoms("S", cell=[4, 4, 4], pbc=True))
    with pytest.raises(InputError, match=r"s\.extxyz: holds no Li"):
        read_known_sites(tmp_path / "s.extxyz")
    sites = read_known_sites("beta-Li3PS4")
    large = supercell(load_structure("beta-Li3PS4"), (1, 2, 2)).cell[:]
    with pytest.raises(InputError, match=r"expected the sites of the unit cell .*repeats \(1, 1, 2\) right"):
        sites.in_cell(large, (1, 1, 2), 1.2)
