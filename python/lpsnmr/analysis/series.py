"""Several runs together: what depends on temperature."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lpsnmr.analysis.dynamics import ArrheniusFit, fit_arrhenius
from lpsnmr.analysis.notes import Note, Notes
from lpsnmr.analysis.run_analysis import Analysis
from lpsnmr.errors import InputError

__all__ = ["ACTIVATED", "SeriesAnalysis", "analyze_series"]

ACTIVATED = {
    "rate_nmr_per_s": "Γ_NMR",
    "diffusion_cm2_per_s": "D",
    "rate_jump_per_s": "Γ_D = 6D/a²",
    "rate_jump_sites_per_s": "Γ_jump (sites)",
    "rate_jump_displacement_per_s": "Γ_jump (displacement)",
    "rate_rotation_per_s": "Γ_rot (PS4)",
}
"""Quantities that get an Arrhenius fit: key and symbol."""


@dataclass(frozen=True)
class SeriesAnalysis:
    """Several runs and, with two temperatures or more, the Arrhenius fits.

    Attributes
    ----------
    analyses
        One per run, in the order given.
    arrhenius
        Fit per key of a quantity (``"rate_nmr_per_s"``, ``"diffusion_cm2_per_s"``, …) with enough
        temperatures.
    notes
        Why a fit is missing that could be expected.
    """

    analyses: list[Analysis]
    arrhenius: dict[str, ArrheniusFit] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def analyze_series(analyses: Sequence[Analysis]) -> SeriesAnalysis:
    """Fit what depends on temperature, with the confidence of the first analysis.

    Raises
    ------
    InputError
        Without analyses.
    """
    if not analyses:
        raise InputError("no results file given")
    level = analyses[0].settings.decay.level
    notes, fits = Notes(), {}
    tables = [{quantity.key: quantity.interval for quantity in a.quantities} for a in analyses]
    for key, symbol in ACTIVATED.items():
        found = [(a.results.best_temperature_k, t.get(key)) for a, t in zip(analyses, tables, strict=True)]
        points = [(t, y) for t, y in found if y is not None and np.isfinite(t)]
        if len({t for t, _ in points}) < 2:
            continue
        temperatures, values = [t for t, _ in points], [y for _, y in points]
        fit = notes.attempt(
            f"E_a of {symbol}",
            lambda t=temperatures, y=values: fit_arrhenius(t, y, level),  # type: ignore[misc]
        )
        if fit is not None:
            fits[key] = fit
    return SeriesAnalysis(list(analyses), fits, list(notes))
