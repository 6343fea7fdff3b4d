"""Self-diffusion coefficient from the mean squared displacement, and the jump rate it implies."""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator
from scipy.special import ndtri

from lpsnmr.analysis.dynamics.slopes import Slope, fit_slope, linear_regime
from lpsnmr.analysis.statistics.least_squares import scaled_chi2_interval
from lpsnmr.analysis.statistics.memory_fit import MemoryPrior
from lpsnmr.analysis.statistics.resampling import TOO_FEW, Interval, resample, standard_error
from lpsnmr.results import LagStatistics
from lpsnmr.strict_model import Bootstraps, Positive, Share, checked_dataclass
from lpsnmr.typing import Array
from lpsnmr.units import ANGSTROM2_PER_PS_CM2_PER_S, SECONDS_PER_PS

__all__ = ["Diffusion", "DiffusionSettings", "analyze_diffusion"]


MIN_TOTAL_DISPLACEMENT2 = 100.0
"""Å²: least 6 D t N of a run that counts as diffusion; about ten jumps of 3 Å by all Li together."""
SKIPPED_MEMORY = 0.25
"""Shorter lags, in times of the memory of jumps, are left to vibrations and recrossings."""


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
    memory_angstrom2, memory_ps
        A, Å², and typical τ, ps, of what jumps back add, A(1 − e^(−t/τ)); NaN where it was not allowed for.
    jump_rate_per_s
        Γ_D = 6D/a² with interval, 1/s; None when not resolved or a is unknown.
    relative_error
        Standard error of D over D; NaN where nothing was fitted.
    relative_shot_variance
        What single jumps and differences between Li add to the squared relative error of D beyond a
        Gaussian random walk.
    memory
        What is known of the memory of jumps after the fit; None where it was not allowed for.
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
    memory_angstrom2: float = float("nan")
    memory_ps: float = float("nan")
    jump_rate_per_s: Interval | None = None
    relative_error: float = float("nan")
    relative_shot_variance: float = 0.0
    memory: MemoryPrior | None = field(default=None, repr=False, metadata={"internal": True})


def analyze_diffusion(
    lags: LagStatistics,
    duration_ps: float,
    settings: DiffusionSettings | None = None,
    memory: MemoryPrior | None = None,
) -> Diffusion:
    """Fit MSD(t) = offset + 6 D t by generalised least squares, with a memory of jumps where one is told.

    The fit ends at ``max_lag_fraction`` of the run. With a memory, A(1 − e^(−t/τ)) is added to the line and
    the fit begins at ``min_lag_ps`` or a quarter of τ, whichever is longer (``memory_fit``).

    Without one the beginning of the linear regime is sought among ``min_lag_ps``
    times 1, √2, 2, … up to an eighth of its end: the first for which the slope over its first octave
    differs from the slope over all later lags by less than twice the bootstrap error of the
    difference. Unless that is ``min_lag_ps`` itself the fit begins at twice that lag, because a
    curvature just too small to be seen would still bias D. A memory of jumps that lasts long bends so
    little that this test does not see it.

    The line is fitted with
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
    memory
        Of jumps that go back, from ``memory_of_jumps``; None where jumps were not followed.
    """
    settings = settings or DiffusionSettings()
    end_ps = settings.max_lag_fraction * duration_ps
    kinds = resample(lags, settings.n_bootstrap, 0.5 * end_ps, settings.seed)
    msd = lags.values.mean(axis=1)
    error = standard_error(kinds, len(msd))
    keep = (lags.lag_ps > 0) & (lags.lag_ps <= end_ps) & (msd > 0)
    if memory is None:
        used, linear = linear_regime(lags.lag_ps, msd, kinds, keep, settings.min_lag_ps)
    else:
        begin = max(settings.min_lag_ps, min(SKIPPED_MEMORY * memory.typical_ps, end_ps / 8.0))
        used, linear = keep & (lags.lag_ps >= begin), True
    reason = _too_little(int(used.sum()), len(kinds), duration_ps, settings)
    if reason:
        nothing = np.full(len(msd), np.nan)
        return Diffusion(settings, lags.lag_ps, msd, error, lags.counts, used, nothing, False, False, reason)
    line = fit_slope(lags, used, duration_ps, lags.values.shape[1], memory=memory)
    reason = _judge(line, duration_ps, lags.values.shape[1], settings.level, memory)
    a = settings.jump_distance_angstrom
    interval = None if reason else scaled_chi2_interval(line.value / 6.0, line.error / 6.0, settings.level)
    bent = line.bent
    return Diffusion(
        settings=settings,
        lag_ps=lags.lag_ps,
        msd=msd,
        standard_error=error,
        counts=lags.counts,
        used=used,
        fitted=np.where(used, line(lags.lag_ps), np.nan),
        linear=linear,
        resolved=not reason,
        reason=reason,
        diffusion_cm2_s=None if interval is None else interval.scaled(ANGSTROM2_PER_PS_CM2_PER_S),
        offset_angstrom2=line.offset,
        memory_angstrom2=float("nan") if bent is None else bent.amplitude,
        memory_ps=float("nan") if bent is None else bent.posterior.typical_ps,
        jump_rate_per_s=(
            None if interval is None or a is None else interval.scaled(6.0 / a**2 / SECONDS_PER_PS)
        ),
        relative_error=line.error / line.value if line.value > 0 else float("nan"),
        relative_shot_variance=line.shot_variance / line.value**2 if line.value > 0 else 0.0,
        memory=None if bent is None else bent.posterior,
    )


def _too_little(n_lags: int, n_kinds: int, duration_ps: float, settings: DiffusionSettings) -> str:
    """Return why nothing can be fitted, or ''."""
    if n_lags < 3:
        return (
            f"not resolved: only {n_lags} lags with a displacement between {settings.min_lag_ps:g} ps "
            f"and {settings.max_lag_fraction:g} of the run ({duration_ps:g} ps); 3 are needed"
        )
    return "" if n_kinds else TOO_FEW


def _judge(line: Slope, duration_ps: float, n_li: int, level: float, memory: MemoryPrior | None) -> str:
    """Return why D is not resolved, or ''."""
    moved = line.value * duration_ps * n_li
    half = float(ndtri(0.5 + 0.5 * level)) * line.error
    scale = ANGSTROM2_PER_PS_CM2_PER_S / 6.0
    if line.value - half > 0.0 and moved >= MIN_TOTAL_DISPLACEMENT2:
        return ""
    said = (
        f"not resolved: D = {line.value * scale:.2g} cm²/s, interval "
        f"{(line.value - half) * scale:.2g} to {(line.value + half) * scale:.2g}; "
        f"all {n_li} Li together moved by {max(moved, 0.0):.3g} Å² "
        f"(at least {MIN_TOTAL_DISPLACEMENT2:g} and an interval above zero are needed)"
    )
    if memory is not None:
        said += (
            f"; the run is {duration_ps / memory.typical_ps:.2g} residence times long, and jumps may be "
            "remembered for one"
        )
    return said
