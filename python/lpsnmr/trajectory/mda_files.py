"""Frames of XTC, TRR, DCD and NetCDF trajectories, read by MDAnalysis (optional) in a process of its own."""

import atexit
import contextlib
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.frames import Frame, FrameSequence

__all__ = ["MdaReader"]

logger = logging.getLogger(__name__)
INSTALL = "pip install 'lpsnmr[trajectories]'"
SINGLE = 1.2e-7
"""Relative rounding of single precision, in which the files hold their times."""


class MdaReader:
    """Iterate over the frames of a finished file.

    Parameters
    ----------
    path
        The file.
    file_format
        ``xtc``, ``trr``, ``dcd`` or ``nc``.
    numbers
        (n,) int32, atomic numbers in the order of the file, which holds no elements.
    ascending
        Whether steps must ascend.

    Notes
    -----
    Steps and times come from XTC and TRR files, times alone from NetCDF, steps alone from DCD: its times are
    in the units of the program that wrote it. Times that are even but for single precision are made even.

    Raises
    ------
    InputError
        When MDAnalysis is not installed, or no elements are given.
    FileFormatError
        For a file that cannot be read, or of another number of atoms.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        file_format: str,
        *,
        numbers: NDArray[np.int32] | None,
        ascending: bool = True,
    ) -> None:
        self.path = Path(path)
        self.reason = ""
        self._format, self._number = file_format, 0
        if numbers is None:
            raise InputError(f"{self.path}: {file_format} files hold no elements; give --topology FILE")
        self._numbers = numbers
        self.has_steps = file_format != "nc"
        self._sequence = FrameSequence(self._fail, ascending)
        self._steps: list[int] | None = None
        self._line: tuple[float, float] | None = None  # time of step 0 and of a step, ps, where they are even

    def _fail(self, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}: frame {self._number}: {message}")

    def steps(self) -> list[int]:
        """Return the step of each frame."""
        if self._steps is None:
            self._steps = []
            for kind, *values in self._answers(frames=False):
                if kind == "steps":
                    self._steps, times = values
                    self._line = _line(self._steps, times)
        return self._steps

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        if self._format == "xtc":
            logger.info("%s: positions in XTC files are rounded, by default to 0.01 Å", self.path)
        self.steps()
        self._number = 0
        for kind, *values in self._answers(frames=True):
            if kind == "frame":
                yield self._sequence.checked(self._to_frame(*values))
                self._number += 1
            elif kind == "end" and self._number < values[0]:
                raise self._fail(f"the file ends before it, with {values[0]} frames announced")
        self.reason = "end of file"

    def _answers(self, frames: bool) -> Iterator[tuple[Any, ...]]:
        """Yield what the process beside this one says of the file."""
        if not self.path.is_file():
            raise FileFormatError(f"{self.path}: cannot open: no such file")
        for kind, *values in _worker.ask(self.path, self._format, frames):
            if kind == "missing":
                raise InputError(f"{self.path}: {self._format} files need MDAnalysis: {INSTALL}")
            if kind == "error":
                raise FileFormatError(f"{self.path}: not readable as {self._format}: {values[0]}")
            if kind == "head" and values[0] != len(self._numbers):
                raise FileFormatError(
                    f"{self.path}: {values[0]} atoms, but the topology has {len(self._numbers)}"
                )
            yield kind, *values

    def _to_frame(
        self, step: int, time: float | None, cell: NDArray[np.float64] | None, positions: NDArray[np.float32]
    ) -> Frame:
        if cell is None or not (np.isfinite(cell).all() and abs(np.linalg.det(cell)) > 1e-6):
            raise self._fail("no three-dimensional cell")
        if not np.isfinite(positions).all() or (time is not None and not np.isfinite(time)):
            raise self._fail("a position or time that is not a finite number")
        if self._line is not None:
            time = self._line[0] + self._line[1] * step
        return Frame(
            step,
            time,
            cell,
            (True, True, True),
            np.arange(1, len(positions) + 1, dtype=np.int64),
            self._numbers,
            positions.astype(np.float64),
        )


def _line(steps: Sequence[int], times: Sequence[float | None]) -> tuple[float, float] | None:
    """Return offset and slope of times that are even in the steps within single precision."""
    known = [time for time in times if time is not None]
    if len(known) < 2 or len(known) < len(steps) or steps[-1] == steps[0]:
        return None
    x, y = np.array(steps, dtype=np.float64), np.array(known)
    slope = float((y[-1] - y[0]) / (x[-1] - x[0]))
    offset = float(y[0] - slope * x[0])
    even = np.abs(offset + slope * x - y) <= 4.0 * SINGLE * np.abs(y).max()
    return (offset, slope) if np.isfinite(y).all() and even.all() else None


class _Worker:
    """The process that reads, started when it is first needed and anew after a crash."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, path: Path, file_format: str, frames: bool) -> Iterator[tuple[Any, ...]]:
        """Yield the answers on a file; whoever stops early ends the process."""
        process = self._process or self._started()
        self._process = None  # until all answers are in
        done = False
        request = json.dumps({"path": str(path.resolve()), "format": file_format, "frames": frames})
        try:
            if process.stdin is None or process.stdout is None:
                return
            process.stdin.write(request.encode() + b"\n")
            process.stdin.flush()
            while not done:
                answer = pickle.load(process.stdout)
                done = answer[0] in {"end", "error", "missing"}
                if done and self._process is None:
                    self._process = process
                yield answer
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise FileFormatError(
                f"{path}: damaged: the {file_format} reader of MDAnalysis crashed"
            ) from None
        finally:
            if not done:
                _end(process)

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "lpsnmr.trajectory.mda_worker"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            _end(self._process)
            self._process = None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and wait for it."""
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    process.wait()


_worker = _Worker()
atexit.register(_worker.end)
