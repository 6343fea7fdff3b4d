"""Checks without MD: errors against labels, relaxed crystals, equations of state."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ase
import numpy as np

from lpsnmr.files.hashing import sha256_of
from lpsnmr.fitting.errors_table import error_table
from lpsnmr.fitting.rows import FrameRows
from lpsnmr.fitting.sidecar import read_sidecar
from lpsnmr.potential import Ufp, UfpCalculator
from lpsnmr.potential.provenance import fitted_labels
from lpsnmr.reference import phase_of, read_reference, run_name
from lpsnmr.reference.terms import chosen_labels
from lpsnmr.structures import load_structure
from lpsnmr.typing import Array
from lpsnmr.validation.deformation import birch_murnaghan, deformation_curves
from lpsnmr.validation.settings import ValidateSettings

__all__ = ["crystal_stage", "error_stage"]

Tick = Callable[[str, int, int], None]
STRAINS = np.linspace(-0.06, 0.06, 7)
"""Relative changes of the volume of the equation of state."""


def _predict(potential: Ufp, frame: ase.Atoms, shift: float) -> tuple[FrameRows, Array]:
    """Return the labels of a frame and the errors of the potential."""
    results = frame.calc.results
    prediction = potential.predict(frame)
    n = len(frame)
    targets = [np.array([results["energy"] / n]), np.ravel(results["forces"])]
    values = [np.array([prediction.energy / n + shift]), np.ravel(prediction.forces)]
    if "stress" in results and prediction.stress is not None:
        targets.append(np.asarray(results["stress"], dtype=float))
        values.append(prediction.stress)
    target = np.concatenate(targets)
    kind = np.repeat(np.arange(len(targets), dtype=np.int8), [len(t) for t in targets])
    return FrameRows(np.empty((0, 0)), target, kind), np.concatenate(values) - target


def _table(frames: Sequence[ase.Atoms], parts: Sequence[tuple[Any, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the error table of frames, from their labels and errors."""
    if not frames:
        return []
    table = error_table(
        [p[0] for p in parts],
        [p[1] for p in parts],
        [run_name(f) for f in frames],
        [float(f.info["run_T"]) if "run_T" in f.info else None for f in frames],
        phases=[phase_of(f) for f in frames],
    )
    return [row.as_dict() for row in table]


def error_stage(settings: ValidateSettings, tick: Tick) -> dict[str, Any]:
    """Compare energies, forces and stress with labels, by run: with the sum that the potential was fitted to.

    Energies of the file are relative to reference energies; they are taken from the sidecar, or, without
    one, their mean is fitted to the labels. When the sidecar says that a file was in the fit, the held-out
    errors it holds are given too: those of the frames themselves are then no test. ``unseen_errors`` are
    those of the frames of the other files.
    """
    per_file = [read_reference(p, require=("energy", "forces")) for p in settings.reference]
    frames = [frame for part in per_file for frame in part]
    potential = Ufp(settings.potential)
    record = read_sidecar(settings.potential)
    labels = fitted_labels(record)
    frames = chosen_labels(frames, labels) if labels else frames
    energies = record.get("reference_energies_eV")
    shifts = []
    for frame in frames:
        if isinstance(energies, dict) and set(frame.get_chemical_symbols()) <= set(energies):
            shifts.append(float(np.mean([energies[s] for s in frame.get_chemical_symbols()])))
        else:
            shifts.append(float("nan"))
    parts = []
    for k, (frame, shift) in enumerate(zip(frames, shifts, strict=True)):
        parts.append(_predict(potential, frame, 0.0 if np.isnan(shift) else shift))
        tick("errors", k + 1, len(frames))
    fitted_shift = bool(np.isnan(shifts).any())
    if fitted_shift:
        mean = float(np.mean([e[0] for _, e in parts]))
        for _, e in parts:
            e[0] -= mean
    hashes = {d["sha256"] for s in record.get("data", []) for d in s.get("files", [])}
    fitted = [sha256_of(p) in hashes for p in settings.reference]
    seen = [known for known, part in zip(fitted, per_file, strict=True) for _ in part]
    return {
        **({"labels": labels} if labels not in (None, "pbe") else {}),
        "errors": _table(frames, parts),
        "energy_offset_fitted": fitted_shift,
        "files_in_the_fit": [p.name for p, known in zip(settings.reference, fitted, strict=True) if known],
        "unseen_errors": _table(
            [f for f, known in zip(frames, seen, strict=True) if not known],
            [p for p, known in zip(parts, seen, strict=True) if not known],
        ),
        "held_out_errors": record.get("held_out_errors", []),
    }


def _relax(atoms: ase.Atoms, cell: bool, steps: int) -> ase.Atoms:
    """Return the relaxed structure; ``cell`` says whether the cell moves too."""
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    out: ase.Atoms = atoms.copy()
    out.calc = atoms.calc
    moving: Any = FrechetCellFilter(out) if cell else out
    BFGS(moving, logfile=None).run(fmax=0.01, steps=steps)
    return out


def _one_crystal(name: str, potential: Ufp, tick: Tick) -> dict[str, Any]:
    """Relax a crystal, scan its volume."""
    atoms = load_structure(name)
    published = atoms.cell.cellpar()
    atoms.calc = UfpCalculator(potential)
    relaxed = _relax(atoms, cell=True, steps=400)
    volumes, energies = [], []
    for k, strain in enumerate(STRAINS):
        scaled = relaxed.copy()
        scaled.set_cell(relaxed.cell.array * (1.0 + strain) ** (1 / 3), scale_atoms=True)
        scaled.calc = UfpCalculator(potential)
        scaled = _relax(scaled, cell=False, steps=150)
        volumes.append(scaled.get_volume())
        energies.append(scaled.get_potential_energy())
        tick(f"crystal {Path(name).stem}", k + 1, len(STRAINS))
    cell = relaxed.cell.cellpar()
    return {
        "name": name,
        "atoms": len(atoms),
        "published_cell": published.tolist(),
        "relaxed_cell": cell.tolist(),
        "length_error_percent": (100.0 * (cell[:3] / published[:3] - 1.0)).tolist(),
        "volume_error_percent": float(100.0 * (relaxed.get_volume() / atoms.get_volume() - 1.0)),
        "largest_force": float(np.abs(relaxed.get_forces()).max()),
        "volumes_A3": volumes,
        "energies_eV": energies,
        **{f"eos_{k}": v for k, v in birch_murnaghan(np.array(volumes), np.array(energies)).items()},
    }


def crystal_stage(settings: ValidateSettings, tick: Tick) -> dict[str, Any]:
    """Relax the crystals, scan their volumes, compare labelled deformations."""
    potential = Ufp(settings.potential)
    crystals: Sequence[dict[str, Any]] = [_one_crystal(c, potential, tick) for c in settings.crystals]
    return {
        "crystals": list(crystals),
        "deformations": deformation_curves(settings, potential),
    }
