"""Random packings: whole units, nothing too close, other ones with other seeds."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from click.testing import CliRunner

from lpsnmr.cli.structures import command
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.structures import (
    load_structure,
    made,
    packed,
    packing,
    report_structure,
    strained,
    with_density,
)
from lpsnmr.structures.packing import APART_ANGSTROM, TOLERATED_ANGSTROM


def closest_between_units(atoms):
    """Return the distance of every pair of elements over all images, PS4 units' own pairs left out; slow.

    P and the image of it that is nearest to an S say which unit that is.
    """
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    images = shifts @ atoms.cell.array
    units = {}
    for i in np.flatnonzero(np.isin(atoms.numbers, (15, 16))).tolist():
        near = {
            (p, k): np.linalg.norm(atoms.positions[p] + images[k] - atoms.positions[i])
            for p in np.flatnonzero(atoms.numbers == 15).tolist()
            for k in range(len(images))
        }
        p, k = min(near, key=near.__getitem__)
        units[i] = p, shifts[k]
    found = {}
    for i in range(len(atoms)):
        for j in range(len(atoms)):
            d = np.linalg.norm(atoms.positions[j] - atoms.positions[i] + images, axis=1)
            pair = tuple(sorted((int(atoms.numbers[i]), int(atoms.numbers[j]))))
            own = (shifts == 0).all(axis=1) & (i == j)
            if i in units and j in units and units[i][0] == units[j][0]:
                own |= (shifts + units[j][1] == units[i][1]).all(axis=1)
            found[pair] = min(found.get(pair, 99.0), d[~own].min())
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_units_are_whole_and_apart(seed):
    sheared = strained(with_density(load_structure("beta-Li3PS4"), 1.70), [0, 0, 0, 0.05, 0, 0.08])
    atoms = packed(sheared, seed)
    assert atoms.get_chemical_formula() == "Li12P4S16"
    report = report_structure(atoms)
    assert report.n_intact == report.n_phosphorus == 4
    np.testing.assert_array_equal(atoms.cell.array, sheared.cell.array)
    for pair, distance in closest_between_units(atoms).items():
        assert distance >= APART_ANGSTROM[pair] - TOLERATED_ANGSTROM
    assert made(atoms).endswith(f"4 PS4 units and 12 Li packed at random seed {seed}")
    if seed == 1:
        np.testing.assert_array_equal(packed(sheared, seed).positions, atoms.positions)
    else:
        assert np.abs(packed(sheared, 1).positions - atoms.positions).max() > 1.0


def test_command(tmp_path):
    output = tmp_path / "packed.extxyz"
    arguments = ["beta-Li3PS4", "--density", "1.6", "--pack", "--seed", "4", "-o", str(output)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert "PS4 4/4" in result.output
    assert "packed at random seed 4" in ase.io.read(output).info["made"]


def test_what_cannot_be_packed(monkeypatch):
    with pytest.raises(InputError, match="four S for each P"):
        packed(Atoms("LiPS3", cell=[8, 8, 8], pbc=True), 1)
    monkeypatch.setattr(packing, "SWEEPS", 20)
    with pytest.raises(ComputeError, match="lower the density"):
        packed(with_density(load_structure("gamma-Li3PS4"), 3.5), 1)
