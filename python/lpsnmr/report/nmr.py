"""CSV files and plots of echoes, single crystals, spectra and their narrowing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lpsnmr.analysis import Analysis
from lpsnmr.analysis.nmr import NmrObservables
from lpsnmr.files.tables import write_columns
from lpsnmr.report import nmr_plots

__all__ = ["write_narrowing", "write_nmr"]


def write_nmr(nmr: NmrObservables, folder: Path, title: str, make_plots: bool) -> list[Path]:
    """Write ``echo.csv``, ``single_crystal.csv``, ``spectra.csv`` and their plots; return the paths."""
    written = []
    if nmr.echoes:
        written.append(write_columns(folder / "echo.csv", _echo_columns(nmr)))
        if make_plots:
            written.append(nmr_plots.plot_echoes(folder / "echo.png", nmr.echoes, title))
    if nmr.single_crystals:
        written.append(write_columns(folder / "single_crystal.csv", _crystal_columns(nmr)))
        if make_plots:
            path = folder / "single_crystal.png"
            written.append(nmr_plots.plot_single_crystals(path, nmr.single_crystals, title))
    if nmr.spectra:
        columns: dict[str, Any] = {"offset_khz": nmr.spectra[0].frequency_khz}
        for spectrum in nmr.spectra:
            columns[f"satellites_per_khz_averaged_{spectrum.averaging_time_ps:g}_ps"] = spectrum.satellites
        written.append(write_columns(folder / "spectra.csv", columns))
        if make_plots:
            written.append(nmr_plots.plot_spectra(folder / "spectra.png", nmr.spectra, title))
    return written


def _echo_columns(nmr: NmrObservables) -> dict[str, Any]:
    parts = []
    for echo in nmr.echoes:
        decay, n = echo.decay, len(echo.decay.lag_ps)
        parts.append(
            {
                "evolution_time_us": np.full(n, echo.evolution_time_us),
                "mixing_time_ps": decay.lag_ps,
                "sine": decay.correlation,
                "sine_standard_error": decay.standard_error,
                "cosine": echo.cosine,
                "origins_per_li": decay.counts,
                "used_in_fit": decay.used.astype(int),
                "fit": decay.fitted,
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _crystal_columns(nmr: NmrObservables) -> dict[str, Any]:
    parts = []
    for crystal in nmr.single_crystals:
        decay, n = crystal.decay, len(crystal.decay.lag_ps)
        parts.append(
            {
                **{f"field_{axis}": np.full(n, b) for axis, b in zip("xyz", crystal.direction, strict=True)},
                "lag_ps": decay.lag_ps,
                "c_rad2_per_s2": decay.correlation,
                "standard_error_rad2_per_s2": decay.standard_error,
                "used_in_fit": decay.used.astype(int),
                "fit_rad2_per_s2": decay.fitted,
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def write_narrowing(folder: Path, analyses: Sequence[Analysis], make_plots: bool) -> list[Path]:
    """Write second moments against temperature and averaging time, ``narrowing.csv`` and its plot."""
    rows = [
        (a.results.best_temperature_k, s.averaging_time_ps, s.second_moment_khz2)
        for a in analyses
        if a.nmr is not None
        for s in a.nmr.spectra
        if s.second_moment_khz2 is not None
    ]
    if not rows:
        return []
    columns = {
        "temperature_k": [row[0] for row in rows],
        "averaging_time_ps": [row[1] for row in rows],
        "second_moment_khz2": [row[2].value for row in rows],
        "second_moment_khz2_low": [row[2].low for row in rows],
        "second_moment_khz2_high": [row[2].high for row in rows],
    }
    written = [write_columns(folder / "narrowing.csv", columns)]
    if make_plots:
        written.append(nmr_plots.plot_narrowing(folder / "narrowing.png", analyses))
    return written
