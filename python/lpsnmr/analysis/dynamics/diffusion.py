"""Self-diffusion coefficient from the mean squared displacement, and the jump rate it implies."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator
from scipy.special import ndtri

from lpsnmr.analysis.statistics.least_squares import fit_line, scaled_chi2_interval, thin_lags
from lpsnmr.analysis.statistics.resampling import (
    MIN_UNITS,
    TOO_FEW,
    Interval,
    Resampled,
    merge_blocks,
    resample,
    standard_error,
)
from lpsnmr.results import LagStatistics
from lpsnmr.strict_model import Bootstraps, Positive, Share, checked_dataclass
from lpsnmr.typing import Array
from lpsnmr.units import ANGSTROM2_PER_PS_CM2_PER_S, SECONDS_PER_PS

__all__ = ["Diffusion", "DiffusionSettings", "Slope", "analyze_diffusion", "fit_slope", "linear_regime"]


MIN_TOTAL_DISPLACEMENT2 = 100.0
"""Å²: least 6 D t N of a run that counts as diffusion; about ten jumps of 3 Å by all Li together."""


def _distance(value: float) -> float:
    if not value > 0:
        raise ValueError("jump distance must be positive")
    return value


@checked_dataclass
class DiffusionSettings:
    """How D is fitted.

    Attributes
    ----------
    min_lag_ps
        Shortest lag at which the fit may begin, ps: beyond the vibrations.
    max_lag_fraction
        Longest lag used, as a fraction of the run.
    jump_distance_angstrom
        a of Γ_D = 6D/a²; None when unknown.
    n_bootstrap, level, seed
        Resampled curves of each kind, confidence, seed of the random numbers.
    """

    min_lag_ps: Positive = 2.0
    max_lag_fraction: Share = 0.25
    jump_distance_angstrom: Annotated[float, AfterValidator(_distance)] | None = None
    n_bootstrap: Bootstraps = 400
    level: Share = 0.95
    seed: int = 1


@dataclass(frozen=True)
class Diffusion:
    """MSD of one run and the diffusion coefficient fitted to it.

    Attributes
    ----------
    lag_ps, msd, standard_error, counts
        (L,) arrays: ps; Å²; Å²; pairs of time origins per Li.
    used
        (L,) bool: lags that entered the fit.
    fitted
        (L,) float64, offset + 6 D t, Å²; NaN where it was not fitted.
    linear
        Whether a lag was found from which on the MSD is straight within its error.
    resolved, reason
        Whether there is diffusion to speak of; if not, why, in words.
    diffusion_cm2_s
        D with interval, cm²/s; None when not resolved.
    offset_angstrom2
        Intercept of the line: what vibrations and recrossings add, Å².
    jump_rate_per_s
        Γ_D = 6D/a² with interval, 1/s; None when not resolved or a is unknown.
    relative_error
        Standard error of D over D; NaN where nothing was fitted.
    relative_shot_variance
        What single jumps and differences between Li add to the squared relative error of D beyond a
        Gaussian random walk.
    """

    settings: DiffusionSettings
    lag_ps: Array
    msd: Array
    standard_error: Array
    counts: NDArray[np.int64]
    used: NDArray[np.bool_]
    fitted: Array
    linear: bool
    resolved: bool
    reason: str
    diffusion_cm2_s: Interval | None = None
    offset_angstrom2: float = float("nan")
    jump_rate_per_s: Interval | None = None
    relative_error: float = float("nan")
    relative_shot_variance: float = 0.0


@dataclass(frozen=True)
class Slope:
    """A straight line through an MSD by generalised least squares.

    Attributes
    ----------
    value, offset
        Slope, Å²/ps, and intercept, Å².
    error
        Standard error of the slope, Å²/ps.
    shot_variance
        Excess of the variance between Li over that of a Gaussian random walk, (Å²/ps)².
    """

    value: float
    offset: float
    error: float
    shot_variance: float


def analyze_diffusion(
    lags: LagStatistics, duration_ps: float, settings: DiffusionSettings | None = None
) -> Diffusion:
    """Fit MSD(t) = offset + 6 D t in the linear regime by generalised least squares.

    The regime ends at ``max_lag_fraction`` of the run. Its beginning is sought among ``min_lag_ps``
    times 1, √2, 2, … up to an eighth of its end: the first for which the slope over its first octave
    differs from the slope over all later lags by less than twice the bootstrap error of the
    difference. Unless that is ``min_lag_ps`` itself the fit begins at twice that lag, because a
    curvature just too small to be seen would still bias D. Within the regime the line is fitted with
    the inverse covariance of a random walk with localisation noise as weights (``least_squares``). Its
    variance is taken as the largest of three: that of the random walk, the spread between Li, and that
    between blocks of time (jackknife), which see single rare jumps, unlike Li, and motion in common;
    the interval is that of a scaled χ². D is called resolved when it exceeds its error enough for a
    normal interval to exclude zero and all Li together moved by 6 D t N ≥ 100 Å² in the run.

    Parameters
    ----------
    lags
        MSD per Li, Å².
    duration_ps
        Length of the run, ps.
    settings
        See ``DiffusionSettings``.
    """
    settings = settings or DiffusionSettings()
    end_ps = settings.max_lag_fraction * duration_ps
    kinds = resample(lags, settings.n_bootstrap, 0.5 * end_ps, settings.seed)
    msd = lags.values.mean(axis=1)
    error = standard_error(kinds, len(msd))
    keep = (lags.lag_ps > 0) & (lags.lag_ps <= end_ps) & (msd > 0)
    used, linear = linear_regime(lags.lag_ps, msd, kinds, keep, settings.min_lag_ps)
    reason = _too_little(int(used.sum()), len(kinds), duration_ps, settings)
    if reason:
        nothing = np.full(len(msd), np.nan)
        return Diffusion(settings, lags.lag_ps, msd, error, lags.counts, used, nothing, False, False, reason)
    line = fit_slope(lags, used, duration_ps, lags.values.shape[1])
    reason = _judge(line, duration_ps, lags.values.shape[1], settings.level)
    a = settings.jump_distance_angstrom
    interval = None if reason else scaled_chi2_interval(line.value / 6.0, line.error / 6.0, settings.level)
    return Diffusion(
        settings=settings,
        lag_ps=lags.lag_ps,
        msd=msd,
        standard_error=error,
        counts=lags.counts,
        used=used,
        fitted=np.where(used, line.offset + line.value * lags.lag_ps, np.nan),
        linear=linear,
        resolved=not reason,
        reason=reason,
        diffusion_cm2_s=None if interval is None else interval.scaled(ANGSTROM2_PER_PS_CM2_PER_S),
        offset_angstrom2=line.offset,
        jump_rate_per_s=(
            None if interval is None or a is None else interval.scaled(6.0 / a**2 / SECONDS_PER_PS)
        ),
        relative_error=line.error / line.value if line.value > 0 else float("nan"),
        relative_shot_variance=line.shot_variance / line.value**2 if line.value > 0 else 0.0,
    )


def fit_slope(
    lags: LagStatistics,
    used: NDArray[np.bool_],
    duration_ps: float,
    n_independent: int,
    *,
    series_are_axes: bool = False,
) -> Slope:
    """Fit a line to an MSD at the lags ``used`` and estimate the error of its slope.

    Parameters
    ----------
    lags
        MSD per particle, Å², whose mean is fitted; or along three axes, whose sum is.
    used
        (L,) bool, at least three true.
    duration_ps
        Length of the run, ps.
    n_independent
        Random walkers behind the mean: particles, or one for a collective displacement.
    series_are_axes
        Whether the series are the axes of one displacement.
    """
    chosen = thin_lags(lags.lag_ps, used)
    lag_ps = lags.lag_ps[chosen]
    spacing = (duration_ps - lag_ps) / np.maximum(lags.counts[chosen] - 1, 1)
    scale = float(lags.values.shape[1]) if series_are_axes else 1.0
    msd = scale * lags.values[chosen].mean(axis=1)
    fit = fit_line(lag_ps, msd, spacing, duration_ps)
    each = fit.weights @ lags.values[chosen]
    variances = [fit.slope_variance / n_independent]
    shot = 0.0
    if series_are_axes:
        variances[0] *= _anisotropy(each, 3.0 * variances[0] / fit.slope**2)
    elif len(each) >= MIN_UNITS:
        between = float(np.var(each, ddof=1)) / len(each)
        shot = max(between - variances[0], 0.0)
        variances.append(between)
    variances.append(_block_variance(lags, chosen, fit.weights) * scale**2)
    return Slope(fit.slope, fit.offset, float(np.sqrt(max(variances))), shot)


def _anisotropy(slopes: Array, relative_variance: float) -> float:
    """Return 3 Σ D_a²/(Σ D_a)², 1 … 3, from slopes along the axes with a relative variance each."""
    squares = float(np.sum(np.maximum(slopes, 0.0) ** 2)) / (1.0 + relative_variance)
    return float(np.clip(3.0 * squares / max(float(slopes.sum()) ** 2, 1e-300), 1.0, 3.0))


def _block_variance(lags: LagStatistics, chosen: NDArray[np.intp], weights: Array) -> float:
    """Return the jackknife variance over blocks of time of the slope of the mean MSD; 0 for too few."""
    sums, counts = merge_blocks(lags, 2.0 * float(lags.lag_ps[chosen[-1]]))
    n_blocks = len(sums)
    if n_blocks < MIN_UNITS:
        return 0.0
    sums, counts = sums[:, chosen], counts[:, chosen]
    others = counts.sum(axis=0) - counts
    left_out = (sums.sum(axis=0) - sums) / np.maximum(others, 1.0)
    slopes = np.where(others > 0, left_out, lags.values[chosen].mean(axis=1)) @ weights
    return float((n_blocks - 1) / n_blocks * np.sum((slopes - slopes.mean()) ** 2))


def _too_little(n_lags: int, n_kinds: int, duration_ps: float, settings: DiffusionSettings) -> str:
    """Return why nothing can be fitted, or ''."""
    if n_lags < 3:
        return (
            f"not resolved: only {n_lags} lags with a displacement between {settings.min_lag_ps:g} ps "
            f"and {settings.max_lag_fraction:g} of the run ({duration_ps:g} ps); 3 are needed"
        )
    return "" if n_kinds else TOO_FEW


def _weights(lag_ps: Array, msd: Array) -> Array:
    return np.asarray(np.gradient(np.log(lag_ps)) / (msd**2 * lag_ps))


def _line(lag_ps: Array, curves: Array, weights: Array) -> tuple[Array, Array]:
    """Weighted straight lines through (B, L) curves: offsets and slopes, (B,) each."""
    w = weights / weights.sum()
    mean_t = w @ lag_ps
    mean_y = curves @ w
    slope = ((curves - mean_y[:, None]) @ (w * (lag_ps - mean_t))) / (w @ (lag_ps - mean_t) ** 2)
    return mean_y - slope * mean_t, slope


def linear_regime(
    lag_ps: Array, msd: Array, kinds: list[Resampled], keep: NDArray[np.bool_], min_lag_ps: float
) -> tuple[NDArray[np.bool_], bool]:
    """Return the lags of the linear regime and whether the MSD is straight there."""
    used = keep & (lag_ps >= min_lag_ps)
    if used.sum() < 3 or not kinds:
        return used, False
    end = lag_ps[keep][-1]
    start = min_lag_ps
    while True:
        used = keep & (lag_ps >= start)
        later = start * np.sqrt(2.0)
        if _is_straight(lag_ps, msd, kinds, used):
            if start > min_lag_ps:  # keep away from a curvature just too small to be seen
                used = keep & (lag_ps >= min(2.0 * start, max(start, end / 8.0)))
            return used, True
        if later > end / 8.0 or (keep & (lag_ps >= later)).sum() < 6:
            return used, False
        start = later


def _is_straight(lag_ps: Array, msd: Array, kinds: list[Resampled], used: NDArray[np.bool_]) -> bool:
    """Compare the slope of the first octave with that of all later lags."""
    middle = 2.0 * lag_ps[used][0]
    early, late = used & (lag_ps <= middle), used & (lag_ps >= middle)
    if early.sum() < 2 or late.sum() < 2:
        return True

    def difference(curves: Array) -> Array:
        slopes = [_line(lag_ps[h], curves[:, h], _weights(lag_ps[h], msd[h]))[1] for h in (early, late)]
        return slopes[0] - slopes[1]

    error = max(float(difference(k.curves).std()) for k in kinds)
    return bool(abs(difference(msd[None, :])[0]) <= 2.0 * error)


def _judge(line: Slope, duration_ps: float, n_li: int, level: float) -> str:
    """Return why D is not resolved, or ''."""
    moved = line.value * duration_ps * n_li
    half = float(ndtri(0.5 + 0.5 * level)) * line.error
    scale = ANGSTROM2_PER_PS_CM2_PER_S / 6.0
    if line.value - half <= 0.0 or moved < MIN_TOTAL_DISPLACEMENT2:
        return (
            f"not resolved: D = {line.value * scale:.2g} cm²/s, interval "
            f"{(line.value - half) * scale:.2g} to {(line.value + half) * scale:.2g}; "
            f"all {n_li} Li together moved by {max(moved, 0.0):.3g} Å² "
            f"(at least {MIN_TOTAL_DISPLACEMENT2:g} and an interval above zero are needed)"
        )
    return ""
