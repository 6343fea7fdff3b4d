"""Which reader a trajectory needs, by what is in it and else by its name."""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError
from lpsnmr.trajectory.ase_files import AseReader
from lpsnmr.trajectory.binary_dump import BinaryDumpReader, is_binary_dump
from lpsnmr.trajectory.dump import DumpReader
from lpsnmr.trajectory.frames import FrameReader
from lpsnmr.trajectory.imd import ImdReader, imd_address
from lpsnmr.trajectory.mda_files import MdaReader
from lpsnmr.trajectory.sources import MAGIC, ByteSource

__all__ = ["ACCEPTED", "ReaderOptions", "format_of", "open_trajectory"]

ACCEPTED: Final = (
    "LAMMPS dumps (text, also gzip, zstd, bzip2 or xz; or binary), extended XYZ, ASE .traj, XDATCAR, XTC, "
    "TRR, DCD, NetCDF, or imd://host:port"
)
_HEADS = {
    "traj": (b"- of Ulm", b"AFFormatASE-Trajectory"),
    "xtc": (b"\x00\x00\x07\xcb", b"\x00\x00\x07\xe7"),
    "trr": (b"\x00\x00\x07\xc9",),
    "dcd": (b"\x54\x00\x00\x00CORD", b"\x00\x00\x00\x54CORD", b"\x54\x00\x00\x00\x00\x00\x00\x00CORD"),
    "nc": (b"CDF\x01", b"CDF\x02", b"CDF\x05"),
}
"""First bytes of files: ASE's ulm, XDR magic numbers 1995 and 1993, CHARMM's CORD, NetCDF classic."""
_SUFFIXES = {
    **{".traj": "traj", ".xtc": "xtc", ".trr": "trr", ".dcd": "dcd", ".nc": "nc", ".ncdf": "nc"},
    **{".xyz": "extxyz", ".extxyz": "extxyz"},
}


@dataclass(frozen=True)
class ReaderOptions:
    """What readers may need beyond the file.

    Attributes
    ----------
    elements
        Element of LAMMPS type 1, 2, …; None where the files tell.
    numbers
        (n,) int32, atomic numbers of all atoms in order, of a topology; None without one.
    units
        ``metal`` or ``real``; None for what the files say.
    follow, idle_s, stopped
        As in ``DumpReader``.
    """

    elements: tuple[str, ...] | None = None
    numbers: NDArray[np.int32] | None = None
    units: str | None = None
    follow: bool = False
    idle_s: float | None = 60.0
    stopped: Callable[[], bool] | None = None


def format_of(path: Path) -> str:
    """Return the format of a file: ``dump``, ``binary``, ``imd``, or a key of the other readers.

    What cannot be read yet (a FIFO, a file that is still to come) is a dump unless its name says otherwise.
    """
    if imd_address(str(path)) is not None:
        return "imd"
    named = _named(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return named or "dump"
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return named or "dump"
    for kind, heads in _HEADS.items():
        if head.startswith(heads):
            return kind
    if is_binary_dump(head):
        return "binary"
    if head.startswith(tuple(MAGIC.values())):
        head = _unpacked_head(path)
    if head.lstrip().startswith(b"ITEM:"):
        return "dump"
    if named == "" and head.split(b"\n")[0].strip().isdigit():
        return "extxyz"
    return named or "dump"


def _unpacked_head(path: Path) -> bytes:
    try:
        source = ByteSource(path)
    except FileFormatError:
        return b""
    try:
        return source.read()[:64]
    except FileFormatError:
        return b""
    finally:
        source.close()


def _named(path: Path) -> str:
    name = path.name.lower()
    for ending in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(ending)
    if "xdatcar" in name:
        return "vasp-xdatcar"
    return _SUFFIXES.get(Path(name).suffix, "")


def open_trajectory(path: Path, options: ReaderOptions) -> FrameReader:
    """Return the reader of a file; nothing of its frames is read yet. Steps need not ascend.

    Raises
    ------
    FileFormatError
        For a file that is none of ``ACCEPTED``.
    InputError
        When a package or the elements of the file's atoms are missing.
    """
    kind = format_of(path)
    if kind == "imd":
        return ImdReader(str(path), numbers=options.numbers, stopped=options.stopped)
    if kind == "binary":
        return BinaryDumpReader(path, elements=options.elements, units=options.units, ascending=False)
    if kind in {"extxyz", "traj", "vasp-xdatcar"}:
        return AseReader(path, kind, elements=options.elements, ascending=False)
    if kind != "dump":
        return MdaReader(path, kind, numbers=options.numbers, ascending=False)
    _refuse_other_files(path)
    return DumpReader(
        path,
        elements=options.elements,
        units=options.units,
        follow=options.follow,
        idle_s=options.idle_s,
        stopped=options.stopped,
        ascending=False,
    )


def _refuse_other_files(path: Path) -> None:
    """Raise for a file that has begun and is no dump."""
    try:
        if not stat.S_ISREG(path.stat().st_mode) or path.stat().st_size == 0:
            return
    except OSError:
        return
    source = ByteSource(path)
    try:
        head = source.read()[:64].lstrip()
    except FileFormatError:
        return  # the reader says where it is damaged
    finally:
        source.close()
    if head and not head.startswith(b"ITEM:") and not b"ITEM:".startswith(head[:5]):
        raise FileFormatError(
            f"{path}: expected a trajectory, of which these are read: {ACCEPTED}; got a file that begins "
            f"{head[:20]!r}"
        )
