"""Errors of energies, forces and stress, gathered by run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr.potential.normal import FrameRows
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

__all__ = ["ErrorRow", "error_table", "format_table"]

Array = NDArray[np.float64]
Interval = tuple[float, float] | None
BOOTSTRAP = 1000
ENERGY, FORCE, STRESS = 0, 1, 2
"""Kinds of rows of a frame."""


@dataclass(frozen=True)
class ErrorRow:
    """Root-mean-square errors over the frames of one run (or of all)."""

    run: str
    frames: int
    temperature_K: float | None
    energy_meV_per_atom: float
    force_eV_per_angstrom: float
    force_percent_of_rms: float
    stress_GPa: float | None
    force_percent_interval: Interval = None
    """95 % bootstrap interval of ``force_percent_of_rms`` over the blocks (over the frames where a run is a
    single block, which makes it too narrow); None for a single frame. The others likewise."""
    energy_interval_meV_per_atom: Interval = None
    stress_interval_GPa: Interval = None

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Part:
    """One frame of a run."""

    rows: FrameRows
    error: Array
    temperature: float | None
    block: int


def _rms(x: Array) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def _bootstrap(parts: Sequence[_Part]) -> dict[str, Interval]:
    """Draw blocks, or frames, again and again; return the intervals of a row."""
    if len(parts) < 2:
        return {}
    block = np.array([p.block for p in parts])
    group = np.unique(block, return_inverse=True)[1] if len(set(block)) > 1 else np.arange(len(parts))
    squares = np.zeros((group.max() + 1, 3, 3))  # kind; squares of errors and of targets, rows
    for g, p in zip(group, parts, strict=True):
        for kind in (ENERGY, FORCE, STRESS):
            chosen = p.rows.kind == kind
            error, target = np.square(p.error[chosen]).sum(), np.square(p.rows.target[chosen]).sum()
            squares[g, kind] += (error, target, chosen.sum())
    rng = np.random.default_rng(len(parts))
    drawn = squares[rng.integers(len(squares), size=(BOOTSTRAP, len(squares)))].sum(axis=1)
    mean = np.sqrt(drawn[:, :, 0] / np.maximum(drawn[:, :, 2], 1))
    relative = np.sqrt(drawn[:, FORCE, 0] / np.maximum(drawn[:, FORCE, 1], 1e-24))
    return {
        "force_percent_interval": _ends(100.0 * relative),
        "energy_interval_meV_per_atom": _ends(1e3 * mean[:, ENERGY]),
        "stress_interval_GPa": _ends(EV_PER_ANGSTROM3_GPA * mean[:, STRESS])
        if squares[:, STRESS, 2].all()
        else None,
    }


def _ends(values: Array) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _row(run: str, parts: Sequence[_Part]) -> ErrorRow:
    errors = np.concatenate([p.error for p in parts])
    kind = np.concatenate([p.rows.kind for p in parts])
    target = np.concatenate([p.rows.target for p in parts])
    temperatures = {p.temperature for p in parts}
    stress = errors[kind == STRESS]
    force = _rms(errors[kind == FORCE])
    return ErrorRow(
        run=run,
        frames=len(parts),
        temperature_K=temperatures.pop() if len(temperatures) == 1 else None,
        energy_meV_per_atom=1e3 * _rms(errors[kind == ENERGY]),
        force_eV_per_angstrom=force,
        force_percent_of_rms=100.0 * force / max(_rms(target[kind == FORCE]), 1e-12),
        stress_GPa=_rms(stress) * EV_PER_ANGSTROM3_GPA if stress.size else None,
        **_bootstrap(parts),
    )


def error_table(
    rows: Sequence[FrameRows],
    errors: Sequence[Array],
    runs: Sequence[str],
    temperatures: Sequence[float | None],
    blocks: Sequence[int] | None = None,
) -> list[ErrorRow]:
    """Return one row per run, sorted by name, and a last row ``all``.

    Parameters
    ----------
    rows
        Targets of each frame.
    errors
        Per frame (rows,) prediction minus target, energy per atom in eV, forces in eV/Å, stress in eV/Å³.
    runs, temperatures
        Per frame.
    blocks
        Block of each frame, for the intervals; each frame its own by default.
    """
    numbers = range(len(rows)) if blocks is None else blocks
    parts = [_Part(*part) for part in zip(rows, errors, temperatures, numbers, strict=True)]
    table = []
    for run in sorted(set(runs)):
        table.append(_row(run, [p for p, name in zip(parts, runs, strict=True) if name == run]))
    return [*table, _row("all", parts)]


def format_table(table: Sequence[ErrorRow]) -> str:
    """Return the table as text."""
    lines = [
        f"{'run':<16}{'frames':>7}{'T/K':>7}{'E meV/atom':>12}{'F eV/Å':>9}{'% of rms':>10}"
        f"{'95 %':>14}{'stress GPa':>12}"
    ]
    for row in table:
        temperature = "" if row.temperature_K is None else f"{row.temperature_K:.0f}"
        stress = "-" if row.stress_GPa is None else f"{row.stress_GPa:.2f}"
        ends = row.force_percent_interval
        interval = "-" if ends is None else f"{ends[0]:.1f}–{ends[1]:.1f}"
        lines.append(
            f"{row.run:<16}{row.frames:>7}{temperature:>7}{row.energy_meV_per_atom:>12.1f}"
            f"{row.force_eV_per_angstrom:>9.3f}{row.force_percent_of_rms:>10.1f}{interval:>14}{stress:>12}"
        )
    return "\n".join(lines)
