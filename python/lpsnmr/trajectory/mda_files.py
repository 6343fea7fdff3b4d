"""Frames of XTC, TRR, DCD and NetCDF trajectories, read by MDAnalysis (optional)."""

import importlib
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.frames import Frame, FrameSequence

__all__ = ["MDA_FORMATS", "MdaReader"]

logger = logging.getLogger(__name__)
MDA_FORMATS = {
    "xtc": ("XTC", "XTCReader"),
    "trr": ("TRR", "TRRReader"),
    "dcd": ("DCD", "DCDReader"),
    "nc": ("TRJ", "NCDFReader"),
}
"""Format: module of ``MDAnalysis.coordinates`` and class."""
INSTALL = "pip install 'lpsnmr[trajectories]'"


class MdaReader:
    """Iterate over the frames of a finished file.

    Parameters
    ----------
    path
        The file.
    file_format
        Key of ``MDA_FORMATS``.
    numbers
        (n,) int32, atomic numbers in the order of the file, which holds no elements.
    ascending
        Whether steps must ascend.

    Notes
    -----
    Steps and times come from XTC and TRR files, times alone from NetCDF, steps alone from DCD: its times are
    in the units of the program that wrote it.

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
        self._found: list[int] | None = None

    def _fail(self, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}: frame {self._number}: {message}")

    def steps(self) -> list[int] | None:
        """Return the step of each frame."""
        if self._found is None:
            with self._opened() as reader:
                self._found = [self._step(ts, reader) for ts in self._snapshots(reader)]
            self._number = 0
        return self._found

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        with self._opened() as reader:
            if self._format == "xtc":
                logger.info("%s: positions in XTC files are rounded, by default to 0.01 Å", self.path)
            for ts in self._snapshots(reader):
                yield self._sequence.checked(self._to_frame(ts, reader))
        self.reason = "end of file"

    def _opened(self) -> "_Reader":
        module, name = MDA_FORMATS[self._format]
        if not self.path.is_file():
            raise FileFormatError(f"{self.path}: cannot open: no such file")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                kind: Any = getattr(importlib.import_module(f"MDAnalysis.coordinates.{module}"), name)
        except ImportError as error:
            raise InputError(f"{self.path}: {self._format} files need MDAnalysis: {INSTALL}") from error
        reader = _Reader(kind, self.path, len(self._numbers))
        if reader.n_atoms != len(self._numbers):
            raise FileFormatError(
                f"{self.path}: {reader.n_atoms} atoms, but the topology has {len(self._numbers)}"
            )
        return reader

    def _snapshots(self, reader: "_Reader") -> Iterator[Any]:
        snapshots = iter(reader)
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    snapshot = next(snapshots, None)
            except Exception as error:  # MDAnalysis raises many kinds
                told = " ".join(str(error).split()) or type(error).__name__
                raise FileFormatError(f"{self.path}: frame {self._number}: {told}") from error
            if snapshot is None:
                if self._number < reader.n_frames:
                    raise self._fail(f"the file ends before it, with {reader.n_frames} frames announced")
                return
            yield snapshot
            self._number += 1

    def _step(self, ts: Any, reader: "_Reader") -> int:
        if self._format == "dcd":
            return reader.first_step + self._number * reader.interval
        return int(ts.data["step"]) if self.has_steps and "step" in ts.data else self._number

    def _to_frame(self, ts: Any, reader: "_Reader") -> Frame:
        cell = None if ts.dimensions is None else np.array(ts.triclinic_dimensions, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            positions = np.array(ts.positions, dtype=np.float64)
        if cell is None or not (np.isfinite(cell).all() and abs(np.linalg.det(cell)) > 1e-6):
            raise self._fail("no three-dimensional cell")
        if not np.isfinite(positions).all() or not np.isfinite(ts.time):
            raise self._fail("a position or time that is not a finite number")
        return Frame(
            self._step(ts, reader),
            None if self._format == "dcd" else float(ts.time),
            cell,
            (True, True, True),
            np.arange(1, len(positions) + 1, dtype=np.int64),
            self._numbers,
            positions,
        )


class _NothingToClose:
    """In place of a file."""

    def close(self) -> None:
        """Do nothing."""


class _Reader:
    """A reader of MDAnalysis, opened and closed without its noise."""

    def __init__(self, kind: Any, path: Path, n_atoms: int) -> None:
        self._reader = kind.__new__(kind)
        for name in ("_file", "_xdr", "trjfile"):  # what it closes, also when it could not be opened
            setattr(self._reader, name, _NothingToClose())
        options = {"refresh_offsets": True} if kind.__name__ in {"XTCReader", "TRRReader"} else {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._reader.__init__(os.fspath(path), **options)
                self.n_atoms, self.n_frames = int(self._reader.n_atoms), int(self._reader.n_frames)
        except Exception as error:  # MDAnalysis raises many kinds
            told = " ".join(str(error).split()) or type(error).__name__
            raise FileFormatError(f"{path}: cannot be read: {told}") from error
        header = self._reader._file.header if kind.__name__ == "DCDReader" else {}
        self.first_step, self.interval = int(header.get("istart", 0)), max(1, int(header.get("nsavc", 1)))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._reader)

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
