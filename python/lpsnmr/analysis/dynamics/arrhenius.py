"""Activation energies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import InputError
from lpsnmr.typing import Array
from lpsnmr.units import BOLTZMANN_EV_PER_K

__all__ = ["ArrheniusFit", "fit_arrhenius"]


@dataclass(frozen=True)
class ArrheniusFit:
    """ln y = ln y0 − E_a/(k T).

    Attributes
    ----------
    activation_energy_ev
        E_a with interval, eV.
    log_prefactor
        ln y0, y0 in the unit of the values.
    n_points
        Temperatures used.
    """

    activation_energy_ev: Interval
    log_prefactor: float
    n_points: int

    def __call__(self, temperature_k: ArrayLike) -> Array:
        """Return y at temperatures in K, the shape of ``temperature_k``."""
        kt = BOLTZMANN_EV_PER_K * np.asarray(temperature_k, dtype=np.float64)
        return np.asarray(np.exp(self.log_prefactor - self.activation_energy_ev.value / kt))


def fit_arrhenius(
    temperature_k: Sequence[float], values: Sequence[Interval], level: float = 0.95
) -> ArrheniusFit:
    """Fit a line to ln y against 1/kT, weighted with the intervals of y.

    With more than two points the error of E_a is scaled up by √(χ²/ν) when the points scatter more
    about the line than their intervals say.

    Parameters
    ----------
    temperature_k
        (n,) K, at least two different ones.
    values
        (n,) positive values with intervals of confidence ``level``.
    level
        Confidence of the given intervals and of that of E_a.

    Raises
    ------
    InputError
        For fewer than two different temperatures or values that are not positive.

    Examples
    --------
    >>> rates = np.exp(-0.3 / (8.617333262e-5 * np.array([300.0, 600.0])))
    >>> y = [Interval(rate, 0.9 * rate, 1.1 * rate) for rate in rates]
    >>> round(fit_arrhenius([300.0, 600.0], y).activation_energy_ev.value, 6)
    0.3
    """
    temperatures = np.asarray(temperature_k, dtype=np.float64)
    if len(temperatures) != len(values) or len(np.unique(temperatures)) < 2 or np.any(temperatures <= 0):
        raise InputError(
            f"an Arrhenius fit needs two different temperatures > 0 K, got {list(temperature_k)}"
        )
    if any(v.low <= 0 or not np.isfinite(v.high) for v in values):
        raise InputError("an Arrhenius fit needs values with positive, finite intervals")
    x = 1.0 / (BOLTZMANN_EV_PER_K * temperatures)
    y = np.log([v.value for v in values])
    normal = float(ndtri(0.5 + 0.5 * level))
    sigma = np.log([v.high / v.low for v in values]) / (2.0 * normal)
    sigma = np.maximum(sigma, 1e-6)
    w = 1.0 / sigma**2
    mean_x, mean_y = np.average(x, weights=w), np.average(y, weights=w)
    spread = float(np.sum(w * (x - mean_x) ** 2))
    slope = float(np.sum(w * (x - mean_x) * (y - mean_y)) / spread)
    error = 1.0 / np.sqrt(spread)
    freedom = len(x) - 2
    if freedom > 0:
        chi2 = float(np.sum(w * (y - mean_y - slope * (x - mean_x)) ** 2)) / freedom
        error *= np.sqrt(max(chi2, 1.0))
    half = float(normal * error)
    energy = Interval(-slope, -slope - half, -slope + half)
    return ArrheniusFit(energy, float(mean_y - slope * mean_x), len(x))
