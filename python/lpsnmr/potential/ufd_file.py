"""Write and read the .ufd text format: density terms beside a .uf3 potential."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lpsnmr._core import read_ufd_blocks
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hashing import sha256_of
from lpsnmr.potential.density import DensityLayout, core_block, zip_largest
from lpsnmr.typing import Array

__all__ = [
    "BELONGS",
    "UfdBlock",
    "UfdFile",
    "check_companion",
    "companion",
    "density_path",
    "potential_hash",
    "read_ufd",
    "write_ufd",
]

SIGNATURE = "#lpsnmr-ufd 1"
BELONGS = "lpsnmr-ufd:"
"""Begins the comment of a .uf3 file that is not complete without its density terms."""


@dataclass(frozen=True, eq=False)
class UfdBlock:
    """Terms around one element: channels as the core has them, coefficients (n,) and bound in eV."""

    center: str
    orders: int
    channels: list[tuple[str, int, float, float, int, list[tuple[float, float, list[float]]]]]
    coefficients: Array
    bound: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class UfdFile:
    """All blocks of a file, and the SHA-256 of the .uf3 file they belong to (empty: any)."""

    blocks: tuple[UfdBlock, ...]
    base: str
    units: str


def density_path(potential: str | os.PathLike[str]) -> Path:
    """Return the path of the density terms of a potential: ``NAME.uf3`` -> ``NAME.ufd``."""
    return Path(potential).with_suffix(".ufd")


def companion(potential: str | os.PathLike[str]) -> Path | None:
    """Return the .ufd file beside a .uf3 file, or None where there is none."""
    path = density_path(potential)
    return path if Path(potential).suffix == ".uf3" and path.is_file() else None


def potential_hash(potential: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a potential file followed by its density terms, hexadecimal.

    Without such terms it is that of the file alone.
    """
    beside = companion(potential)
    return sha256_of(potential, *([beside] if beside else []))


def check_companion(potential: str | os.PathLike[str], density: str | os.PathLike[str]) -> None:
    """Refuse density terms that were fitted with another .uf3 file.

    Raises
    ------
    InputError
        Names both files.
    """
    base = read_ufd(density).base
    found = sha256_of(potential)
    if base and base != found:
        raise InputError(
            f"{density}: its terms belong to a .uf3 file with SHA-256 {base[:12]}..., but {potential} "
            f"has {found[:12]}...; fit and copy both files together"
        )


def read_ufd(path: str | os.PathLike[str]) -> UfdFile:
    """Read a file with the parser of the core.

    Raises
    ------
    InputError
        ``file:line: what, expected, got`` for anything that is not complete.
    """
    raw = read_ufd_blocks(os.fspath(path))
    return UfdFile(tuple(UfdBlock(*block) for block in raw["blocks"]), raw["base"], raw["units"])


def _words(values: Sequence[float] | Array) -> str:
    return " ".join(repr(float(v)) for v in values)


def write_ufd(
    path: str | os.PathLike[str],
    density: DensityLayout,
    coefficients: Array,
    base: str = "",
    comments: Sequence[str] = (),
) -> None:
    """Write density terms; the file appears whole or not at all and is the same for the same input.

    Parameters
    ----------
    path
        Target, ``*.ufd``.
    density
        Calibrated layout.
    coefficients
        (columns,) float64, eV.
    base
        SHA-256 of the .uf3 file they were fitted with.
    comments
        Lines put at the head behind ``#``.

    Raises
    ------
    InputError
        For coefficients that are not finite or not as many as there are columns.
    """
    if coefficients.shape != (density.columns,) or not np.isfinite(coefficients).all():
        raise InputError(
            f"{path}: expected {density.columns} finite coefficients, got the shape {coefficients.shape}"
        )
    lines = [SIGNATURE, *(f"# {line}" for line in comments), "UNITS metal", f"BASE {base or '-'}"]
    for number, (block, largest) in enumerate(zip_largest(density.blocks, density.largest)):
        center, orders, channels = core_block(block, largest)
        first, count = density.basis.block_columns(number)
        lines.append(f"CENTER {center} {orders} {len(channels)} {count}")
        lines.append("BOUND " + _words(density.bound(number)))
        for element, highest_l, start, cutoff, intervals, functions in channels:
            lines.append(f"CHANNEL {element} {len(functions)} {highest_l} {start!r} {cutoff!r} {intervals}")
            lines += [f"FUNCTION {full!r} {gone!r} {_words(c)}" for full, gone, c in functions]
        lines.append("COEFFICIENTS")
        values = coefficients[first : first + count]
        lines += [_words(values[k : k + 6]) for k in range(0, count, 6)]
    lines.append("END")
    with written_aside(path) as aside:
        Path(aside).write_text("\n".join(lines) + "\n", encoding="utf-8")
