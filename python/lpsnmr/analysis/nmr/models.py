"""Which form a decay has: Kohlrausch, exponential or power law, by AIC and BIC.

Values of C at different lags are strongly correlated, and a sum of squared residuals that takes them as
independent decides between models far too readily. Here residuals are weighed with the inverse of the
covariance between lags, estimated from the resampled curves, at a few lags spread over ln t:

    χ² = r Σ⁻¹ r,   AIC = χ² + 2k,   BIC = χ² + k ln n,

with k parameters and n lags. H. Akaike, IEEE Trans. Autom. Control 19, 716 (1974),
doi:10.1109/TAC.1974.1100705; G. Schwarz, Ann. Stat. 6, 461 (1978), doi:10.1214/aos/1176344136.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, nnls

from lpsnmr.analysis.nmr.kohlrausch import FAMILIES, ShapeFit, shape
from lpsnmr.typing import Array

__all__ = ["ModelFit", "compare_models"]


MAX_LAGS = 12
SHRINKAGE = 0.02
"""Share of the diagonal in the covariance; keeps it invertible when few Li or blocks were resampled."""


@dataclass(frozen=True)
class ModelFit:
    """One form fitted to C(t) by generalised least squares.

    Attributes
    ----------
    name
        ``"kohlrausch"``, ``"exponential"`` or ``"power"``.
    tau_ps, exponent
        τ in ps, and γ or α (1 for the exponential).
    amplitude, plateau
        ΔC and C∞, unit of C.
    n_parameters, n_lags
        k and n.
    chi_squared, aic, bic
        As in the module's docstring.
    akaike_weight
        exp(−ΔAIC/2) relative to the sum over the models.
    """

    name: str
    tau_ps: float
    exponent: float
    amplitude: float
    plateau: float
    n_parameters: int
    n_lags: int
    chi_squared: float
    aic: float
    bic: float
    akaike_weight: float = float("nan")


def compare_models(
    lag_ps: Array, curve: Array, curves: Array, n_units: int, starts: list[ShapeFit], baseline: str = "fit"
) -> list[ModelFit]:
    """Fit every family and return them by ascending AIC.

    Parameters
    ----------
    lag_ps, curve
        (L,) float64, the lags fitted and C.
    curves
        (B, L) float64, resampled curves; their covariance is that of ``curve``.
    n_units
        Li or blocks resampled; corrects the covariance and its inverse for being an estimate
        (J. Hartlap, P. Simon, P. Schneider, Astron. Astrophys. 464, 399 (2007),
        doi:10.1051/0004-6361:20066170).
    starts
        A fit of each family to start from.
    baseline
        ``"fit"``: C∞ ≥ 0 is fitted; ``"zero"``: C∞ = 0.
    """
    n_lags = int(np.clip(n_units - 4, 5, min(MAX_LAGS, len(lag_ps))))
    wanted = np.geomspace(lag_ps[0], lag_ps[-1], n_lags)
    chosen = np.unique(np.abs(np.log(lag_ps[:, None] / wanted)).argmin(axis=0))
    whitener = _whitener(curves[:, chosen], n_units)
    t, y = lag_ps[chosen], curve[chosen]
    fits = [_fit(start, t, y, whitener, baseline) for start in starts]
    best = min(fit.aic for fit in fits)
    weights = np.exp(-0.5 * np.array([fit.aic - best for fit in fits]))
    weights /= weights.sum()
    weighted = [
        ModelFit(**{**vars(fit), "akaike_weight": float(w)}) for fit, w in zip(fits, weights, strict=True)
    ]
    return sorted(weighted, key=lambda fit: fit.aic)


def _whitener(curves: Array, n_units: int) -> Array:
    """Return W with Σ⁻¹ = WᵀW."""
    covariance = np.cov(curves, rowvar=False) * n_units / (n_units - 1)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.diag(np.diag(covariance))
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    values = np.maximum(values, 1e-6)
    hartlap = max((n_units - len(scale) - 2) / (n_units - 1), 0.1)
    return np.asarray(np.sqrt(hartlap) * (vectors / np.sqrt(values)).T / scale)


def _fit(start: ShapeFit, t: Array, y: Array, whitener: Array, baseline: str) -> ModelFit:
    family, scale = start.family, float(np.abs(y).max())
    target = whitener @ y
    norm = float(np.linalg.norm(target))

    def linear(x: Array) -> tuple[Array, Array]:
        """Best ΔC and C∞ ≥ 0 for given shape, and the whitened residuals."""
        columns = [shape(family, t, np.exp(x[0]), np.exp(x[1]) if len(x) > 1 else 1.0)]
        if baseline == "fit":
            columns.append(np.ones_like(t))
        matrix = whitener @ np.stack(columns, axis=1) * scale
        solution = nnls(matrix / norm, target / norm)[0]
        return solution * scale, matrix @ solution - target

    free = family != "exponential"
    low, high = FAMILIES[family]
    lower = [np.log(t[0] / 10), np.log(low)][: 1 + free]
    upper = [np.log(t[-1] * 100), np.log(high)][: 1 + free]
    first = np.array([np.log(start.tau[0]), np.log(start.exponent[0])])[: 1 + free]
    first = np.clip(first, np.array(lower) + 1e-6, np.array(upper) - 1e-6)
    found = least_squares(lambda x: linear(x)[1], first, bounds=(lower, upper), x_scale=1.0)
    amplitudes, residual = linear(found.x)
    chi_squared = float(residual @ residual)
    k = len(found.x) + len(amplitudes)
    return ModelFit(
        name=family,
        tau_ps=float(np.exp(found.x[0])),
        exponent=float(np.exp(found.x[1])) if free else 1.0,
        amplitude=float(amplitudes[0]),
        plateau=float(amplitudes[1]) if baseline == "fit" else 0.0,
        n_parameters=k,
        n_lags=len(t),
        chi_squared=chi_squared,
        aic=chi_squared + 2 * k,
        bic=chi_squared + k * float(np.log(len(t))),
    )
