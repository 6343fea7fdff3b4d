"""Superposition and inversion on decays that are known."""

import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.network.no_sites import Decay, invert_decay, superpose
from lpsnmr.units import BOLTZMANN_EV_PER_K

TIMES = np.geomspace(1e-12, 1e-9, 40)


def stretched(temperature, rng, energy=0.35, gamma=0.6, error=0.01):
    tau = 2e-11 * np.exp(energy / BOLTZMANN_EV_PER_K * (1 / temperature - 1 / 600.0))
    values = np.exp(-((TIMES / tau) ** gamma))
    return Decay(
        temperature, TIMES, values + error * rng.standard_normal(len(TIMES)), np.full(len(TIMES), error)
    )


def test_decays_of_one_shape_collapse():
    rng = np.random.default_rng(2)
    found = superpose([stretched(t, rng) for t in (600.0, 550.0, 650.0)])
    assert found.probability > 0.01
    energy = found.activation_energy_ev
    assert energy.low < 0.35 < energy.high
    assert energy.value == pytest.approx(0.35, abs=0.02)


def test_decays_of_two_shapes_do_not():
    rng = np.random.default_rng(2)
    found = superpose([stretched(600.0, rng), stretched(550.0, rng, gamma=0.35)])
    assert found.probability < 1e-6


def test_two_times_are_found_again():
    rng = np.random.default_rng(0)
    values = 0.5 * np.exp(-TIMES / 1e-11) + 0.3 * np.exp(-TIMES / 2e-10) + 0.2
    decay = Decay(600.0, TIMES, values + 2e-3 * rng.standard_normal(40), np.full(40, 2e-3))
    found = invert_decay(decay, n_draws=20)
    fast = found.tau_s < 4.5e-11
    assert found.weight[fast].sum() == pytest.approx(0.5, abs=0.05)
    assert found.chi2 < 60
    np.testing.assert_allclose(found.decay(TIMES), values, atol=6e-3)
    np.testing.assert_allclose(found.at(1.0).decay(TIMES * np.e), found.decay(TIMES))


def test_one_temperature_is_refused():
    with pytest.raises(InputError, match="two temperatures"):
        superpose([stretched(600.0, np.random.default_rng(0))])
