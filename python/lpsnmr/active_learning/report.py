"""What a round of learning did to the potential."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ase
import numpy as np

from lpsnmr.files.atomic import written_aside
from lpsnmr.fitting.sidecar import sidecar_path
from lpsnmr.potential import Ufp
from lpsnmr.potential.provenance import fitted_labels
from lpsnmr.reference.terms import chosen_labels
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

__all__ = ["FrameErrors", "RoundReport", "errors_on", "format_rounds", "held_out_rows"]


@dataclass(frozen=True)
class FrameErrors:
    """Root-mean-square errors over some frames; ``force_percent`` is relative to the forces' own r.m.s."""

    energy_mev_per_atom: float
    force_ev_per_angstrom: float
    force_percent: float
    stress_gpa: float


def _rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def errors_on(potential: Path, frames: Sequence[ase.Atoms]) -> FrameErrors:
    """Return the errors of a potential on labelled frames.

    Reference energies come from its sidecar, and so does the sum of labels that it is compared with.
    """
    ufp = Ufp(potential)
    record = json.loads(sidecar_path(potential).read_text(encoding="utf-8"))
    reference: dict[str, float] = record["reference_energies_eV"]
    energy, force, target, stress = [], [], [], []
    for frame in chosen_labels(frames, fitted_labels(record) or "pbe"):
        prediction = ufp.predict(frame)
        offset = sum(reference[symbol] for symbol in frame.get_chemical_symbols())
        labels = frame.calc.results
        energy.append((prediction.energy + offset - labels["energy"]) / len(frame) * 1e3)
        force.append(prediction.forces - labels["forces"])
        target.append(labels["forces"])
        if prediction.stress is not None and "stress" in labels:
            stress.append((prediction.stress - labels["stress"]) * EV_PER_ANGSTROM3_GPA)
    size = _rms(np.concatenate(force))
    return FrameErrors(
        _rms(energy),
        size,
        100 * size / max(_rms(np.concatenate(target)), 1e-12),
        _rms(np.concatenate(stress)) if stress else float("nan"),
    )


def held_out_rows(sidecar: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the held-out errors by run of a fit's sidecar."""
    rows: list[dict[str, Any]] = sidecar["held_out_errors"]
    return rows


@dataclass(frozen=True)
class RoundReport:
    """One round.

    Attributes
    ----------
    number, candidates, selected, failed
        Round, usable frames sampled, frames chosen, frames whose label failed.
    extrapolating
        Share of the candidates with an atom of a grade above 1, None when the potential has no ``.ufx``.
    gain
        Information the chosen frames add, nats.
    before, after
        Errors on the new frames of the potential that chose them (which has not seen them) and of the one
        fitted to them.
    held_out
        Held-out errors of the new fit by run, as in its sidecar.
    runs
        Runs of the new frames.
    """

    number: int
    candidates: int
    selected: int
    failed: int
    extrapolating: float | None
    gain: float
    before: FrameErrors
    after: FrameErrors
    held_out: list[dict[str, Any]]
    runs: list[str]

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        with written_aside(path) as aside:
            aside.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def format_rounds(reports: Sequence[RoundReport]) -> str:
    """Return the rounds as text."""
    lines = [
        f"{'round':>5}{'candidates':>12}{'grade > 1':>11}{'labelled':>10}{'gain/nat':>10}"
        f"   new frames before -> after the fit{'':>14}held out (all runs)"
    ]
    for r in reports:
        total = next((row for row in r.held_out if row["run"] == "all"), None)
        held = (
            f"{total['force_percent_of_rms']:.1f} % {total['energy_meV_per_atom']:.1f} meV"
            if total
            else "not measured"
        )
        share = "-" if r.extrapolating is None else f"{100 * r.extrapolating:.0f} %"
        lines.append(
            f"{r.number:>5}{r.candidates:>12}{share:>11}{r.selected - r.failed:>10}{r.gain:>10.2f}   "
            f"F {r.before.force_percent:.1f} -> {r.after.force_percent:.1f} %, "
            f"E {r.before.energy_mev_per_atom:.1f} -> {r.after.energy_mev_per_atom:.1f} meV/atom   {held}"
        )
    return "\n".join(lines)
