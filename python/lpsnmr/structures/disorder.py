"""How disordered a cell is: who is bonded to whom, and whether some atoms are those of a crystal."""

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import neighbor_list
from lpsnmr.structures.checks import PHOSPHORUS, SULFUR
from lpsnmr.typing import Array

__all__ = ["BOND_ANGSTROM", "bonded_sulfur", "crystal_peak"]

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
