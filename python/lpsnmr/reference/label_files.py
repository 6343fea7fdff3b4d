"""Labelled frames out of files of any kind: extended XYZ, .magres, OUTCAR, .castep, whatever ASE reads."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ase
import ase.io
import numpy as np
from ase.io.extxyz import key_val_str_to_dict
from ase.io.formats import filetype, ioformats

from lpsnmr.errors import FileFormatError
from lpsnmr.files.text_of import opened_text

__all__ = ["frames_with_labels", "is_extended_xyz"]

GENERIC_NAMES = {"OUTCAR", "vasprun", "CONTCAR", "POSCAR", "pwscf", "espresso"}
"""Stems that every calculation of a program has: its folder names the run."""
MAGRES_UNIT = "au"
_SIX_NUMBERS = re.compile(
    r"""(?P<key>\b\w*(?:stress|virial)\w*)\s*=\s*(?P<quote>["'{\[])\s*(?P<six>[^"'}\]=]+?)\s*["'}\]]"""
)
_EFG_HEADER = re.compile(r"Electric field gradients \(V/A\^2\)")


def is_extended_xyz(path: Path) -> bool:
    """Return whether a file is to be read as extended XYZ: by its ending, or because ASE knows no better."""
    name = re.sub(r"\.(gz|bz2|xz)$", "", path.name.lower())
    if name.endswith((".xyz", ".extxyz")):
        return True
    try:
        found = str(filetype(str(path)))
        return found in {"extxyz", "xyz"} or found not in ioformats
    except Exception:  # UnknownFileTypeError, or whatever else the sniffers of ASE raise
        return True


def frames_with_labels(path: Path) -> Iterator[ase.Atoms]:
    """Yield the frames of a file; raises what ASE raises.

    What is not extended XYZ gets ``info["run"]`` from its name: the stem, or the folder where every
    calculation's file has the same one. VASP's and Magres' tensors come as ``arrays["efg"]`` with their
    ``info["efg_unit"]``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if is_extended_xyz(path):
            yield from ase.io.iread(path, index=":", format="extxyz", properties_parser=_read_header)
            return
        frames = _read_all(path)
    generic = path.stem.split(".")[0] in GENERIC_NAMES
    run = path.resolve().parent.name if generic else path.stem
    for frame in frames:
        frame.info.setdefault("run", run or path.stem)
        if "magres_units" in frame.info:
            frame.info.setdefault("efg_unit", MAGRES_UNIT)
    if str(filetype(str(path))) == "vasp-out":
        _add_vasp_tensors(path, frames)
    yield from frames


def _read_all(path: Path) -> list[ase.Atoms]:
    try:
        found: Any = ase.io.read(path, index=":")
    except AssertionError:  # how ASE says that files of this kind hold one structure
        found = ase.io.read(path)
    return found if isinstance(found, list) else [found]


def _read_header(line: str) -> dict[str, Any]:
    """Read the header of a frame as ASE does, with stresses and virials of six numbers let through."""
    kept: dict[str, Any] = {}

    def take(found: re.Match[str]) -> str:
        words = found["six"].replace(",", " ").split()
        if len(words) != 6:
            return found[0]
        try:
            kept[found["key"]] = np.array([float(word) for word in words])
        except ValueError:
            return found[0]
        return ""

    info: dict[str, Any] = key_val_str_to_dict(_SIX_NUMBERS.sub(take, line))
    return {**info, **kept}


def _add_vasp_tensors(path: Path, frames: list[ase.Atoms]) -> None:
    """Put the tensors that VASP prints with LEFG = .TRUE. to the frames they belong to.

    The columns are V_xx V_yy V_zz V_xy V_xz V_yz in V/Å² (VASP wiki, tag LEFG).
    """
    blocks = list(_vasp_blocks(path, len(frames[-1])))
    if not blocks:
        return
    if len(blocks) not in {1, len(frames)}:
        raise FileFormatError(
            f"{len(blocks)} tables of electric field gradients for {len(frames)} ionic steps"
        )
    for frame, block in zip(frames[-len(blocks) :], blocks, strict=True):
        frame.new_array("efg", block)
        frame.info["efg_unit"] = "V/A^2"


def _vasp_blocks(path: Path, n: int) -> Iterator[np.ndarray[Any, Any]]:
    with opened_text(path) as file:
        for line in file:
            if not _EFG_HEADER.search(line):
                continue
            rows: list[list[float]] = []
            for row in file:
                words = row.split()
                if len(words) == 7 and words[0].isdecimal():
                    rows.append([float(word) for word in words[1:]])
                elif rows and row.strip().startswith("-"):
                    break
            if len(rows) != n:
                raise FileFormatError(f"a table of {len(rows)} electric field gradients, expected {n}")
            xx, yy, zz, xy, xz, yz = np.array(rows).T
            yield np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=1)
