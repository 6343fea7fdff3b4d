"""The sidecar of a fitted potential: settings, errors and where the data came from, as JSON."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr import __version__
from lpsnmr.io.atomic import written_aside
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.certainty import element_certainty, training_deviations, write_extrapolation
from lpsnmr.potential.fit import FitResult, FitSettings
from lpsnmr.potential.normal import DataSet
from lpsnmr.potential.uf3_file import blocks_from_coefficients, write_uf3
from lpsnmr.potential.ufd_file import BELONGS, density_path, write_ufd

__all__ = ["extrapolation_path", "file_hash", "save_fit", "sidecar_path"]

Array = NDArray[np.float64]
PathLike = str | os.PathLike[str]


def file_hash(path: PathLike) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def sidecar_path(potential: PathLike) -> Path:
    """Return the path of the JSON beside a potential: ``NAME.uf3`` -> ``NAME.json``."""
    return Path(potential).with_suffix(".json")


def extrapolation_path(potential: PathLike) -> Path:
    """Return the path of the certainty of a potential: ``NAME.uf3`` -> ``NAME.ufx``."""
    return Path(potential).with_suffix(".ufx")


def _save_certainty(target: Path, result: FitResult, data: Sequence[DataSet]) -> Path:
    """Write the .ufx file beside the potential."""
    frames = [f for d in data for f in d.frames]
    certainty = element_certainty(result.layout, result.posterior, result.prior.three_body_ridge, frames)
    deviations = training_deviations(result.layout, certainty, frames)
    path = extrapolation_path(target)
    potential = {"file": target.name, "sha256": file_hash(target)}
    write_extrapolation(path, result.layout, certainty, deviations, result.shortest, potential)
    return path


def _save_density(target: Path, layout: Layout, coefficients: Array) -> list[Path]:
    """Write the density terms beside a potential; without any, remove those of an earlier fit."""
    path = density_path(target)
    if layout.density is None:
        path.unlink(missing_ok=True)
        return []
    comments = [
        f"fitted by lpsnmr {__version__} together with {target.name}, to which these terms belong",
        "E_i += S(A) sum c A_p A_q, c A_a A_p A_q; docs/file-formats.md",
    ]
    write_ufd(path, layout.density, coefficients[layout.basis.columns :], file_hash(target), comments)
    return [path]


def _finite(value: Any) -> Any:
    """Replace infinities and NaN, which JSON does not have, by None."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value


def _save_committee(target: Path, result: FitResult) -> list[Path]:
    """Write the members of cross-validation and bootstrap beside the potential."""
    written = []
    for kind, members in (("fold", result.committee), ("boot", result.bootstrap)):
        for k, coefficients in enumerate(members):
            member = target.with_name(f"{target.stem}.{kind}{k + 1}.uf3")
            write_uf3(member, blocks_from_coefficients(result.layout, coefficients), [f"{kind} {k + 1}"])
            written += [member, *_save_density(member, result.layout, coefficients)]
    return written


def _record(
    target: Path,
    result: FitResult,
    settings: FitSettings,
    data: Sequence[DataSet],
    files: Sequence[Sequence[PathLike]],
) -> dict[str, Any]:
    """Return what the sidecar says; the arguments are those of ``save_fit``."""
    density = result.layout.density
    terms = density and {
        "columns": density.columns,
        "largest_moments": density.largest.tolist(),
        "atom_energy_ranges_eV": density.ranges.tolist(),
    }
    return {
        "format": "lpsnmr-ufp-1",
        "lpsnmr": __version__,
        "potential": {"file": target.name, "sha256": file_hash(target)},
        "units": "eV, Å, eV/Å, GPa",
        "data": [
            {
                "name": d.name,
                "frames": len(d.frames),
                "weight": d.weight,
                "scale": d.scale,
                "files": [{"file": Path(f).name, "sha256": file_hash(f)} for f in names],
            }
            for d, names in zip(data, files, strict=True)
        ],
        "settings": asdict(settings),
        "prior": asdict(result.prior),
        "candidates": [{"prior": asdict(p), "held_out_loss": loss} for p, loss in result.candidates],
        "columns": {"total": result.layout.columns, "fitted": result.fitted_columns},
        **({"density": terms} if terms else {}),
        "reference_energies_eV": result.reference_energies,
        "held_out_errors": [row.as_dict() for row in result.held_out],
        "learning_curve": [
            {"training_frames": p.training_frames, "errors": [row.as_dict() for row in p.rows]}
            for p in result.learning
        ],
        "committee_spread": [asdict(row) for row in result.spread],
        "training_errors": [row.as_dict() for row in result.training],
        "short_range": [{**asdict(row), "repulsive": row.repulsive} for row in result.core],
        "active_core_constraints": result.active_core_constraints,
    }


def save_fit(
    path: PathLike,
    result: FitResult,
    settings: FitSettings,
    data: Sequence[DataSet],
    files: Sequence[Sequence[PathLike]],
    committee: bool = False,
    extrapolation: bool = True,
) -> list[Path]:
    """Write ``path`` (.uf3), its sidecar, its certainty (.ufx), and on request the committee.

    Files appear whole or not at all; the same fit gives the same bytes.

    Parameters
    ----------
    path
        Target, ``*.uf3``.
    result, settings, data
        From ``fit_ufp``.
    files
        For each data set the files it was read from; their names and hashes are recorded.
    committee
        Also write ``NAME.fold1.uf3`` … from cross-validation and ``NAME.boot1.uf3`` … of the bootstrap.
    extrapolation
        Also write ``NAME.ufx``, which ``Extrapolation`` and ``compute ufp/extrapolation`` read; otherwise
        remove one of an earlier fit.

    Returns
    -------
    list of Path
        What was written.
    """
    target = Path(path)
    written = [target]
    frames = sum(len(d.frames) for d in data)
    comments = [
        f"fitted by lpsnmr {__version__} to {frames} frames; see {sidecar_path(target).name}",
        "E = sum_i [ sum_j V2(r_ij) + sum_{j<k} V3(r_ij, r_ik, r_jk) ] (ordered pairs)",
    ]
    if result.layout.density:
        comments.append(f"{BELONGS} {density_path(target).name} belongs to this file")
    write_uf3(target, blocks_from_coefficients(result.layout, result.coefficients), comments)
    written += _save_density(target, result.layout, result.coefficients)
    if committee:
        written += _save_committee(target, result)
    if extrapolation:
        written.append(_save_certainty(target, result, data))
    else:
        extrapolation_path(target).unlink(missing_ok=True)
    record = _record(target, result, settings, data, files)
    sidecar = sidecar_path(target)
    with written_aside(sidecar) as aside:
        aside.write_text(json.dumps(_finite(record), indent=1) + "\n", encoding="utf-8")
    return [*written, sidecar]
