"""Rates from drawn counts: the truth is found, intervals cover it, rare classes are told."""

import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.network import JumpCounts, JumpNetwork, Modes, fit_rates, quadrupolar_rates

HOT = (550.0, 600.0, 650.0, 700.0)


def truth():
    """Return two classes of sites on a ring of six, joined by two classes of jumps."""
    edges = np.array([(i, (i + 1) % 6) for i in range(6)])
    tensors = 0.3 * np.random.default_rng(5).normal(size=(6, 5))
    return JumpNetwork(
        tuple("abcdef"), np.array([0, 1, 0, 1, 0, 1]), tensors, np.array([0.0, 0.06]), np.array([0.0, 0.4]),
        edges, np.array([0, 1, 0, 1, 0, 1]), np.array([0.28, 0.38]), np.log([4e12, 8e12]),
        jump_names=("easy", "hard"),
    )  # fmt: skip


def drawn(network, temperature, rng, ion_seconds=4e-8):
    waiting = ion_seconds * network.occupations(temperature)
    rates = network.edge_rates(temperature)
    return JumpCounts(temperature, rng.poisson(rates * waiting[network.edges]).astype(float), waiting)


def test_many_counts_give_the_truth():
    network = truth()
    rng = np.random.default_rng(0)
    fit = fit_rates(network, [drawn(network, t, rng, 1e-3) for t in HOT], n_draws=50)
    np.testing.assert_allclose(fit.network.saddle_ev, network.saddle_ev, atol=2e-3)
    np.testing.assert_allclose(fit.network.energy_ev, network.energy_ev, atol=2e-3)
    np.testing.assert_allclose(fit.network.rate_matrix(300.0), network.rate_matrix(300.0), rtol=0.05)
    assert fit.rare == ()
    assert fit.effective_draws > 25


def test_intervals_at_300_k_cover_the_truth():
    network = truth()
    angular = 2 * np.pi * 116.6e6

    def quantities(n):
        modes = Modes.of(n, 300.0)
        slowest = -1.0 / modes.rates[-2]
        return [np.log(slowest), np.log(float(quadrupolar_rates(modes, n.tensors, angular).r1))]

    expected = np.array(quantities(network))
    inside = np.zeros(2)
    repeats = 100
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        fit = fit_rates(network, [drawn(network, t, rng) for t in HOT], n_draws=60, seed=seed)
        values = np.array([quantities(fit.sample(i)) for i in range(60)])
        low, high = np.quantile(values, [0.025, 0.975], axis=0)
        inside += (low <= expected) & (expected <= high)
    assert np.all(inside >= 0.88 * repeats), inside  # 60 draws cut the tails; the study of coverage has more


def test_rare_jumps_are_told():
    network = truth()
    rng = np.random.default_rng(0)
    fit = fit_rates(network, [drawn(network, 550.0, rng, 3e-10)], n_draws=20)
    assert any("hard" in line for line in fit.rare)


def test_counts_of_another_network_are_refused():
    network = truth()
    wrong = JumpCounts(600.0, np.ones((2, 2)), np.ones(6))
    with pytest.raises(InputError, match="counts at 600 K: jumps: expected"):
        fit_rates(network, [wrong])
    with pytest.raises(InputError, match="no jumps"):
        fit_rates(network, [])
