"""Unwrapped positions: across the boundary where only wrapped ones are stored, and in a cell that changes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError
from lpsnmr.trajectory.frames import Frame
from lpsnmr.typing import Array

__all__ = ["Unwrapper"]

LARGEST_STEP = 0.4
"""Largest displacement between two frames, in units of a cell vector, that is taken at face value."""
SAME_CELL = 1e-9
"""Relative difference up to which two cells are the same."""


class Unwrapper:
    """Follow atoms across the boundary and through changes of the cell, frame by frame.

    Frames with wrapped positions are continued by the nearest image of the frame before. That is right as
    long as no atom moves by half a cell vector between two frames; a displacement beyond ``LARGEST_STEP``
    of one is refused rather than guessed.

    While the cell is that of the first frame, unwrapped positions are passed on as they are. From the first
    change on, the displacement between two frames is the increment of the fractional coordinates times the
    mean of the two cells, so that a cell that breathes moves nothing: an atom ten images away is not carried
    along by ten times the change of the cell (S. von Bülow, J. T. Bullerjahn, G. Hummer, J. Chem. Phys. 153,
    021101 (2020), doi:10.1063/5.0008316).

    Parameters
    ----------
    fractional
        (n, 3) float64 unwrapped fractional coordinates of the frame before, to go on from a checkpoint of an
        earlier version; None to begin.
    state
        What ``state`` returned, to go on from there.

    Examples
    --------
    >>> u = Unwrapper()
    >>> cell = np.eye(3) * 10.0
    >>> _ = u.add(np.array([[9.5, 0.0, 0.0]]), cell, (True, True, True))
    >>> float(u.add(np.array([[0.5, 0.0, 0.0]]), cell, (True, True, True))[0, 0])
    10.5
    """

    def __init__(
        self, fractional: Array | None = None, state: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        self.fractional = None if fractional is None else np.array(fractional, dtype=np.float64)
        self._unwrapped: Array | None = None  # of the frame before
        self._cell: Array | None = None  # of the frame before
        self._shift = np.zeros(3)  # the box's corner in fractional coordinates, of the frame before
        self._first_shift = np.zeros(3)  # of the first frame
        self._summed = False  # the cell has changed: positions are sums of displacements
        self._ranges = np.array([[np.inf] * 4, [-np.inf] * 4])  # of the cell's lengths and volume
        if state is None or "unwrapped" not in state:
            return
        self.fractional = np.array(state["fractional"])
        for name in _PLAIN:
            value = np.array(state[name])
            setattr(self, f"_{name}", bool(value) if name == "summed" else value)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what is needed to go on; nothing before the first frame."""
        if self.fractional is None or self._unwrapped is None:
            return {}
        arrays = {name: np.asarray(getattr(self, f"_{name}")) for name in _PLAIN}
        return {**arrays, "fractional": self.fractional}

    @property
    def strain(self) -> Array:
        """Relative change of the cell so far: (4,) of the lengths of its vectors and its volume."""
        low, high = self._ranges
        return np.zeros(4) if not np.isfinite(low).all() else high / low - 1.0

    def follow(self, frame: Frame) -> Frame:
        """Return the frame with unwrapped positions and, once the cell has changed, ``affine``.

        Raises
        ------
        InputError
            When an atom moved too far to be followed; names its id.
        """
        known = frame.positions if frame.unwrapped is None else frame.unwrapped
        fractional = np.linalg.solve(frame.cell.T, known.T).T
        shift = np.linalg.solve(frame.cell.T, np.asarray(frame.origin))
        changed = self._cell is not None and not (_same(self._cell, frame.cell) and _same(self._shift, shift))
        moved_box = shift - self._shift if changed else np.zeros(3)
        if frame.unwrapped is None:
            fractional = self._nearest(fractional, frame.pbc, frame.ids, moved_box)
        if self._cell is None:
            self._first_shift, self._cell = shift, frame.cell
        before = self.fractional
        self._summed = self._summed or changed
        unwrapped = fractional @ frame.cell if frame.unwrapped is None else frame.unwrapped
        if self._summed and before is not None and self._unwrapped is not None:
            mean_cell = 0.5 * (self._cell + frame.cell) if changed else frame.cell
            unwrapped = self._unwrapped + (fractional - before - moved_box) @ mean_cell
        self.fractional, self._unwrapped = fractional, unwrapped
        self._cell, self._shift = np.array(frame.cell), shift
        lengths = [*np.linalg.norm(frame.cell, axis=1), abs(np.linalg.det(frame.cell))]
        self._ranges = np.array([np.minimum(self._ranges[0], lengths), np.maximum(self._ranges[1], lengths)])
        affine = (fractional - shift + self._first_shift) @ frame.cell if self._summed else None
        return replace(frame, unwrapped=unwrapped, affine=affine)

    def add(self, positions: Array, cell: Array, pbc: tuple[bool, bool, bool]) -> Array:
        """Return unwrapped positions, (n, 3) float64, Å, of the next frame of wrapped ones in its own cell.

        Raises
        ------
        InputError
            When an atom moved too far to be followed; names its index.
        """
        fractional = np.linalg.solve(cell.T, positions.T).T
        fractional = self._nearest(fractional, pbc, None, np.zeros(3))
        self.fractional = fractional
        unwrapped: Array = fractional @ cell
        return unwrapped

    def _nearest(
        self, fractional: Array, pbc: tuple[bool, bool, bool], ids: NDArray[np.int64] | None, moved_box: Array
    ) -> Array:
        """Return the images nearest to the frame before; ``moved_box`` (3,) is not of the atoms."""
        before = self.fractional
        if before is None:
            return fractional
        step = fractional - before
        step -= np.round(step - moved_box) * np.asarray(pbc)
        along = np.abs(step - moved_box) * np.asarray(pbc)  # along an open axis atoms go as far as they like
        largest = float(along.max(initial=0.0))
        if largest > LARGEST_STEP:
            atom = int(np.argmax(along.max(axis=1)))
            name = f"atom {atom + 1} of the sorted frame" if ids is None else f"the atom with id {ids[atom]}"
            raise InputError(
                f"{name} moved by {largest:.2f} of a cell vector between "
                "two frames, too far to be unwrapped; dump xu yu zu, or ix iy iz"
            )
        return np.asarray(before + step)


_PLAIN = ("unwrapped", "cell", "shift", "first_shift", "summed", "ranges")


def _same(a: Array, b: Array) -> bool:
    return bool(np.abs(a - b).max() <= SAME_CELL * max(np.abs(a).max(), 1e-12))
