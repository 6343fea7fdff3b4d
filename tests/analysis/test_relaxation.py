"""Spectral densities and T1 against closed forms."""

from math import pi

import numpy as np
import pytest

from lpsnmr.analysis.nmr import (
    DecaySettings,
    analyze_decay,
    analyze_relaxation,
    relaxation_rate,
    spectral_density,
)
from lpsnmr.efg.quadrupolar import frequency_correlation
from lpsnmr.efg.tensors import tensor_to_components
from lpsnmr.errors import InputError
from lpsnmr.sampling import MultiTauCorrelator
from lpsnmr.units import quadrupolar_coupling_hz_per_efg
from oracles.processes import TwoSite, ornstein_uhlenbeck


@pytest.mark.parametrize("omega_tau", [1e-3, 0.3, 1.0, 5.0])
def test_lorentzian(omega_tau):
    tau = 7.0  # ps
    t = np.concatenate([[0.0], np.geomspace(1e-3, 300.0, 4000)])
    found = spectral_density(t, 3.0 * np.exp(-t / tau)[None], [omega_tau / (tau * 1e-12)])
    assert found[0, 0] == pytest.approx(3.0 * tau * 1e-12 / (1 + omega_tau**2), rel=1e-3)


def test_straight_lines_are_exact():
    """A triangle: ∫(1 − t) cos ωt dt = (1 − cos ω)/ω², with any points in between."""
    for w in (1e-6, 0.5, 40.0):
        found = spectral_density([0.0, 0.3, 0.31, 1.0], [[1.0, 0.7, 0.69, 0.0]], [w * 1e12])[0, 0] * 1e12
        assert found == pytest.approx(2 * np.sin(w / 2) ** 2 / w**2, rel=1e-12)


@pytest.mark.parametrize(("nucleus", "factor"), [("7Li", 1 / 50), ("6Li", 3 / 40)])
def test_rate_is_the_textbook_formula(nucleus, factor):
    """For one tensor that tumbles as a whole, with any η, Tr V(0)V(t) = Tr V² exp(−t/τ)."""
    v_zz, eta, tau, w0 = 0.9, 0.6, 2e-11, 2 * pi * 116.6e6
    tensor = np.diag([-0.5 * (1 - eta), -0.5 * (1 + eta), 1.0]) * v_zz
    c = frequency_correlation((tensor_to_components(tensor) ** 2).sum(), nucleus)
    j = [tau / (1 + (k * w0 * tau) ** 2) for k in (1, 2)]
    found = relaxation_rate(c * j[0], c * j[1], nucleus)
    coupling = 2 * pi * quadrupolar_coupling_hz_per_efg(nucleus) * v_zz
    assert found == pytest.approx(factor * (1 + eta**2 / 3) * coupling**2 * (j[0] + 4 * j[1]), rel=1e-12)


def test_rate_of_simulated_jumps():
    process = TwoSite(k_ab=0.03, k_ba=0.02, noise=0.1)
    correlator = MultiTauCorrelator(48, 5, sample_interval_ps=0.5)
    for values in process.components(np.random.default_rng(0), 6000, 48, 0.5):
        correlator.add(values)
    decay = analyze_decay(correlator.statistics(), 2999.5, settings=DecaySettings(n_bootstrap=100))
    amplitude = float(frequency_correlation(process.amplitude))
    found = analyze_relaxation(decay, [116.6, 5000.0])
    for relaxation in found:
        w = 2 * pi * relaxation.larmor_mhz * 1e6
        tau = process.tau * 1e-12
        exact = relaxation_rate(*(amplitude * tau / (1 + (k * w * tau) ** 2) for k in (1, 2)))
        assert relaxation.rate_per_s.value == pytest.approx(float(exact), rel=0.1)
        assert relaxation.rate_per_s.low < relaxation.rate_per_s.value < relaxation.rate_per_s.high
        assert relaxation.t1_s.value == pytest.approx(1 / relaxation.rate_per_s.value)
        assert relaxation.t1_s.low == pytest.approx(1 / relaxation.rate_per_s.high)
    assert found[1].t1_s.value > 1.5 * found[0].t1_s.value


def test_no_relaxation_without_a_resolved_decay():
    correlator = MultiTauCorrelator(12, 5, sample_interval_ps=0.5)
    for values in ornstein_uhlenbeck(np.random.default_rng(0), 500, 12, 5, 0.5, 1e5):
        correlator.add(values)
    decay = analyze_decay(correlator.statistics(), 249.5, settings=DecaySettings(n_bootstrap=60))
    assert analyze_relaxation(decay, [116.6]) == []


def test_refusals():
    with pytest.raises(InputError, match="ascending"):
        spectral_density([0.0, 0.0], [[1.0, 1.0]], [1.0])
