"""One snapshot of a trajectory, whoever made it: a file or a running simulation; and a sequence of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError

__all__ = ["Frame", "FrameReader", "FrameSequence"]


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
        (n, 3) float64, Å, without jumps across the boundary; None when the source does not know. Where the
        cell changes, the sum of displacements, each in the cell of its time.
    origin
        (3,) lower corner of the cell, Å.
    affine
        (n, 3) float64, Å; None while the cell has never changed. Unwrapped fractional coordinates in the
        present cell, continued from those of the first frame: what sites are looked up with.
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
    affine: NDArray[np.float64] | None = None


class FrameReader(Protocol):
    """What reads the frames of one file, in the order in which they are there.

    ``has_steps`` tells whether ``Frame.step`` is an MD step, or only the number of the frame in the file;
    ``reason`` says after the iteration why it ended.
    """

    path: Path
    has_steps: bool
    reason: str

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        ...


class FrameSequence:
    """Check that the frames of one file follow each other and are of the same atoms.

    Parameters
    ----------
    fail
        Makes the error of a message.
    ascending
        Whether steps must ascend.
    """

    def __init__(self, fail: Callable[[str], FileFormatError], ascending: bool = True) -> None:
        self._fail, self._ascending = fail, ascending
        self._first: Frame | None = None
        self._ids = b""  # of the first frame, to compare with at no cost
        self._last_step: int | None = None

    def checked(self, frame: Frame) -> Frame:
        """Return the frame, or raise what ``fail`` makes of the reason."""
        if self._ascending and self._last_step is not None and frame.step <= self._last_step:
            raise self._fail(f"step {frame.step} after step {self._last_step}; steps must ascend")
        self._last_step = frame.step
        first = self._first
        if first is None:
            self._first = frame
            self._ids = frame.ids.tobytes()
            return frame
        if len(frame.ids) != len(first.ids):
            raise self._fail(f"{len(frame.ids)} atoms, but the first frame has {len(first.ids)}")
        if frame.ids.tobytes() != self._ids:
            raise self._fail("the atom ids are not those of the first frame")
        if frame.numbers is not first.numbers and not np.array_equal(frame.numbers, first.numbers):
            raise self._fail("the elements are not those of the first frame")
        return frame
