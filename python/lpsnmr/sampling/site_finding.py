"""The sites of mobile ions, from the density of their vibration-averaged positions."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lpsnmr._core import neighbor_list
from lpsnmr.errors import InputError
from lpsnmr.typing import Array

__all__ = ["find_sites", "fold", "minimum_image", "replicate"]

MAX_POINTS = 4000
KERNEL_ANGSTROM = 0.35
MIN_SHARE = 0.1
"""A peak with fewer points than this share of an average site's is not a site."""


def minimum_image(fractional: ArrayLike) -> Array:
    """Return fractional differences moved into −½ … ½ by whole cell vectors."""
    difference = np.asarray(fractional, dtype=np.float64)
    return np.asarray(difference - np.round(difference))


def fold(fractional: Array, repeats: tuple[int, int, int]) -> Array:
    """Return fractional coordinates of one unit cell, in 0 … 1, from those of a supercell of many."""
    return np.asarray((fractional * np.asarray(repeats)) % 1.0)


def replicate(fractional: Array, repeats: tuple[int, int, int]) -> Array:
    """Return the sites of a supercell, in its fractional coordinates, from those of one unit cell."""
    shifts = np.stack(np.meshgrid(*(np.arange(r) for r in repeats), indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(((fractional[None] + shifts[:, None]) / np.asarray(repeats)).reshape(-1, 3))


def find_sites(points: ArrayLike, cell: ArrayLike, separation_angstrom: float, n_expected: int = 1) -> Array:
    """Find the peaks of the density of points in a periodic cell.

    Each point climbs to the nearest point of higher density within ``separation_angstrom``; those that
    cannot climb are peaks, A. Rodriguez, A. Laio, Science 344, 1492 (2014),
    doi:10.1126/science.1242072. A site is the mean of the points that climbed to its peak and lie
    within half the separation of it. Of two sites closer than the separation the denser stays.

    Parameters
    ----------
    points
        (m, 3) fractional coordinates; at most 4000 of them, evenly chosen, are used.
    cell
        (3, 3) float64, rows are the cell vectors, Å.
    separation_angstrom
        Least distance between sites, Å.
    n_expected
        Ions per cell: a tenth of the points of one of them makes a site.

    Returns
    -------
    (s, 3) float64
        Fractional coordinates in 0 … 1, densest first.

    Raises
    ------
    InputError
        Without points.
    """
    fractional = np.asarray(points, dtype=np.float64) % 1.0
    matrix = np.asarray(cell, dtype=np.float64)
    if fractional.ndim != 2 or len(fractional) == 0:
        raise InputError(f"points must have the shape (m, 3) with m > 0, got {fractional.shape}")
    if len(fractional) > MAX_POINTS:
        fractional = fractional[np.linspace(0, len(fractional) - 1, MAX_POINTS).astype(int)]
    first, second, _, distance = neighbor_list(
        fractional @ matrix, matrix, (True, True, True), separation_angstrom
    )
    peak = _climb(len(fractional), np.asarray(first), np.asarray(second), np.asarray(distance))
    labels, members = np.unique(peak, return_counts=True)
    order = np.argsort(-members, kind="stable")
    least = max(2.0, MIN_SHARE * len(fractional) / max(n_expected, 1))
    sites: list[Array] = []
    for label, count in zip(labels[order], members[order], strict=True):
        if count < least and sites:
            continue
        step = minimum_image(fractional[peak == label] - fractional[label])
        near = np.linalg.norm(step @ matrix, axis=1) < 0.5 * separation_angstrom
        site = (fractional[label] + step[near].mean(axis=0)) % 1.0
        apart = minimum_image(np.array(sites).reshape(-1, 3) - site) @ matrix
        if np.all(np.linalg.norm(apart, axis=1) >= separation_angstrom):
            sites.append(site)
    return np.array(sites)


def _climb(n: int, first: NDArray[np.int64], second: NDArray[np.int64], distance: Array) -> NDArray[np.int64]:
    """Return the peak that each point climbs to; ``first`` holds where its neighbours begin."""
    owner = np.repeat(np.arange(n), np.diff(first))
    density = 1.0 + np.bincount(owner, np.exp(-0.5 * (distance / KERNEL_ANGSTROM) ** 2), minlength=n)
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(-density, kind="stable")] = np.arange(n)  # 0 is the densest; ties by index
    up = rank[second] < rank[owner]
    owner, second, distance = owner[up], second[up], distance[up]
    parent = np.arange(n)
    order = np.lexsort((distance, owner))
    climbers, where = np.unique(owner[order], return_index=True)
    parent[climbers] = second[order][where]
    while True:
        higher = parent[parent]
        if np.array_equal(higher, parent):
            return np.asarray(parent)
        parent = higher
