"""Kohlrausch, exponential and power-law fits of many curves at once.

C(t) = C∞ + ΔC s(t) with s = exp[−(t/τ)^γ], its case γ = 1, or (1 + t/τ)^−α. For given τ and γ the best
C∞ and ΔC are linear least squares; what is left is a search in two dimensions: a grid, then
Levenberg–Marquardt, for all curves together.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gamma as gamma_function

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.typing import Array

__all__ = [
    "BASELINES",
    "FAMILIES",
    "GAMMA_RANGE",
    "KohlrauschFit",
    "ShapeFit",
    "fit_kohlrausch",
    "fit_shape",
    "kohlrausch",
    "mean_time",
    "shape",
]


BASELINES = ("fit", "zero")
GAMMA_RANGE = (0.15, 1.5)
"""γ is kept within; beyond 1 lets the interval of a simple exponential be two-sided."""

FAMILIES = {"kohlrausch": GAMMA_RANGE, "exponential": (1.0, 1.0), "power": (0.2, 10.0)}
"""Shapes and the range of their exponent, γ or α."""


def shape(family: str, lag: ArrayLike, tau: ArrayLike, exponent: ArrayLike) -> Array:
    """Return s(t) of a family, 1 at t = 0, broadcast over the other arguments.

    Examples
    --------
    >>> float(shape("power", 1.0, 1.0, 2.0)), round(float(shape("exponential", 1.0, 1.0, 1.0)), 4)
    (0.25, 0.3679)
    """
    x = np.asarray(lag, dtype=np.float64) / np.asarray(tau)
    if family == "power":
        return np.asarray((1.0 + x) ** -np.asarray(exponent))
    return np.asarray(np.exp(-(x ** np.asarray(exponent))))


@dataclass(frozen=True)
class ShapeFit:
    """Parameters of one or many curves of one family, each (n_curves,) float64."""

    family: str
    tau: Array
    exponent: Array
    amplitude: Array
    plateau: Array

    def __call__(self, lag: ArrayLike) -> Array:
        """Return the fitted curves, (n_curves, L)."""
        s = shape(self.family, np.asarray(lag)[None, :], self.tau[:, None], self.exponent[:, None])
        return np.asarray(self.plateau[:, None] + self.amplitude[:, None] * s)


@dataclass(frozen=True)
class KohlrauschFit:
    """Parameters of one or many curves, each attribute (n_curves,) float64.

    ``tau`` has the unit of the lags, ``amplitude`` (ΔC) and ``plateau`` (C∞) that of the curves.
    """

    tau: Array
    gamma: Array
    amplitude: Array
    plateau: Array

    @property
    def mean_time(self) -> Array:
        """τ_mean = ∫ exp[−(t/τ)^γ] dt = (τ/γ) Γ(1/γ), (n_curves,)."""
        return mean_time(self.tau, self.gamma)

    def __call__(self, lag: ArrayLike) -> Array:
        """Return the fitted curves, (n_curves, L)."""
        return kohlrausch(
            np.asarray(lag, dtype=np.float64)[None, :],
            self.tau[:, None],
            self.gamma[:, None],
            self.amplitude[:, None],
            self.plateau[:, None],
        )


def kohlrausch(
    lag: ArrayLike, tau: ArrayLike, gamma: ArrayLike, amplitude: ArrayLike = 1.0, plateau: ArrayLike = 0.0
) -> Array:
    """Return C∞ + ΔC exp[−(t/τ)^γ], broadcast over all arguments."""
    x = (np.asarray(lag, dtype=np.float64) / np.asarray(tau)) ** np.asarray(gamma)
    return np.asarray(plateau + np.asarray(amplitude) * np.exp(-x))


def mean_time(tau: ArrayLike, gamma: ArrayLike) -> Array:
    """Return τ_mean = (τ/γ) Γ(1/γ).

    Examples
    --------
    >>> float(mean_time(2.0, 1.0)), float(mean_time(1.0, 0.5))
    (2.0, 2.0)
    """
    g = np.asarray(gamma, dtype=np.float64)
    return np.asarray(np.asarray(tau, dtype=np.float64) / g * gamma_function(1.0 / g))


def fit_kohlrausch(
    lag: ArrayLike, curves: ArrayLike, weights: ArrayLike | None = None, baseline: str = "fit"
) -> KohlrauschFit:
    """Fit every curve by weighted least squares.

    Parameters
    ----------
    lag
        (L,) float64, positive, ascending, at least five.
    curves
        (n_curves, L) or (L,) float64.
    weights
        (L,) float64 ≥ 0, of the squared residuals; equal by default.
    baseline
        ``"fit"``: C∞ ≥ 0 is fitted; ``"zero"``: C∞ = 0.

    Returns
    -------
    KohlrauschFit
        γ within ``GAMMA_RANGE`` and τ between a tenth of the first and a hundred times the last lag;
        an estimate that lies on such a bound means that the data do not fix it.

    Raises
    ------
    InputError
        For arrays that do not fit together or an unknown baseline.

    Examples
    --------
    >>> t = np.geomspace(1.0, 100.0, 30)
    >>> fit = fit_kohlrausch(t, kohlrausch(t, 10.0, 0.6, 2.0, 0.5))
    >>> round(float(fit.tau[0]), 4), round(float(fit.gamma[0]), 4)
    (10.0, 0.6)
    """
    fit = fit_shape(lag, curves, weights, baseline)
    return KohlrauschFit(fit.tau, fit.exponent, fit.amplitude, fit.plateau)


def fit_shape(
    lag: ArrayLike,
    curves: ArrayLike,
    weights: ArrayLike | None = None,
    baseline: str = "fit",
    family: str = "kohlrausch",
) -> ShapeFit:
    """Fit every curve with a shape of one of ``FAMILIES``; else as ``fit_kohlrausch``.

    Raises
    ------
    InputError
        For arrays that do not fit together, an unknown baseline or family.
    ComputeError
        When the normal equations of a step have no solution.
    """
    if family not in FAMILIES:
        raise InputError(f"family must be one of {', '.join(FAMILIES)}, got {family!r}")
    log_t, y, w = _checked(lag, curves, weights, baseline)
    scale = np.maximum(np.abs(y).max(axis=1), 1e-300)
    y = y / scale[:, None]
    best = _solve(_Problem(log_t, y, w, True, family))
    if baseline == "fit":
        free = _solve(_Problem(log_t, y, w, False, family))
        best = np.where(free[3] >= 0.0, free, best)  # C∞ ≥ 0 binds where the free one is negative
    log_tau, log_exponent, amplitude, plateau = best
    return ShapeFit(family, np.exp(log_tau), np.exp(log_exponent), amplitude * scale, plateau * scale)


def _solve(problem: "_Problem") -> Array:
    """Return ln τ, ln γ, ΔC and C∞ of every curve, (4, B)."""
    log_tau, log_gamma = _refine(problem, *_grid_start(problem))
    amplitude, plateau, _ = problem.solve(problem.basis(log_tau, log_gamma))
    return np.stack([log_tau, log_gamma, amplitude, plateau])


@dataclass(frozen=True)
class _Problem:
    log_t: Array  # (L,)
    y: Array  # (B, L)
    w: Array  # (L,), sums to 1
    zero_baseline: bool
    family: str = "kohlrausch"

    @property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Of ln τ and ln γ."""
        low, high = FAMILIES[self.family]
        return (
            (float(self.log_t[0] - np.log(10.0)), float(self.log_t[-1] + np.log(100.0))),
            (float(np.log(low)), float(np.log(high))),
        )

    def basis(self, log_tau: Array, log_gamma: Array) -> Array:
        """exp[−(t/τ)^γ] per pair of parameters, (n, L)."""
        x = self.log_t[None, :] - log_tau[:, None]
        if self.family == "power":
            return np.asarray(np.exp(-np.exp(log_gamma)[:, None] * np.log1p(np.exp(x))))
        x = np.exp(log_gamma)[:, None] * x
        return np.asarray(np.exp(-np.exp(np.minimum(x, 50.0))))

    def solve(self, e: Array) -> tuple[Array, Array, Array]:
        """Best ΔC and C∞ for one basis per curve, and the weighted residuals (B, L)."""
        s_e, s_ee = e @ self.w, (e * e) @ self.w
        s_y, s_ye = self.y @ self.w, (e * self.y) @ self.w
        amplitude, plateau = _linear(s_e, s_ee, s_y, s_ye, self.zero_baseline)
        residual = (self.y - plateau[:, None] - amplitude[:, None] * e) * np.sqrt(self.w)
        return amplitude, plateau, residual

    def residual(self, log_tau: Array, log_gamma: Array) -> Array:
        return self.solve(self.basis(log_tau, log_gamma))[2]


def _linear(s_e: Array, s_ee: Array, s_y: Array, s_ye: Array, zero: bool) -> tuple[Array, Array]:
    """Solve the normal equations for (ΔC, C∞)."""
    if zero:
        amplitude = s_ye / np.maximum(s_ee, 1e-300)
        return amplitude, np.zeros_like(amplitude)
    amplitude = (s_ye - s_e * s_y) / np.maximum(s_ee - s_e**2, 1e-14)
    return amplitude, s_y - amplitude * s_e


_START_EXPONENTS = {
    "kohlrausch": np.log([0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.25]),
    "exponential": np.zeros(1),
    "power": np.log([0.3, 0.6, 1.0, 2.0, 4.0, 8.0]),
}


def _grid_start(problem: _Problem) -> tuple[Array, Array]:
    """Best node of a grid in ln τ and ln γ for every curve."""
    (tau_low, tau_high), _ = problem.bounds
    taus = np.linspace(tau_low + np.log(3.0), tau_high - np.log(3.0), 30)
    gammas = _START_EXPONENTS[problem.family]
    log_tau, log_gamma = (a.ravel() for a in np.meshgrid(taus, gammas, indexing="ij"))
    e = problem.basis(log_tau, log_gamma)  # (G, L), the same for all curves
    s_e, s_ee = e @ problem.w, (e * e) @ problem.w
    s_y = (problem.y @ problem.w)[:, None]
    s_ye = (problem.y * problem.w) @ e.T
    amplitude, plateau = _linear(s_e[None, :], s_ee[None, :], s_y, s_ye, problem.zero_baseline)
    # squared residual without the constant Σ w y²
    cost = (
        amplitude**2 * s_ee + plateau**2 - 2 * amplitude * s_ye - 2 * plateau * s_y
    ) + 2 * amplitude * plateau * s_e
    best = np.argmin(cost, axis=1)
    return log_tau[best], log_gamma[best]


def _refine(problem: _Problem, log_tau: Array, log_gamma: Array, steps: int = 100) -> tuple[Array, Array]:
    """Levenberg–Marquardt in (ln τ, ln γ) within the bounds, all curves together until each is done."""
    parameters = np.stack([log_tau, log_gamma])
    low, high = (np.array(b)[:, None] for b in zip(*problem.bounds, strict=True))
    damping = np.full(log_tau.shape, 1e-2)
    active = np.arange(len(log_tau))
    for _ in range(steps):
        part = replace(problem, y=problem.y[active])
        now = parameters[:, active]
        step, cost = _damped_step(part, now, damping[active])
        trial = np.clip(now + np.clip(step, -1.0, 1.0), low, high)
        better = np.sum(part.residual(*trial) ** 2, axis=1) < cost
        parameters[:, active] = np.where(better, trial, now)
        factor = np.where(better, 0.2, 8.0)
        damping[active] = np.clip(damping[active] * factor, 1e-9, 1e9)
        done = np.where(better, np.abs(trial - now).max(axis=0) < 1e-6, damping[active] > 1e4)
        active = active[~done]
        if len(active) == 0:
            break
    return parameters[0], parameters[1]


def _damped_step(problem: _Problem, at: Array, damping: Array) -> tuple[Array, Array]:
    """Return the damped Gauss–Newton step (2, B) and the cost (B,) at (ln τ, ln γ)."""
    h = 1e-5
    residual = problem.residual(at[0], at[1])
    jacobian = np.stack(
        [
            (problem.residual(at[0] + h, at[1]) - residual) / h,
            (problem.residual(at[0], at[1] + h) - residual) / h,
        ]
    )
    normal = np.einsum("abl,cbl->bac", jacobian, jacobian)
    gradient = np.einsum("abl,bl->ba", jacobian, residual)
    diagonal = np.einsum("baa->ba", normal)
    normal = normal + (damping[:, None] * diagonal + 1e-14)[:, :, None] * np.eye(2)
    try:
        step = -np.linalg.solve(normal, gradient[..., None])[..., 0].T
    except np.linalg.LinAlgError as error:
        raise ComputeError(f"fit of a decay: the normal equations have no solution: {error}") from error
    return step, np.sum(residual**2, axis=1)


def _checked(
    lag: ArrayLike, curves: ArrayLike, weights: ArrayLike | None, baseline: str
) -> tuple[Array, Array, Array]:
    if baseline not in BASELINES:
        raise InputError(f"baseline must be one of {', '.join(BASELINES)}, got {baseline!r}")
    t = np.asarray(lag, dtype=np.float64)
    y = np.atleast_2d(np.asarray(curves, dtype=np.float64))
    if t.ndim != 1 or len(t) < 5 or t[0] <= 0 or np.any(np.diff(t) <= 0):
        raise InputError(f"lag must hold at least five positive ascending times, got {len(t)} values")
    if y.ndim != 2 or y.shape[1] != len(t) or not np.all(np.isfinite(y)):
        raise InputError(f"curves must be finite with the shape (n, {len(t)}), got {np.shape(curves)}")
    w = np.ones(len(t)) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != t.shape or np.any(w < 0) or not np.all(np.isfinite(w)) or w.sum() == 0:
        raise InputError(f"weights must be {len(t)} finite numbers ≥ 0, not all zero")
    return np.log(t), y, w / w.sum()
