"""The neighbour list against a direct sum over images."""

import itertools

import numpy as np
import pytest

from lpsnmr._core import neighbor_list
from lpsnmr.errors import InputError


def direct(positions, cell, pbc, cutoff):
    pairs = []
    span = [range(-4, 5) if p else (0,) for p in pbc]
    for i, j in itertools.product(range(len(positions)), repeat=2):
        for image in itertools.product(*span):
            vector = positions[j] + np.array(image) @ cell - positions[i]
            r = np.linalg.norm(vector)
            if r < cutoff and not (i == j and image == (0, 0, 0)):
                pairs.append((i, j, *np.round(vector, 9)))
    return sorted(pairs)


def listed(positions, cell, pbc, cutoff, centers=None):
    first, index, vector, distance = neighbor_list(positions, cell, pbc, cutoff, centers)
    np.testing.assert_allclose(np.linalg.norm(vector, axis=1), distance, rtol=1e-14)
    owners = np.repeat(range(len(first) - 1) if centers is None else centers, np.diff(first))
    return sorted((int(i), int(j), *np.round(v, 9)) for i, j, v in zip(owners, index, vector, strict=True))


@pytest.mark.parametrize("pbc", list(itertools.product((True, False), repeat=3)))
@pytest.mark.parametrize("cutoff", [1.9, 4.1, 7.0])
def test_matches_direct_sum(pbc, cutoff):
    rng = np.random.default_rng(7)
    cell = np.array([[5.0, 0.2, -0.4], [1.9, 4.5, 0.3], [-1.0, 0.8, 6.0]])
    positions = rng.uniform(-8, 8, (9, 3))
    if all(pbc):  # positions far outside the cell are the same atoms as wrapped ones
        wrapped = positions - np.floor(positions @ np.linalg.inv(cell)) @ cell
        assert listed(positions, cell, pbc, cutoff) == direct(wrapped, cell, pbc, cutoff)
    positions = rng.uniform(0, 5, (9, 3))
    assert listed(positions, cell, pbc, cutoff) == direct(positions, cell, pbc, cutoff)


def test_flat_and_linear_open_systems():
    positions = np.array([[0.0, 0, 0], [1.5, 0, 0], [4.0, 0, 0], [4.0, 2.0, 0]])
    for n in (2, 3, 4):
        pbc = (False,) * 3
        assert listed(positions[:n], np.eye(3), pbc, 3.0) == direct(positions[:n], np.eye(3), pbc, 3.0)


def test_large_system_subset_of_centers():
    rng = np.random.default_rng(3)
    cell = np.diag([21.0, 17.0, 25.0])
    positions = rng.uniform(0, 1, (600, 3)) @ cell
    full = listed(positions, cell, (True,) * 3, 4.0)
    centers = [5, 17, 401]
    assert listed(positions, cell, (True,) * 3, 4.0, centers) == [p for p in full if p[0] in centers]
    # every ordered pair has its reverse
    assert {(i, j) for i, j, *_ in full} == {(j, i) for i, j, *_ in full}


@pytest.mark.parametrize(
    ("cell", "cutoff", "words"),
    [
        (np.zeros((3, 3)), 3.0, "volume"),
        (np.eye(3) * 5, -1.0, "cutoff"),
        (np.eye(3) * 5, np.nan, "cutoff"),
        (np.eye(3) * 5e-10, 3.0, "is the cell in Å"),
    ],
)
def test_bad_input(cell, cutoff, words):
    with pytest.raises(InputError, match=words):
        neighbor_list(np.zeros((2, 3)), cell, (True,) * 3, cutoff)


@pytest.mark.parametrize("x", [np.nan, np.inf, 1e308])
@pytest.mark.parametrize("periodic", [True, False])
def test_position_that_is_no_place(x, periodic):
    with pytest.raises(InputError, match="position of atom 1"):
        neighbor_list(np.array([[0, 0, 0], [x, 0, 0]]), np.eye(3) * 5, (periodic,) * 3, 3.0)
