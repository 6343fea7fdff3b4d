"""Read a .ufx file and say how far atoms are outside the training of a potential."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import ase
import numpy as np

from lpsnmr import _core
from lpsnmr.potential.species import species_of
from lpsnmr.typing import Array

__all__ = ["Extrapolation", "SiteGrades"]


@dataclass(frozen=True, eq=False)
class SiteGrades:
    """Grades of the atoms of one structure; all arrays (n,) float64."""

    grade: Array
    """Deviation over the largest one of training atoms of the element; beyond 1 is extrapolation."""
    deviation: Array
    """Standard deviation of the site energy minus that of the mean neighbourhood of training, eV."""
    distance_excess: Array
    """How much closer than any such pair of training the worst pair of the atom is, Å; 0 when none is."""


class Extrapolation:
    """What a fit knows about its own certainty.

    The potential is linear in its coefficients, so the covariance of the coefficients gives the standard
    deviation of every site energy: sqrt((x - m)' C (x - m)) with x the features of the atom (its leverage, in
    units of energy) and m their mean over the training atoms of its element. The same numbers come from
    ``compute ufp/extrapolation`` in LAMMPS.

    Parameters
    ----------
    path
        ``.ufx`` file, written by ``lpsnmr fit-ufp`` beside the potential.

    Raises
    ------
    InputError
        For a file that is not complete.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._core = _core.Extrapolation(self.path)
        self.elements: tuple[str, ...] = tuple(self._core.elements)

    @property
    def potential_sha256(self) -> str:
        """SHA-256 of the ``.uf3`` file this belongs to."""
        return self._core.potential

    @property
    def cutoff(self) -> float:
        """Largest distance that matters, Å."""
        return self._core.cutoff

    @property
    def shortest_distances(self) -> dict[tuple[str, str], float]:
        """Shortest distance of training of each pair of elements, Å."""
        return {(self.elements[a], self.elements[b]): r for a, b, r in self._core.pairs}

    @property
    def largest_deviations(self) -> dict[str, float]:
        """Standard deviation (eV) that has the grade 1, of each element."""
        return dict(zip(self.elements, self._core.largest_deviations, strict=True))

    def evaluate(self, atoms: ase.Atoms) -> SiteGrades:
        """Grade every atom of a structure; it is not changed.

        Raises
        ------
        InputError
            For an element that the potential does not have.
        """
        species = species_of(atoms.get_chemical_symbols(), self.elements, self.path)
        table = self._core.evaluate(atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species)
        return SiteGrades(table[:, 2].copy(), table[:, 1].copy(), table[:, 0].copy())

    def grade(self, atoms: ase.Atoms) -> Array:
        """Return the grade of every atom, (n,) float64; 1 is the largest of training."""
        return self.evaluate(atoms).grade

    def largest_grades(self, frames: Iterable[ase.Atoms]) -> Array:
        """Return the largest grade of each structure, (frames,) float64; 0 for one without atoms."""
        return np.array([self.grade(atoms).max(initial=0.0) for atoms in frames], dtype=float)
