"""Rotation of polyhedra: which corner atom points which way, counted like jumps."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.results import Rotations
from lpsnmr.sampling.jump_book import JumpBook, JumpTracker
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.structures.polyhedra import ideal_corners, proper_rotations
from lpsnmr.typing import Array

__all__ = ["RotationTracker", "rotation_angle_degrees"]

CORE_COSINE = 0.766
"""An atom is at a corner of a tetrahedron within 40° of its direction; corners are 109.5° apart."""
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


def core_cosine(count: int) -> float:
    """Return the cosine of the angle within which an atom is at a corner of the ideal shape.

    The same share of the half angle between neighbouring corners as for a tetrahedron.
    """
    corners = ideal_corners(count)
    if count == 4 or corners is None:
        return CORE_COSINE
    apart = np.arccos(np.clip((corners @ corners.T)[~np.eye(count, dtype=bool)].max(), -1.0, 1.0))
    return float(np.cos(np.arccos(CORE_COSINE) * apart / np.arccos(-1.0 / 3.0)))


def match_ideal(corners: Array) -> NDArray[np.int64] | None:
    """Return which corner of the ideal shape each direction is, (count,) int64; None without such a shape.

    Two of the ideal corners are laid on every pair of directions in turn; the pair that leaves the others
    closest to theirs is taken.

    Parameters
    ----------
    corners
        (count, 3) float64 unit vectors.
    """
    count = len(corners)
    ideal = ideal_corners(count)
    if ideal is None:
        return None
    if count == 2:
        return np.arange(2)
    best, found = -np.inf, None
    for i, j in permutations(range(count), 2):
        for k in range(1, count):
            if abs(ideal[0] @ ideal[k]) > 0.99:
                continue
            rotation = kabsch(ideal[[0, k]], corners[[i, j]])
            cosines = corners @ (ideal @ rotation.T).T
            labels = cosines.argmax(axis=1)
            score = float(cosines.max(axis=1).sum())
            if score > best + 1e-9 and len(set(labels.tolist())) == count:
                best, found = score, labels
    return found


def kabsch(before: Array, after: Array) -> Array:
    """Return the proper rotation that lays vectors ``before`` on ``after`` best, (3, 3)."""
    u, _, vt = np.linalg.svd(after.T @ before)
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return np.asarray(u @ sign @ vt)


def general_angle_degrees(
    ideal: NDArray[np.int64], before: NDArray[np.int64], after: NDArray[np.int64]
) -> float:
    """Return the angle of the rotation of the ideal shape that moves corners; 0° where none does.

    Parameters
    ----------
    ideal
        (count,) corner of the ideal shape that each learnt corner is, from ``match_ideal``.
    before, after
        (count,) learnt corner at which each atom is.
    """
    change = np.empty(len(before), dtype=np.int64)
    change[ideal[before]] = ideal[after]
    return proper_rotations(len(before)).get(tuple(int(k) for k in change), 0.0)


class RotationTracker(JumpTracker):
    """Follows the permutation of the corner atoms over the corners of each polyhedron.

    The corners are the mean directions of the first ten windows. An arrangement counts when all atoms
    lie close to different corners (within 40° for a tetrahedron); in between a unit keeps the one before.
    Angles are those of the point group of the ideal shape with as many corners.

    Parameters
    ----------
    n
        Number of polyhedra.
    window_ps
        Time from one window to the next, ps.
    settings
        Its ``min_stay_ps`` tells recrossings.
    corners
        Corners of one polyhedron.
    """

    _ARRAYS = ("windows", "corners", "here", "before", "before_that")
    _KIND = "rotation"

    def __init__(self, n: int, window_ps: float, settings: JumpSettings, corners: int = 4) -> None:
        self._count = corners
        self._core = core_cosine(corners)
        self._window_ps = window_ps
        self.book = JumpBook(n, max(1, round(settings.min_stay_ps / window_ps)))
        self._n = n
        self._windows = 0
        self._corners = np.zeros((n, corners, 3))
        self._axes: Array | None = None  # the corners as unit vectors, once they are known
        identity = np.tile(np.arange(corners), (n, 1))
        self._here, self._before, self._before_that = identity, identity - corners, identity - corners

    def add(self, vectors: Array) -> None:
        """Take the averaged vectors from centre to corners of one window, (n, corners, 3) float64."""
        directions = _unit(vectors)
        if self._windows < WINDOWS_TO_LEARN:
            self._windows += 1
            self._corners += directions
            return
        self.book.advance()
        if self._axes is None:
            self._axes = _unit(self._corners)
        cosines = directions @ self._axes.transpose(0, 2, 1)  # (n, atom, corner)
        corner = np.argmax(cosines, axis=2)
        for i in np.flatnonzero((corner != self._here).any(axis=1)).tolist():
            at_corners = cosines[i].max(axis=1).min() > self._core
            if at_corners and np.array_equal(np.sort(corner[i]), np.arange(self._count)):
                self._turn(i, corner[i])
        self.book.settle()

    def _turn(self, i: int, corner: NDArray[np.int64]) -> None:
        returns = bool(np.array_equal(corner, self._before[i]))
        if self.book.pending[i] and returns:
            self.book.retract(i)
            self._here[i], self._before[i] = corner, self._before_that[i]
            return
        angle = self._angle(i, self._here[i], corner)
        self.book.propose(i, angle / DEGREES_PER_UNIT, backward=returns)
        self._before_that[i] = self._before[i]
        self._before[i], self._here[i] = self._here[i].copy(), corner

    def _angle(self, i: int, before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
        if self._count == 4:
            return rotation_angle_degrees(before, after)
        ideal = match_ideal(_unit(self._corners[i]))
        return 0.0 if ideal is None else general_angle_degrees(ideal, before, after)

    @classmethod
    def from_state(
        cls, state: Mapping[str, NDArray[Any]], window_ps: float, settings: JumpSettings
    ) -> "RotationTracker":
        """Continue from a state."""
        cls._check(state)
        tracker = cls(len(state["here"]), window_ps, settings, state["here"].shape[1])
        tracker._restore(state)
        return tracker

    def summary(self) -> Rotations:
        """Return what the analysis needs; lengths are angles in units of ten degrees."""
        return Rotations(**vars(self.book.summary(self._window_ps)))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
