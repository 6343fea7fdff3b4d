"""Distances between the sites of a crystal."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lpsnmr._core import neighbor_list
from lpsnmr.errors import InputError

__all__ = ["mean_nearest_distance"]


def mean_nearest_distance(
    positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool] = (True, True, True)
) -> float:
    """Return the mean over sites of the distance to the nearest other site, images included.

    The default jump distance a of Γ_D = 6D/a²: the Li sites of the starting crystal.

    Parameters
    ----------
    positions
        (n, 3) float64 sites, Å.
    cell
        (3, 3) float64, rows are the cell vectors, Å.
    pbc
        Which axes are periodic.

    Raises
    ------
    InputError
        Without positions, or when a site has no other within 64 Å.

    Examples
    --------
    >>> mean_nearest_distance([[0.0, 0.0, 0.0]], np.diag([3.0, 5.0, 7.0]))
    3.0
    """
    sites = np.asarray(positions, dtype=np.float64)
    if sites.ndim != 2 or len(sites) == 0:
        raise InputError(f"positions must have the shape (n, 3) with n > 0, got {sites.shape}")
    for cutoff in (4.0, 8.0, 16.0, 32.0, 64.0):
        first, _, _, distance = neighbor_list(sites, np.asarray(cell, dtype=np.float64), pbc, cutoff)
        if np.all(np.diff(first) > 0):
            return float(np.minimum.reduceat(distance, first[:-1]).mean())
    raise InputError("a site has no other site within 64 Å; give the jump distance")
