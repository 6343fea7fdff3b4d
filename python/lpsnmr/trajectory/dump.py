"""Read LAMMPS text dumps frame by frame, also while they are being written."""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import CoreError, DumpParser
from lpsnmr.elements import atomic_number, element_of_label
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.frames import Frame, FrameSequence
from lpsnmr.trajectory.sources import ByteSource

__all__ = ["TIME_UNIT_PS", "DumpReader", "time_unit_ps"]

TIME_UNIT_PS = {"": 1.0, "metal": 1.0, "real": 1.0e-3}
"""Unit styles whose lengths are Å, with their time unit in ps; without a line it is ``metal``."""
NAMED_KINDS = ["element", "typelabel", "type"]
"""Columns that tell the kind of an atom, in the order of trust, where no elements are given."""
GIVEN_KINDS = ["type", "element", "typelabel"]
"""The same where elements are given."""
LAMMPS_DEFAULT = "C"
"""What ``dump custom … element`` writes for every type without ``dump_modify element``."""

CLOSED_IDLE_S = 2.0
"""A compressed stream that has ended is taken as closed when nothing is appended for so long."""


def time_unit_ps(told: str, asked: str | None = None) -> float:
    """Return the time unit in ps of an ``ITEM: UNITS`` line, or of the units asked for where there is none.

    Raises
    ------
    InputError
        For units whose lengths are not Å, or two that contradict each other.
    """
    for units in (told, asked or ""):
        if units not in TIME_UNIT_PS:
            raise InputError(f"units {units!r}; expected metal or real")
    if told and asked and told != asked:
        raise InputError(f"ITEM: UNITS says {told}, but --units {asked} was given")
    return TIME_UNIT_PS[told or asked or ""]


class DumpReader:
    """Iterate over the frames of one dump file or FIFO.

    Parameters
    ----------
    path
        Dump of ``dump custom`` or ``dump atom``: plain text, gzip, zstd, bzip2 or xz; a file or a FIFO.
    elements
        Element of LAMMPS type 1, 2, …; needed when the dump has no ``element`` or ``typelabel`` column. They
        win where the dump has a ``type`` column, and must agree with its elements where it has not.
    units
        ``metal`` or ``real``, for the unit of ``ITEM: TIME`` in a dump without ``ITEM: UNITS``.
    follow
        Wait for more when the end is reached (always so for a FIFO, until its writer closes it).
    idle_s
        Following ends when nothing new came for this many seconds; None waits for ever.
    poll_s
        Longest pause between two looks at the file, s.
    stopped
        Called between looks; following ends when it returns True.
    ascending
        Whether steps must ascend.

    Attributes
    ----------
    reason
        Why the iteration ended, in words; empty before.
    has_steps
        True: ``Frame.step`` is an MD step.

    Raises
    ------
    FileFormatError
        While iterating: a damaged or truncated dump, a change of the atoms, steps that do not
        ascend, a file that was removed, replaced or truncated. Names the file and the line.
    """

    has_steps = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        elements: Sequence[str] | None = None,
        units: str | None = None,
        follow: bool = False,
        idle_s: float | None = 60.0,
        poll_s: float = 0.1,
        stopped: Callable[[], bool] | None = None,
        ascending: bool = True,
    ) -> None:
        self.path = Path(path)
        self.follow = follow
        self.idle_s = idle_s
        self.poll_s = poll_s
        self.reason = ""
        self._stopped = stopped or (lambda: False)
        self._given = None if elements is None else tuple(elements)
        self._type_numbers = None if elements is None else [atomic_number(e) for e in elements]
        self._units = units
        self._parser = DumpParser(NAMED_KINDS if elements is None else GIVEN_KINDS)
        self._begin: list[bytes] | None = []  # text until the first frame, to read it again by another column
        self._sequence = FrameSequence(self._fail, ascending)
        self._known: tuple[bytes, NDArray[np.int32]] = (b"", np.zeros(0, dtype=np.int32))

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
                if self._begin is not None:
                    self._begin.append(text)
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
            if values is not None and self._begin is not None:
                values = self._without_default_elements(values)
        except CoreError as error:
            raise FileFormatError(f"{self.path}: {error}") from error
        if values is None:
            return None
        step, time_value, cell, low, pbc, ids, kinds, positions, unwrapped = values
        try:
            unit = time_unit_ps(self._parser.units, self._units)
        except InputError as error:
            raise self._fail(str(error)) from error
        time_ps = None if math.isnan(time_value) else time_value * unit
        numbers = self._numbers(kinds)
        periodic, origin = (pbc[0], pbc[1], pbc[2]), (low[0], low[1], low[2])
        frame = Frame(step, time_ps, cell, periodic, ids, numbers, positions, unwrapped, origin)
        return self._sequence.checked(frame)

    def _without_default_elements(self, values: Any) -> Any:
        """Read the first frame again by its labels where its elements are LAMMPS' default."""
        begin, self._begin = self._begin or [], None
        names = self._parser.columns.split()
        if self._given is None and self._parser.elements == [LAMMPS_DEFAULT] and "element" in names:
            if "typelabel" not in names:
                raise self._fail(
                    f"every atom is {LAMMPS_DEFAULT}, which LAMMPS writes without dump_modify element; "
                    "give --elements"
                )
            self._parser = DumpParser(["typelabel"])
            for text in begin:
                self._parser.feed(text)
            return self._parser.next()
        return values

    def _fail(self, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}:{self._parser.line}: frame {self._parser.frames}: {message}")

    def _numbers(self, kinds: NDArray[np.int32]) -> NDArray[np.int32]:
        key = kinds.tobytes()
        if key == self._known[0]:
            return self._known[1]
        try:
            if self._parser.has_elements:
                table = [self._number_of(name) for name in self._parser.elements]
            elif self._type_numbers is None:
                raise InputError(
                    "no column element; name the elements of the types (--elements), or dump the column "
                    "element and set dump_modify element"
                )
            else:
                table = [0, *self._type_numbers]
        except InputError as error:
            raise self._fail(str(error)) from error
        lowest = 0 if self._parser.has_elements else 1
        if kinds.size and (kinds.min() < lowest or kinds.max() >= len(table)):
            raise self._fail(f"atom type {kinds.max()}, but elements are given for {len(table) - 1} types")
        self._known = (key, np.asarray(table, dtype=np.int32)[kinds])
        return self._known[1]

    def _number_of(self, name: str) -> int:
        """Return the atomic number of an element or of a label that begins with one."""
        symbol = element_of_label(name)
        number = atomic_number(name if symbol is None else symbol)
        if self._given is not None and symbol not in self._given:
            raise InputError(
                f"element {name} in the dump, but --elements {','.join(self._given)}; the dump has no column "
                "type that they could name"
            )
        return number
