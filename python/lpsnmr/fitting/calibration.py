"""Predictive uncertainty: spread of a committee, calibrated on held-out runs.

The committee are draws from the posterior of the ridge regression; its spread is the part of the error
that more data of the same kind would take away. The rest, and the size of the spread, are fitted to the
errors of runs the weights had not seen: σ² = floor² + scale² · spread², per component, in V/Å².
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from lpsnmr.typing import Array

__all__ = ["Calibration", "calibrate", "coverage", "cross_calibrated"]

LEAST_TARGETS = 50
"""Groups of fewer targets are taken together: their coverage would be noise."""
LEVELS = {"within_1_sigma": 1.0, "within_1.96_sigma": 1.959963984540054}


@dataclasses.dataclass(frozen=True)
class Calibration:
    """σ² = floor² + scale² · spread²; ``floor`` in V/Å², ``scale`` in V/Å² over the unit of the spread."""

    floor: float
    scale: float

    def sigma(self, spread: Array) -> Array:
        """Return the standard deviation per component, V/Å², of the shape of ``spread``."""
        return np.sqrt(self.floor**2 + (self.scale * spread) ** 2)


def calibrate(spread: Array, errors: Array, groups: Sequence[str] | None = None) -> Calibration:
    """Fit floor and scale so that errors are most likely under a normal distribution.

    With groups each counts the same, however many targets it has, and σ is then multiplied so that the part
    of the errors within 1.96 σ is as far above 95 % in the surest group as below it in the least sure.

    Parameters
    ----------
    spread
        (targets,) spread of the prediction of each target, any unit.
    errors
        (targets, components) predicted minus reference, V/Å².
    groups
        (targets,) names of kinds of environments for which the one σ is to hold alike.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> spread = rng.uniform(0.5, 2.0, 4000)
    >>> found = calibrate(spread, rng.normal(size=(4000, 5)) * 3.0 * spread[:, None])
    >>> round(found.scale, 1)
    3.0
    """
    square, components = np.sum(errors**2, axis=1), errors.shape[1]
    typical = max(float(np.sqrt(np.mean(square) / components)), 1e-12)
    unit = max(float(np.sqrt(np.mean(spread**2))), 1e-300)
    relative = (spread / unit) ** 2
    masks = _masks(groups)
    shares = np.ones(len(spread))
    for mask in masks:
        shares[mask] = len(spread) / (len(masks) * mask.sum())

    def parts(logs: Array) -> Array:
        return np.exp(np.clip(logs, -20.0, 20.0))

    def badness(logs: Array) -> float:
        floor, scale = parts(logs)
        variance = typical**2 * (floor**2 + scale**2 * relative)
        likelihood = 0.5 * square / variance + 0.5 * components * np.log(variance)
        return float(np.mean(shares * likelihood))

    # the tolerance of the likelihood asks for more than the data can tell apart
    found = minimize(badness, np.array([-0.7, -0.3]), method="Nelder-Mead", options={"fatol": 1e-8})
    floor, scale = parts(found.x)
    factor = _levelled(typical * np.sqrt(floor**2 + scale**2 * relative), errors, masks)
    return Calibration(float(factor * typical * floor), float(factor * typical * scale / unit))


def _masks(groups: Sequence[str] | None) -> list[NDArray[np.bool_]]:
    """Return which targets are of each group that is large enough to have a coverage; none for one group."""
    if groups is None:
        return []
    names = np.asarray(groups)
    found = [names == name for name in dict.fromkeys(names.tolist())]
    small = [mask for mask in found if mask.sum() < LEAST_TARGETS]
    large = [mask for mask in found if mask.sum() >= LEAST_TARGETS]
    if small:
        large.append(np.any(small, axis=0))
    return large if len(large) > 1 else []


def _levelled(sigma: Array, errors: Array, masks: Sequence[NDArray[np.bool_]]) -> float:
    """Return by what σ is multiplied to put the groups' 95 % quantiles about 1.96, in equal ratio."""
    if not masks:
        return 1.0
    quantiles = [np.quantile(np.abs(errors[mask]) / sigma[mask, None], 0.95) for mask in masks]
    return float(np.sqrt(min(quantiles) * max(quantiles)) / LEVELS["within_1.96_sigma"])


def cross_calibrated(
    spread: Array,
    errors: Array,
    folds: Sequence[NDArray[np.int64]],
    groups: Sequence[str] | None = None,
) -> Array:
    """Return σ of every target from the calibration on the other folds: (targets,), V/Å².

    ``folds`` are the target indices of each fold. With one fold all of it is used. ``groups`` as for
    ``calibrate``.
    """
    sigma = np.empty(len(spread))
    names = None if groups is None else np.asarray(groups)
    for held in folds:
        others = np.setdiff1d(np.arange(len(spread)), held)
        chosen = others if len(others) else held
        of_chosen = None if names is None else names[chosen].tolist()
        sigma[held] = calibrate(spread[chosen], errors[chosen], of_chosen).sigma(spread[held])
    return sigma


def coverage(errors: Array, sigma: Array) -> dict[str, Any]:
    """Tell which part of the components lies within 1 σ and 1.96 σ (68.3 and 95 % if normal).

    ``z_rms`` is the RMS of error over σ: above 1, σ is too small. ``sigma_mean`` in V/Å².

    Parameters
    ----------
    errors
        (targets, components) V/Å².
    sigma
        (targets,) V/Å².
    """
    z = np.abs(errors) / sigma[:, None]
    return {
        **{name: float(np.mean(z <= level)) for name, level in LEVELS.items()},
        "z_rms": float(np.sqrt(np.mean(z**2))),
        "sigma_mean": float(np.mean(sigma)),
    }
