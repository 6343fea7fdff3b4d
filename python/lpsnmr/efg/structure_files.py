"""Structures of any file for a prediction: what ASE reads, LAMMPS data files, and trajectories."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase
import ase.io
import numpy as np
from ase.utils import string2index
from numpy.typing import NDArray

from lpsnmr.elements import atomic_number
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.structures import load_structure
from lpsnmr.structures.crystals import refuse_partial_sites
from lpsnmr.trajectory.data_file_reader import is_data_file, read_data_file
from lpsnmr.trajectory.formats import ReaderOptions, format_of, open_trajectory

__all__ = ["read_structures"]

OWN_READERS = {"dump", "binary", "xtc", "trr", "dcd", "nc"}


def read_structures(
    path: Path,
    *,
    file_format: str | None = None,
    elements: Sequence[str] | None = None,
    topology: Path | None = None,
    index: str = ":",
) -> list[ase.Atoms]:
    """Read structures, whatever the file.

    Parameters
    ----------
    path
        Structure file, LAMMPS data file or trajectory.
    file_format
        ASE's name of the format; None to find out.
    elements
        Element of LAMMPS type 1, 2, …; for other files, the elements they are expected to be of.
    topology
        Structure file with the elements of frames without any (XTC, TRR, DCD, NetCDF).
    index
        Which frames, as a Python index or slice.

    Raises
    ------
    FileFormatError
        For a file that is missing or cannot be read.
    InputError
        For unknown elements, elements that the file contradicts, or no frame.
    """
    if not path.is_file():
        raise FileFormatError(f"{path}: no such file")
    for symbol in elements or ():
        atomic_number(symbol)
    if file_format is None and is_data_file(path):
        return _chosen(path, [read_data_file(path, elements)], index)
    if file_format is None and format_of(path) in OWN_READERS and _is_trajectory(path):
        return _chosen(path, _frames(path, elements, topology), index)
    try:
        frames = ase.io.read(path, index=":", format=file_format, **_order(elements, file_format))
    except AssertionError:  # how ASE says that files of this kind hold one structure
        frames = _single(path, file_format)
    except Exception as error:  # ASE raises many kinds of exception on malformed files
        told = " ".join(str(error).split()) or type(error).__name__
        raise FileFormatError(f"{path}: cannot be read as a structure: {told}") from error
    found = frames if isinstance(frames, list) else [frames]
    for atoms in found:
        refuse_partial_sites(path, atoms)
        strange = sorted(set(atoms.symbols) - set(elements)) if elements is not None else []
        if strange:
            raise InputError(f"{path}: holds {strange[0]}, but --elements says {', '.join(elements or ())}")
    return _chosen(path, found, index)


def _order(elements: Sequence[str] | None, file_format: str | None) -> dict[str, Any]:
    types = file_format is not None and file_format.startswith("lammps-dump")
    return {"specorder": list(elements)} if types and elements is not None else {}


def _single(path: Path, file_format: str | None) -> Any:
    try:
        return ase.io.read(path, format=file_format)
    except Exception as error:  # as above
        told = " ".join(str(error).split()) or type(error).__name__
        raise FileFormatError(f"{path}: cannot be read as a structure: {told}") from error


def _is_trajectory(path: Path) -> bool:
    """Whether a file that is no other trajectory begins as a dump does; others are left to ASE."""
    if format_of(path) != "dump":
        return True
    try:
        open_trajectory(path, ReaderOptions())
    except FileFormatError:
        return False
    return path.stat().st_size > 0


def _frames(path: Path, elements: Sequence[str] | None, topology: Path | None) -> list[ase.Atoms]:
    numbers: NDArray[np.int32] | None = None
    if topology is not None:
        numbers = np.asarray(load_structure(topology, elements).numbers, dtype=np.int32)
    options = ReaderOptions(elements=None if elements is None else tuple(elements), numbers=numbers)
    return [
        ase.Atoms(
            numbers=frame.numbers,
            positions=frame.positions - np.asarray(frame.origin),
            cell=frame.cell,
            pbc=frame.pbc,
            info={"step": frame.step},
        )
        for frame in open_trajectory(path, options)
    ]


def _chosen(path: Path, frames: list[ase.Atoms], index: str) -> list[ase.Atoms]:
    try:
        chosen: Any = string2index(index)
        found: Any = frames[chosen]
    except (ValueError, IndexError, TypeError) as error:
        raise InputError(f"{path}: no frame in {index!r} of {len(frames)}") from error
    several: list[ase.Atoms] = found if isinstance(found, list) else [found]
    if not several:
        raise InputError(f"{path}: no frame in {index!r}")
    return several
