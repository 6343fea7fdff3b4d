"""Read labelled structures (extended XYZ, or what other programs write) and refuse what no fit could use."""

import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import ase
import numpy as np
from ase.data import chemical_symbols

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.labelling.term_engine import TERMS
from lpsnmr.reference.label_files import frames_with_labels, is_extended_xyz
from lpsnmr.reference.label_keys import LabelKeys, gather_labels, keys_there
from lpsnmr.reference.terms import drop_terms, term_of

__all__ = ["LABELS", "read_reference"]

LABELS = ("energy", "forces", "stress", "efg")
"""Labels a reference frame can carry: eV, eV/Å, eV/Å³ (Voigt, ASE's sign) and nine columns per atom."""

PathLike = str | os.PathLike[str]
COMPRESSED = (".gz", ".bz2", ".xz")
"""Endings of files that ASE reads through a decompressor."""
MOST_DIGITS = 15
"""Longer numbers of atoms are none."""


def read_reference(
    paths: PathLike | Iterable[PathLike],
    require: Sequence[str] = LABELS,
    ignore_labels: bool = False,
    keys: LabelKeys | None = None,
) -> list[ase.Atoms]:
    """Read every frame of labelled files and check its labels.

    Files are extended XYZ, .magres, OUTCAR, vasprun.xml, .castep, or any other that ASE reads with labels.

    ``energy``, ``forces`` and ``stress`` end up in ``frame.calc.results`` (stress as six Voigt numbers),
    ``efg`` in ``frame.arrays["efg"]`` as (n, 9) float64, row-major, in the unit of the file (in
    ``keys.efg_unit`` where the file says its own); an atom may have nine NaN for no tensor. Dispersion
    corrections stay in parts of their own (``lpsnmr.reference.terms``). Each frame gets
    ``frame.info["source"] = "path: frame N"``, N from 0, which the error messages of later steps can quote.

    Parameters
    ----------
    paths
        One path or several; frames come in the order of the paths and of the files.
    require
        Labels that every frame must have, out of ``LABELS``.
    ignore_labels
        Drop labels whatever they hold; nothing of ``require`` is asked for.
    keys
        Where the labels are and in which units; the usual names and units by default.

    Returns
    -------
    list of ase.Atoms
        At least one frame.

    Raises
    ------
    FileFormatError
        For a file that cannot be read, has no frame, or has a frame with a missing, misshapen or
        non-finite label, a ``run_step`` that is not an integer, a ``run_T`` that is not a number, a cell
        without volume along a periodic axis, or a non-finite position.
    InputError
        For an unknown name in ``require`` or no path at all.
    """
    unknown = sorted(set(require) - set(LABELS))
    if unknown:
        raise InputError(f"unknown label {unknown[0]!r}; expected some of {', '.join(LABELS)}")
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise InputError("no reference file given; expected at least one extended-XYZ file")
    where = keys or LabelKeys()
    frames: list[ase.Atoms] = []
    for path in map(Path, given):
        for number, frame in enumerate(_frames_of(path)):
            frame.info["source"] = f"{path}: frame {number}"
            if ignore_labels:
                _drop_labels(frame)
            else:
                gather_labels(frame, where)
                _check_labels(frame, require)
            _check_structure(frame)
            frames.append(frame)
    return frames


def _frames_of(path: Path) -> list[ase.Atoms]:
    """Return all frames of one file, or raise FileFormatError."""
    if not path.is_file():
        raise FileFormatError(f"{path}: no such file; expected extended XYZ or another labelled file")
    frames: list[ase.Atoms] = []
    try:
        for frame in frames_with_labels(path):
            frames.append(frame)
    except Exception as error:  # ASE raises many kinds of exception on malformed text
        told = " ".join(str(error).split()) or type(error).__name__
        if not is_extended_xyz(path):
            raise FileFormatError(f"{path}: not readable as a labelled file: {told}") from error
        where = _where_broken(path) or f"frame {len(frames)}: {told}"
        raise FileFormatError(f"{path}: not readable as extended XYZ: {where}") from error
    if not frames:
        raise FileFormatError(f"{path}: holds no frame; expected frames with labels")
    return frames


def _where_broken(path: Path) -> str | None:
    """Return what ``_broken_frame`` says; None for compressed files and those that cannot be opened."""
    if path.suffix in COMPRESSED:
        return None
    try:
        return _broken_frame(path)
    except OSError:
        return None


def _broken_frame(path: Path) -> str | None:
    """Say which frame has no number of atoms or fewer lines than that, where one has; as ASE counts lines."""
    number, line = 0, 1
    with path.open(encoding="utf-8", errors="replace") as file:
        while (head := file.readline()).strip():
            where = f"frame {number} (line {line})"
            if not head.strip().isdecimal() or len(head.strip()) > MOST_DIGITS:
                return f"{where}: expected a number of atoms, got {head.strip()[:40]!r}"
            atoms = int(head)
            found = sum(1 for _ in itertools.islice(file, atoms + 1))
            if found < atoms + 1:
                return (
                    f"{where}: expected a header and {atoms} atoms, the file ends after {max(found - 1, 0)}"
                )
            number, line = number + 1, line + atoms + 2
    return None


def _drop_labels(frame: ase.Atoms) -> None:
    """Take the labels off a frame."""
    frame.calc = None
    frame.arrays.pop("efg", None)
    drop_terms(frame)


def _check_labels(frame: ase.Atoms, require: Sequence[str]) -> None:
    """Check shapes and values of the labels of a frame; complain with its source."""
    source = frame.info["source"]
    results = frame.calc.results if frame.calc is not None else {}
    n = len(frame)
    shapes = {"energy": (), "forces": (n, 3), "stress": (6,), "efg": (n, 9)}
    for label in LABELS:
        value = frame.arrays.get("efg") if label == "efg" else results.get(label)
        if value is None:
            if label in require:
                raise FileFormatError(
                    f"{source}: no {label!r}; expected it in the header or as a column, or the option "
                    f"--{label}-key with its name; there are {keys_there(frame, results)}"
                )
            continue
        array = np.asarray(value)
        if array.shape != shapes[label]:
            raise FileFormatError(f"{source}: {label} must have the shape {shapes[label]}, got {array.shape}")
        numbers = array.dtype.kind in "fi"
        if numbers and label == "efg" and len(array) and not np.isnan(array).all():
            array = array[~np.isnan(array).all(axis=1)]  # atoms that are no target have no tensor
        if not (numbers and np.isfinite(array).all()):
            raise FileFormatError(f"{source}: {label} has entries that are not finite numbers")
    for name in TERMS:
        term_of(frame, name)


def _check_structure(frame: ase.Atoms) -> None:
    """Check header, positions and cell of a frame; complain with its source."""
    source = frame.info["source"]
    _check_header(frame)
    if len(frame) == 0 or not np.isfinite(frame.positions).all():
        raise FileFormatError(f"{source}: expected at least one atom, all positions finite")
    if frame.numbers.min() < 0 or frame.numbers.max() >= len(chemical_symbols):
        raise FileFormatError(f"{source}: an atom of no known element")
    if frame.pbc.any() and (not np.isfinite(frame.cell.array).all() or frame.cell.rank < frame.pbc.sum()):
        raise FileFormatError(f"{source}: periodic, but the cell has no volume along its periodic axes")


def _check_header(frame: ase.Atoms) -> None:
    """Check the entries of the header that later steps calculate with."""
    for name, kind in (("run_step", "an integer"), ("run_T", "a finite number")):
        value = frame.info.get(name, 0)
        good = isinstance(value, (int, float, np.number)) and np.isfinite(value)
        if not good or (name == "run_step" and value != int(value)):
            got = np.asarray(value).tolist()
            raise FileFormatError(f"{frame.info['source']}: {name}: expected {kind}, got {got!r}")
