"""What is measured on frames: PS4 units and who belongs to them, radial distributions, coordination."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import neighbor_list
from lpsnmr.errors import InputError
from lpsnmr.structures.checks import PHOSPHORUS, SULFUR

__all__ = ["RadialHistogram", "bonded_sulfur", "coordination", "crystal_peak", "rdf_difference"]

Array = NDArray[np.float64]
BOND_ANGSTROM = 2.8
"""Longest P–S bond: the first minimum of g(r) lies between 2.4 and 3.2 Å, hot units included."""


def bonded_sulfur(
    positions: Array, cell: Array, numbers: NDArray[np.int32], cutoff: float = BOND_ANGSTROM
) -> NDArray[np.bool_]:
    """Return which S are bonded to which P in a periodic cell.

    Returns
    -------
    NDArray
        (n_P, n_S) bool, in the order of the atoms.
    """
    p, s = np.flatnonzero(numbers == PHOSPHORUS), np.flatnonzero(numbers == SULFUR)
    out = np.zeros((len(p), len(s)), dtype=bool)
    if p.size == 0:
        return out
    rank = np.full(len(numbers), -1)
    rank[s] = np.arange(len(s))
    first, index, _, _ = neighbor_list(positions, cell, [True] * 3, cutoff, p.tolist())
    center = np.repeat(np.arange(len(p)), np.diff(first))
    chosen = rank[index] >= 0
    out[center[chosen], rank[index[chosen]]] = True
    return out


def coordination(
    positions: Array, cell: Array, numbers: NDArray[np.int32], cutoff: float = BOND_ANGSTROM
) -> NDArray[np.int64]:
    """Return the number of S around every P, (n_P,) int64."""
    return np.asarray(bonded_sulfur(positions, cell, numbers, cutoff).sum(axis=1), dtype=np.int64)


def crystal_peak(positions: Array, cell: Array, largest: float = 4.0) -> tuple[float, float]:
    """Return the strongest reflection of some atoms, and what atoms at random would show.

    Parameters
    ----------
    positions
        (n, 3) float64, Å, in a periodic cell.
    cell
        (3, 3) float64, rows are its vectors, Å.
    largest
        Wave vectors of the reciprocal lattice up to this length are looked at, 1/Å.

    Returns
    -------
    peak, random
        Largest |Σ exp(i q·r)|²/n², 1 for a perfect crystal at rest with equivalent atoms; and the expected
        largest of as many independent exponential variables of mean 1/n: (ln N + 0.577)/n.
    """
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    reach = np.ceil(largest * np.linalg.norm(cell, axis=1) / (2 * np.pi)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in reach), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    grid = grid[len(grid) // 2 + 1 :]  # one of each pair q, -q; without 0
    grid = grid[np.linalg.norm(grid @ reciprocal, axis=1) <= largest]
    n = len(positions)
    fractional = 2 * np.pi * (positions @ np.linalg.inv(cell))
    peak = max(
        float((np.abs(np.exp(1j * fractional @ part.T).sum(axis=0)) ** 2).max()) / n**2
        for part in np.array_split(grid, 1 + len(grid) * n // 10_000_000)  # large cells in parts
    )
    return peak, float((np.log(len(grid)) + np.euler_gamma) / n)


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
