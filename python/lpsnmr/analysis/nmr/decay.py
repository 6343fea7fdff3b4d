"""Decay of the quadrupolar correlation function: Kohlrausch fit with intervals, or an honest no."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lpsnmr.analysis.nmr.kohlrausch import (
    FAMILIES,
    GAMMA_RANGE,
    KohlrauschFit,
    fit_kohlrausch,
    fit_shape,
)
from lpsnmr.analysis.nmr.models import ModelFit, compare_models
from lpsnmr.analysis.statistics.resampling import (
    TOO_FEW,
    Interval,
    Resampled,
    resample,
    select_lags,
    standard_error,
    wider_interval,
)
from lpsnmr.efg.quadrupolar import frequency_correlation
from lpsnmr.results import LagStatistics
from lpsnmr.strict_model import Bootstraps, Positive, Share, checked_dataclass
from lpsnmr.typing import Array
from lpsnmr.units import SECONDS_PER_PS

__all__ = ["CurveFit", "DecaySettings", "NmrDecay", "analyze_curve", "analyze_decay", "in_frequency"]

NEAR_BOUND = 1e-3
"""Relative distance from a bound that counts as being on it."""


@checked_dataclass
class DecaySettings:
    """How the decay is fitted.

    Attributes
    ----------
    fit_start_ps
        Lags before it belong to vibrations and are left out of the fit, ps.
    max_lag_fraction
        Longest lag used, as a fraction of the run.
    baseline
        ``"fit"`` or ``"zero"``, see ``fit_kohlrausch``.
    min_decay
        Least fall of C over the fitted lags, relative to its start, that is called a decay.
    n_bootstrap, level, seed
        Resampled curves of each kind, confidence, seed of the random numbers.
    """

    fit_start_ps: Positive = 1.0
    max_lag_fraction: Share = 0.25
    baseline: Literal["fit", "zero"] = "fit"
    min_decay: Share = 0.1
    n_bootstrap: Bootstraps = 400
    level: Share = 0.95
    seed: int = 1


@dataclass(frozen=True)
class NmrDecay:
    """C(t) of one run and what was fitted to it.

    Attributes
    ----------
    lag_ps, correlation, standard_error, counts
        (L,) arrays: ps; (rad/s)²; (rad/s)²; pairs of time origins per Li.
    used
        (L,) bool: lags that entered the fit.
    fitted
        (L,) float64, the fitted curve in (rad/s)²; NaN where it was not fitted or not resolved.
    decay
        1 − C(last used lag)/C(first used lag).
    resolved, reason
        Whether the decay could be fitted; if not, why, in words.
    tau_ps, gamma, tau_mean_ps, rate_per_s
        Kohlrausch parameters with intervals, τ_mean = (τ/γ) Γ(1/γ), Γ_NMR = 1/τ_mean; None when not
        resolved.
    amplitude, plateau
        ΔC and C∞ with intervals, (rad/s)²; None when not resolved.
    initial
        C(0) with interval; None when no error can be estimated.
    hopping_fraction, plateau_fraction
        ΔC/C(0) and C∞/(C∞ + ΔC) with intervals; None when not resolved.
    vibrational_fraction
        1 − (C∞ + ΔC)/C(0): the share of C(0) that is gone before the fit starts; NaN when not resolved.
    models
        Kohlrausch, exponential and power law, the best by AIC first; empty when not resolved.
    fit
        The fits to the mean and to the resampled curves, for what else is derived from them; None when
        not resolved.
    """

    settings: DecaySettings
    lag_ps: Array
    correlation: Array
    standard_error: Array
    counts: NDArray[np.int64]
    used: NDArray[np.bool_]
    fitted: Array
    decay: float
    resolved: bool
    reason: str
    tau_ps: Interval | None = None
    gamma: Interval | None = None
    tau_mean_ps: Interval | None = None
    rate_per_s: Interval | None = None
    amplitude: Interval | None = None
    plateau: Interval | None = None
    initial: Interval | None = None
    hopping_fraction: Interval | None = None
    plateau_fraction: Interval | None = None
    vibrational_fraction: float = float("nan")
    models: list[ModelFit] = field(default_factory=list)
    fit: "CurveFit | None" = field(default=None, repr=False, metadata={"internal": True})

    @property
    def at_bound(self) -> str:
        """Which parameter lies on a bound of the fit, in words; '' when none does."""
        if self.gamma is None:
            return ""
        low, high = GAMMA_RANGE
        if self.gamma.value >= high * (1.0 - NEAR_BOUND):
            return f"γ is at the bound of the fit, {high:g}"
        if self.gamma.value <= low * (1.0 + NEAR_BOUND):
            return f"γ is at the bound of the fit, {low:g}"
        return ""


@dataclass(frozen=True)
class CurveFit:
    """A curve, what was resampled from it, and a Kohlrausch fit of each.

    Attributes
    ----------
    lag_ps, curve
        (L,) fitted lags and the mean curve there.
    best
        Fit of the mean curve.
    kinds, fits
        The resampled curves at all lags and at (L,), and their fits; one per bootstrap.
    level
        Confidence of the intervals.
    """

    lag_ps: Array
    curve: Array
    best: KohlrauschFit
    kinds: list[Resampled]
    windows: list[Array]
    fits: list[KohlrauschFit]
    level: float

    def interval(self, value: float, samples: list[Array], *, log: bool) -> Interval:
        """Return the wider interval of a number derived from each fit."""
        pairs = [(s, kind.n_units) for s, kind in zip(samples, self.kinds, strict=True)]
        return wider_interval(value, pairs, self.level, log=log)

    def of(self, name: str, *, log: bool) -> Interval:
        """Return the interval of an attribute of the fits."""
        return self.interval(
            float(getattr(self.best, name)[0]), [getattr(f, name) for f in self.fits], log=log
        )


def analyze_decay(
    lags: LagStatistics,
    duration_ps: float,
    nucleus: str = "7Li",
    settings: DecaySettings | None = None,
) -> NmrDecay:
    """Fit the decay of C(t) = ⟨ω_Q(0) ω_Q(t)⟩.

    The fit is a least-squares fit of the mean over Li at the lags from ``fit_start_ps`` to
    ``max_lag_fraction`` of the run; each lag is weighted with its distance in ln t and the inverse of
    its squared error. The intervals come from refitting curves resampled over Li and over blocks of
    time (``lpsnmr.analysis.statistics.resampling``). The decay is called resolved when C falls by at least
    ``min_decay`` and by more than twice the error of that fall, and when the whole interval of τ lies
    below the longest lag used: only then do the data, and not the form of the function, tell C∞ from
    a slow tail. When the interval of τ_mean reaches below the first lag fitted, the decay is an extrapolation
    and not resolved either.

    Parameters
    ----------
    lags
        Tr V(0)V(t) per Li, V²/Å⁴.
    duration_ps
        Length of the run, ps.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.
    settings
        See ``DecaySettings``.

    Raises
    ------
    InputError
        For an unknown nucleus.
    """
    return analyze_curve(in_frequency(lags, nucleus), duration_ps, settings)


def in_frequency(lags: LagStatistics, nucleus: str = "7Li") -> LagStatistics:
    """Return C(t) of the powder, (rad/s)², from Tr V(0)V(t), V²/Å⁴."""
    everything = select_lags(lags, np.ones(len(lags.lag_ps), dtype=bool))
    everything.values = frequency_correlation(lags.values, nucleus)
    everything.block_means = frequency_correlation(lags.block_means, nucleus)
    return everything


def analyze_curve(
    lags: LagStatistics, duration_ps: float, settings: DecaySettings | None = None, name: str = "C(t)"
) -> NmrDecay:
    """Fit the decay of any function of lag time, per Li; see ``analyze_decay``.

    Parameters
    ----------
    lags
        Correlation function or echo; its unit is that of what is returned.
    duration_ps
        Length of the run, ps.
    settings
        See ``DecaySettings``.
    name
        Of the function, for what is said about it.
    """
    settings = settings or DecaySettings()
    used = _used_lags(lags, duration_ps, settings)
    all_kinds = resample(lags, settings.n_bootstrap, 0.0, settings.seed)
    curve = lags.values.mean(axis=1)
    error = standard_error(all_kinds, len(curve))
    common: dict[str, Any] = {
        "settings": settings,
        "lag_ps": lags.lag_ps,
        "correlation": curve,
        "standard_error": error,
        "counts": lags.counts,
        "used": used,
        "initial": _initial(curve, all_kinds, settings.level),
    }
    nothing = np.full(len(curve), np.nan)
    reason = _too_little(int(used.sum()), len(all_kinds), duration_ps, settings)
    if not reason and curve[0] == 0.0:
        reason = f"not resolved: {name} is zero at its start, as for nuclei on sites of cubic symmetry"
    if reason:
        return NmrDecay(**common, fitted=nothing, decay=0.0, resolved=False, reason=reason)
    weights = _weights(lags.lag_ps[used], error[used])
    fit = _fit_all(lags, curve, used, weights, duration_ps, settings)
    tau, mean = fit.of("tau", log=True), fit.of("mean_time", log=True)
    decay, reason = _judge(fit, tau, mean, settings, name)
    if reason:
        return NmrDecay(**common, fitted=nothing, decay=decay, resolved=False, reason=reason)
    fitted = np.where(used, fit.best(lags.lag_ps)[0], np.nan)
    return NmrDecay(
        **common, fitted=fitted, decay=decay, resolved=True, reason="", fit=fit,
        models=_models(fit, weights, settings.baseline), **_intervals(fit, tau, mean, curve[0]),
    )  # fmt: skip


def _initial(curve: Array, kinds: list[Resampled], level: float) -> Interval | None:
    if not kinds or len(curve) == 0:
        return None
    samples = [(kind.curves[:, 0], kind.n_units) for kind in kinds]
    return wider_interval(float(curve[0]), samples, level)


def _fit_all(
    lags: LagStatistics,
    curve: Array,
    used: NDArray[np.bool_],
    weights: Array,
    duration_ps: float,
    settings: DecaySettings,
) -> CurveFit:
    """Fit the mean curve and the curves resampled with blocks of three mean decay times."""
    lag_ps = lags.lag_ps[used]
    best = fit_kohlrausch(lag_ps, curve[used], weights, settings.baseline)
    block_ps = min(3.0 * float(best.mean_time[0]), duration_ps / 8.0)
    kinds = resample(lags, settings.n_bootstrap, block_ps, settings.seed)
    windows = [kind.curves[:, used] for kind in kinds]
    fits = [fit_kohlrausch(lag_ps, window, weights, settings.baseline) for window in windows]
    return CurveFit(lag_ps, curve[used], best, kinds, windows, fits, settings.level)


def _models(fit: CurveFit, weights: Array, baseline: str) -> list[ModelFit]:
    """Compare the families with the covariance of the bootstrap that spreads more."""
    spreads = [float(window.std(axis=0).mean()) for window in fit.windows]
    kind = int(np.argmax(spreads))
    if spreads[kind] == 0.0:
        return []
    starts = [fit_shape(fit.lag_ps, fit.curve, weights, baseline, family) for family in FAMILIES]
    return compare_models(fit.lag_ps, fit.curve, fit.windows[kind], fit.kinds[kind].n_units, starts, baseline)


def _used_lags(lags: LagStatistics, duration_ps: float, settings: DecaySettings) -> NDArray[np.bool_]:
    longest = settings.max_lag_fraction * duration_ps
    used: NDArray[np.bool_] = (lags.lag_ps >= settings.fit_start_ps) & (lags.lag_ps <= longest)
    return used


def _too_little(n_lags: int, n_kinds: int, duration_ps: float, settings: DecaySettings) -> str:
    """Return why nothing can be fitted, or ''."""
    if n_lags < 6:
        return (
            f"not resolved: only {n_lags} lags between {settings.fit_start_ps:g} ps and "
            f"{settings.max_lag_fraction:g} of the run ({duration_ps:g} ps); 6 are needed"
        )
    return "" if n_kinds else TOO_FEW


def _weights(lag_ps: Array, error: Array) -> Array:
    """Distance in ln t over squared error; a floor keeps a chance small error from ruling the fit."""
    spacing = np.gradient(np.log(lag_ps))
    floor = 0.5 * np.median(error)
    if floor == 0.0:
        return np.asarray(spacing)
    return np.asarray(spacing / (error**2 + floor**2))


def _judge(
    fit: CurveFit, tau: Interval, mean: Interval, settings: DecaySettings, name: str
) -> tuple[float, str]:
    """Return the relative fall over the window and why it is no resolved decay, or ''."""
    start = max(float(fit.curve[:2].mean()), 1e-300)
    decay = 1.0 - float(fit.curve[-3:].mean()) / start
    spread = max(float(np.std(1.0 - window[:, -3:].mean(axis=1) / start)) for window in fit.windows)
    first, longest = float(fit.lag_ps[0]), float(fit.lag_ps[-1])
    fall = (
        f"{name} falls by {100 * decay:.3g} % from {first:.3g} ps to the longest lag used, {longest:.4g} ps"
    )
    if decay < settings.min_decay or decay < 2.0 * spread:
        return decay, f"not resolved: {fall} (error {100 * spread:.2g} %)"
    if mean.low < first:
        return decay, (
            f"not resolved: {fall}, but its mean time ({mean.low:.3g} to {mean.high:.3g} ps) may be "
            "shorter than the first lag fitted; vibrations reach into the fit, or sample more often and "
            "start it earlier"
        )
    if tau.high > longest:
        return decay, (
            f"not resolved: {fall}, but its time is only known to lie between {tau.low:.3g} and "
            f"{tau.high:.3g} ps; sample longer"
        )
    return decay, ""


def _intervals(fit: CurveFit, tau: Interval, mean: Interval, zero_lag: float) -> dict[str, Any]:
    best, gamma = fit.best, fit.of("gamma", log=True)
    starts = [kind.curves[:, 0] for kind in fit.kinds]
    zero_lags = [np.where(start == 0.0, 1e-300, start) for start in starts]
    hopping = [f.amplitude / zero for f, zero in zip(fit.fits, zero_lags, strict=True)]
    plateau = [f.plateau / np.maximum(f.plateau + f.amplitude, 1e-300) for f in fit.fits]
    whole = float(best.plateau[0] + best.amplitude[0])
    return {
        "tau_ps": tau,
        "gamma": Interval(gamma.value, max(gamma.low, GAMMA_RANGE[0]), min(gamma.high, GAMMA_RANGE[1])),
        "tau_mean_ps": mean,
        "rate_per_s": mean.inverse(1.0 / SECONDS_PER_PS),
        "amplitude": fit.of("amplitude", log=False),
        "plateau": fit.of("plateau", log=False),
        "hopping_fraction": fit.interval(float(best.amplitude[0]) / zero_lag, hopping, log=False),
        "plateau_fraction": fit.interval(float(best.plateau[0]) / whole, plateau, log=False),
        "vibrational_fraction": float(1.0 - whole / zero_lag),
    }
