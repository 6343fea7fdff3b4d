"""Where there are no sites: superposition of decays of several temperatures, and correlation times."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline
from scipy.optimize import minimize_scalar, nnls
from scipy.special import chdtrc, ndtri

from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import InputError
from lpsnmr.typing import Array
from lpsnmr.units import BOLTZMANN_EV_PER_K

__all__ = ["CorrelationTimes", "Decay", "Superposition", "invert_decay", "superpose"]

KNOTS = 12
FINE = 400


@dataclass(frozen=True)
class Decay:
    """A decay at one temperature.

    Attributes
    ----------
    temperature_k
        K.
    times_s
        (L,) ascending, above 0, s.
    values, errors
        (L,) normalised decay with standard errors.
    """

    temperature_k: float
    times_s: Array
    values: Array
    errors: Array


@dataclass(frozen=True)
class Superposition:
    """Decays of several temperatures laid on each other by shifts along ln t.

    Attributes
    ----------
    temperature_k
        (T,) K.
    log_shift
        (T,) ln of the factor by which the decay is slower than that of the first temperature.
    activation_energy_ev
        Of the shifts, with an interval.
    chi2, freedom, probability
        Collapse of the curves: χ² about one smooth curve, degrees of freedom, and how often chance gives
        more. Errors count as independent: thin lags out where they are not.
    """

    temperature_k: Array
    log_shift: Array
    activation_energy_ev: Interval
    chi2: float
    freedom: int
    probability: float

    def shift_to(self, temperature_k: float) -> float:
        """Return ln of the factor by which times are longer there than at the first temperature."""
        beta = 1.0 / BOLTZMANN_EV_PER_K
        return (
            self.activation_energy_ev.value
            * beta
            * (1.0 / temperature_k - 1.0 / float(self.temperature_k[0]))
        )


def superpose(decays: Sequence[Decay], level: float = 0.95) -> Superposition:
    """Shift decays along ln t onto each other, and say whether they are one curve.

    The curve is a cubic spline through knots in ln t, fitted with all decays at once; shifts are found one
    after the other until none moves.

    Raises
    ------
    InputError
        With fewer than two temperatures, or times and errors that are not positive.
    """
    if len({decay.temperature_k for decay in decays}) < 2:
        raise InputError("superposition: expected decays at two temperatures or more")
    for decay in decays:
        if np.any(decay.times_s <= 0) or np.any(decay.errors <= 0):
            raise InputError(f"superposition: {decay.temperature_k:g} K: expected positive times and errors")
    shifts = _first_shifts(decays)
    for _ in range(30):
        before = shifts.copy()
        for i in range(1, len(decays)):
            found = minimize_scalar(
                lambda s, i=i: _misfit(decays, np.where(np.arange(len(decays)) == i, s, shifts))[0],
                bounds=(shifts[i] - 0.7, shifts[i] + 0.7), method="bounded", options={"xatol": 1e-5},
            )  # fmt: skip
            shifts[i] = float(found.x)
        if np.abs(shifts - before).max() < 1e-4:
            break
    chi2, free = _misfit(decays, shifts)
    freedom = free - (len(decays) - 1)
    temperatures = np.array([decay.temperature_k for decay in decays])
    energy = _energy(decays, temperatures, shifts, chi2 / max(freedom, 1), level)
    return Superposition(temperatures, shifts, energy, chi2, freedom, float(chdtrc(max(freedom, 1), chi2)))


def _first_shifts(decays: Sequence[Decay]) -> Array:
    """Guess shifts from the times at which decays pass the middle of what they have in common."""
    low = max(float(decay.values.min()) for decay in decays)
    high = min(float(decay.values.max()) for decay in decays)
    if low >= high:
        raise InputError(
            "superposition: the decays have no values in common: their temperatures lie too far apart"
        )
    middle = 0.5 * (low + high)
    passed = [
        np.log(decay.times_s[min(int(np.argmax(decay.values <= middle)), len(decay.times_s) - 1)])
        for decay in decays
    ]
    return np.asarray(np.array(passed) - passed[0])


def _misfit(decays: Sequence[Decay], shifts: Array) -> tuple[float, int]:
    """Return χ² about the best spline, and points less knots."""
    x = np.concatenate([np.log(d.times_s) - s for d, s in zip(decays, shifts, strict=True)])
    y = np.concatenate([decay.values for decay in decays])
    w = 1.0 / np.concatenate([decay.errors for decay in decays])
    knots = np.concatenate([[x.min()] * 3, np.linspace(x.min(), x.max(), KNOTS), [x.max()] * 3])
    basis = BSpline.design_matrix(np.clip(x, x.min(), x.max()), knots, 3).toarray() * w[:, None]
    solution, _, rank, _ = np.linalg.lstsq(basis, y * w, rcond=1e-10)
    return float(((basis @ solution - y * w) ** 2).sum()), len(x) - int(rank)


def _energy(
    decays: Sequence[Decay], temperatures: Array, shifts: Array, chi2: float, level: float
) -> Interval:
    inverse = 1.0 / (BOLTZMANN_EV_PER_K * temperatures)
    x = inverse - inverse[0]
    curvature = []
    step = 0.02
    for i in range(1, len(decays)):
        unit = np.where(np.arange(len(decays)) == i, step, 0.0)
        second = (
            _misfit(decays, shifts + unit)[0]
            + _misfit(decays, shifts - unit)[0]
            - 2 * _misfit(decays, shifts)[0]
        )
        curvature.append(max(second / (2 * step**2), 1e-6))
    w, x, y = np.array(curvature), x[1:], shifts[1:]
    slope = float((w * x * y).sum() / (w * x * x).sum())
    scatter = float((w * (y - slope * x) ** 2).sum()) / max(len(x) - 1, 1) if len(x) > 1 else 1.0
    half = float(ndtri(0.5 + 0.5 * level)) * np.sqrt(max(1.0, chi2, scatter) / (w * x * x).sum())
    return Interval(slope, slope - half, slope + half)


@dataclass(frozen=True)
class CorrelationTimes:
    """A distribution of correlation times.

    Attributes
    ----------
    tau_s
        (G,) grid, s.
    weight, low, high
        (G,) share of each time, with intervals by drawing the data anew.
    baseline
        What does not decay.
    regularisation
        Weight of the curvature.
    chi2
        Of the fit.
    """

    tau_s: Array
    weight: Array
    low: Array
    high: Array
    baseline: float
    regularisation: float
    chi2: float

    def at(self, log_shift: float) -> "CorrelationTimes":
        """Return the distribution where all times are longer by a factor, given its logarithm."""
        return CorrelationTimes(
            self.tau_s * np.exp(log_shift), self.weight, self.low, self.high, self.baseline,
            self.regularisation, self.chi2,
        )  # fmt: skip

    def decay(self, times_s: Array) -> Array:
        """Return baseline + Σ w exp(−t/τ)."""
        return np.asarray(self.baseline + np.exp(-np.divide.outer(times_s, self.tau_s)) @ self.weight)


def invert_decay(
    decay: Decay, *, n_times: int = 50, n_draws: int = 60, level: float = 0.95, seed: int = 1
) -> CorrelationTimes:
    """Find the smoothest distribution of correlation times, not negative, that describes a decay.

    Minimises χ² + α |second difference|² over w ≥ 0 (S. W. Provencher, Comput. Phys. Commun. 27, 213 (1982),
    doi:10.1016/0010-4655(82)90173-4); α is the largest at which χ² stays below its expectation plus one
    standard deviation, or the smallest tried. What is far outside the measured times is not determined by the
    decay.

    Parameters
    ----------
    decay
        Values with independent errors.
    n_times
        Points of the grid, from a third of the first to three times the last time.
    n_draws, level, seed
        Data drawn anew from the fit for the intervals.
    """
    tau = np.geomspace(decay.times_s[0] / 3.0, 3.0 * decay.times_s[-1], n_times)
    kernel = np.hstack([np.exp(-np.divide.outer(decay.times_s, tau)), np.ones((len(decay.times_s), 1))])
    kernel /= decay.errors[:, None]
    smooth = np.hstack([np.diff(np.eye(n_times + 4)[:, 2:-2], 2, axis=0), np.zeros((n_times + 2, 1))])
    data = decay.values / decay.errors
    limit = len(data) + np.sqrt(2.0 * len(data))

    def solve(values: Array, alpha: float) -> tuple[Array, float]:
        found, _ = nnls(
            np.vstack([kernel, np.sqrt(alpha) * smooth]),
            np.concatenate([values, np.zeros(len(smooth))]),
            maxiter=4000,
        )
        return found, float(((kernel @ found - values) ** 2).sum())

    alphas = np.geomspace(1e7, 1e-3, 21)
    alpha = next((a for a in alphas if solve(data, a)[1] <= limit), alphas[-1])
    best, chi2 = solve(data, alpha)
    rng = np.random.default_rng(seed)
    draws = np.array(
        [solve(kernel @ best + rng.standard_normal(len(data)), alpha)[0] for _ in range(n_draws)]
    )
    tail = 0.5 - 0.5 * level
    low, high = np.quantile(draws[:, :-1], [tail, 1.0 - tail], axis=0)
    return CorrelationTimes(tau, best[:-1], low, high, float(best[-1]), float(alpha), chi2)
