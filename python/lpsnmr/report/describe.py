"""All numbers of an analysis as plain dicts, for ``analysis.json``; the keys carry the units."""

import dataclasses
import math
from typing import Any

import numpy as np

from lpsnmr.analysis import Analysis, Interval, SeriesAnalysis
from lpsnmr.analysis.dynamics import Diffusion
from lpsnmr.analysis.motion import Motion
from lpsnmr.analysis.nmr import NmrDecay, NmrObservables
from lpsnmr.analysis.series import ACTIVATED
from lpsnmr.version import __version__

__all__ = ["describe", "describe_series"]

JSON_FORMAT = "lpsnmr-analysis"
JSON_VERSION = 1


def describe(analysis: Analysis) -> dict[str, Any]:
    """Return all numbers of one run as JSON holds them; what is not finite is None."""
    plain: dict[str, Any] = _plain(_run(analysis))
    return plain


def describe_series(series: SeriesAnalysis) -> dict[str, Any]:
    """Return all numbers of several runs and the Arrhenius fits."""
    plain: dict[str, Any] = _plain(
        {
            **_header(),
            "runs": [_run(analysis) for analysis in series.analyses],
            "arrhenius": {
                ACTIVATED[key]: {
                    "activation_energy_ev": fit.activation_energy_ev,
                    "log_prefactor": fit.log_prefactor,
                    "n_points": fit.n_points,
                }
                for key, fit in series.arrhenius.items()
            },
        }
    )
    return plain


def _header() -> dict[str, Any]:
    return {"format": JSON_FORMAT, "format_version": JSON_VERSION, "lpsnmr_version": __version__}


def _run(analysis: Analysis) -> dict[str, Any]:
    results = analysis.results
    return {
        **_header(),
        "results": None if analysis.path is None else str(analysis.path),
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
        "nmr_decay": _with_lags(analysis.decay),
        "nmr": _observables(analysis.nmr),
        "diffusion": _with_lags(analysis.diffusion),
        "motion": _motion(analysis.motion),
        "notes": [str(note) for note in analysis.notes],
        "provenance": results.provenance,
    }


def _with_lags(part: NmrDecay | Diffusion | None) -> dict[str, Any] | None:
    """Scalars, intervals, models and settings of a fit; its curves are in the CSV files."""
    if part is None:
        return None
    described = _scalars(
        {f.name: getattr(part, f.name) for f in dataclasses.fields(part) if not f.metadata.get("internal")}
    )
    used = part.lag_ps[part.used]
    described["fitted_lags_ps"] = [used[0], used[-1]] if len(used) else None
    return described


def _scalars(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not isinstance(value, np.ndarray)}


def _observables(nmr: NmrObservables | None) -> dict[str, Any] | None:
    if nmr is None:
        return None
    return {
        "echoes": [
            {
                "evolution_time_us": echo.evolution_time_us,
                "number_of_sites": echo.number_of_sites,
                "largest_phase_rad": echo.largest_phase_rad,
                "orientations_converged": echo.converged,
                "sine": _with_lags(echo.decay),
            }
            for echo in nmr.echoes
        ],
        "single_crystals": [
            {"direction": crystal.direction, "decay": _with_lags(crystal.decay)}
            for crystal in nmr.single_crystals
        ],
        "relaxation": [dataclasses.asdict(relaxation) for relaxation in nmr.relaxation],
        "central_shifts": [dataclasses.asdict(shift) for shift in nmr.central_shifts],
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


def _motion(motion: Motion | None) -> dict[str, Any] | None:
    if motion is None:
        return None
    described = {group: _scalars(vars(found)) for group, found in motion.jumps.items()}
    if motion.collective is not None:
        described["collective_diffusion"] = _scalars(vars(motion.collective))
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
