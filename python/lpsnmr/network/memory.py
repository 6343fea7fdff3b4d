"""A memory of one jump in detailed balance: a place to jump to opens, and closes again."""

from dataclasses import dataclass

import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.network.exchange import Modes
from lpsnmr.network.model import JumpNetwork
from lpsnmr.typing import Array

__all__ = ["MemoryTest", "encounter_share", "memory_test", "with_memory"]

SIGNIFICANT = 2.0


@dataclass(frozen=True)
class MemoryTest:
    """The network against a run at the same temperature.

    Attributes
    ----------
    backward_network, backward_run
        Share of jumps that lead back to the site before.
    excess_sigma
        Their difference in standard errors of the run's.
    diffusion_network, diffusion_run
        D, cm²/s; NaN when unknown.
    passed
        Whether a chain without memory does: no significant excess of jumps back.
    """

    backward_network: float
    backward_run: float
    excess_sigma: float
    diffusion_network: float
    diffusion_run: float
    passed: bool


def memory_test(
    network: JumpNetwork,
    temperature_k: float,
    backward: float,
    jumps: float,
    *,
    dispersion: float = 1.0,
    diffusion_run: float = float("nan"),
) -> MemoryTest:
    """Compare jumps back and D with those of a run.

    Parameters
    ----------
    network, temperature_k
        The chain without memory, at the temperature of the run, K.
    backward, jumps
        Jumps back to the site before, and all jumps, of the run.
    dispersion
        Variance of its counts over that of independent jumps.
    diffusion_run
        D of the run, cm²/s.
    """
    if not 0 <= backward <= jumps or jumps <= 0:
        raise InputError(
            f"memory test: expected jumps back between 0 and all jumps, got {backward:g} of {jumps:g}"
        )
    expected, seen = network.backward_share(temperature_k), backward / jumps
    error = np.sqrt(max(expected * (1.0 - expected), 1.0 / jumps) * dispersion / jumps)
    sigma = float((seen - expected) / error)
    diffusion = float("nan")
    if network.vectors is not None:
        diffusion = float(np.trace(network.diffusion_cm2_per_s(temperature_k)) / 3.0)
    return MemoryTest(expected, seen, sigma, diffusion, diffusion_run, abs(sigma) < SIGNIFICANT)


def encounter_share(network: JumpNetwork, temperature_k: float, backward_share: float) -> float:
    """Return how often an ion must go back before its old place closes, for this share of jumps back.

    B = b + (1 − b) B_chain: what does not go back at once jumps as the chain does.
    """
    chain = network.backward_share(temperature_k)
    return float(np.clip((backward_share - chain) / (1.0 - chain), 0.0, 0.999)) if chain < 1 else 0.0


def with_memory(
    network: JumpNetwork, temperature_k: float, share: float, closing_per_s: float
) -> tuple[Modes, Array]:
    """Return the modes and tensors of a network that remembers one jump.

    Every edge i – j gets two states of its own, i with j open and j with i open. Places open and close at
    random; a jump is only from one of the two to the other. The share b of the jumps is taken back before the
    place closes with the rate r: the rate of the jump is k = r b/(1 − b), and the occupation of the two
    states p_i k_ij/k each, so that the number of jumps in a second is that of the network. It is in
    detailed balance. This is how an ion jumps into a vacancy that stays near for a while; correlations of
    more than two ions stay in the effective rates.

    Parameters
    ----------
    network, temperature_k
        Jumps in a second and occupations are those of this network.
    share
        b, from ``encounter_share``; 0 gives back the chain.
    closing_per_s
        r, 1/s: the inverse of the mean time until a place closes.

    Returns
    -------
    modes : Modes
    tensors : (n + 2e, 5) float64, V/Å²

    Raises
    ------
    InputError
        When an ion would be in the states of its edges for more than all its time.
    """
    if not 0 <= share < 1 or closing_per_s <= 0:
        raise InputError(
            f"memory: expected a share from 0 to 1 and a positive rate, got {share:g}, {closing_per_s:g}"
        )
    if share == 0:
        return Modes.of(network, temperature_k), network.tensors
    p, rates = network.occupations(temperature_k), network.edge_rates(temperature_k)
    n, e = network.n_sites, len(network.edges)
    jump = closing_per_s * share / (1.0 - share)
    open_share = p[network.edges[:, 0]] * rates[:, 0] / jump  # of each of the two states
    first, second = network.edges[:, 0], network.edges[:, 1]
    settled = p.copy()
    np.subtract.at(settled, first, open_share)
    np.subtract.at(settled, second, open_share)
    if np.any(settled <= 0):
        raise InputError(
            "memory: places would be open for longer than ions are there: the closing rate is too small"
        )
    matrix = np.zeros((n + 2 * e, n + 2 * e))
    one, two = n + np.arange(e), n + e + np.arange(e)
    matrix[one, two] = matrix[two, one] = jump
    for states, sites in ((one, first), (two, second)):
        matrix[states, sites] = closing_per_s
        matrix[sites, states] = closing_per_s * open_share / settled[sites]
    matrix[np.diag_indices(len(matrix))] = -matrix.sum(axis=1)
    occupations = np.concatenate([settled, open_share, open_share])
    tensors = np.vstack([network.tensors, network.tensors[first], network.tensors[second]])
    return Modes.of_matrix(matrix, occupations), tensors
