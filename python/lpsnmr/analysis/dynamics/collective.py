"""Collective diffusion of all Li together, the Haven ratio and the conductivity."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lpsnmr.analysis.dynamics.diffusion import Diffusion
from lpsnmr.analysis.dynamics.slopes import fit_slope, linear_regime
from lpsnmr.analysis.statistics.least_squares import ratio_interval, scaled_chi2_interval
from lpsnmr.analysis.statistics.resampling import Interval, resample
from lpsnmr.errors import InputError
from lpsnmr.results import LagStatistics
from lpsnmr.typing import Array
from lpsnmr.units import ANGSTROM2_PER_PS_CM2_PER_S, BOLTZMANN_EV_PER_K, CONDUCTIVITY_S_PER_CM

__all__ = ["CollectiveDiffusion", "analyze_collective", "conductivity"]

MAX_RELATIVE_ERROR = 0.6
"""Largest standard error over value of a collective diffusion coefficient that is reported."""


@dataclass(frozen=True)
class CollectiveDiffusion:
    """Diffusion of the charge: of the sum of all Li displacements.

    Attributes
    ----------
    lag_ps, msd, counts
        (L,) ps; |Σ_i Δr_i|²/N, Å²; pairs of time origins.
    used, fitted
        (L,) lags that entered the fit, and the line, Å².
    resolved, reason
        Whether there is a number; if not, why, in words.
    diffusion_cm2_s
        D_σ = lim |Σ Δr|²/(6 N t), cm²/s.
    haven_ratio
        D/D_σ.
    conductivity_s_per_cm
        n e² D_σ/(kT), S/cm; None when the temperature is unknown.
    nernst_einstein_s_per_cm
        The same with the self-diffusion coefficient D, S/cm.
    """

    lag_ps: Array
    msd: Array
    counts: NDArray[np.int64]
    used: NDArray[np.bool_]
    fitted: Array
    resolved: bool
    reason: str
    diffusion_cm2_s: Interval | None = None
    haven_ratio: Interval | None = None
    conductivity_s_per_cm: Interval | None = None
    nernst_einstein_s_per_cm: Interval | None = None


def conductivity(
    diffusion_cm2_s: Interval, n_li: int, volume_angstrom3: float, temperature_k: float, charge: float = 1.0
) -> Interval:
    """Return σ = n (ze)² D/(kT) in S/cm, n the number density of the ions and z their charge.

    Raises
    ------
    InputError
        For a volume or temperature that is not positive.

    Examples
    --------
    >>> d = Interval(1e-5, 1e-5, 1e-5)
    >>> round(conductivity(d, 24, 1291.0, 600.0).value, 4)
    0.5761
    """
    if not (volume_angstrom3 > 0 and temperature_k > 0):
        raise InputError(
            f"expected a positive volume and temperature, got {volume_angstrom3:g} Å³, {temperature_k:g} K"
        )
    density = n_li / volume_angstrom3
    mobility = 1.0 / (BOLTZMANN_EV_PER_K * temperature_k * ANGSTROM2_PER_PS_CM2_PER_S)
    return diffusion_cm2_s.scaled(charge**2 * CONDUCTIVITY_S_PER_CM * density * mobility)


def analyze_collective(
    lags: LagStatistics,
    self_diffusion: Diffusion,
    duration_ps: float,
    n_li: int,
    volume_angstrom3: float,
    temperature_k: float,
    charge: float = 1.0,
) -> CollectiveDiffusion:
    """Fit |Σ Δr|²/N = offset + 6 D_σ t and compare with self-diffusion.

    The sum of many displacements is one random walker, and close to a Gaussian one, so the
    error is that of generalised least squares with the covariance of a random walk, for three axes
    that may differ, plus the share of single jumps, the same relative one as for D; the spread between
    blocks of time is used when it is larger. A memory of jumps that was allowed for in D is allowed for here
    as it was found there. In the Haven ratio the errors of D and D_σ correlate as
    for alike Gaussian walkers. The fit begins no earlier than that of D.

    Parameters
    ----------
    lags
        (Σ Δx)²/N, (Σ Δy)²/N and (Σ Δz)²/N, Å², three series.
    self_diffusion
        D of the same run.
    duration_ps
        Length of the run, ps.
    n_li, volume_angstrom3, temperature_k
        Of the cell; the temperature may be NaN.
    charge
        Of one ion, e.
    """
    msd = lags.values.sum(axis=1)
    nothing = np.full(len(msd), np.nan)
    common = (lags.lag_ps, msd, lags.counts)
    if not self_diffusion.resolved or self_diffusion.diffusion_cm2_s is None:
        reason = "not resolved: the self-diffusion is not"
        return CollectiveDiffusion(*common, np.zeros(len(msd), dtype=bool), nothing, False, reason)
    settings = self_diffusion.settings
    start_ps = float(self_diffusion.lag_ps[self_diffusion.used][0])
    end_ps = settings.max_lag_fraction * duration_ps
    keep = (lags.lag_ps >= start_ps) & (lags.lag_ps <= end_ps) & (msd > 0)
    kinds = resample(_summed(lags), settings.n_bootstrap, 0.5 * end_ps, settings.seed)
    memory = self_diffusion.memory
    used = keep if memory is not None else linear_regime(lags.lag_ps, msd, kinds, keep, start_ps)[0]
    if used.sum() < 3:
        return CollectiveDiffusion(*common, used, nothing, False, "not resolved: fewer than three lags")
    line = fit_slope(lags, used, duration_ps, 1, series_are_axes=True, memory=memory)
    error = float(np.hypot(line.error, abs(line.value) * np.sqrt(self_diffusion.relative_shot_variance)))
    fitted = np.where(used, line(lags.lag_ps), np.nan)
    found = CollectiveDiffusion(*common, used, fitted, False, "")
    if not line.value > 0 or error > MAX_RELATIVE_ERROR * line.value:
        scale = ANGSTROM2_PER_PS_CM2_PER_S / 6.0
        return replace(
            found,
            reason=f"not resolved: D_σ = {line.value * scale:.2g} cm²/s ± {error * scale:.2g}; "
            "a longer run is needed",
        )
    level = settings.level
    together = scaled_chi2_interval(line.value / 6.0, error / 6.0, level).scaled(ANGSTROM2_PER_PS_CM2_PER_S)
    single = self_diffusion.diffusion_cm2_s
    shrink = _correlation_factor(
        self_diffusion.relative_error, error / line.value, together.value / single.value, n_li
    )
    haven = ratio_interval(
        single.value, shrink * single.value * self_diffusion.relative_error,
        together.value, shrink * together.value * error / line.value, level,
    )  # fmt: skip
    sigma = single_sigma = None
    if np.isfinite(temperature_k) and temperature_k > 0:
        sigma = conductivity(together, n_li, volume_angstrom3, temperature_k, charge)
        single_sigma = conductivity(single, n_li, volume_angstrom3, temperature_k, charge)
    return replace(
        found,
        resolved=True,
        diffusion_cm2_s=together,
        haven_ratio=haven,
        conductivity_s_per_cm=sigma,
        nernst_einstein_s_per_cm=single_sigma,
    )


def _correlation_factor(single: float, charge: float, inverse_haven: float, n_li: int) -> float:
    """Return the factor by which the errors of D and D_σ shrink in their ratio, because they correlate.

    For N alike Gaussian walkers, each correlated with the sum of all as D_σ/D = h, the relative
    covariance of the two is h/N times the relative variance of D_σ.
    """
    independent = single**2 + charge**2
    return float(np.sqrt(max(1.0 - 2.0 * inverse_haven / n_li * charge**2 / independent, 0.25)))


def _summed(lags: LagStatistics) -> LagStatistics:
    """Return the sum over the three axes as one series."""
    return replace(lags, values=lags.values.sum(axis=1, keepdims=True), block_means=3.0 * lags.block_means)
