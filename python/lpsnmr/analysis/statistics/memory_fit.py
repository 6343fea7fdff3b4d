"""Line through an MSD of ions that remember where they came from.

An ion that jumps back more often than elsewhere has MSD = b + 6Dt + A(1 − e^(−t/τ)): exactly so on a
lattice where each jump goes back with a probability p beyond chance, with τ = 1/(Γ(1 + p)) and
A = 2p a²/(1 + p)². For lags of a few τ the bend can be too small to be seen and still raise the slope far
beyond its error. So it is not looked for but always allowed for: τ is known roughly from the jumps
themselves, A by its size, and D is averaged over what the data leave open (Bayesian model averaging; the
likelihood is that of generalised least squares).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from lpsnmr.analysis.statistics.least_squares import msd_covariance
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.typing import Array

__all__ = ["MemoryFit", "MemoryPrior", "fit_with_memory", "memory_of_jumps"]

TIME_SPREAD = 0.6
"""Standard deviation of ln τ about its guess; the memory of one kind of jump is 1 … 1/2 residence times."""
TIMES = np.linspace(-2.0, 2.0, 9)
"""Where ln τ is tried, in standard deviations."""
AMPLITUDE = 0.5
"""Standard deviation of A over ⟨a²⟩; 2p/(1 + p)² is never larger."""
ITERATIONS = 3


@dataclass(frozen=True)
class MemoryPrior:
    """What is known of the memory before the MSD is looked at.

    Attributes
    ----------
    times_ps, weights
        (K,) times τ, ps, and their probabilities.
    amplitude_angstrom2
        Standard deviation of A about zero, Å².
    """

    times_ps: Array
    weights: Array
    amplitude_angstrom2: float

    @property
    def typical_ps(self) -> float:
        """Geometric mean of the times, ps."""
        return float(np.exp(self.weights @ np.log(self.times_ps)))


def memory_of_jumps(residence_ps: float, mean_square_length: float) -> MemoryPrior:
    """Return what a residence time, ps, and ⟨a²⟩, Å², of the jumps say of the memory.

    Raises
    ------
    InputError
        For a time or length that is not positive.

    Examples
    --------
    >>> round(memory_of_jumps(50.0, 9.0).typical_ps, 6)
    50.0
    """
    if not (residence_ps > 0 and mean_square_length > 0):
        raise InputError(
            "memory of jumps: expected a positive residence time and length, got "
            f"{residence_ps:g} ps and {mean_square_length:g} Å²"
        )
    weights = np.exp(-0.5 * TIMES**2)
    return MemoryPrior(
        residence_ps * np.exp(TIME_SPREAD * TIMES), weights / weights.sum(), AMPLITUDE * mean_square_length
    )


@dataclass(frozen=True)
class MemoryFit:
    """MSD = offset + slope t + amplitude (1 − e^(−t/τ)), averaged over τ.

    Attributes
    ----------
    slope, offset, amplitude
        Å²/ps, Å² and Å².
    slope_variance, open_variance
        Of the slope, (Å²/ps)²: of the walk and the amplitude at given τ, and of τ.
    weights
        (L,) with slope = weights · msd.
    posterior
        τ after the MSD was looked at.
    """

    slope: float
    offset: float
    amplitude: float
    slope_variance: float
    open_variance: float
    weights: Array
    posterior: MemoryPrior

    def __call__(self, lag_ps: Array) -> Array:
        """Return the fitted MSD, Å²."""
        times = self.posterior.times_ps
        bend = (1.0 - np.exp(-lag_ps[:, None] / times)) @ self.posterior.weights
        return np.asarray(self.offset + self.slope * lag_ps + self.amplitude * bend)


def fit_with_memory(
    lag_ps: Array,
    msd: Array,
    spacing_ps: Array,
    duration_ps: float,
    n_walkers: float,
    prior: MemoryPrior,
) -> MemoryFit:
    """Fit an MSD whose slope is still changing.

    Parameters
    ----------
    lag_ps, msd, spacing_ps
        (L ≥ 3,) lags in ps, MSD in Å², spacing of time origins in ps.
    duration_ps
        Length of the trajectory, ps.
    n_walkers
        Independent walkers behind the MSD; fewer where they scatter more than random walks do.
    prior
        What is known of the memory.

    Raises
    ------
    InputError
        For fewer than three lags.
    ComputeError
        When the covariance of the lags has no inverse.
    """
    if len(lag_ps) < 3:
        raise InputError(f"a line through an MSD needs three lags, got {len(lag_ps)}")
    smallest = 1e-3 * float(np.max(msd / lag_ps)) / 6.0
    diffusion, noise, amplitude, time = float(msd[-1] / lag_ps[-1]) / 6.0, 0.0, 0.0, prior.typical_ps
    try:
        for _ in range(ITERATIONS):
            covariance = msd_covariance(
                lag_ps, spacing_ps, duration_ps, max(diffusion, smallest), noise, amplitude, time
            )
            fit = _average(lag_ps, msd, covariance / n_walkers, prior)
            diffusion, noise = fit.slope / 6.0, max(fit.offset, 0.0) / 6.0
            amplitude, time = max(fit.amplitude, 0.0), fit.posterior.typical_ps
    except np.linalg.LinAlgError as error:
        raise ComputeError(f"line through an MSD: its covariance has no inverse: {error}") from error
    return fit


def _average(lag_ps: Array, msd: Array, covariance: Array, prior: MemoryPrior) -> MemoryFit:
    """Fit at every τ of the prior and average with their evidence."""
    norm = np.sqrt(np.diag(covariance))
    factor = cho_factor(covariance / np.outer(norm, norm) + 1e-6 * np.eye(len(norm)))
    evidence, estimators, variances, found = [], [], [], []
    known = prior.amplitude_angstrom2**-2
    for time in prior.times_ps:
        columns = (np.ones_like(lag_ps), lag_ps, 1.0 - np.exp(-lag_ps / time))
        design = np.stack(columns, axis=1) / norm[:, None]
        whitened = cho_solve(factor, design)
        normal = design.T @ whitened
        normal[2, 2] += known
        inverse = np.linalg.inv(normal)
        weights = inverse @ (whitened / norm[:, None]).T
        values = weights @ msd
        rest = msd / norm - design @ values
        misfit = float(rest @ cho_solve(factor, rest)) + known * values[2] ** 2
        evidence.append(-0.5 * (misfit + np.linalg.slogdet(normal)[1]))
        estimators.append(weights[1])
        variances.append(inverse[1, 1])
        found.append(values)
    share = prior.weights * np.exp(np.array(evidence) - max(evidence))
    share /= share.sum()
    values = np.array(found)
    offset, slope, amplitude = (float(v) for v in share @ values)
    return MemoryFit(
        slope, offset, amplitude,
        slope_variance=float(share @ np.array(variances)),
        open_variance=float(share @ (values[:, 1] - slope) ** 2),
        weights=share @ np.array(estimators),
        posterior=MemoryPrior(prior.times_ps, share, prior.amplitude_angstrom2),
    )  # fmt: skip
