"""Read LAMMPS text dumps frame by frame, also while they are being written."""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import CoreError, DumpParser
from lpsnmr.elements import atomic_number
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.frames import Frame
from lpsnmr.trajectory.sources import ByteSource

__all__ = ["DumpReader"]

TIME_UNIT_PS = {"": 1.0, "metal": 1.0, "real": 1.0e-3}
"""Unit styles whose lengths are Å, with their time unit in ps; without a line it is ``metal``."""

CLOSED_IDLE_S = 2.0
"""A compressed stream that has ended is taken as closed when nothing is appended for so long."""


class DumpReader:
    """Iterate over the frames of one dump file or FIFO.

    Parameters
    ----------
    path
        Dump of ``dump custom`` or ``dump atom``: plain text, gzip or zstd; a file or a FIFO.
    elements
        Element of LAMMPS type 1, 2, …; needed when the dump has no ``element`` column.
    follow
        Wait for more when the end is reached (always so for a FIFO, until its writer closes it).
    idle_s
        Following ends when nothing new came for this many seconds; None waits for ever.
    poll_s
        Longest pause between two looks at the file, s.
    stopped
        Called between looks; following ends when it returns True.

    Attributes
    ----------
    reason
        Why the iteration ended, in words; empty before.

    Raises
    ------
    FileFormatError
        While iterating: a damaged or truncated dump, a change of the atoms, steps that do not
        ascend, a file that was removed, replaced or truncated. Names the file and the line.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        elements: Sequence[str] | None = None,
        follow: bool = False,
        idle_s: float | None = 60.0,
        poll_s: float = 0.1,
        stopped: Callable[[], bool] | None = None,
    ) -> None:
        self.path = Path(path)
        self.follow = follow
        self.idle_s = idle_s
        self.poll_s = poll_s
        self.reason = ""
        self._stopped = stopped or (lambda: False)
        self._type_numbers = None if elements is None else [atomic_number(e) for e in elements]
        self._parser = DumpParser()
        self._table: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self._first: Frame | None = None
        self._kinds = self._ids = b""  # of the first frame, to compare with at no cost
        self._last_step: int | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order; returns at the end condition and sets ``reason``."""
        source = self._wait_for_file()
        if source is None:
            return
        try:
            yield from self._frames(source)
        finally:
            source.close()

    def _wait_for_file(self) -> ByteSource | None:
        deadline = math.inf if self.idle_s is None else time.monotonic() + self.idle_s
        while self.follow and not self.path.exists():
            if self._stopped():
                self.reason = "stopped"
                return None
            if time.monotonic() > deadline:
                raise FileFormatError(f"{self.path}: did not appear within {self.idle_s:g} s")
            time.sleep(self.poll_s)
        return ByteSource(self.path)

    def _frames(self, source: ByteSource) -> Iterator[Frame]:
        last_news = time.monotonic()
        pause = 0.002
        while True:
            text = source.read()
            if text:
                self._parser.feed(text)
                while (frame := self._next()) is not None:
                    yield frame
                last_news = time.monotonic()
                pause = 0.002
                continue
            if self._at_end(source, time.monotonic() - last_news):
                return
            time.sleep(pause)
            pause = min(2.0 * pause, self.poll_s)

    def _at_end(self, source: ByteSource, idle: float) -> bool:
        following = self.follow or source.is_fifo
        if following:
            source.check_unchanged()
        if source.ended:
            self.reason = "the writer closed the FIFO"
        elif not following:
            self.reason = "end of file"
        elif self._stopped():
            self.reason = "stopped"
            return True  # a frame half written is no error here, its writer still lives
        elif source.stream_ended and idle > CLOSED_IDLE_S:
            self.reason = "the writer closed the compressed stream"
        elif self.idle_s is not None and idle > self.idle_s:
            self.reason = f"nothing new for {self.idle_s:g} s"
        else:
            return False
        if self._parser.pending or source.incomplete:
            raise FileFormatError(
                f"{self.path}:{self._parser.line + 1}: ends inside frame {self._parser.frames + 1} "
                f"({self._parser.frames} whole frames before it); {self.reason}"
            )
        return True

    def _next(self) -> Frame | None:
        try:
            values = self._parser.next()
        except CoreError as error:
            raise FileFormatError(f"{self.path}: {error}") from error
        if values is None:
            return None
        step, time_value, cell, low, pbc, ids, kinds, positions, unwrapped = values
        time_ps = None if math.isnan(time_value) else time_value * self._time_unit_ps()
        numbers = self._numbers(kinds)
        periodic, origin = (pbc[0], pbc[1], pbc[2]), (low[0], low[1], low[2])
        frame = Frame(step, time_ps, cell, periodic, ids, numbers, positions, unwrapped, origin)
        self._check_sequence(frame)
        return frame

    def _fail(self, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}:{self._parser.line}: frame {self._parser.frames}: {message}")

    def _time_unit_ps(self) -> float:
        units = self._parser.units
        if units not in TIME_UNIT_PS:
            raise self._fail(f"units {units!r}; expected metal or real")
        return TIME_UNIT_PS[units]

    def _numbers(self, kinds: NDArray[np.int32]) -> NDArray[np.int32]:
        if self._first is not None and kinds.tobytes() == self._kinds:
            return self._first.numbers
        self._time_unit_ps()
        try:
            if self._parser.has_elements:
                table = [atomic_number(name) for name in self._parser.elements]
            elif self._type_numbers is None:
                raise InputError(
                    "no column element; name the elements of the types, or dump the column element "
                    "and set dump_modify element"
                )
            else:
                table = [0, *self._type_numbers]
        except InputError as error:
            raise self._fail(str(error)) from error
        lowest = 0 if self._parser.has_elements else 1
        if kinds.size and (kinds.min() < lowest or kinds.max() >= len(table)):
            raise self._fail(f"atom type {kinds.max()}, but elements are given for {len(table) - 1} types")
        self._kinds = kinds.tobytes()
        numbers: NDArray[np.int32] = np.asarray(table, dtype=np.int32)[kinds]
        return numbers

    def _check_sequence(self, frame: Frame) -> None:
        if self._last_step is not None and frame.step <= self._last_step:
            raise self._fail(f"step {frame.step} after step {self._last_step}; steps must ascend")
        self._last_step = frame.step
        if self._first is None:
            self._first = frame
            self._ids = frame.ids.tobytes()
            return
        first = self._first
        if len(frame.ids) != len(first.ids):
            raise self._fail(f"{len(frame.ids)} atoms, but the first frame has {len(first.ids)}")
        if frame.ids.tobytes() != self._ids:
            raise self._fail("the atom ids are not those of the first frame")
        if frame.numbers is not first.numbers and not np.array_equal(frame.numbers, first.numbers):
            raise self._fail("the elements are not those of the first frame")
