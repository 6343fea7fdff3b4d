"""Files of numbers: CSV for plotting elsewhere, JSON for programs."""

import dataclasses
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpsnmr.analysis.dynamics import Diffusion
from lpsnmr.analysis.nmr import NmrDecay
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.tables import as_cell, write_columns, write_rows
from lpsnmr.report.nmr import describe_decay, describe_nmr
from lpsnmr.version import __version__

if TYPE_CHECKING:
    from lpsnmr.analysis.analyze import Analysis, SeriesAnalysis

__all__ = [
    "describe",
    "describe_series",
    "make_folder",
    "write_columns",
    "write_decay",
    "write_displacement",
    "write_json",
    "write_summary",
]

JSON_FORMAT = "lpsnmr-analysis"
SUMMARY_COLUMNS = {
    "τ": "tau_ps",
    "γ": "gamma",
    "τ_mean": "tau_mean_ps",
    "Γ_NMR": "rate_nmr_per_s",
    "D": "diffusion_cm2_per_s",
    "Γ_D = 6D/a²": "rate_jump_per_s",
    "Γ_jump (sites)": "rate_jump_sites_per_s",
    "Γ_jump (displacement)": "rate_jump_displacement_per_s",
    "Γ_rot (PS4)": "rate_rotation_per_s",
    "D_σ collective": "diffusion_collective_cm2_per_s",
    "Haven ratio D/D_σ": "haven_ratio",
    "σ": "conductivity_s_per_cm",
}
"""Quantity of an analysis: column of ``summary.csv``."""


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder with its parents.

    Raises
    ------
    InputError
        When it cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot make this folder: {error.strerror}") from error
    return folder


def write_decay(path: Path, decay: NmrDecay) -> Path:
    """Write C(t), its error and the fit; frequencies in rad/s."""
    columns = {
        "lag_ps": decay.lag_ps,
        "c_rad2_per_s2": decay.correlation,
        "standard_error_rad2_per_s2": decay.standard_error,
        "origins_per_li": decay.counts,
        "used_in_fit": decay.used.astype(int),
        "fit_rad2_per_s2": decay.fitted,
    }
    return write_columns(path, columns)


def write_displacement(path: Path, diffusion: Diffusion) -> Path:
    """Write the MSD, its error and the fit."""
    columns = {
        "lag_ps": diffusion.lag_ps,
        "msd_angstrom2": diffusion.msd,
        "standard_error_angstrom2": diffusion.standard_error,
        "origins_per_li": diffusion.counts,
        "used_in_fit": diffusion.used.astype(int),
        "fit_angstrom2": diffusion.fitted,
    }
    return write_columns(path, columns)


def write_summary(path: Path, analyses: Sequence["Analysis"]) -> Path:
    """Write one row per run: temperature and every quantity with its interval."""
    header = ["results", "temperature_k"]
    for name in SUMMARY_COLUMNS.values():
        header += [name, f"{name}_low", f"{name}_high"]
    rows: list[list[Any]] = []
    for analysis in analyses:
        row: list[Any] = [str(analysis.path), as_cell(analysis.results.best_temperature_k)]
        found = {name: interval for name, _, interval in analysis.quantities()}
        for name in SUMMARY_COLUMNS:
            interval = found.get(name)
            ends = (interval.value, interval.low, interval.high) if interval else ("", "", "")
            row += [as_cell(x) for x in ends]
        rows.append(row)
    return write_rows(path, header, rows)


def write_json(path: Path, content: dict[str, Any]) -> Path:
    """Write a JSON file; numbers that are not finite become null."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(_plain(content), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def describe(analysis: "Analysis") -> dict[str, Any]:
    """Return all numbers of one run; the keys carry the units."""
    results = analysis.results
    return {
        "format": JSON_FORMAT,
        "format_version": 1,
        "lpsnmr_version": __version__,
        "results": str(analysis.path),
        "temperature_k": results.best_temperature_k,
        "target_temperature_k": results.temperature_k,
        "temperature_std_k": results.std_temperature_k,
        "n_atoms": results.n_atoms,
        "n_li": results.n_li,
        "n_samples": results.n_samples,
        "sample_interval_ps": results.sample_interval_ps,
        "duration_ps": results.duration_ps,
        "nucleus": results.nucleus,
        "jump_distance_angstrom": analysis.jump_distance_angstrom,
        "nmr_decay": describe_decay(analysis.decay),
        "nmr": describe_nmr(analysis.nmr),
        "diffusion": _describe_part(analysis.diffusion),
        "motion": None if analysis.motion is None else analysis.motion.describe(),
        "notes": analysis.notes(),
        "provenance": results.provenance,
    }


def describe_series(series: "SeriesAnalysis") -> dict[str, Any]:
    """Return all numbers of several runs and the Arrhenius fits."""
    return {
        "format": JSON_FORMAT,
        "format_version": 1,
        "lpsnmr_version": __version__,
        "runs": [describe(analysis) for analysis in series.analyses],
        "arrhenius": {
            name: {
                "activation_energy_ev": fit.activation_energy_ev,
                "log_prefactor": fit.log_prefactor,
                "n_points": fit.n_points,
            }
            for name, fit in series.arrhenius.items()
        },
    }


def _describe_part(part: Diffusion | None) -> dict[str, Any] | None:
    """Scalars, intervals and settings of an analysis; its curves are in the CSV files."""
    if part is None:
        return None
    fields = {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}
    described = {name: value for name, value in fields.items() if not isinstance(value, np.ndarray)}
    used = part.lag_ps[part.used]
    described["fitted_lags_ps"] = [used[0], used[-1]] if len(used) else None
    return described


def _plain(value: Any) -> Any:
    if isinstance(value, Interval) or dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
