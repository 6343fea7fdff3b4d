"""Equations of state against labelled cells: energies, pressures, volume, lattice constants, bulk modulus."""

from collections.abc import Sequence
from typing import Any

import ase
import ase.eos
import numpy as np

from lpsnmr.fitting.sidecar import read_sidecar
from lpsnmr.potential import Ufp
from lpsnmr.potential.provenance import fitted_labels
from lpsnmr.reference import read_reference, run_name
from lpsnmr.reference.terms import chosen_labels
from lpsnmr.typing import Array
from lpsnmr.units import EV_PER_ANGSTROM3_GPA
from lpsnmr.validation.settings import ValidateSettings

__all__ = ["birch_murnaghan", "deformation_curves", "static_frames"]

FEWEST_VOLUMES = 4
"""The Birch–Murnaghan curve has four parameters."""


def birch_murnaghan(volumes: Array, energies: Array) -> dict[str, float | None]:
    """Return volume and bulk modulus of a Birch–Murnaghan fit, None when the curve has no minimum."""
    none: dict[str, float | None] = {"volume_A3": None, "bulk_modulus_GPa": None}
    try:
        v0, _, bulk = ase.eos.EquationOfState(list(volumes), list(energies), eos="birchmurnaghan").fit(
            warn=False
        )
    except (ValueError, RuntimeError):
        return none
    if not volumes.min() < v0 < volumes.max():
        return none
    return {"volume_A3": float(v0), "bulk_modulus_GPa": float(bulk) * EV_PER_ANGSTROM3_GPA}


def static_frames(settings: ValidateSettings) -> list[ase.Atoms]:
    """Return the frames along deformations: the ``static`` files, and reference runs whose ``run_T`` is 0.

    Their labels are the sum that the potential was fitted to.
    """
    frames = list(read_reference(settings.static, require=("energy", "forces"))) if settings.static else []
    if settings.reference:
        frames += [
            f
            for f in read_reference(settings.reference, require=("energy", "forces"))
            if float(f.info.get("run_T", 1.0)) == 0.0
        ]
    labels = fitted_labels(read_sidecar(settings.potential))
    return chosen_labels(frames, labels) if labels else frames


def _pressure(stress: Array) -> float:
    """Return the pressure of a Voigt stress in eV/Å³, GPa."""
    return -float(np.mean(np.asarray(stress)[:3])) * EV_PER_ANGSTROM3_GPA


def _lengths_at(frames: Sequence[ase.Atoms], volume: float | None) -> list[float] | None:
    """Return the lengths of the cell vectors at a volume per atom, linear in its cube root, Å."""
    if volume is None:
        return None
    linear = np.cbrt([f.get_volume() / len(f) for f in frames])
    lengths = np.array([f.cell.lengths() for f in frames])
    return [float(np.interp(np.cbrt(volume), linear, lengths[:, k])) for k in range(3)]


def _curve(run: str, frames: Sequence[ase.Atoms], potential: Ufp) -> dict[str, Any]:
    """Compare one deformation; ``frames`` ascend in volume per atom."""
    volumes = np.array([f.get_volume() / len(f) for f in frames])
    predictions = [potential.predict(f) for f in frames]
    label = np.array([f.calc.results["energy"] / len(f) for f in frames])
    ours = np.array([p.energy / len(f) for p, f in zip(predictions, frames, strict=True)])
    difference = (ours - ours.mean()) - (label - label.mean())
    entry: dict[str, Any] = {
        "run": run,
        "volumes_A3_per_atom": volumes.tolist(),
        "reference_eV_per_atom": (label - label.mean()).tolist(),
        "potential_eV_per_atom": (ours - ours.mean()).tolist(),
        "energy_error_meV_per_atom": 1e3 * float(np.sqrt(np.mean(difference**2))),
    }
    if all("stress" in f.calc.results for f in frames):
        pressures = np.array([_pressure(f.calc.results["stress"]) for f in frames])
        own = np.array([_pressure(p.stress) for p in predictions if p.stress is not None])
        entry["reference_pressure_GPa"], entry["potential_pressure_GPa"] = pressures.tolist(), own.tolist()
        entry["pressure_error_GPa"] = float(np.sqrt(np.mean((own - pressures) ** 2)))
    if len(np.unique(np.round(volumes, 6))) >= FEWEST_VOLUMES:
        for name, energies in (("reference", label), ("potential", ours)):
            fitted: dict[str, Any] = dict(birch_murnaghan(volumes, energies))
            fitted["lengths_A"] = _lengths_at(frames, fitted["volume_A3"])
            entry[name] = fitted
    return entry


def deformation_curves(settings: ValidateSettings, potential: Ufp) -> list[dict[str, Any]]:
    """Compare labelled deformations run by run.

    Returns
    -------
    list of dict
        For each run: volumes, energies of both relative to their means (eV per atom) and the root mean
        square of their difference; pressures of both (GPa) where stress is labelled; with four volumes or
        more and a minimum between them, of both: volume per atom, bulk modulus of a Birch–Murnaghan curve
        and the lengths of the cell vectors at its minimum.
    """
    frames = static_frames(settings)
    out = []
    for run in sorted({run_name(f) for f in frames}):
        chosen = sorted((f for f in frames if run_name(f) == run), key=lambda f: f.get_volume() / len(f))
        out.append(_curve(run, chosen, potential))
    return out
