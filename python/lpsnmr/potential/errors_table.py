"""Errors of energies, forces and stress, gathered by run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr.potential.normal import FrameRows
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

__all__ = ["ErrorRow", "error_table", "format_table"]

Array = NDArray[np.float64]


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

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return asdict(self)


def _rms(x: Array) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def _row(run: str, parts: Sequence[tuple[FrameRows, Array, float | None]]) -> ErrorRow:
    errors = np.concatenate([e for _, e, _ in parts])
    kind = np.concatenate([rows.kind for rows, _, _ in parts])
    target = np.concatenate([rows.target for rows, _, _ in parts])
    temperatures = {t for _, _, t in parts}
    stress = errors[kind == 2]
    force = _rms(errors[kind == 1])
    return ErrorRow(
        run=run,
        frames=len(parts),
        temperature_K=temperatures.pop() if len(temperatures) == 1 else None,
        energy_meV_per_atom=1e3 * _rms(errors[kind == 0]),
        force_eV_per_angstrom=force,
        force_percent_of_rms=100.0 * force / max(_rms(target[kind == 1]), 1e-12),
        stress_GPa=_rms(stress) * EV_PER_ANGSTROM3_GPA if stress.size else None,
    )


def error_table(
    rows: Sequence[FrameRows],
    errors: Sequence[Array],
    runs: Sequence[str],
    temperatures: Sequence[float | None],
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
    """
    parts = list(zip(rows, errors, temperatures, strict=True))
    table = []
    for run in sorted(set(runs)):
        table.append(_row(run, [p for p, name in zip(parts, runs, strict=True) if name == run]))
    return [*table, _row("all", parts)]


def format_table(table: Sequence[ErrorRow]) -> str:
    """Return the table as text."""
    lines = [
        f"{'run':<16}{'frames':>7}{'T/K':>7}{'E meV/atom':>12}{'F eV/Å':>9}{'% of rms':>10}{'stress GPa':>12}"
    ]
    for row in table:
        temperature = "" if row.temperature_K is None else f"{row.temperature_K:.0f}"
        stress = "-" if row.stress_GPa is None else f"{row.stress_GPa:.2f}"
        lines.append(
            f"{row.run:<16}{row.frames:>7}{temperature:>7}{row.energy_meV_per_atom:>12.1f}"
            f"{row.force_eV_per_angstrom:>9.3f}{row.force_percent_of_rms:>10.1f}{stress:>12}"
        )
    return "\n".join(lines)
