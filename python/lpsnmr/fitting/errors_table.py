"""Errors of energies, forces and stress, gathered by run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from lpsnmr.fitting.evaluation import draw_blocks, ends, rms
from lpsnmr.fitting.rows import ENERGY, FORCE, STRESS, FrameRows
from lpsnmr.reference.phases import common_phase, phase_of_run
from lpsnmr.typing import Array
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

__all__ = ["ErrorRow", "error_table", "format_table"]

Interval = tuple[float, float] | None


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
    phase: str | None = None
    """Of most of the frames; None where it is what name and temperature of the run say."""

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON; ``phase`` only where it is not None."""
        return {name: value for name, value in asdict(self).items() if name != "phase" or value is not None}

    @property
    def phase_of_run(self) -> str:
        """The phase of the run."""
        return self.phase or phase_of_run(self.run, self.temperature_K)


@dataclass(frozen=True, eq=False)
class _Part:
    """One frame of a run."""

    rows: FrameRows
    error: Array
    temperature: float | None
    block: int
    phase: str | None


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
    drawn = draw_blocks(squares, seed=len(parts))
    mean = np.sqrt(drawn[:, :, 0] / np.maximum(drawn[:, :, 2], 1))
    relative = np.sqrt(drawn[:, FORCE, 0] / np.maximum(drawn[:, FORCE, 1], 1e-24))
    return {
        "force_percent_interval": ends(100.0 * relative),
        "energy_interval_meV_per_atom": ends(1e3 * mean[:, ENERGY]),
        "stress_interval_GPa": ends(EV_PER_ANGSTROM3_GPA * mean[:, STRESS])
        if squares[:, STRESS, 2].all()
        else None,
    }


def _row(run: str, parts: Sequence[_Part]) -> ErrorRow:
    errors = np.concatenate([p.error for p in parts])
    kind = np.concatenate([p.rows.kind for p in parts])
    target = np.concatenate([p.rows.target for p in parts])
    temperatures = {p.temperature for p in parts}
    temperature = temperatures.pop() if len(temperatures) == 1 else None
    phase = common_phase([p.phase for p in parts if p.phase] or [""]) or None
    stress = errors[kind == STRESS]
    force = rms(errors[kind == FORCE])
    return ErrorRow(
        run=run,
        frames=len(parts),
        temperature_K=temperature,
        energy_meV_per_atom=1e3 * rms(errors[kind == ENERGY]),
        force_eV_per_angstrom=force,
        force_percent_of_rms=100.0 * force / max(rms(target[kind == FORCE]), 1e-12),
        stress_GPa=rms(stress) * EV_PER_ANGSTROM3_GPA if stress.size else None,
        phase=None if run == "all" or phase == phase_of_run(run, temperature) else phase,
        **_bootstrap(parts),
    )


def error_table(
    rows: Sequence[FrameRows],
    errors: Sequence[Array],
    runs: Sequence[str],
    temperatures: Sequence[float | None],
    blocks: Sequence[int] | None = None,
    phases: Sequence[str | None] | None = None,
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
    phases
        Phase of each frame, from ``lpsnmr.reference.phase_of``; by default what the runs are named.
    """
    numbers = range(len(rows)) if blocks is None else blocks
    of_frames = [None] * len(rows) if phases is None else phases
    parts = [_Part(*part) for part in zip(rows, errors, temperatures, numbers, of_frames, strict=True)]
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
