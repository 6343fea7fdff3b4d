"""Rows of the least-squares problem that one frame gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr.typing import Array

__all__ = ["ENERGY", "FORCE", "STRESS", "FrameRows"]

ENERGY, FORCE, STRESS = 0, 1, 2
"""Kinds of rows of a frame."""


@dataclass(frozen=True, eq=False)
class FrameRows:
    """Rows of one frame: energy per atom, forces, stress (eV/Å³, Voigt) as far as labelled.

    ``design`` is (columns, rows); the columns are the coefficients, then for each data set one reference
    energy per element. ``target`` (rows,) holds the labels, ``kind`` (rows,) which is which.
    """

    design: Array
    target: Array
    kind: NDArray[np.int8]
