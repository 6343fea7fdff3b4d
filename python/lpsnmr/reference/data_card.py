"""The data card of a reference set: what no computer knows as text, the rest counted from the frames."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase
import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.templates import render
from lpsnmr.labelling.gpaw_settings import FUNCTIONALS
from lpsnmr.labelling.term_engine import TERMS, TermModel
from lpsnmr.reference.phases import PHASES, common_phase, phase_of
from lpsnmr.reference.splits import blocks_by_run, run_name, split_blocks
from lpsnmr.reference.terms import Term, functional_of, term_of
from lpsnmr.structures import report_structure
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2, EV_PER_ANGSTROM3_GPA, quadrupolar_coupling_hz_per_efg

__all__ = ["data_card", "write_data_card"]

LITHIUM = 3
STEEP = 0.1
"""Force of a correction (eV/Å) that a smooth one does not reach at atoms that do not touch."""
FOLDS = 5


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _temperature(frames: Sequence[ase.Atoms]) -> str:
    values = [float(f.info["run_T"]) for f in frames if "run_T" in f.info]
    if not values:
        return "–"
    return f"{min(values):.0f}" if max(values) - min(values) < 1 else f"{max(values):.0f}–{min(values):.0f}"


def _place(phase: str) -> int:
    """Return where a phase stands in the table; those that only a header knows come last."""
    return PHASES.index(phase) if phase in PHASES else len(PHASES)


@dataclass(frozen=True)
class _Run:
    """A row of the table: one run, counted."""

    run: str
    phase: str
    temperature: str  # K
    frames: int
    force: float  # root mean square, eV/Å
    coupling: float  # root mean square of |C_Q| of Li, kHz
    density: tuple[float, float]  # g/cm³


def _runs(frames: Sequence[ase.Atoms]) -> list[_Run]:
    """Return one row per run, grouped by phase."""
    by_run: dict[str, list[ase.Atoms]] = {}
    for frame in frames:
        by_run.setdefault(run_name(frame), []).append(frame)
    kilohertz = quadrupolar_coupling_hz_per_efg("7Li") * EFG_AU_V_PER_ANGSTROM2 * 1e-3
    rows = []
    for run, members in by_run.items():
        phase = common_phase([phase_of(f) for f in members])
        forces = _rms(np.concatenate([f.get_forces() for f in members]))
        lithium = np.concatenate([f.arrays["efg"][f.numbers == LITHIUM] for f in members])
        largest = np.abs(np.linalg.eigvalsh(lithium.reshape(-1, 3, 3))).max(axis=1)
        density = [report_structure(f).density for f in members]
        rows.append(
            _Run(
                run,
                phase,
                _temperature(members),
                len(members),
                forces,
                abs(kilohertz) * _rms(largest),
                (min(density), max(density)),
            )
        )
    return sorted(rows, key=lambda row: (_place(row.phase), row.run))


def _folds(frames: Sequence[ase.Atoms]) -> list[list[tuple[str, int]]]:
    """Return the runs that are held out together in each fold with their frames; none for one run."""
    labels = blocks_by_run(frames)
    folds = min(FOLDS, len(set(labels.tolist())))
    if folds < 2:
        return []
    parts = (Counter(run_name(frames[k]) for k in held_out) for _, held_out in split_blocks(labels, folds, 0))
    return [sorted(part.items()) for part in parts]


def _range(frames: Sequence[ase.Atoms]) -> dict[str, Any]:
    """Return what the frames cover: cells, contacts, PS4 units, recipes."""
    shortest: dict[str, float] = {}
    whole = total = 0
    for frame in frames:
        report = report_structure(frame)
        whole, total = whole + report.n_intact, total + report.n_phosphorus
        for pair, value in report.shortest_pairs.items():
            shortest[pair] = min(value, shortest.get(pair, value))
    return {
        "cells": _counts(f.get_chemical_formula() for f in frames),
        "shortest": sorted(shortest.items()),
        "whole": whole,
        "phosphorus": total,
        "kpoints": _counts(str(f.info.get("kpts", "not said")) for f in frames),
        "recipes": _counts(str(f.info.get("label_id", "before labels carried one")) for f in frames),
    }


def _counts(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items())


def _gaps(frames: Sequence[ase.Atoms], phases: Counter[str]) -> dict[str, Any]:
    """Return what is not in the set: one composition or size only, phases that miss or are scarce."""
    sizes = {len(f) for f in frames}
    reduced = {f.symbols.formula.reduce()[0].format("hill") for f in frames}
    wanted = [p for p in PHASES if p not in ("clustering", "other")]
    return {
        "composition": reduced.pop() if len(reduced) == 1 else None,
        "size": sizes.pop() if len(sizes) == 1 else None,
        "missing": [p for p in wanted if not phases[p]],
        "scarce": [(p, phases[p]) for p in wanted if 0 < phases[p] < 20],
    }


def _functionals(frames: Sequence[ase.Atoms]) -> list[dict[str, str]]:
    """Return the functionals of the labels but PBE, with the names that ``--labels`` has for them."""
    names = {value: key for key, value in FUNCTIONALS.items()}
    others = sorted({functional_of(f) for f in frames} - {"PBE"})
    return [{"name": functional, "labels": names.get(functional, functional)} for functional in others]


def _correction(name: str, model: TermModel, terms: Sequence[Term]) -> dict[str, Any]:
    """Return what a set holds of one correction."""
    labels = sorted({term.label for term in terms})
    damping = {label.rpartition(":")[2] for label in labels}
    size = [float(np.abs(term.forces).max()) for term in terms]
    return {
        "name": name,
        "title": model.title,
        "doi": model.doi,
        "labels": labels,
        "frames": len(terms),
        "damping": "; ".join(
            f"{functional} " + ", ".join(f"{k} = {v}" for k, v in model.damping[functional].items())
            for functional in sorted(damping & {f for f, values in model.damping.items() if values})
        ),
        "pressure": -EV_PER_ANGSTROM3_GPA * float(np.mean([term.stress[:3].mean() for term in terms])),
        "force": _rms(np.concatenate([term.forces for term in terms])),
        "steep": sum(s > STEEP for s in size),
        "largest": max(size),
    }


def _corrections(frames: Sequence[ase.Atoms]) -> list[dict[str, Any]]:
    """Return what the frames hold of corrections, nothing when they hold none."""
    found = {name: [t for f in frames if (t := term_of(f, name)) is not None] for name in TERMS}
    return [_correction(name, TERMS[name], terms) for name, terms in found.items() if terms]


def data_card(name: str, frames: Sequence[ase.Atoms]) -> str:
    """Return the card of a set as Markdown.

    Parameters
    ----------
    name
        File name of the set.
    frames
        All its frames, with energy, forces, stress and efg.

    Raises
    ------
    InputError
        For no frame.
    """
    if not frames:
        raise InputError("data card: expected at least one frame")
    runs = _runs(frames)
    phases: Counter[str] = Counter()
    for r in runs:
        phases[r.phase] += r.frames
    return render(
        "data_card.md",
        name=name,
        runs=runs,
        frames=len(frames),
        tensors=sum(int((f.numbers == LITHIUM).sum()) for f in frames),
        phases=sorted(phases.items(), key=lambda pair: _place(pair[0])),
        folds=_folds(frames),
        functionals=_functionals(frames),
        corrections=_corrections(frames),
        steep=STEEP,
        **_range(frames),
        **_gaps(frames, Counter(map(phase_of, frames))),
    )


def write_data_card(path: Path, name: str, frames: Sequence[ase.Atoms]) -> None:
    """Write the card, whole or not at all."""
    text = data_card(name, frames)
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
