"""The sidecar of a fitted potential: settings, errors and where the data came from, as JSON."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lpsnmr.files.atomic import FileSet, written_together
from lpsnmr.files.hashing import sha256_of
from lpsnmr.fitting.datasets import DataSet
from lpsnmr.fitting.sidecar import sidecar_path, write_record
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.certainty import element_certainty, training_deviations, write_extrapolation
from lpsnmr.potential.fit import FitResult, FitSettings
from lpsnmr.potential.uf3_file import blocks_from_coefficients, write_uf3
from lpsnmr.potential.ufd_file import BELONGS, density_path, write_ufd
from lpsnmr.typing import Array
from lpsnmr.version import __version__

__all__ = ["extrapolation_path", "fit_targets", "fitted_labels", "save_fit"]

PathLike = str | os.PathLike[str]


def fitted_labels(record: Mapping[str, Any]) -> str | None:
    """Return the labels that a potential was fitted to, by its sidecar: ``pbe``, ``pbe+d4``, ….

    None without a sidecar: then labels are taken as they stand in the frames.
    """
    settings = record.get("settings")
    return str(settings.get("labels", "pbe")) if isinstance(settings, dict) else None


def extrapolation_path(potential: PathLike) -> Path:
    """Return the path of the certainty of a potential: ``NAME.uf3`` -> ``NAME.ufx``."""
    return Path(potential).with_suffix(".ufx")


def fit_targets(path: PathLike, folds: int = 0, bootstrap: int = 0) -> list[Path]:
    """Return the files that ``save_fit`` writes or removes, with so many members of a committee."""
    target = Path(path)
    kinds = (("fold", folds), ("boot", bootstrap))
    members = [_member(target, kind, k) for kind, number in kinds for k in range(number)]
    potentials = [target, *members]
    return [*potentials, *map(density_path, potentials), extrapolation_path(target), sidecar_path(target)]


def _member(target: Path, kind: str, number: int) -> Path:
    """Return the path of a member of the committee."""
    return target.with_name(f"{target.stem}.{kind}{number + 1}.uf3")


def _save_certainty(files: FileSet, target: Path, result: FitResult, data: Sequence[DataSet]) -> Path:
    """Write the .ufx file beside the potential."""
    frames = [f for d in data for f in d.frames]
    certainty = element_certainty(result.layout, result.posterior, result.prior.three_body_ridge, frames)
    deviations = training_deviations(result.layout, certainty, frames)
    path = extrapolation_path(target)
    potential = {"file": target.name, "sha256": sha256_of(files.aside(target))}
    write_extrapolation(files.aside(path), result.layout, certainty, deviations, result.shortest, potential)
    return path


def _save_density(files: FileSet, target: Path, layout: Layout, coefficients: Array) -> list[Path]:
    """Write the density terms beside a potential; without any, remove those of an earlier fit."""
    path = density_path(target)
    if layout.density is None:
        files.remove(path)
        return []
    comments = [
        f"fitted by lpsnmr {__version__} together with {target.name}, to which these terms belong",
        "E_i += S(A) sum c A_p A_q, c A_a A_p A_q; docs/file-formats.md",
    ]
    base = sha256_of(files.aside(target))
    write_ufd(files.aside(path), layout.density, coefficients[layout.basis.columns :], base, comments)
    return [path]


def _save_committee(files: FileSet, target: Path, result: FitResult) -> list[Path]:
    """Write the members of cross-validation and bootstrap beside the potential."""
    written = []
    for kind, members in (("fold", result.committee), ("boot", result.bootstrap)):
        for k, coefficients in enumerate(members):
            member = _member(target, kind, k)
            blocks = blocks_from_coefficients(result.layout, coefficients)
            write_uf3(files.aside(member), blocks, [f"{kind} {k + 1}"])
            written += [member, *_save_density(files, member, result.layout, coefficients)]
    return written


def _settings_record(settings: FitSettings) -> dict[str, Any]:
    """Return the settings as the sidecar holds them; labels are named unless they are those of PBE."""
    record = asdict(settings)
    if record["labels"] == "pbe":
        del record["labels"]
    return record


def _record(
    target: Path,
    own_hash: str,
    result: FitResult,
    settings: FitSettings,
    data: Sequence[DataSet],
    files: Sequence[Sequence[PathLike]],
) -> dict[str, Any]:
    """Return what the sidecar says; ``own_hash`` is that of the .uf3 file, the rest as in ``save_fit``."""
    density = result.layout.density
    terms = density and {
        "columns": density.columns,
        "largest_moments": density.largest.tolist(),
        "atom_energy_ranges_eV": density.ranges.tolist(),
    }
    return {
        "format": "lpsnmr-ufp-1",
        "lpsnmr": __version__,
        "potential": {"file": target.name, "sha256": own_hash},
        "units": "eV, Å, eV/Å, GPa",
        "data": [
            {
                "name": d.name,
                "frames": len(d.frames),
                "weight": d.weight,
                "scale": d.scale,
                "files": [{"file": Path(f).name, "sha256": sha256_of(f)} for f in names],
            }
            for d, names in zip(data, files, strict=True)
        ],
        "settings": _settings_record(settings),
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
    report: Callable[[Path], Sequence[Path]] | None = None,
) -> list[Path]:
    """Write ``path`` (.uf3), its sidecar, its certainty (.ufx), and on request the committee.

    The files appear together or not at all; the same fit gives the same bytes.

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
    report
        Writes further files into the folder it is given and returns their paths; they appear with the others.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    WriteError
        When a file cannot be written or renamed; those of an earlier fit stay.
    """
    target = Path(path)
    with written_together(target.name) as together:
        written = _save_potential(together, target, result, data)
        if committee:
            written += _save_committee(together, target, result)
        if extrapolation:
            written.append(_save_certainty(together, target, result, data))
        else:
            together.remove(extrapolation_path(target))
        record = _record(target, sha256_of(together.aside(target)), result, settings, data, files)
        sidecar = sidecar_path(target)
        write_record(together.aside(sidecar), record, ascii_only=True)
        written.append(sidecar)
        if report:
            written += [together.final(p) for p in report(together.aside(target).parent)]
    return written


def _save_potential(files: FileSet, target: Path, result: FitResult, data: Sequence[DataSet]) -> list[Path]:
    """Write the .uf3 file and the density terms beside it."""
    frames = sum(len(d.frames) for d in data)
    comments = [
        f"fitted by lpsnmr {__version__} to {frames} frames; see {sidecar_path(target).name}",
        "E = sum_i [ sum_j V2(r_ij) + sum_{j<k} V3(r_ij, r_ik, r_jk) ] (ordered pairs)",
    ]
    if result.layout.density:
        comments.append(f"{BELONGS} {density_path(target).name} belongs to this file")
    write_uf3(files.aside(target), blocks_from_coefficients(result.layout, result.coefficients), comments)
    return [target, *_save_density(files, target, result.layout, result.coefficients)]
