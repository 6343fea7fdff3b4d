"""Jumps without sites: the vibration-averaged position leaves where it was, and stays away."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.results import Jumps
from lpsnmr.sampling.jump_book import JumpBook, JumpTracker
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.typing import Array

__all__ = ["DisplacementTracker"]

MEMORY_WINDOWS = 64
"""The mean position of a residence forgets what is longer ago than so many windows."""
WINDOWS_TO_LEAVE = 2


class DisplacementTracker(JumpTracker):
    """For amorphous material, where no list of sites is known; works in crystals too.

    Each ion has the mean of its averaged positions during the present residence. When two windows in
    succession lie farther from it than ``displacement_angstrom`` it has jumped and a new residence
    begins there. If it comes back to within half that distance of the old mean before ``min_stay_ps``
    the excursion is a recrossing.

    Parameters
    ----------
    n
        Number of ions.
    window_ps
        Time from one window to the next, ps.
    settings
        See ``JumpSettings``.
    """

    _ARRAYS = ("mean", "weight", "old", "old_weight", "older", "gone", "gone_sum")
    _KIND = "displacement"

    def __init__(self, n: int, window_ps: float, settings: JumpSettings) -> None:
        self._n, self._settings = n, settings
        self._window_ps = window_ps
        self.book = JumpBook(n, max(1, round(settings.min_stay_ps / window_ps)))
        self._mean = np.zeros((n, 3))
        self._weight = np.zeros(n)  # windows in the mean; 0 before the first
        self._old = np.full((n, 3), np.nan)  # mean of the residence before
        self._old_weight = np.zeros(n)
        self._older = np.full((n, 3), np.nan)
        self._gone = np.zeros(n, dtype=np.int64)  # windows in succession spent elsewhere
        self._gone_sum = np.zeros((n, 3))

    def add(self, positions: Array) -> None:
        """Take the averaged positions of one window, (n, 3) float64, Å, unwrapped, drift removed."""
        self.book.advance()
        step = positions - self._mean
        far = np.einsum("ix,ix->i", step, step) > self._settings.displacement_angstrom**2
        far &= self._weight > 0  # the first window begins a residence
        stays = ~far
        self._weight[stays] = np.minimum(self._weight[stays] + 1.0, MEMORY_WINDOWS)
        self._mean[stays] += step[stays] / self._weight[stays, None]
        self._gone[stays] = 0
        self._gone_sum[stays] = 0.0
        if not stays.all():
            self._gone[far] += 1
            self._gone_sum[far] += positions[far]
            for i in np.flatnonzero(self._gone >= WINDOWS_TO_LEAVE).tolist():
                self._leave(i)
        pending = np.flatnonzero(self.book.pending)
        if pending.size:
            length = self._mean[pending] - self._old[pending]
            self.book.set_lengths(pending, np.sqrt(np.einsum("ix,ix->i", length, length)))
        self.book.settle()

    def _leave(self, i: int) -> None:
        there = self._gone_sum[i] / self._gone[i]
        near = 0.5 * self._settings.displacement_angstrom
        if self.book.pending[i] and np.linalg.norm(there - self._old[i]) < near:
            self.book.retract(i)
            self._mean[i], self._weight[i] = self._old[i], self._old_weight[i]
            self._old[i] = self._older[i]
        else:
            backward = bool(np.linalg.norm(there - self._old[i]) < near)  # False while there is no old one
            self.book.propose(i, float(np.linalg.norm(there - self._mean[i])), backward)
            self._older[i] = self._old[i]
            self._old[i], self._old_weight[i] = self._mean[i], self._weight[i]
            self._mean[i], self._weight[i] = there, float(self._gone[i])
        self._gone[i] = 0
        self._gone_sum[i] = 0.0

    @classmethod
    def from_state(
        cls, state: Mapping[str, NDArray[Any]], window_ps: float, settings: JumpSettings
    ) -> "DisplacementTracker":
        """Continue from a state."""
        cls._check(state)
        tracker = cls(len(state["gone"]), window_ps, settings)
        tracker._restore(state)
        return tracker

    def summary(self) -> Jumps:
        """Return what the analysis needs."""
        return self.book.summary(self._window_ps)
