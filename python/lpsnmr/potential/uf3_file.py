"""Write and read the .uf3 text format that LAMMPS' ``pair_style uf3`` and ``pair_style ufp`` read."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from lpsnmr._core import read_uf3_blocks
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.potential.basis import Layout
from lpsnmr.typing import Array

__all__ = ["PairBlock", "TripleBlock", "Uf3Potential", "blocks_from_coefficients", "read_uf3", "write_uf3"]


@dataclass(frozen=True, eq=False)
class PairBlock:
    """V2 of two elements: knots in Å, coefficients (knots - 4,) in eV, HALF of the pair energy."""

    elements: tuple[str, str]
    knots: Array
    coefficients: Array
    cutoff: float


@dataclass(frozen=True, eq=False)
class TripleBlock:
    """V3 of a centre and two neighbours: knots, cutoffs ij ik jk in Å, coefficients [ij][ik][jk] in eV."""

    elements: tuple[str, str, str]
    knots: tuple[Array, Array, Array]
    coefficients: Array
    cutoffs: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Uf3Potential:
    """All blocks of a file."""

    pairs: tuple[PairBlock, ...]
    triples: tuple[TripleBlock, ...] = ()
    units: str = "metal"

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements in the order of their first appearance."""
        return tuple(dict.fromkeys(e for block in self.pairs for e in block.elements))


def read_uf3(path: str | os.PathLike[str]) -> Uf3Potential:
    """Read a file with the parser of the core.

    Raises
    ------
    InputError
        ``file:line: what, expected, got`` for anything that is not a complete potential.
    """
    raw = read_uf3_blocks(os.fspath(path))
    pairs = tuple(
        PairBlock((e[0], e[1]), np.array(knots), coefficients, cutoff)
        for e, cutoff, knots, coefficients in raw["pairs"]
    )
    triples = tuple(
        TripleBlock((e[0], e[1], e[2]), tuple(map(np.array, knots)), coefficients, tuple(cutoffs))  # type: ignore[arg-type]
        for e, cutoffs, knots, coefficients in raw["triples"]
    )
    return Uf3Potential(pairs, triples, raw["units"])


def _numbers(values: Array) -> str:
    """Shortest decimal text that reads back as the same float64."""
    return " ".join(
        np.format_float_positional(v, trim="-") if 1e-4 <= abs(v) < 1e6 or v == 0 else repr(float(v))
        for v in np.asarray(values, dtype=float)
    )


def _spacing(potential: Uf3Potential) -> str:
    """Return uk when the inner knots of every vector are equally spaced, else nk.

    ``pair_style uf3`` wants one kind throughout the file.
    """
    vectors = [p.knots for p in potential.pairs] + [k for t in potential.triples for k in t.knots]
    for k in vectors:
        steps = np.diff(k[3 : len(k) - 3])
        if not np.allclose(steps, steps[0], rtol=0, atol=1e-9):
            return "nk"
    return "uk"


def write_uf3(
    path: str | os.PathLike[str],
    potential: Uf3Potential,
    comments: Sequence[str] = (),
    author: str = "lpsnmr",
) -> None:
    """Write a potential; the file appears whole or not at all and is the same for the same input.

    Parameters
    ----------
    path
        Target, usually ``*.uf3``.
    potential
        Blocks; numbers are written so that reading gives back the same float64.
    comments
        Lines put at the head behind ``#``.
    author
        Name in the block headers, one word.

    Raises
    ------
    InputError
        For coefficients that are not finite or do not fit their knots.
    """
    header = f"#UF3 POT UNITS: {potential.units} DATE: 2000-01-01 00:00:00 AUTHOR: {author} CITATION:"
    spacing = _spacing(potential)
    lines = [f"# {line}" for line in comments]
    for pair in potential.pairs:
        _check("2B " + " ".join(pair.elements), pair.coefficients, (len(pair.knots) - 4,))
        lines += [
            header,
            f"2B {' '.join(pair.elements)} 0 3 {spacing}",
            f"{_numbers(np.array([pair.cutoff]))} {len(pair.knots)}",
            _numbers(pair.knots),
            str(len(pair.coefficients)),
            _numbers(pair.coefficients),
            "#",
        ]
    for triple in potential.triples:
        ij, ik, jk = triple.knots
        shape = tuple(len(k) - 4 for k in triple.knots)
        _check("3B " + " ".join(triple.elements), triple.coefficients, shape)
        lines += [
            header,
            f"3B {' '.join(triple.elements)} 0 3 {spacing}",
            f"{_numbers(np.array(triple.cutoffs[::-1]))} {len(jk)} {len(ik)} {len(ij)}",
            _numbers(jk),
            _numbers(ik),
            _numbers(ij),
            " ".join(map(str, shape)),
            *map(_numbers, triple.coefficients.reshape(-1, shape[2])),
            "#",
        ]
    with written_aside(path) as aside:
        Path(aside).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _check(what: str, coefficients: Array, shape: tuple[int, ...]) -> None:
    """Refuse coefficients that no reader would take."""
    if coefficients.shape != shape:
        raise InputError(f"{what}: expected coefficients of shape {shape}, got {coefficients.shape}")
    if not np.isfinite(coefficients).all():
        raise InputError(f"{what}: coefficients are not finite")


def _padded(knots: Array, values: Array, axis: int, cutoff: float) -> tuple[Array, Array]:
    """Continue a knot vector to a larger cutoff with coefficients that are zero: the same function."""
    if knots[-1] >= cutoff:
        return knots, values
    widths = [(0, 0)] * values.ndim
    widths[axis] = (0, 1)
    return np.concatenate([knots[:-3], np.repeat(cutoff, 4)]), np.pad(values, widths)


def blocks_from_coefficients(layout: Layout, coefficients: Array) -> Uf3Potential:
    """Arrange fitted columns as the blocks of a file.

    ``pair_style uf3`` demands every triple, and r_ij and r_ik knots that end at one cutoff, r_jk knots at
    twice that. Shorter ones go on to there with zeros; triples without V3 become blocks of zeros.

    Parameters
    ----------
    layout
        Numbering of the columns.
    coefficients
        (columns,) float64, eV; density terms, which come last, are not for this file.
    """
    if coefficients.shape != (layout.columns,):
        raise InputError(f"expected {layout.columns} coefficients, got the shape {coefficients.shape}")
    names = layout.settings.elements
    pairs = []
    for block, (a, b) in enumerate(layout.pairs):
        first, count = layout.basis.pair_columns(block)
        values = np.zeros(len(layout.pair_knots) - 4)
        values[:count] = coefficients[first : first + count]
        pairs.append(PairBlock((names[a], names[b]), layout.pair_knots, values, float(layout.pair_knots[-1])))
    triples = []
    for a, (b, c) in product(range(len(names)), layout.pairs) if layout.triples else ():
        if (a, b, c) in layout.triples:
            block = layout.triples.index((a, b, c))
            columns = layout.basis.triple_columns(block)
            values = np.where(columns >= 0, coefficients[np.maximum(columns, 0)], 0.0)
            ij, ik, jk = layout.triple_knots[block]
        else:
            start = layout.settings.three_body_start
            values = np.zeros((4, 4, 4))
            ij = ik = np.repeat([start, start + 0.5], 4)
            jk = np.repeat([start, 2 * start + 1.0], 4)
        cutoff = float(max(ij[-1], ik[-1]))
        ij, values = _padded(ij, values, 0, cutoff)
        ik, values = _padded(ik, values, 1, cutoff)
        jk, values = _padded(jk, values, 2, 2 * cutoff)
        triples.append(
            TripleBlock((names[a], names[b], names[c]), (ij, ik, jk), values, (cutoff, cutoff, 2 * cutoff))
        )
    return Uf3Potential(tuple(pairs), tuple(triples))
