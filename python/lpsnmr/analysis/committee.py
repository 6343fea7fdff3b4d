"""The same run by several members of a committee of models: how far the models, not the sampling, differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from lpsnmr.analysis.run_analysis import Analysis
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import InputError

__all__ = ["LEAST_MEMBERS", "TEMPERATURE_SPREAD_K", "ModelInterval", "combine_members"]

LEAST_MEMBERS = 3
"""Fewer members say too little about their own spread."""
TEMPERATURE_SPREAD_K = 25.0
"""Members whose mean temperatures differ by more are not runs of one state."""


@dataclass(frozen=True)
class ModelInterval:
    """One number from all members.

    Attributes
    ----------
    key, symbol, unit
        Of the quantity.
    n_members
        Members in which there is a number.
    statistical
        Geometric mean with the interval of its sampling error alone.
    model
        The same mean with the interval within which another member of the committee lies, less what sampling
        makes them differ. As wide as a point where sampling explains all of it.
    """

    key: str
    symbol: str
    unit: str
    n_members: int
    statistical: Interval
    model: Interval


def combine_members(members: Sequence[Analysis]) -> list[ModelInterval]:
    """Return every positive number that at least three members have, with a statistical and a model interval.

    Logarithms y_i with sampling errors s_i (from their intervals) have the mean ȳ. The variance between
    models is that of the y_i less the mean of s_i²; it is the model's part of the error (random effects by
    moments, R. DerSimonian, N. Laird, Control. Clin. Trials 7, 177 (1986),
    doi:10.1016/0197-2456(86)90046-2, with equal weights). Its interval is that of Student's t. It holds
    what the members differ in, such as the folds they were fitted to or draws from a posterior, and
    nothing that all of them share: the reference method, the form of the model.

    Parameters
    ----------
    members
        Analyses of runs of one structure at one temperature, one per member.

    Raises
    ------
    InputError
        For fewer than three members, unlike systems or temperatures.
    """
    _check(members)
    level = members[0].settings.decay.level
    found: dict[str, list[Interval]] = {}
    names: dict[str, tuple[str, str]] = {}
    for analysis in members:
        for quantity in analysis.quantities:
            interval = quantity.interval
            if interval is not None and interval.low > 0 and np.isfinite(interval.high):
                found.setdefault(quantity.key, []).append(interval)
                names[quantity.key] = (quantity.symbol, quantity.unit)
    return [
        ModelInterval(key, *names[key], len(intervals), *_combine(intervals, level))
        for key, intervals in found.items()
        if len(intervals) >= LEAST_MEMBERS
    ]


def _combine(intervals: Sequence[Interval], level: float) -> tuple[Interval, Interval]:
    """Return the statistical and the model interval of the geometric mean."""
    normal = float(ndtri(0.5 + 0.5 * level))
    logs = np.log([i.value for i in intervals])
    errors = np.log([i.high / i.low for i in intervals]) / (2.0 * normal)
    n, mean = len(logs), float(logs.mean())
    sampling = normal * float(np.sqrt(np.mean(errors**2) / n))
    between = max(float(np.var(logs, ddof=1) - np.mean(errors**2)), 0.0)
    models = float(stdtrit(n - 1, 0.5 + 0.5 * level)) * float(np.sqrt(between * (1.0 + 1.0 / n)))
    return _around(mean, sampling), _around(mean, models)


def _around(log_value: float, half: float) -> Interval:
    low, value, high = (float(v) for v in np.exp([log_value - half, log_value, log_value + half]))
    return Interval(value, low, high)


def _check(members: Sequence[Analysis]) -> None:
    if len(members) < LEAST_MEMBERS:
        raise InputError(f"a model interval needs {LEAST_MEMBERS} members, got {len(members)}")
    kinds = [sorted(a.results.species_counts.items()) for a in members]
    if any(kind != kinds[0] for kind in kinds):
        raise InputError("members of a committee must be runs of one system; their atoms differ")
    temperatures = [t for t in (a.results.best_temperature_k for a in members) if np.isfinite(t)]
    if temperatures and max(temperatures) - min(temperatures) > TEMPERATURE_SPREAD_K:
        raise InputError(
            "members of a committee must be runs at one temperature; theirs are "
            f"{min(temperatures):.0f} to {max(temperatures):.0f} K"
        )
