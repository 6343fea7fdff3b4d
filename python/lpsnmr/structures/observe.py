"""What is measured on frames: PS4 units and who belongs to them, radial distributions, coordination."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import neighbor_list
from lpsnmr.errors import InputError
from lpsnmr.structures.disorder import BOND_ANGSTROM, bonded_sulfur, crystal_peak
from lpsnmr.typing import Array

__all__ = ["RadialHistogram", "bonded_sulfur", "coordination", "crystal_peak", "rdf_difference"]


def coordination(
    positions: Array, cell: Array, numbers: NDArray[np.int32], cutoff: float = BOND_ANGSTROM
) -> NDArray[np.int64]:
    """Return the number of S around every P, (n_P,) int64."""
    return np.asarray(bonded_sulfur(positions, cell, numbers, cutoff).sum(axis=1), dtype=np.int64)


@dataclass(eq=False)
class RadialHistogram:
    """Radial distribution functions of pairs of elements, summed over frames.

    Parameters
    ----------
    pairs
        Pairs of atomic numbers.
    edges
        (bins + 1,) float64, Å.
    """

    pairs: tuple[tuple[int, int], ...]
    edges: Array

    def __post_init__(self) -> None:
        """Start from zero."""
        if len(self.edges) < 2 or not (np.diff(self.edges) > 0).all():
            raise InputError("radial distribution: expected ascending edges of bins")
        self.sums = np.zeros((len(self.pairs), len(self.edges) - 1))
        self.around = np.zeros_like(self.sums)
        self.frames = 0

    def add(self, positions: Array, cell: Array, numbers: NDArray[np.int32]) -> None:
        """Add a periodic frame."""
        first, index, _, distance = neighbor_list(positions, cell, [True] * 3, float(self.edges[-1]))
        one = numbers[np.repeat(np.arange(len(numbers)), np.diff(first))]
        other = numbers[index]
        volume = abs(float(np.linalg.det(cell)))
        shells = 4.0 / 3.0 * np.pi * np.diff(self.edges**3)
        for n, (a, b) in enumerate(self.pairs):
            counts = np.histogram(distance[(one == a) & (other == b)], self.edges)[0]
            n_a, n_b = int((numbers == a).sum()), int((numbers == b).sum())
            if n_a and n_b:
                self.sums[n] += counts * volume / (n_a * n_b * shells)
                self.around[n] += counts / n_a
        self.frames += 1

    @property
    def radii(self) -> Array:
        """Middles of the bins, Å."""
        return np.asarray(0.5 * (self.edges[1:] + self.edges[:-1]))

    @property
    def values(self) -> Array:
        """g(r), (pairs, bins)."""
        return self.sums / max(self.frames, 1)

    def neighbours_within(self, pair: int, radius: float) -> float:
        """Return the mean number of second atoms within ``radius`` (Å) of a first one."""
        return float(self.around[pair][self.edges[1:] <= radius + 1e-9].sum() / max(self.frames, 1))


def rdf_difference(first: Array, second: Array) -> float:
    """Return ∫|g₁ − g₂| dr / ∫(g₁ + g₂)/2 dr on a common grid: 0 for equal, 2 for disjoint ones."""
    mean = 0.5 * float((first + second).sum())
    return float(np.abs(first - second).sum()) / mean if mean > 0 else 0.0


def pairs_of(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return P–S, Li–S, Li–Li, S–S and P–P as far as the elements are there."""
    wanted = ((15, 16), (3, 16), (3, 3), (16, 16), (15, 15))
    return tuple(p for p in wanted if set(p) <= set(numbers))
