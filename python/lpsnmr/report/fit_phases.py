"""Errors of a fit by phase, and published figures to set them beside."""

from collections.abc import Sequence

import numpy as np

from lpsnmr.potential import ErrorRow
from lpsnmr.reference.phases import PHASES

__all__ = ["ANCHORS", "anchor_rows", "phase_rows"]

ANCHORS = (
    (
        "UF2,3 for tungsten, package uf3",
        "5.1 meV/atom, 0.152 eV/Å",
        "same data, GAP: 6.2 meV/atom, 0.169 eV/Å",
        "10.1038/s41524-023-01092-7",
    ),
    (
        "linear UF2+3, cutoffs 5.5/4.0 Å, 1000 frames of β-Li₃PS₄ up to 3000 K, held-out blocks",
        "0.28–0.32 eV/Å, 24–27 % of the force RMS",
        "random split of the same runs: 3.4 meV/atom, 0.187 eV/Å, 17 %, which leaks",
        "10.1021/acs.chemmater.3c02726 (data)",
    ),
    (
        "the same with cutoffs 6.5/4.5 Å, random split",
        "0.163 eV/Å",
        "leaks too",
        "10.1021/acs.chemmater.3c02726 (data)",
    ),
    (
        "the same with pairs alone, random split",
        "0.436 eV/Å",
        "",
        "10.1021/acs.chemmater.3c02726 (data)",
    ),
)
"""Published figures, and fits to public data made for comparison: what, error, remark, DOI."""


def _joined(name: str, rows: Sequence[ErrorRow]) -> ErrorRow:
    """Return the errors over the frames of some runs, each frame counting the same."""
    n = np.array([r.frames for r in rows], dtype=float)

    def rms(values: Sequence[float]) -> float:
        return float(np.sqrt(np.sum(n * np.square(values)) / n.sum()))

    force = rms([r.force_eV_per_angstrom for r in rows])
    size = rms([100 * r.force_eV_per_angstrom / max(r.force_percent_of_rms, 1e-12) for r in rows])
    stress = [r.stress_GPa for r in rows if r.stress_GPa is not None]
    return ErrorRow(
        run=name,
        frames=int(n.sum()),
        temperature_K=None,
        energy_meV_per_atom=rms([r.energy_meV_per_atom for r in rows]),
        force_eV_per_angstrom=force,
        force_percent_of_rms=100 * force / max(size, 1e-12),
        stress_GPa=rms(stress) if len(stress) == len(rows) else None,
    )


def phase_rows(rows: Sequence[ErrorRow]) -> list[ErrorRow]:
    """Return one row per phase from the rows of the runs.

    The phase is that of the headers of a run's frames, else what its name and temperature say
    (``lpsnmr.reference.phase_of``). Every frame counts the
    same, so cells of unlike size are not weighted by their atoms.
    """
    by_phase: dict[str, list[ErrorRow]] = {}
    for r in rows:
        if r.run != "all":
            by_phase.setdefault(r.phase_of_run, []).append(r)
    told = sorted(set(by_phase) - set(PHASES))  # what only headers know
    return [_joined(phase, by_phase[phase]) for phase in (*PHASES, *told) if phase in by_phase]


def anchor_rows(held_out: Sequence[ErrorRow]) -> list[tuple[str, str, str, str]]:
    """Return this fit's held-out errors, then the published figures: what, error, remark, DOI."""
    own = [
        (
            f"this fit, held-out blocks: {r.run}, {r.frames} frames",
            f"{r.energy_meV_per_atom:.1f} meV/atom, {r.force_eV_per_angstrom:.3f} eV/Å, "
            f"{r.force_percent_of_rms:.0f} % of the force RMS",
            "",
            "",
        )
        for r in phase_rows(held_out)
    ]
    return [*own, *ANCHORS]
