"""Read LAMMPS binary dumps (``dump … custom N file.bin``)."""

import itertools
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lpsnmr.elements import atomic_number
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.dump import time_unit_ps
from lpsnmr.trajectory.frames import Frame, FrameSequence
from lpsnmr.typing import Array

__all__ = ["BinaryDumpReader", "is_binary_dump"]

MAGIC = (b"DUMPCUSTOM", b"DUMPATOM")
WITH_IMAGES = ("", "s", "u", "su")
WITHOUT_IMAGES = ("u", "su", "", "s")
"""Suffixes of coordinate columns in the order of trust: as in text dumps."""
LONGEST_TEXT = 100_000
LARGEST = 2_000_000_000
"""Atoms, or numbers in a block, beyond which a header is taken as damaged."""

Fail = Callable[[str], FileFormatError]


def is_binary_dump(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` is a LAMMPS binary dump of the present format."""
    return any(head[8 : 8 + len(magic)] == magic for magic in MAGIC) and len(head) >= 8


class BinaryDumpReader:
    """Iterate over the frames of a finished binary dump.

    Each frame has a header (magic word, byte order, revision, step, box, units, time, columns) and, for each
    process that wrote, a count of numbers and the numbers, all float64.

    Parameters
    ----------
    path
        The dump.
    elements
        Element of LAMMPS type 1, 2, …; binary dumps hold no names.
    units
        ``metal`` or ``real``, where the dump does not say.
    ascending
        Whether steps must ascend.

    Raises
    ------
    FileFormatError
        While iterating: a damaged or truncated dump, a change of the atoms, no elements.
    """

    has_steps = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        elements: Sequence[str] | None = None,
        units: str | None = None,
        ascending: bool = True,
    ) -> None:
        self.path = Path(path)
        self.reason = ""
        self._numbers = None if elements is None else [0, *(atomic_number(e) for e in elements)]
        self._units, self._told = units, ""
        self._frame = 0
        self._sequence = FrameSequence(self._fail, ascending)

    def _fail(self, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}: frame {self._frame}: {message}")

    def steps(self) -> list[int]:
        """Return the step of each whole frame without reading the atoms."""
        found: list[int] = []
        with self._opened() as file:
            size = os.fstat(file.fileno()).st_size
            for self._frame in itertools.count(1):
                if not file.peek(1)[:1]:
                    return found
                try:
                    header = _Header(file, self._fail)
                except FileFormatError:
                    return found
                for _ in range(header.blocks):
                    count = header.count(file)
                    file.seek(8 * count, os.SEEK_CUR)
                if file.tell() > size:
                    return found
                found.append(header.step)
        return found

    def _opened(self) -> Any:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise FileFormatError(f"{self.path}: cannot open: {error.strerror}") from error

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        with self._opened() as file:
            for self._frame in itertools.count(1):
                if not file.peek(1)[:1]:
                    break
                yield self._sequence.checked(self._read(file))
        self.reason = "end of file"

    def _read(self, file: Any) -> Frame:
        header = _Header(file, self._fail)
        self._told = header.units or self._told
        blocks = []
        left = os.fstat(file.fileno()).st_size - file.tell()
        for _ in range(header.blocks):
            count = header.count(file)
            if 8 * count > left:
                raise self._fail("the file ends inside it")
            blocks.append(np.frombuffer(_exactly(file, 8 * count, self._fail), dtype=header.order + "f8"))
        width = len(header.columns)
        values = np.concatenate(blocks) if blocks else np.zeros(0)
        if values.size != header.n_atoms * width:
            raise self._fail(f"{values.size} numbers, expected {header.n_atoms} atoms × {width} columns")
        table = values.reshape(header.n_atoms, width).astype(np.float64)
        return self._to_frame(header, table)

    def _to_frame(self, header: "_Header", table: Array) -> Frame:
        where = {name: k for k, name in enumerate(header.columns)}
        if "id" not in where or "type" not in where:
            raise self._fail(f"no column id and type in {' '.join(header.columns)!r}")
        if self._numbers is None:
            raise self._fail("binary dumps hold no elements; name those of the types (--elements)")
        if not (np.abs(table[:, [where["id"], where["type"]]]) < 2**53).all():
            raise self._fail("ids or types that are not whole numbers")
        table = table[np.argsort(table[:, where["id"]], kind="stable")]
        ids = table[:, where["id"]].astype(np.int64)
        types = table[:, where["type"]].astype(np.int64)
        if np.any(np.diff(ids) == 0):
            raise self._fail("an atom id occurs twice")
        if len(types) and (types.min() < 1 or types.max() >= len(self._numbers)):
            raise self._fail(
                f"atom type {types.max()}, but elements are given for {len(self._numbers) - 1} types"
            )
        positions, unwrapped = self._coordinates(header, table, where)
        try:
            unit = time_unit_ps(self._told, self._units)
        except InputError as error:
            raise self._fail(str(error)) from error
        return Frame(
            header.step,
            None if header.time is None else header.time * unit,
            header.cell,
            header.periodic,
            ids,
            np.asarray(self._numbers, dtype=np.int32)[types],
            positions,
            unwrapped,
            header.origin,
        )

    def _coordinates(
        self, header: "_Header", table: Array, where: dict[str, int]
    ) -> tuple[Array, Array | None]:
        images = [where[name] for name in ("ix", "iy", "iz") if name in where]
        for suffix in WITH_IMAGES if len(images) == 3 else WITHOUT_IMAGES:
            columns = [where[axis + suffix] for axis in "xyz" if axis + suffix in where]
            if len(columns) != 3:
                continue
            r = table[:, columns]
            if suffix.startswith("s"):
                r = r @ header.cell + np.asarray(header.origin)
            if not np.isfinite(r).all():
                raise self._fail("a position that is not a finite number")
            if suffix.endswith("u"):
                return r, r
            return r, r + table[:, images] @ header.cell if len(images) == 3 else None
        raise self._fail(
            f"no coordinates in {' '.join(header.columns)!r}; expected xu yu zu, x y z, xsu ysu zsu or xs …"
        )


class _Header:
    """Header of one frame."""

    def __init__(self, file: Any, fail: Fail) -> None:
        self._fail = fail
        first = struct.unpack("<q", _exactly(file, 8, fail))[0]
        self.order = "<"
        if not -20 <= first < 0:
            first = struct.unpack(">q", struct.pack("<q", first))[0]
            self.order = ">"
        if not -20 <= first < 0 or _exactly(file, -first, fail) not in MAGIC:
            raise fail("not a LAMMPS binary dump of format revision 2")
        endian, revision = self._take(file, "ii")
        if endian != 1 or not 1 <= revision <= 2:
            raise fail(f"format revision {revision}, expected 1 or 2")
        self.step, self.n_atoms, triclinic = self._take(file, "qqi")
        boundary = self._take(file, "6i")
        self.periodic = (
            boundary[0] == boundary[1] == 0,
            boundary[2] == boundary[3] == 0,
            boundary[4] == boundary[5] == 0,
        )
        if not 0 <= self.n_atoms < LARGEST or triclinic not in (0, 1):
            raise fail(f"{self.n_atoms} atoms, triclinic {triclinic}: damaged, or a general triclinic box")
        self._read_box(file, bool(triclinic))
        (width,) = self._take(file, "i")
        self.units, self.time, names = "", None, ""
        if revision > 1:
            self.units = self._text(file)
            if self._take(file, "c")[0] != b"\0":
                self.time = float(self._take(file, "d")[0])
            names = self._text(file)
        self.columns = names.split()
        if len(self.columns) != width:
            raise fail(f"{width} columns with the names {names[:60]!r}")
        (self.blocks,) = self._take(file, "i")
        if not 0 <= self.blocks < 10_000_000 or (self.time is not None and not np.isfinite(self.time)):
            raise fail(f"{self.blocks} blocks at the time {self.time}: damaged")

    def _take(self, file: Any, kinds: str) -> tuple[Any, ...]:
        layout = struct.Struct(self.order + kinds)
        return layout.unpack(_exactly(file, layout.size, self._fail))

    def _text(self, file: Any) -> str:
        (length,) = self._take(file, "i")
        if not 0 <= length < LONGEST_TEXT:
            raise self._fail(f"a text of {length} characters: damaged")
        return _exactly(file, length, self._fail).decode("ascii", "replace").rstrip("\0")

    def count(self, file: Any) -> int:
        """Read how many numbers the next block has."""
        (count,) = self._take(file, "i")
        if not 0 <= count < LARGEST:
            raise self._fail(f"a block of {count} numbers: damaged")
        return int(count)

    def _read_box(self, file: Any, triclinic: bool) -> None:
        bounds = np.array(self._take(file, "6d"), dtype=np.float64).reshape(3, 2)
        xy, xz, yz = self._take(file, "3d") if triclinic else (0.0, 0.0, 0.0)
        low = bounds[:, 0] - np.array([min(0, xy, xz, xy + xz), min(0, yz), 0.0])
        high = bounds[:, 1] - np.array([max(0, xy, xz, xy + xz), max(0, yz), 0.0])
        edges = high - low
        self.cell = np.array([[edges[0], 0, 0], [xy, edges[1], 0], [xz, yz, edges[2]]], dtype=np.float64)
        self.origin = (float(low[0]), float(low[1]), float(low[2]))
        if not (np.isfinite(self.cell).all() and np.isfinite(low).all() and (edges > 0).all()):
            raise self._fail(f"a box of {edges[0]:g} × {edges[1]:g} × {edges[2]:g} Å")


def _exactly(file: Any, n: int, fail: Fail) -> bytes:
    data: bytes = file.read(n)
    if len(data) != n:
        raise fail("the file ends inside it")
    return data
