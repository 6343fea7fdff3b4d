"""Polyhedra of any kind: found, counted, and turned by the point group of their ideal shape."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lpsnmr.analysis.dynamics import analyze_jumps
from lpsnmr.errors import InputError
from lpsnmr.sampling.rotation_jumps import RotationTracker, core_cosine
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.structures import load_structure
from lpsnmr.structures.polyhedra import (
    find_polyhedra,
    ideal_corners,
    proper_rotations,
    tell_broken,
    whole_polyhedra,
)
from lpsnmr.structures.species import PolyhedronSettings, SpeciesSettings

PS4 = SpeciesSettings().polyhedra
PBC = (True, True, True)
ORDERS = {2: 2, 3: 6, 4: 12, 5: 6, 6: 24, 8: 24, 12: 60}


@pytest.mark.parametrize(("count", "order"), ORDERS.items())
def test_groups_of_ideal_shapes(count, order):
    """Closed under products, of the order of the proper point group."""
    group = proper_rotations(count)
    assert len(group) == order
    for a in group:
        for b in group:
            assert tuple(a[k] for k in b) in group


@pytest.mark.parametrize(
    ("count", "angle"), [(3, 120.0), (4, 120.0), (5, 180.0), (6, 90.0), (6, 120.0), (8, 90.0)]
)
def test_a_turn_is_counted_with_its_angle(count, angle):
    """A polyhedron in any orientation, with noise, turned once by an element of its group."""
    rng = np.random.default_rng(count)
    turn = Rotation.random(random_state=count).as_matrix()
    corners = 2.0 * ideal_corners(count) @ turn.T
    labels = next(p for p, a in proper_rotations(count).items() if a == pytest.approx(angle))
    tracker = RotationTracker(1, 0.5, JumpSettings(min_stay_ps=1.0), corners=count)
    for window in range(60):
        now = corners if window < 30 else corners[list(labels)]
        tracker.add((now + 0.1 * rng.normal(size=now.shape))[None])
    found = analyze_jumps(tracker.summary())
    assert found.n_jumps == 1
    assert found.mean_length == pytest.approx(angle)


def test_an_impossible_exchange_has_no_angle():
    """Two corners of an octahedron change places: no rotation does that."""
    corners = 2.0 * ideal_corners(6)
    tracker = RotationTracker(1, 0.5, JumpSettings(min_stay_ps=1.0), corners=6)
    for window in range(60):
        tracker.add((corners if window < 30 else corners[[2, 1, 0, 3, 4, 5]])[None])
    assert analyze_jumps(tracker.summary()).mean_length == 0.0
    assert core_cosine(4) == pytest.approx(np.cos(np.radians(40)), abs=1e-3)
    assert core_cosine(6) > core_cosine(4)  # neighbours are closer


def thiodiphosphate():
    """P2S7 in a box: two tetrahedra that share a corner."""
    bond = 2.05
    shared = np.zeros(3)
    tetrahedron = ideal_corners(4)
    first = shared - bond * tetrahedron[0]
    second = shared + bond * tetrahedron[0]
    positions = [first, second, shared, *(first + bond * tetrahedron[1:]), *(second - bond * tetrahedron[1:])]
    return np.array(positions) + 7.0, 14.0 * np.eye(3), np.array([15, 15, *[16] * 7], dtype=np.int32)


def test_shared_corners_and_several_kinds():
    positions, cell, numbers = thiodiphosphate()
    units = find_polyhedra(positions, cell, PBC, numbers, PS4[0])
    assert units.shape == (2, 5)
    assert 2 in units[0]
    assert 2 in units[1]
    assert whole_polyhedra(positions, cell, PBC, numbers, PS4) == (2, 2)
    kinds = (*PS4, PolyhedronSettings(center="P", ligand="S", count=3, cutoff=2.7))
    left = np.arange(9) != 8  # one P has lost a corner
    assert whole_polyhedra(positions[left], cell, PBC, numbers[left], PS4) == (1, 2)
    assert whole_polyhedra(positions[left], cell, PBC, numbers[left], kinds) == (2, 2)
    assert "1 of 2 centres are whole PS4" in tell_broken(positions[left], cell, PBC, numbers[left], PS4)
    assert tell_broken(positions, cell, PBC, numbers, PS4) == ""
    assert tell_broken(positions[2:], cell, PBC, numbers[2:], PS4) == ""  # no centres: nothing to say


def test_crystal_has_whole_units():
    crystal = load_structure("beta-Li3PS4")
    assert whole_polyhedra(crystal.positions, crystal.cell[:], PBC, crystal.numbers, PS4) == (4, 4)


def test_settings_that_do_not_fit():
    for bad, words in (
        ({"mobile": "Xx"}, "not an element"),
        ({"mobile": "Na", "framework": ("Na", "P")}, "other than the mobile ion"),
        ({"nucleus": "23Na"}, "an isotope of Li"),
        ({"mobile": "Na", "spin": 0.5}, "spin"),
        ({"charge": 0.0}, "other than 0"),
        ({"polyhedra": (PS4[0], PS4[0])}, "each kind once"),
    ):
        with pytest.raises(InputError, match=words):
            SpeciesSettings.checked(**bad)
    assert SpeciesSettings(mobile="Na").nucleus_of(None) == "23Na"
    assert SpeciesSettings(mobile="O", charge=-2).nucleus_of(None) == "17O"
    assert SpeciesSettings(mobile="Na", quadrupole_barn=0.1).nucleus_of(None) == "23Na Q=0.1"
