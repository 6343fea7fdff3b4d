"""Radial distributions and bonds against closed forms."""

import numpy as np
import pytest

from lpsnmr.structures import load_structure, supercell
from lpsnmr.structures.observe import (
    RadialHistogram,
    bonded_sulfur,
    coordination,
    crystal_peak,
    rdf_difference,
)


def test_an_ideal_gas_has_g_of_one():
    rng = np.random.default_rng(0)
    histogram = RadialHistogram(((3, 16), (3, 3)), np.linspace(0.0, 5.0, 11))
    numbers = np.repeat([3, 16], [60, 80]).astype(np.int32)
    cell = np.array([[12.0, 0, 0], [2.0, 11.0, 0], [1.0, -1.0, 13.0]])
    for _ in range(150):
        histogram.add(rng.uniform(size=(140, 3)) @ cell, cell, numbers)
    np.testing.assert_allclose(histogram.values[0, 2:], 1.0, atol=0.03)
    np.testing.assert_allclose(histogram.values[1, 2:], 59 / 60, atol=0.03)
    shell = 4 / 3 * np.pi * 5.0**3 * 80 / abs(np.linalg.det(cell))
    assert histogram.neighbours_within(0, 5.0) == pytest.approx(shell, rel=0.01)


def test_first_shell_of_a_crystal():
    atoms = supercell(load_structure("beta-Li3PS4"), (1, 1, 2))
    numbers = np.asarray(atoms.numbers, dtype=np.int32)
    assert (coordination(atoms.positions, atoms.cell.array, numbers) == 4).all()
    bonds = bonded_sulfur(atoms.positions, atoms.cell.array, numbers)
    assert bonds.shape == (8, 32)
    assert (bonds.sum(axis=0) == 1).all()
    histogram = RadialHistogram(((15, 16),), np.linspace(0.0, 4.0, 81))
    histogram.add(atoms.positions, atoms.cell.array, numbers)
    assert histogram.neighbours_within(0, 2.8) == pytest.approx(4.0)
    pulled = atoms.copy()
    s = int(np.flatnonzero(bonds[0])[0])
    index = int(np.flatnonzero(numbers == 16)[s])
    p = int(np.flatnonzero(numbers == 15)[0])
    away = pulled.get_distance(p, index, mic=True, vector=True)
    pulled.positions[index] += 0.6 * away
    assert coordination(pulled.positions, pulled.cell.array, numbers)[0] == 3


def test_reflections_of_a_crystal_and_of_chance():
    atoms = supercell(load_structure("beta-Li3PS4"), (1, 1, 2))
    peak, _ = crystal_peak(atoms.positions[atoms.numbers == 15], atoms.cell.array)
    assert peak == pytest.approx(1.0, abs=0.03)
    rng = np.random.default_rng(3)
    cell = np.array([[14.0, 0, 0], [2.0, 13.0, 0], [-1.0, 3.0, 15.0]])
    found = [crystal_peak(rng.uniform(size=(40, 3)) @ cell, cell) for _ in range(60)]
    assert np.mean([p for p, _ in found]) == pytest.approx(found[0][1], rel=0.06)
    few = np.array([[0.3, 0, 0], [1.0, 0.2, 0], [2.0, 0, 0.4], [3.5, 0, 0]])
    line, _ = crystal_peak(few, np.diag([4.0, 2.0, 2.0]), 1.6)  # one wave vector, 2π/4 along x
    assert line == pytest.approx(abs(np.exp(0.5j * np.pi * few[:, 0]).sum()) ** 2 / 16, rel=1e-9)


def test_difference_of_distributions():
    g = np.array([0.0, 2.0, 1.0])
    assert rdf_difference(g, g) == 0.0
    assert rdf_difference(g, np.array([3.0, 0.0, 0.0])) == pytest.approx(2.0)
    assert rdf_difference(g, np.array([0.0, 1.0, 1.0])) == pytest.approx(0.4)
