"""Self-diffusion coefficient from the mean squared displacement, and the jump rate it implies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr.correlation.resampling import (
    TOO_FEW,
    Interval,
    Resampled,
    resample,
    standard_error,
    wider_interval,
)
from lpsnmr.errors import InputError
from lpsnmr.io.results import LagStatistics
from lpsnmr.units import ANGSTROM2_PER_PS_CM2_PER_S, SECONDS_PER_PS

__all__ = ["Diffusion", "DiffusionSettings", "analyze_diffusion"]

Array = NDArray[np.float64]

MIN_TOTAL_DISPLACEMENT2 = 100.0
"""Å²: least 6 D t N of a run that counts as diffusion; about ten jumps of 3 Å by all Li together."""


@dataclass(frozen=True)
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

    min_lag_ps: float = 2.0
    max_lag_fraction: float = 0.25
    jump_distance_angstrom: float | None = None
    n_bootstrap: int = 400
    level: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not self.min_lag_ps > 0:
            raise InputError(f"min_lag_ps must be positive, got {self.min_lag_ps}")
        for name in ("max_lag_fraction", "level"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")
        if self.jump_distance_angstrom is not None and not self.jump_distance_angstrom > 0:
            raise InputError(f"jump distance must be positive, got {self.jump_distance_angstrom} Å")
        if self.n_bootstrap < 50:
            raise InputError(f"n_bootstrap must be at least 50, got {self.n_bootstrap}")


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


def analyze_diffusion(
    lags: LagStatistics, duration_ps: float, settings: DiffusionSettings | None = None
) -> Diffusion:
    """Fit MSD(t) = offset + 6 D t in the linear regime.

    The regime ends at ``max_lag_fraction`` of the run. Its beginning is sought among ``min_lag_ps``
    times 1, √2, 2, … up to an eighth of its end: the first for which the slope over its first octave
    differs from the slope over all later lags by less than twice the bootstrap error of the
    difference. Unless that is ``min_lag_ps`` itself the fit begins at twice that lag, because a
    curvature just too small to be seen would still bias D. Within the regime each lag is weighted with
    its distance in ln t and the inverse of MSD² t, but for a factor the variance of a random walk's
    MSD. The interval of D comes from refitting curves resampled over Li and over blocks of time. D is
    called resolved when its interval excludes zero and all Li together moved by 6 D t N ≥ 100 Å² in
    the run.

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
    used, linear = _linear_regime(lags.lag_ps, msd, kinds, keep, settings.min_lag_ps)
    reason = _too_little(int(used.sum()), len(kinds), duration_ps, settings)
    if reason:
        nothing = np.full(len(msd), np.nan)
        return Diffusion(settings, lags.lag_ps, msd, error, lags.counts, used, nothing, False, False, reason)
    lag_ps = lags.lag_ps[used]
    weights = _weights(lag_ps, msd[used])
    offset, slope = (float(x[0]) for x in _line(lag_ps, msd[None, used], weights))
    samples = [(_line(lag_ps, k.curves[:, used], weights)[1] / 6.0, k.n_units) for k in kinds]
    interval = wider_interval(slope / 6.0, samples, settings.level)
    reason = _judge(interval, duration_ps, lags.values.shape[1])
    a = settings.jump_distance_angstrom
    return Diffusion(
        settings=settings,
        lag_ps=lags.lag_ps,
        msd=msd,
        standard_error=error,
        counts=lags.counts,
        used=used,
        fitted=np.where(used, offset + slope * lags.lag_ps, np.nan),
        linear=linear,
        resolved=not reason,
        reason=reason,
        diffusion_cm2_s=None if reason else interval.scaled(ANGSTROM2_PER_PS_CM2_PER_S),
        offset_angstrom2=offset,
        jump_rate_per_s=None if reason or a is None else interval.scaled(6.0 / a**2 / SECONDS_PER_PS),
    )


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


def _linear_regime(
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


def _judge(interval: Interval, duration_ps: float, n_li: int) -> str:
    """Return why D is not resolved, or ''. ``interval`` in Å²/ps."""
    moved = 6.0 * interval.value * duration_ps * n_li
    scale = ANGSTROM2_PER_PS_CM2_PER_S
    if interval.low <= 0.0 or moved < MIN_TOTAL_DISPLACEMENT2:
        return (
            f"not resolved: D = {interval.value * scale:.2g} cm²/s, interval {interval.low * scale:.2g} to "
            f"{interval.high * scale:.2g}; all {n_li} Li together moved by {max(moved, 0.0):.3g} Å² "
            f"(at least {MIN_TOTAL_DISPLACEMENT2:g} and an interval above zero are needed)"
        )
    return ""
