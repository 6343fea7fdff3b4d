"""Rotation of PS4 units: which S points which way, counted like jumps."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.results import Rotations
from lpsnmr.sampling.jump_book import JumpBook, JumpTracker
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.typing import Array

__all__ = ["RotationTracker", "rotation_angle_degrees"]

CORE_COSINE = 0.766
"""An S is at a corner when it lies within 40° of its direction; corners are 109.5° apart."""
WINDOWS_TO_LEARN = 10
DEGREES_PER_UNIT = 10.0
"""The book's lengths are rotation angles in units of ten degrees."""


def rotation_angle_degrees(before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """Return the angle of the proper rotation of a tetrahedron that moves corners ``before`` to ``after``.

    120° when one corner stays, 180° when none does; 0° for arrangements that no rotation connects.

    Examples
    --------
    >>> rotation_angle_degrees(np.array([0, 1, 2, 3]), np.array([0, 2, 3, 1]))
    120.0
    >>> rotation_angle_degrees(np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2]))
    180.0
    """
    change = np.empty(4, dtype=np.int64)
    change[before] = after
    fixed = int(np.sum(change == np.arange(4)))
    if fixed == 1:
        return 120.0
    is_double_swap = fixed == 0 and np.array_equal(change[change], np.arange(4))
    return 180.0 if is_double_swap else 0.0


class RotationTracker(JumpTracker):
    """Follows the permutation of the S over the four corners of each PS4 unit.

    The corners are the mean directions of the first ten windows. An arrangement counts when all four S
    lie within 40° of different corners; in between a unit keeps the one before.

    Parameters
    ----------
    n
        Number of PS4 units.
    window_ps
        Time from one window to the next, ps.
    settings
        Its ``min_stay_ps`` tells recrossings.
    """

    _ARRAYS = ("windows", "corners", "here", "before", "before_that")
    _KIND = "rotation"

    def __init__(self, n: int, window_ps: float, settings: JumpSettings) -> None:
        self._window_ps = window_ps
        self.book = JumpBook(n, max(1, round(settings.min_stay_ps / window_ps)))
        self._n = n
        self._windows = 0
        self._corners = np.zeros((n, 4, 3))
        self._axes: Array | None = None  # the corners as unit vectors, once they are known
        identity = np.tile(np.arange(4), (n, 1))
        self._here, self._before, self._before_that = identity, identity - 4, identity - 4

    def add(self, vectors: Array) -> None:
        """Take the averaged P–S vectors of one window, (n, 4, 3) float64, of any length."""
        directions = _unit(vectors)
        if self._windows < WINDOWS_TO_LEARN:
            self._windows += 1
            self._corners += directions
            return
        self.book.advance()
        if self._axes is None:
            self._axes = _unit(self._corners)
        cosines = directions @ self._axes.transpose(0, 2, 1)  # (n, S, corner)
        corner = np.argmax(cosines, axis=2)
        for i in np.flatnonzero((corner != self._here).any(axis=1)).tolist():
            at_corners = cosines[i].max(axis=1).min() > CORE_COSINE
            if at_corners and np.array_equal(np.sort(corner[i]), np.arange(4)):
                self._turn(i, corner[i])
        self.book.settle()

    def _turn(self, i: int, corner: NDArray[np.int64]) -> None:
        returns = bool(np.array_equal(corner, self._before[i]))
        if self.book.pending[i] and returns:
            self.book.retract(i)
            self._here[i], self._before[i] = corner, self._before_that[i]
            return
        angle = rotation_angle_degrees(self._here[i], corner)
        self.book.propose(i, angle / DEGREES_PER_UNIT, backward=returns)
        self._before_that[i] = self._before[i]
        self._before[i], self._here[i] = self._here[i].copy(), corner

    @classmethod
    def from_state(
        cls, state: Mapping[str, NDArray[Any]], window_ps: float, settings: JumpSettings
    ) -> "RotationTracker":
        """Continue from a state."""
        cls._check(state)
        tracker = cls(len(state["here"]), window_ps, settings)
        tracker._restore(state)
        return tracker

    def summary(self) -> Rotations:
        """Return what the analysis needs; lengths are angles in units of ten degrees."""
        return Rotations(**vars(self.book.summary(self._window_ps)))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
