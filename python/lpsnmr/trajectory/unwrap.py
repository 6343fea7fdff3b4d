"""Unwrapped positions for trajectories that store only wrapped ones."""

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError

__all__ = ["Unwrapper"]

LARGEST_STEP = 0.4
"""Largest displacement between two frames, in units of a cell vector, that is taken at face value."""


class Unwrapper:
    """Follow atoms across the boundary by the nearest image between consecutive frames.

    Right as long as no atom moves by half a cell vector between two frames; a displacement beyond
    ``LARGEST_STEP`` of one is refused rather than guessed.

    Parameters
    ----------
    fractional
        (n, 3) float64 unwrapped fractional coordinates of the frame before, to go on from a state;
        None to begin.

    Examples
    --------
    >>> u = Unwrapper()
    >>> cell = np.eye(3) * 10.0
    >>> _ = u.add(np.array([[9.5, 0.0, 0.0]]), cell, (True, True, True))
    >>> float(u.add(np.array([[0.5, 0.0, 0.0]]), cell, (True, True, True))[0, 0])
    10.5
    """

    def __init__(self, fractional: NDArray[np.float64] | None = None) -> None:
        self.fractional = None if fractional is None else np.array(fractional, dtype=np.float64)

    def add(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: tuple[bool, bool, bool]
    ) -> NDArray[np.float64]:
        """Return unwrapped positions, (n, 3) float64, Å, of the next frame.

        Raises
        ------
        InputError
            When an atom moved too far to be followed; names its index.
        """
        fractional = np.linalg.solve(cell.T, positions.T).T
        if self.fractional is not None:
            step = fractional - self.fractional
            step -= np.round(step) * np.asarray(pbc)
            largest = float(np.abs(step[:, list(pbc)]).max(initial=0.0))
            if largest > LARGEST_STEP:
                atom = int(np.argmax(np.abs(step).max(axis=1)))
                raise InputError(
                    f"atom {atom + 1} of the sorted frame moved by {largest:.2f} of a cell vector between "
                    "two frames, too far to be unwrapped; dump xu yu zu, or ix iy iz"
                )
            fractional = self.fractional + step
        self.fractional = fractional
        unwrapped: NDArray[np.float64] = fractional @ cell
        return unwrapped
