"""One snapshot of a trajectory, whoever made it: a dump file or a running LAMMPS."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame"]


@dataclass(frozen=True)
class Frame:
    """Atoms at one time step, sorted by id.

    Attributes
    ----------
    step
        MD step.
    time_ps
        Time in ps, or None when the source does not say.
    cell
        (3, 3) float64, rows are the cell vectors, Å.
    pbc
        Periodic along each cell vector.
    ids
        (n,) int64, ascending.
    numbers
        (n,) int32, atomic numbers.
    positions
        (n, 3) float64, Å; may lie outside the cell.
    unwrapped
        (n, 3) float64, Å, without jumps across the boundary; None when the source does not know.
    origin
        (3,) lower corner of the cell, Å.
    """

    step: int
    time_ps: float | None
    cell: NDArray[np.float64]
    pbc: tuple[bool, bool, bool]
    ids: NDArray[np.int64]
    numbers: NDArray[np.int32]
    positions: NDArray[np.float64]
    unwrapped: NDArray[np.float64] | None = None
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
