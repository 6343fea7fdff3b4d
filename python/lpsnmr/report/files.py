"""Files of numbers: CSV for plotting elsewhere, JSON for programs."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lpsnmr.analysis import Analysis
from lpsnmr.analysis.committee import ModelInterval
from lpsnmr.analysis.dynamics import Diffusion
from lpsnmr.analysis.nmr import NmrDecay
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.tables import as_cell, write_columns, write_rows

__all__ = [
    "make_folder",
    "write_decay",
    "write_displacement",
    "write_json",
    "write_model_intervals",
    "write_summary",
]

SUMMARY_COLUMNS = (
    "tau_ps",
    "gamma",
    "tau_mean_ps",
    "rate_nmr_per_s",
    "diffusion_cm2_per_s",
    "rate_jump_per_s",
    "rate_jump_sites_per_s",
    "rate_jump_displacement_per_s",
    "rate_rotation_per_s",
    "diffusion_collective_cm2_per_s",
    "haven_ratio",
    "conductivity_s_per_cm",
)
"""Keys of the quantities in ``summary.csv``."""


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


def write_summary(path: Path, analyses: Sequence[Analysis]) -> Path:
    """Write one row per run: temperature and every quantity with its interval."""
    header = ["results", "temperature_k"]
    for key in SUMMARY_COLUMNS:
        header += [key, f"{key}_low", f"{key}_high"]
    rows: list[list[Any]] = []
    for analysis in analyses:
        row: list[Any] = [str(analysis.path or ""), as_cell(analysis.results.best_temperature_k)]
        found = {quantity.key: quantity.interval for quantity in analysis.quantities}
        for key in SUMMARY_COLUMNS:
            interval = found.get(key)
            ends = (interval.value, interval.low, interval.high) if interval else ("", "", "")
            row += [as_cell(x) for x in ends]
        rows.append(row)
    return write_rows(path, header, rows)


def write_model_intervals(path: Path, models: Sequence[ModelInterval]) -> Path:
    """Write one row per number of a committee: mean, ends of the interval of sampling and of the models."""
    header = ["quantity", "members", "mean", "sampling_low", "sampling_high", "model_low", "model_high"]
    rows = [
        [m.key, m.n_members, *(as_cell(x) for x in (
            m.statistical.value, m.statistical.low, m.statistical.high, m.model.low, m.model.high,
        ))]
        for m in models
    ]  # fmt: skip
    return write_rows(path, header, rows)


def write_json(path: Path, content: dict[str, Any]) -> Path:
    """Write a JSON file."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
