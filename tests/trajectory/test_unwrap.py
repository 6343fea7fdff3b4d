"""Unwrapping by nearest images against the walk that was wrapped."""

import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.trajectory.unwrap import Unwrapper

CELL = np.array([[8.0, 0, 0], [2.0, 9.0, 0], [-1.0, 0.5, 10.0]])


def test_random_walk():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(scale=0.6, size=(400, 5, 3)), axis=0) + rng.uniform(0, 8, (5, 3))
    unwrapper = Unwrapper()
    for k, truth in enumerate(walk):
        if k == 200:  # go on from a state
            unwrapper = Unwrapper(unwrapper.fractional)
        fractional = np.linalg.solve(CELL.T, truth.T).T
        wrapped = (fractional - np.floor(fractional)) @ CELL
        found = unwrapper.add(wrapped, CELL, (True, True, True))
        if k == 0:
            offset = found - truth
        np.testing.assert_allclose(found - offset, truth, atol=1e-9)


def test_too_long_a_step_is_refused():
    unwrapper = Unwrapper()
    unwrapper.add(np.zeros((2, 3)), CELL, (True, True, True))
    with pytest.raises(InputError, match="atom 2"):
        unwrapper.add(np.array([[0, 0, 0], [0.45 * 8, 0, 0]]), CELL, (True, True, True))
