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

LEVELS = {"within_1_sigma": 1.0, "within_1.96_sigma": 1.959963984540054}


@dataclasses.dataclass(frozen=True)
class Calibration:
    """σ² = floor² + scale² · spread²; ``floor`` in V/Å², ``scale`` in V/Å² over the unit of the spread."""

    floor: float
    scale: float

    def sigma(self, spread: Array) -> Array:
        """Return the standard deviation per component, V/Å², of the shape of ``spread``."""
        return np.sqrt(self.floor**2 + (self.scale * spread) ** 2)


def calibrate(spread: Array, errors: Array) -> Calibration:
    """Fit floor and scale so that errors are most likely under a normal distribution.

    Parameters
    ----------
    spread
        (targets,) spread of the prediction of each target, any unit.
    errors
        (targets, components) predicted minus reference, V/Å².

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

    def parts(logs: Array) -> Array:
        return np.exp(np.clip(logs, -20.0, 20.0))

    def badness(logs: Array) -> float:
        floor, scale = parts(logs)
        variance = typical**2 * (floor**2 + scale**2 * relative)
        return float(np.mean(0.5 * square / variance + 0.5 * components * np.log(variance)))

    # the tolerance of the likelihood asks for more than the data can tell apart
    found = minimize(badness, np.array([-0.7, -0.3]), method="Nelder-Mead", options={"fatol": 1e-8})
    floor, scale = parts(found.x)
    return Calibration(float(typical * floor), float(typical * scale / unit))


def cross_calibrated(spread: Array, errors: Array, folds: Sequence[NDArray[np.int64]]) -> Array:
    """Return σ of every target from the calibration on the other folds: (targets,), V/Å².

    ``folds`` are the target indices of each fold. With one fold all of it is used.
    """
    sigma = np.empty(len(spread))
    for held in folds:
        others = np.setdiff1d(np.arange(len(spread)), held)
        chosen = others if len(others) else held
        sigma[held] = calibrate(spread[chosen], errors[chosen]).sigma(spread[held])
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
