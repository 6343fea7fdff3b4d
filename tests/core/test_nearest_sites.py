"""nearest_sites against distances to all images."""

import itertools

import numpy as np
import pytest

from lpsnmr._core import nearest_sites
from lpsnmr.errors import InputError

CELL = np.array([[13.3, 0.0, 0.0], [1.5, 16.3, 0.0], [-0.8, 2.0, 12.6]])


@pytest.mark.parametrize("n_sites", [1, 2, 63, 64, 65, 200])
def test_against_all_images(n_sites):
    rng = np.random.default_rng(n_sites)
    points, sites = rng.uniform(-2, 3, (40, 3)), rng.random((n_sites, 3))
    shifts = np.array(list(itertools.product(range(-4, 5), repeat=3)))
    images = (sites[None] + shifts[:, None]) @ CELL
    gaps = np.linalg.norm(images[None] - (points @ CELL)[:, None, None], axis=-1).min(axis=1)
    nearest, distance = nearest_sites(points, sites, CELL)
    # far ones may be nearer in another image than the one nearest in fractional coordinates
    near = gaps.min(axis=1) < 4.0
    assert near.sum() > 30 or n_sites < 60
    np.testing.assert_array_equal(nearest[near], gaps.argmin(axis=1)[near])
    np.testing.assert_allclose(distance[near], gaps.min(axis=1)[near], rtol=1e-12)
    assert (distance >= gaps.min(axis=1) - 1e-12).all()


def test_first_of_equally_near_sites():
    nearest, distance = nearest_sites(
        [[0.1, 0.2, 0.3]], [[0.5, 0.5, 0.5], [0.1, 0.2, 0.3], [1.1, 0.2, -0.7]], CELL
    )
    assert nearest.tolist() == [1]
    assert distance[0] == pytest.approx(0.0, abs=1e-14)


def test_bad_arguments():
    with pytest.raises(InputError, match="at least one site"):
        nearest_sites(np.zeros((2, 3)), np.zeros((0, 3)), CELL)
    with pytest.raises(InputError, match="points"):
        nearest_sites(np.zeros((2, 2)), np.zeros((1, 3)), CELL)
