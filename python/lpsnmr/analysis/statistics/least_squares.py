"""Generalised least squares for MSD curves: the covariance of a random walk's MSD, and the fit.

Values of the MSD at different lags come from the same displacements and are strongly correlated. For a
random walk with white localisation noise (what vibrations are, seen at lags beyond them) the covariance
is known in closed form, X. Michalet, Phys. Rev. E 82, 041914 (2010), doi:10.1103/PhysRevE.82.041914;
its inverse as weight matrix gives the estimate of least variance, J. T. Bullerjahn, S. von Bülow,
G. Hummer, J. Chem. Phys. 153, 024116 (2020), doi:10.1063/5.0008312.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import fdtri, gammaincinv

from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.typing import Array

__all__ = [
    "LineFit",
    "chi2_quantile",
    "fit_line",
    "msd_covariance",
    "ratio_interval",
    "scaled_chi2_interval",
    "thin_lags",
]

NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(6)  # exact for the cubics below
ITERATIONS = 4


@dataclass(frozen=True)
class LineFit:
    """MSD = offset + slope t.

    Attributes
    ----------
    slope, offset
        Å²/ps and Å².
    slope_variance
        Variance of the slope for one random walker, (Å²/ps)²; divide by the number of independent ones.
    weights
        (L,) with slope = weights · msd: the estimator applied to any other curve on the same lags.
    """

    slope: float
    offset: float
    slope_variance: float
    weights: Array


def msd_covariance(
    lag_ps: Array,
    spacing_ps: Array,
    duration_ps: float,
    diffusion: float,
    noise: float,
    memory: float = 0.0,
    memory_ps: float = 1.0,
) -> Array:
    """Return the covariance of one particle's time-averaged MSD in three dimensions, (L, L), Å⁴.

    The covariance of two displacements along one axis is 2D times the time they share, plus the noise
    where they share an end point; that of the squares is twice its square. It is averaged over all
    pairs of time origins, continuous ones for the walk and discrete ones for the noise. A memory of
    earlier jumps adds the second difference of its part of the MSD, A(1 − e^(−t/τ)).

    Parameters
    ----------
    lag_ps, spacing_ps
        (L,) lags and the spacing of the time origins at each, ps.
    duration_ps
        Length of the trajectory, ps; longer than any lag.
    diffusion
        D, Å²/ps.
    noise
        Variance of the localisation noise along one axis, Å²; the MSD's offset is six times it.
    memory, memory_ps
        A ≥ 0, Å², and τ, ps.

    Raises
    ------
    InputError
        When a lag is not shorter than the trajectory.
    """
    if len(lag_ps) == 0 or lag_ps.max() >= duration_ps or lag_ps.min() <= 0:
        raise InputError(f"lags must lie between 0 and the length of the run, {duration_ps:g} ps")
    a, b = np.minimum.outer(lag_ps, lag_ps), np.maximum.outer(lag_ps, lag_ps)
    total = np.zeros_like(a)

    def covariance(a: Array, b: Array, offset: Array) -> Array:
        shared = np.minimum(a, offset + b) - np.maximum(0.0, offset)
        if memory == 0.0:
            return np.asarray(2.0 * diffusion * shared)
        inner, outer = np.abs(offset), np.abs(b + offset - a)
        left = np.exp(-inner / memory_ps) + np.exp(-outer / memory_ps)
        left -= np.exp(-np.abs(offset + b) / memory_ps) + np.exp(-np.abs(a - offset) / memory_ps)
        return np.asarray(2.0 * diffusion * np.maximum(shared, 0.0) + memory / 6.0 * left)

    cuts = _cuts(a, b, memory_ps if memory > 0.0 else None)
    for low, high in pairwise(cuts):
        half = 0.5 * (high - low)
        offset = 0.5 * (high + low)[..., None] + half[..., None] * NODES
        pairs = _measure(a[..., None], b[..., None], offset, duration_ps)
        squares = covariance(a[..., None], b[..., None], offset) ** 2
        total += half * np.sum(NODE_WEIGHTS * pairs * squares, axis=-1)
    fine = np.minimum.outer(spacing_ps, spacing_ps)
    same = a == b
    zero = np.zeros_like(a)
    for offset, common in ((zero, 1.0), (a - b, 1.0), (-b, -1.0), (a, -1.0)):
        shared_noise = noise * np.where(same & (common > 0), 2.0 * common, common)
        pairs = _measure(a, b, offset, duration_ps)
        moved = covariance(a, b, offset)
        change = (moved + shared_noise) ** 2 - moved**2
        once = np.where(same & (common > 0), 0.5, 1.0)  # for equal lags both ends meet at one offset
        total += fine * pairs * once * change
    return np.asarray(6.0 * total / ((duration_ps - a) * (duration_ps - b)))


def _cuts(a: Array, b: Array, memory_ps: float | None) -> list[Array]:
    """Return the offsets between which the covariance of two displacements is smooth.

    It has kinks at −b, a − b, 0 and a, and a memory makes it bend near them and reach beyond.
    """
    zero = np.zeros_like(a)
    if memory_ps is None:
        return [-b, a - b, zero, a]
    near = np.minimum(memory_ps, 0.5 * a)
    return [
        -b - 4.0 * memory_ps, -b - memory_ps, -b, near - b, a - b - near, a - b, 0.5 * (a - b), zero, near,
        a - near, a, a + memory_ps, a + 4.0 * memory_ps,
    ]  # fmt: skip


def _measure(a: Array, b: Array, offset: Array, duration_ps: float) -> Array:
    """Length of the range of origins s of the shorter lag for which s + offset is one of the longer."""
    low = np.maximum(0.0, -offset)
    high = np.minimum(duration_ps - a, duration_ps - b - offset)
    return np.asarray(np.maximum(high - low, 0.0))


def thin_lags(lag_ps: Array, used: NDArray[np.bool_], ratio: float = 1.2) -> NDArray[np.intp]:
    """Return indices of the used lags that are at least ``ratio`` apart, and the last one."""
    chosen: list[int] = []
    indices = np.flatnonzero(used)
    for index in indices:
        if not chosen or lag_ps[index] >= ratio * lag_ps[chosen[-1]]:
            chosen.append(int(index))
    if len(chosen) < 3:
        return np.asarray(indices)
    return np.asarray(chosen)


def fit_line(lag_ps: Array, msd: Array, spacing_ps: Array, duration_ps: float) -> LineFit:
    """Fit a line with the inverse covariance of a random walk as weights, found by iteration.

    Parameters
    ----------
    lag_ps, msd, spacing_ps
        (L ≥ 3,) lags in ps, MSD in Å², spacing of time origins in ps.
    duration_ps
        Length of the trajectory, ps.

    Raises
    ------
    InputError
        For fewer than three lags.
    ComputeError
        When the covariance of the lags has no inverse.
    """
    if len(lag_ps) < 3:
        raise InputError(f"a line through an MSD needs three lags, got {len(lag_ps)}")
    try:
        return _iterate(lag_ps, msd, spacing_ps, duration_ps)
    except np.linalg.LinAlgError as error:
        raise ComputeError(f"line through an MSD: its covariance has no inverse: {error}") from error


def _iterate(lag_ps: Array, msd: Array, spacing_ps: Array, duration_ps: float) -> LineFit:
    design = np.stack([np.ones_like(lag_ps), lag_ps], axis=1)
    scale = 1.0 / (msd * np.sqrt(lag_ps))
    offset, slope = np.linalg.lstsq(design * scale[:, None], msd * scale, rcond=None)[0]
    smallest = 1e-3 * float(np.max(msd / lag_ps))
    for _ in range(ITERATIONS):
        walk = max(slope, smallest) / 6.0
        covariance = msd_covariance(lag_ps, spacing_ps, duration_ps, walk, max(offset, 0.0) / 6.0)
        norm = np.sqrt(np.diag(covariance))
        factor = cho_factor(covariance / np.outer(norm, norm) + 1e-6 * np.eye(len(norm)))
        whitened = cho_solve(factor, design / norm[:, None])
        inverse = np.linalg.inv((design / norm[:, None]).T @ whitened)
        weights = inverse @ (whitened / norm[:, None]).T
        offset, slope = weights @ msd
    return LineFit(float(slope), float(offset), float(inverse[1, 1]), weights[1])


def chi2_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of χ² as SciPy's statistics do, which take half a second to import.

    Examples
    --------
    >>> round(chi2_quantile(0.95, 1), 3)
    3.841
    """
    return 2.0 * float(gammaincinv(0.5 * freedom, probability))


def scaled_chi2_interval(value: float, standard_error: float, level: float) -> Interval:
    """Return the interval of a positive quantity distributed like χ²_ν/ν with 2/ν = (error/value)².

    A mean of squares, such as a diffusion coefficient, is so distributed; a flat prior in its logarithm
    gives the same interval. For small errors it is the normal interval, for large ones it never reaches
    zero.

    Examples
    --------
    >>> i = scaled_chi2_interval(2.0, 0.02, 0.95)
    >>> round(i.low, 2), round(i.high, 2)
    (1.96, 2.04)
    """
    if not (value > 0 and standard_error >= 0 and np.isfinite(standard_error)):
        raise InputError(
            f"expected a positive value and a finite error, got {value:g} and {standard_error:g}"
        )
    freedom = 2.0 * (value / max(standard_error, 1e-4 * value)) ** 2
    low, high = (freedom / chi2_quantile(q, freedom) for q in (0.5 + 0.5 * level, 0.5 - 0.5 * level))
    return Interval(value, min(value * float(low), value), max(value * float(high), value))


def ratio_interval(
    numerator: float, numerator_error: float, denominator: float, denominator_error: float, level: float
) -> Interval:
    """Return the interval of a ratio of two independent quantities, each distributed like χ²_ν/ν."""
    value = numerator / denominator
    above, below = (
        2.0 * (v / max(e, 1e-4 * v)) ** 2
        for v, e in ((numerator, numerator_error), (denominator, denominator_error))
    )
    low, high = (float(fdtri(below, above, q)) for q in (0.5 - 0.5 * level, 0.5 + 0.5 * level))
    return Interval(value, min(value * low, value), max(value * high, value))
