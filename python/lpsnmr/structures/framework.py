"""The framework that the mobile ion moves through, whose centre of mass is taken as at rest."""

import numpy as np
from numpy.typing import NDArray

from lpsnmr.elements import masses_of, symbol_of
from lpsnmr.structures.species import SpeciesSettings
from lpsnmr.typing import Array

__all__ = ["Framework"]


class Framework:
    """The framework of a structure; everything that takes off the drift takes off that of its atoms.

    Parameters
    ----------
    numbers
        (n,) atomic numbers of all atoms.
    species
        Says which elements belong to it; by default all but the mobile ion of the default settings.

    Examples
    --------
    >>> framework = Framework(np.array([3, 16, 16]))
    >>> framework.position(np.array([[9.0, 9.0, 9.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]))
    array([0.5, 1. , 1.5])
    """

    def __init__(self, numbers: NDArray[np.int32], species: SpeciesSettings | None = None) -> None:
        self._species = species or SpeciesSettings()
        self._indices = np.flatnonzero(self._belongs(np.asarray(numbers)))
        mass = masses_of(np.asarray(numbers)[self._indices])
        self._mass = float(mass.sum())
        self._weights = mass / mass.sum() if mass.size else mass

    def __bool__(self) -> bool:
        """Whether there is any atom of the framework."""
        return self._indices.size > 0

    def _belongs(self, numbers: NDArray[np.int32]) -> NDArray[np.bool_]:
        kinds = [int(z) for z in np.unique(numbers) if self._species.in_framework(symbol_of(int(z)))]
        return np.isin(numbers, kinds)

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
        return np.asarray(self._belongs(kinds) * masses_of(kinds) / max(self._mass, 1e-300))
