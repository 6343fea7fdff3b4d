"""Decay of the quadrupolar correlation function: Kohlrausch fit with intervals, or an honest no."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.correlation.resampling import (
    TOO_FEW,
    Interval,
    Resampled,
    resample,
    select_lags,
    standard_error,
    wider_interval,
)
from lpsnmr.errors import InputError
from lpsnmr.io.results import LagStatistics
from lpsnmr.nmr.kohlrausch import GAMMA_RANGE, KohlrauschFit, fit_kohlrausch
from lpsnmr.nmr.quadrupolar import frequency_correlation
from lpsnmr.units import SECONDS_PER_PS

__all__ = ["DecaySettings", "NmrDecay", "analyze_decay"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
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

    fit_start_ps: float = 1.0
    max_lag_fraction: float = 0.25
    baseline: str = "fit"
    min_decay: float = 0.1
    n_bootstrap: int = 400
    level: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not self.fit_start_ps > 0:
            raise InputError(f"fit_start_ps must be positive, got {self.fit_start_ps}")
        for name in ("max_lag_fraction", "min_decay", "level"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")
        if self.n_bootstrap < 50:
            raise InputError(f"n_bootstrap must be at least 50, got {self.n_bootstrap}")


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
    vibrational_fraction
        1 − (C∞ + ΔC)/C(0): the share of C(0) that is gone before the fit starts; NaN when not resolved.
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
    vibrational_fraction: float = float("nan")


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
    time (``lpsnmr.correlation.resampling``). The decay is called resolved when C falls by at least
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
        Key of ``lpsnmr.units.QUADRUPOLE_MOMENT_BARN``.
    settings
        See ``DecaySettings``.

    Raises
    ------
    InputError
        For an unknown nucleus.
    """
    settings = settings or DecaySettings()
    omega = _in_frequency(lags, nucleus)
    used = _used_lags(omega, duration_ps, settings)
    all_kinds = resample(omega, settings.n_bootstrap, 0.0, settings.seed)
    curve = omega.values.mean(axis=1)
    error = standard_error(all_kinds, len(curve))
    common: dict[str, Any] = {
        "settings": settings,
        "lag_ps": omega.lag_ps,
        "correlation": curve,
        "standard_error": error,
        "counts": omega.counts,
        "used": used,
    }
    nothing = np.full(len(curve), np.nan)
    reason = _too_little(int(used.sum()), len(all_kinds), duration_ps, settings)
    if reason:
        return NmrDecay(**common, fitted=nothing, decay=0.0, resolved=False, reason=reason)
    window = select_lags(omega, used)
    weights = _weights(window.lag_ps, error[used])
    best = fit_kohlrausch(window.lag_ps, curve[used], weights, settings.baseline)
    block_ps = min(3.0 * float(best.mean_time[0]), duration_ps / 8.0)
    kinds = resample(window, settings.n_bootstrap, block_ps, settings.seed)
    fits = [
        (fit_kohlrausch(window.lag_ps, kind.curves, weights, settings.baseline), kind.n_units)
        for kind in kinds
    ]
    tau = wider_interval(float(best.tau[0]), [(f.tau, n) for f, n in fits], settings.level, log=True)
    mean = wider_interval(
        float(best.mean_time[0]), [(f.mean_time, n) for f, n in fits], settings.level, log=True
    )
    decay, reason = _judge(window, curve[used], kinds, tau, mean, settings)
    if reason:
        return NmrDecay(**common, fitted=nothing, decay=decay, resolved=False, reason=reason)
    fitted = np.where(used, best(omega.lag_ps)[0], np.nan)
    return NmrDecay(
        **common, fitted=fitted, decay=decay, resolved=True, reason="",
        **_intervals(best, fits, tau, mean, curve[0], settings.level),
    )  # fmt: skip


def _in_frequency(lags: LagStatistics, nucleus: str) -> LagStatistics:
    everything = select_lags(lags, np.ones(len(lags.lag_ps), dtype=bool))
    everything.values = frequency_correlation(lags.values, nucleus)
    everything.block_means = frequency_correlation(lags.block_means, nucleus)
    return everything


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
    window: LagStatistics,
    curve: Array,
    kinds: list[Resampled],
    tau: Interval,
    mean: Interval,
    settings: DecaySettings,
) -> tuple[float, str]:
    """Return the relative fall of C over the window and why it is no resolved decay, or ''."""
    start = max(float(curve[:2].mean()), 1e-300)
    decay = 1.0 - float(curve[-3:].mean()) / start
    spread = max(float(np.std(1.0 - k.curves[:, -3:].mean(axis=1) / start)) for k in kinds)
    longest = float(window.lag_ps[-1])
    fall = (
        f"C(t) falls by {100 * decay:.3g} % from {window.lag_ps[0]:.3g} ps to the longest lag used, "
        f"{longest:.4g} ps"
    )
    if decay < settings.min_decay or decay < 2.0 * spread:
        return decay, f"not resolved: {fall} (error {100 * spread:.2g} %)"
    if mean.low < window.lag_ps[0]:
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


def _intervals(
    best: KohlrauschFit,
    fits: list[tuple[KohlrauschFit, int]],
    tau: Interval,
    mean: Interval,
    zero_lag: float,
    level: float,
) -> dict[str, Any]:
    def interval(name: str, log: bool) -> Interval:
        samples = [(getattr(fit, name), n) for fit, n in fits]
        return wider_interval(float(getattr(best, name)[0]), samples, level, log=log)

    gamma = interval("gamma", True)
    return {
        "tau_ps": tau,
        "gamma": Interval(gamma.value, max(gamma.low, GAMMA_RANGE[0]), min(gamma.high, GAMMA_RANGE[1])),
        "tau_mean_ps": mean,
        "rate_per_s": mean.inverse(1.0 / SECONDS_PER_PS),
        "amplitude": interval("amplitude", False),
        "plateau": interval("plateau", False),
        "vibrational_fraction": float(1.0 - (best.plateau[0] + best.amplitude[0]) / zero_lag),
    }
