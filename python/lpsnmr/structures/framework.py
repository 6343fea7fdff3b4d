"""The framework that Li moves through: P and S, whose centre of mass is taken as at rest."""

import numpy as np
from numpy.typing import NDArray

from lpsnmr.elements import masses_of
from lpsnmr.typing import Array

__all__ = ["FRAMEWORK", "Framework"]

FRAMEWORK = (15, 16)
"""Atomic numbers of the framework (P, S)."""


class Framework:
    """The P and S of a structure; everything that takes off the drift takes off that of these.

    Parameters
    ----------
    numbers
        (n,) atomic numbers of all atoms.

    Examples
    --------
    >>> framework = Framework(np.array([3, 16, 16]))
    >>> framework.position(np.array([[9.0, 9.0, 9.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]))
    array([0.5, 1. , 1.5])
    """

    def __init__(self, numbers: NDArray[np.int32]) -> None:
        self._indices = np.flatnonzero(np.isin(numbers, FRAMEWORK))
        mass = masses_of(np.asarray(numbers)[self._indices])
        self._mass = float(mass.sum())
        self._weights = mass / mass.sum() if mass.size else mass

    def __bool__(self) -> bool:
        """Whether there is any P or S."""
        return self._indices.size > 0

    def position(self, unwrapped: Array) -> Array:
        """Return the centre of mass of the framework, (3,) float64, Å; zero where there is none.

        Parameters
        ----------
        unwrapped
            (n, 3) float64, Å; unwrapped positions of all atoms.
        """
        if not self:
            return np.zeros(3)
        return np.asarray(self._weights @ unwrapped[self._indices])

    def weight_of(self, kinds: NDArray[np.int32]) -> Array:
        """Return what an atom of each kind weighs in the centre of mass, (k,) float64, 0 for others.

        Parameters
        ----------
        kinds
            (k,) atomic numbers.
        """
        return np.asarray(np.isin(kinds, FRAMEWORK) * masses_of(kinds) / max(self._mass, 1e-300))
