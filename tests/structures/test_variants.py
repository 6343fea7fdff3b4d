"""Strained, rattled, disordered cells, and what they say about themselves."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.structures import (
    close_contacts,
    lithium_disordered,
    load_structure,
    made,
    rattled,
    report_structure,
    strained,
    supercell,
    with_density,
)
from lpsnmr.structures.checks import shortest_by_pair
from lpsnmr.structures.variants import periodic_images


@pytest.fixture
def beta():
    return load_structure("beta-Li3PS4")


def test_every_step_is_told(beta):
    atoms = rattled(lithium_disordered(strained(supercell(beta, (1, 1, 2)), [0.01] * 6), 0.25, 3), 0.02, 5)
    steps = made(atoms).split(" | ")
    assert [s.split()[0] for s in steps] == ["beta-Li3PS4", "supercell", "strain", "6", "rattle"]
    assert "doi:10.1016/j.ssi.2010.10.001" in steps[0]
    assert steps[1] == "supercell 1 1 2"
    assert steps[3] == "6 of 24 Li moved to other voids seed 3"
    assert made(beta) == steps[0]  # not changed on the way
    assert made(Atoms("Li")) == "unknown"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-0.1, 0.1), min_size=6, max_size=6))
def test_strain_changes_the_metric_as_it_should(values):
    atoms = load_structure("gamma-Li3PS4")
    result = strained(atoms, values)
    xx, yy, zz, yz, xz, xy = values
    deformation = np.eye(3) + np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    assert np.allclose(
        result.cell.array @ result.cell.array.T,
        atoms.cell.array @ deformation @ deformation @ atoms.cell.array.T,
    )
    assert np.allclose(result.get_scaled_positions(), atoms.get_scaled_positions())
    assert result.get_volume() == pytest.approx(atoms.get_volume() * np.linalg.det(deformation))


def test_density(beta):
    assert report_structure(with_density(beta, 1.9)).density == pytest.approx(1.9)
    with pytest.raises(InputError, match="around the present"):
        with_density(beta, 9.0)


def test_rattle_has_the_width_and_keeps_the_centre(beta):
    large = supercell(beta, (2, 2, 2))
    shift = rattled(large, 0.05, seed=1).positions - large.positions
    assert np.allclose(shift.mean(axis=0), 0, atol=1e-12)
    assert shift.std() == pytest.approx(0.05, rel=0.06)
    assert np.array_equal(rattled(large, 0.05, 1).positions, rattled(large, 0.05, 1).positions)
    with pytest.raises(ComputeError, match="smaller width"):
        rattled(large, 0.5, seed=1)
    with pytest.raises(InputError, match="width"):
        rattled(large, 0.0, seed=1)


@pytest.mark.parametrize("fraction", [0.01, 0.5, 1.0])
def test_disorder_moves_li_to_voids_and_nothing_else(beta, fraction):
    result = lithium_disordered(beta, fraction, seed=7)
    moved = np.flatnonzero(np.abs(result.positions - beta.positions).max(axis=1) > 1e-9)
    assert len(moved) == max(1, round(12 * fraction))
    assert (beta.numbers[moved] == 3).all()
    pairs = shortest_by_pair(result)
    assert pairs["P-S"] == shortest_by_pair(beta)["P-S"]
    for atom in moved:
        distances = result.get_distances(atom, range(len(result)), mic=True)
        distances[atom] = np.inf
        sulfur = np.sort(distances[result.numbers == 16])
        assert sulfur[0] >= 2.2 - 1e-6
        assert sulfur[2] <= 3.0 + 1e-6
        assert distances[result.numbers == 15].min() >= 2.7 - 1e-6
        assert distances[result.numbers == 3].min() >= 2.4 - 1e-6


def test_disorder_that_cannot_be(beta):
    with pytest.raises(InputError, match="fraction"):
        lithium_disordered(beta, 0.0, 1)
    with pytest.raises(InputError, match="Li and S"):
        lithium_disordered(Atoms("Cu", cell=[3, 3, 3], pbc=True), 0.5, 1)
    far = Atoms("LiS", positions=[[0, 0, 0], [9, 9, 9]], cell=[18, 18, 18], pbc=True)
    with pytest.raises(ComputeError, match="no void left for Li 1 of 1"):
        lithium_disordered(far, 1.0, 1)


@pytest.mark.parametrize("values", [[0.01], [0.3, 0, 0, 0, 0, 0], [np.nan] * 6])
def test_bad_strains(beta, values):
    with pytest.raises(InputError, match="six numbers"):
        strained(beta, values)


def test_images_are_all_there():
    cell = np.array([[4.0, 0, 0], [1.5, 5.0, 0], [-0.7, 0.9, 6.0]])
    positions = np.array([[0.1, 0.2, 0.3], [9.0, -4.0, 2.0]])
    points, index = periodic_images(positions, cell, 3.0)
    shifts = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), -1).reshape(-1, 3) @ cell
    random = np.random.default_rng(0)
    for probe in random.random((50, 3)) @ cell:
        for atom in (0, 1):
            exact = np.sort(np.linalg.norm(positions[atom] + shifts - probe, axis=1))
            found = np.sort(np.linalg.norm(points[index == atom] - probe, axis=1))
            near = exact[exact < 3.0]
            assert np.allclose(found[: len(near)], near)


def test_close_contacts_are_named(beta):
    assert close_contacts(beta) == []
    lithium = np.flatnonzero(beta.numbers == 3)[0]
    sulfur = np.flatnonzero(beta.numbers == 16)[0]
    beta.positions[lithium] = beta.positions[sulfur] + [0, 0, 1.5]
    assert any(text.startswith("Li-S 1.50 Å (expected at least 1.85") for text in close_contacts(beta))


def test_alpha_is_refused_with_the_reason():
    with pytest.raises(InputError, match="lithium sites are disordered"):
        load_structure("alpha-Li3PS4")
