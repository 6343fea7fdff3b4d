"""The slope of an MSD: where it is straight, its line, with or without a memory of jumps, and its error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr.analysis.statistics.least_squares import fit_line, thin_lags
from lpsnmr.analysis.statistics.memory_fit import MemoryFit, MemoryPrior, fit_with_memory
from lpsnmr.analysis.statistics.resampling import MIN_UNITS, Resampled, merge_blocks
from lpsnmr.results import LagStatistics
from lpsnmr.typing import Array

__all__ = ["Slope", "fit_slope", "linear_regime"]


@dataclass(frozen=True)
class Slope:
    """A line through an MSD by generalised least squares.

    Attributes
    ----------
    value, offset
        Slope, Å²/ps, and intercept, Å².
    error
        Standard error of the slope, Å²/ps.
    shot_variance
        Excess of the variance between Li over that of a Gaussian random walk, (Å²/ps)².
    bent
        The fit with a memory of jumps; None where the line is straight.
    """

    value: float
    offset: float
    error: float
    shot_variance: float
    bent: MemoryFit | None = None

    def __call__(self, lag_ps: Array) -> Array:
        """Return the fitted MSD, Å²."""
        return self.offset + self.value * lag_ps if self.bent is None else self.bent(lag_ps)


def fit_slope(
    lags: LagStatistics,
    used: NDArray[np.bool_],
    duration_ps: float,
    n_independent: int,
    *,
    series_are_axes: bool = False,
    memory: MemoryPrior | None = None,
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
    memory
        Of jumps that go back; None where the MSD is a straight line.
    """
    chosen = thin_lags(lags.lag_ps, used)
    lag_ps = lags.lag_ps[chosen]
    spacing = (duration_ps - lag_ps) / np.maximum(lags.counts[chosen] - 1, 1)
    scale = float(lags.values.shape[1]) if series_are_axes else 1.0
    msd = scale * lags.values[chosen].mean(axis=1)
    if memory is not None:
        bent = _fit_bent(lags, chosen, spacing, duration_ps, n_independent, memory, series_are_axes)
        value, offset, weights, open_variance = bent.slope, bent.offset, bent.weights, bent.open_variance
        variances = [bent.slope_variance]
    else:
        bent, open_variance = None, 0.0
        line = fit_line(lag_ps, msd, spacing, duration_ps)
        value, offset, weights = line.slope, line.offset, line.weights
        variances = [line.slope_variance / n_independent]
    each = weights @ lags.values[chosen]
    shot = 0.0
    if series_are_axes:
        variances[0] *= _anisotropy(each, 3.0 * variances[0] / value**2)
    elif len(each) >= MIN_UNITS:
        between = float(np.var(each, ddof=1)) / len(each)
        shot = max(between - variances[0], 0.0)
        variances.append(between)
    variances.append(_block_variance(lags, chosen, weights) * scale**2)
    return Slope(value, offset, float(np.sqrt(max(variances) + open_variance)), shot, bent)


def _fit_bent(
    lags: LagStatistics,
    chosen: NDArray[np.intp],
    spacing: Array,
    duration_ps: float,
    n_independent: int,
    memory: MemoryPrior,
    series_are_axes: bool,
) -> MemoryFit:
    """Fit with memory; where Li scatter more than walkers do, as so many fewer of them."""
    lag_ps, values = lags.lag_ps[chosen], lags.values[chosen]
    if series_are_axes:
        return fit_with_memory(lag_ps, values.sum(axis=1), spacing, duration_ps, n_independent, memory)
    msd = values.mean(axis=1)
    fit = fit_with_memory(lag_ps, msd, spacing, duration_ps, n_independent, memory)
    n_series = values.shape[1]
    if n_series < MIN_UNITS:
        return fit
    between = float(np.var(fit.weights @ values, ddof=1)) / n_series
    excess = max(between / fit.slope_variance, 1.0)
    return fit_with_memory(lag_ps, msd, spacing, duration_ps, n_independent / excess, memory)


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
