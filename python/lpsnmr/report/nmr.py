"""Files and table rows of what ``lpsnmr.nmr.analyze_observables`` finds."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lpsnmr.analysis.nmr import NmrDecay, NmrObservables
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.report import nmr_plots

if TYPE_CHECKING:
    from lpsnmr.analysis.analyze import Analysis

__all__ = ["describe_decay", "describe_nmr", "nmr_notes", "nmr_quantities", "write_narrowing", "write_nmr"]

Rows = Callable[[Path, dict[str, Any]], Path]


def nmr_quantities(nmr: NmrObservables) -> list[tuple[str, str, Interval | None]]:
    """Return (name, unit, interval) for the table; None where it is not resolved."""
    rows: list[tuple[str, str, Interval | None]] = []
    for echo in nmr.echoes:
        time = f"{echo.evolution_time_us:g} μs"
        rows.append((f"τ_SAE({time})", "ps", echo.decay.tau_mean_ps))
        rows.append((f"sites, t_p = {time}", "", echo.number_of_sites))
    for crystal in nmr.single_crystals:
        direction = " ".join(f"{x:g}" for x in crystal.direction)
        rows.append((f"τ_mean, B ∥ [{direction}]", "ps", crystal.decay.tau_mean_ps))
    for relaxation in nmr.relaxation:
        rows.append((f"T1({relaxation.larmor_mhz:g} MHz)", "s", relaxation.t1_s))
    moments = nmr.second_moment_khz2
    names = {"all": "M2", "hopping": "M2 without vibrations", "averaged": "M2 averaged"}
    rows += [(names[key], "kHz²", moments[key]) for key in names if key in moments]
    return rows


def nmr_notes(nmr: NmrObservables) -> list[str]:
    """Return why echoes or single crystals say nothing, or should be doubted."""
    notes = []
    for echo in nmr.echoes:
        name = f"echo, t_p = {echo.evolution_time_us:g} μs"
        if not echo.decay.resolved:
            notes.append(f"{name}: {echo.decay.reason}")
        if not echo.converged:
            notes.append(
                f"{name}: phases reach {echo.largest_phase_rad:.2g} rad, beyond what the set of orientations "
                "averages to 1e-3; sample with a larger sampling.orientation_degree or a shorter time"
            )
    for crystal in nmr.single_crystals:
        if not crystal.decay.resolved:
            notes.append(f"field along {crystal.direction}: {crystal.decay.reason}")
    return notes


def describe_decay(decay: NmrDecay | None) -> dict[str, Any] | None:
    """Return scalars, intervals, models and settings of a decay; its curves are in the CSV files."""
    if decay is None:
        return None
    fields = {
        f.name: getattr(decay, f.name)
        for f in dataclasses.fields(decay)
        if f.name != "fit" and not isinstance(getattr(decay, f.name), np.ndarray)
    }
    used = decay.lag_ps[decay.used]
    fields["fitted_lags_ps"] = [used[0], used[-1]] if len(used) else None
    return fields


def describe_nmr(nmr: NmrObservables | None) -> dict[str, Any] | None:
    """Return all numbers; the keys carry the units."""
    if nmr is None:
        return None
    return {
        "echoes": [
            {
                "evolution_time_us": echo.evolution_time_us,
                "number_of_sites": echo.number_of_sites,
                "largest_phase_rad": echo.largest_phase_rad,
                "orientations_converged": echo.converged,
                "sine": describe_decay(echo.decay),
            }
            for echo in nmr.echoes
        ],
        "single_crystals": [
            {"direction": crystal.direction, "decay": describe_decay(crystal.decay)}
            for crystal in nmr.single_crystals
        ],
        "relaxation": [dataclasses.asdict(relaxation) for relaxation in nmr.relaxation],
        "second_moment_khz2": nmr.second_moment_khz2,
        "spectra": [
            {
                "averaging_time_ps": spectrum.averaging_time_ps,
                "second_moment_khz2": spectrum.second_moment_khz2,
                "central_share": spectrum.central_share,
            }
            for spectrum in nmr.spectra
        ],
    }


def write_nmr(nmr: NmrObservables, folder: Path, title: str, write: Rows, make_plots: bool) -> list[Path]:
    """Write ``echo.csv``, ``single_crystal.csv``, ``spectra.csv`` and their plots; return what was written.

    ``write`` turns named columns into a CSV file.
    """
    written = []
    if nmr.echoes:
        written.append(write(folder / "echo.csv", _echo_columns(nmr)))
        if make_plots:
            written.append(nmr_plots.plot_echoes(folder / "echo.png", nmr.echoes, title))
    if nmr.single_crystals:
        written.append(write(folder / "single_crystal.csv", _crystal_columns(nmr)))
        if make_plots:
            path = folder / "single_crystal.png"
            written.append(nmr_plots.plot_single_crystals(path, nmr.single_crystals, title))
    if nmr.spectra:
        columns: dict[str, Any] = {"offset_khz": nmr.spectra[0].frequency_khz}
        for spectrum in nmr.spectra:
            columns[f"satellites_per_khz_averaged_{spectrum.averaging_time_ps:g}_ps"] = spectrum.satellites
        written.append(write(folder / "spectra.csv", columns))
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


def write_narrowing(
    folder: Path, analyses: Sequence["Analysis"], write: Rows, make_plots: bool
) -> list[Path]:
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
    written = [write(folder / "narrowing.csv", columns)]
    if make_plots:
        written.append(nmr_plots.plot_narrowing(folder / "narrowing.png", analyses))
    return written
