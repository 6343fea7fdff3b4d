"""Arrhenius parameters of a network from counts of jumps and waiting times at several temperatures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.network.model import JumpNetwork
from lpsnmr.typing import Array
from lpsnmr.units import BOLTZMANN_EV_PER_K

__all__ = ["JumpCounts", "NetworkFit", "Prior", "fit_rates"]

RARE = 10
"""A class of jumps with fewer counts than this is told."""
TAIL_FREEDOM = 7.0


@dataclass(frozen=True)
class JumpCounts:
    """What a run at one temperature says of each edge.

    Attributes
    ----------
    temperature_k
        K.
    jumps
        (e, 2) float64, jumps along each edge forth and back.
    waiting_s
        (n,) float64, time that ions were at each site, s, of all ions together.
    dispersion
        Variance of the counts over that of independent jumps, 1 or more.
    """

    temperature_k: float
    jumps: Array
    waiting_s: Array
    dispersion: float = 1.0


@dataclass(frozen=True)
class Prior:
    """Normal distributions that keep what is never seen within reason.

    Attributes
    ----------
    energy_ev, entropy
        Standard deviations of ε (eV) and s of classes of sites, about 0.
    saddle_ev
        Mean and standard deviation of E, eV.
    log_prefactor
        Mean and standard deviation of ln ν, ν in 1/s.
    """

    energy_ev: float = 0.3
    entropy: float = 3.0
    saddle_ev: tuple[float, float] = (0.35, 0.3)
    log_prefactor: tuple[float, float] = (29.0, 3.0)


@dataclass(frozen=True)
class NetworkFit:
    """The network of highest probability, and draws from the posterior.

    Attributes
    ----------
    network
        At the maximum.
    draws
        (d, parameters) float64, equally probable; ``sample`` makes networks of them.
    covariance
        (parameters, parameters) at the maximum.
    effective_draws
        Independent draws that the weights are worth; near d when the posterior is close to normal.
    counts
        (jump classes,) jumps seen.
    rare
        One line for each class of jumps that was seen too rarely to say its rate.
    chi2, freedom
        Deviance of the counts pooled by class of edge, and degrees of freedom.
    """

    network: JumpNetwork
    draws: Array
    covariance: Array
    effective_draws: float
    counts: Array
    rare: tuple[str, ...]
    chi2: float
    freedom: int

    def sample(self, index: int) -> JumpNetwork:
        """Return the network of one draw."""
        return _with(self.network, self.draws[index])

    def interval(self, quantity: Callable[[JumpNetwork], float], level: float = 0.95) -> Interval:
        """Return a quantity of the network with the interval that the draws give it."""
        values = np.array([quantity(self.sample(i)) for i in range(len(self.draws))])
        tail = 0.5 - 0.5 * level
        low, high = np.quantile(values, [tail, 1.0 - tail])
        return Interval(float(quantity(self.network)), float(low), float(high))


def fit_rates(
    network: JumpNetwork,
    counts: Sequence[JumpCounts],
    *,
    prior: Prior | None = None,
    n_draws: int = 400,
    seed: int = 1,
) -> NetworkFit:
    """Fit all energies and prefactors to all temperatures at once.

    The likelihood of paths of a Markov chain is Π k_ij^N_ij exp(−k_ij t_i): Poisson counts, with the waiting
    times as exposures. ln k is linear in the parameters, so there is one maximum, found by Newton's method.
    Occupations are not fitted apart: with detailed balance N_ij/t_i over N_ji/t_j is their ratio. The
    posterior is drawn from a Student distribution about the maximum and weighted, so that it need not be
    normal.

    Parameters
    ----------
    network
        Sites, edges and classes; its energies and prefactors are the start. The first class of sites is
        the zero of energy.
    counts
        One for each run.
    prior
        See ``Prior``.
    n_draws, seed
        Of the posterior.

    Raises
    ------
    InputError
        When counts do not fit the network, or there are none.
    ComputeError
        When no maximum is found.
    """
    prior = prior or Prior()
    counted = [_checked(network, one) for one in counts]
    if not counted or sum(one.jumps.sum() for one in counted) == 0:
        raise InputError("network fit: no jumps at any temperature")
    rows, exposure, seen = _pooled(network, counted)
    centre, precision = _prior_of(network, prior)

    def log_posterior(x: Array) -> Array:
        eta = x @ rows.T
        away = x - centre
        return np.asarray(eta @ seen - np.exp(np.minimum(eta, 300)) @ exposure - 0.5 * (away**2) @ precision)

    best = _maximum(rows, exposure, seen, centre, precision, log_posterior)
    weight = exposure * np.exp(rows @ best)
    curvature = rows.T @ (weight[:, None] * rows) + np.diag(precision)
    factor = np.linalg.cholesky(curvature)
    draws, effective = _draw(best, factor, log_posterior, n_draws, seed)
    covariance = np.asarray(cho_solve((factor, True), np.eye(len(best))))
    by_class = np.bincount(
        network.edge_class, sum(one.jumps.sum(axis=1) for one in counted), minlength=len(network.saddle_ev)
    ).astype(np.float64)
    expected = weight[seen > 0]
    deviance = 2.0 * float(np.sum(seen[seen > 0] * np.log(seen[seen > 0] / expected)) + np.sum(weight - seen))
    return NetworkFit(
        _with(network, best), draws, covariance, effective, by_class, _rare(network, by_class), deviance,
        int((exposure > 0).sum()) - len(best),
    )  # fmt: skip


def _checked(network: JumpNetwork, one: JumpCounts) -> JumpCounts:
    shapes = {"jumps": network.edges.shape, "waiting_s": (network.n_sites,)}
    for name, shape in shapes.items():
        value = np.asarray(getattr(one, name))
        if value.shape != shape or not np.all(np.isfinite(value)) or np.any(value < 0):
            raise InputError(
                f"counts at {one.temperature_k:g} K: {name}: expected {shape} numbers, "
                f"0 or more, got {value.shape}"
            )
    if not (one.temperature_k > 0 and one.dispersion >= 1):
        raise InputError(
            f"counts: expected a temperature above 0 K and a dispersion of 1 or more, got "
            f"{one.temperature_k:g} and {one.dispersion:g}"
        )
    return one


def _pooled(network: JumpNetwork, counts: Sequence[JumpCounts]) -> tuple[Array, Array, Array]:
    """Return rows of the linear model of ln k, exposures and counts of all kinds of edge and temperatures."""
    n_sites, n_jumps = len(network.energy_ev), len(network.saddle_ev)
    kind = network.edge_class[:, None] * n_sites + network.site_class[network.edges]  # (e, 2)
    rows, exposure, seen = [], [], []
    for one in counts:
        beta = 1.0 / (BOLTZMANN_EV_PER_K * one.temperature_k)
        times = np.bincount(kind.ravel(), one.waiting_s[network.edges].ravel(), minlength=n_sites * n_jumps)
        jumps = np.bincount(kind.ravel(), one.jumps.ravel(), minlength=n_sites * n_jumps)
        for index in np.unique(kind):
            jump, site = divmod(int(index), n_sites)
            row = np.zeros(2 * n_sites + 2 * n_jumps)
            row[site], row[n_sites + site] = beta, -1.0
            row[2 * n_sites + jump], row[2 * n_sites + n_jumps + jump] = -beta, 1.0
            rows.append(row)
            exposure.append(times[index] / one.dispersion)
            seen.append(jumps[index] / one.dispersion)
    return np.array(rows), np.array(exposure), np.array(seen)


def _prior_of(network: JumpNetwork, prior: Prior) -> tuple[Array, Array]:
    """Return means and inverse variances; the first class of sites is held at zero."""
    n, k = len(network.energy_ev), len(network.saddle_ev)
    centre = np.concatenate(
        [np.zeros(2 * n), np.full(k, prior.saddle_ev[0]), np.full(k, prior.log_prefactor[0])]
    )
    spread = np.concatenate([
        np.full(n, prior.energy_ev), np.full(n, prior.entropy), np.full(k, prior.saddle_ev[1]),
        np.full(k, prior.log_prefactor[1]),
    ])  # fmt: skip
    spread[[0, n]] = 1e-6
    return centre, spread**-2.0


def _maximum(
    rows: Array,
    exposure: Array,
    seen: Array,
    centre: Array,
    precision: Array,
    log_posterior: Callable[[Array], Array],
) -> Array:
    x = centre.copy()
    value = float(log_posterior(x))
    for _ in range(400):
        mean = exposure * np.exp(np.minimum(rows @ x, 300))
        gradient = rows.T @ (seen - mean) - precision * (x - centre)
        factor = cho_factor(rows.T @ (mean[:, None] * rows) + np.diag(precision))
        step = cho_solve(factor, gradient)
        decrement = float(gradient @ step)
        if decrement < 1e-10:
            return np.asarray(x + step)
        length = 1.0
        while length > 1e-12:
            trial = float(log_posterior(x + length * step))
            if trial >= value + 1e-4 * length * decrement:
                break
            length *= 0.5
        x, value = x + length * step, trial
    raise ComputeError("network fit: no maximum of the likelihood found in 400 steps")


def _draw(
    best: Array, factor: Array, log_posterior: Callable[[Array], Array], n: int, seed: int
) -> tuple[Array, float]:
    """Return draws by weighting those of a Student distribution, and what their weights are worth."""
    rng = np.random.default_rng(seed)
    trials, size = 8 * n, len(best)
    normal = rng.standard_normal((trials, size))
    chi2 = rng.chisquare(TAIL_FREEDOM, trials) / TAIL_FREEDOM
    x = best + solve_triangular(factor.T, normal.T).T / np.sqrt(chi2)[:, None]
    square = (normal**2).sum(axis=1) / chi2
    log_weight = log_posterior(x) + 0.5 * (TAIL_FREEDOM + size) * np.log1p(square / TAIL_FREEDOM)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    return x[rng.choice(trials, n, p=weight)], float(n * min(1.0, 1.0 / (trials * (weight**2).sum()) * 8.0))


def _with(network: JumpNetwork, x: Array) -> JumpNetwork:
    n, k = len(network.energy_ev), len(network.saddle_ev)
    return network.with_parameters(x[:n], x[n : 2 * n], x[2 * n : 2 * n + k], x[2 * n + k :])


def _rare(network: JumpNetwork, by_class: Array) -> tuple[str, ...]:
    names = network.jump_names or tuple(f"class {k}" for k in range(len(by_class)))
    return tuple(
        f"jumps {name}: {count:g} seen, fewer than {RARE}: their rate is largely the prior's"
        for name, count in zip(names, by_class, strict=True)
        if count < RARE
    )
