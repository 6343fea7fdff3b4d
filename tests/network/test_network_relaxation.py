"""Relaxation rates against the formulas of the analysis, BPP limits, and dipolar sums that are known."""

import numpy as np
import pytest

from lpsnmr.analysis.nmr.recovery import level_rates
from lpsnmr.analysis.nmr.relaxation import relaxation_rate
from lpsnmr.efg.quadrupolar import frequency_correlation
from lpsnmr.network import JumpNetwork, Modes, quadrupolar_rates
from lpsnmr.network.dipolar import bpp_rates, fwhm_hz, narrowed_decay, second_moment_of_sum, van_vleck
from lpsnmr.network.redfield import quadrupolar_tensors, trace_density

LARMOR = 2 * np.pi * 116.6e6


def modes_at(rate):
    tensors = 0.3 * np.random.default_rng(0).normal(size=(3, 5))
    return Modes.of(JumpNetwork.equal_exchange(tensors, rate), 300.0), tensors


@pytest.mark.parametrize("nucleus", ["6Li", "7Li", "23Na"])
@pytest.mark.parametrize("rate", [1e6, 1e9, 1e12])
def test_t1_is_that_of_the_analysis(nucleus, rate):
    modes, tensors = modes_at(rate)
    density = [frequency_correlation(trace_density(modes, tensors, w), nucleus) for w in (LARMOR, 2 * LARMOR)]
    rates = quadrupolar_rates(modes, tensors, LARMOR, nucleus=nucleus)
    assert rates.r1 == pytest.approx(relaxation_rate(*density, nucleus), rel=1e-12)


@pytest.mark.parametrize("nucleus", ["6Li", "7Li", "27Al"])
def test_fast_motion_makes_all_times_equal(nucleus):
    modes, tensors = modes_at(1e14)
    rates = quadrupolar_rates(modes, tensors, LARMOR, nucleus=nucleus, spin_lock_rad_s=1e5)
    np.testing.assert_allclose([rates.r1rho / rates.r1, rates.r2 / rates.r1], 1.0, rtol=1e-4)


@pytest.mark.parametrize("nucleus", ["6Li", "7Li", "27Al"])
def test_t1_is_that_of_the_populations(nucleus):
    """Double commutators of the spin operators and the master equation of the levels say the same."""
    modes, tensors = modes_at(1e9)
    density = [frequency_correlation(trace_density(modes, tensors, w), nucleus) for w in (LARMOR, 2 * LARMOR)]
    matrix = level_rates(*map(float, density), nucleus)
    spin = (len(matrix) - 1) / 2
    m = spin - np.arange(len(matrix))
    initial = -(m @ matrix @ m) / (m @ m)
    assert initial == pytest.approx(quadrupolar_rates(modes, tensors, LARMOR, nucleus=nucleus).r1, rel=1e-10)


def test_spin_tensors_are_those_of_the_hamiltonian():
    """H for V_zz = 1, η = 0 is (1/4I(2I − 1)) [3I_z² − I(I + 1)]; c_0 = √(3/2) V_zz."""
    m = np.array([2.5, 1.5, 0.5, -0.5, -1.5, -2.5])
    zero = np.sqrt(1.5) * np.diag(quadrupolar_tensors(2.5)[0])
    np.testing.assert_allclose(zero, (3 * m**2 - 2.5 * 3.5) / (4 * 2.5 * 4.0), rtol=1e-12)
    norms = [(part**2).sum() for part in quadrupolar_tensors(2.5).values()]
    np.testing.assert_allclose(norms, norms[0], rtol=1e-12)


def test_t1_minimum_lies_where_bpp_says():
    """The maximum of τ/(1 + x²) + 4τ/(1 + 4x²) lies at x = ω τ = 0.6158."""
    rates = np.geomspace(1e7, 1e11, 4001)
    r1 = [float(quadrupolar_rates(*modes_at(r), LARMOR).r1) for r in rates[::10]]
    tau = 1.0 / (3.0 * rates[::10][int(np.argmax(r1))])
    assert LARMOR * tau == pytest.approx(0.6158, rel=0.02)


def test_bpp_limits():
    fast = bpp_rates(1e9, 1e-13, LARMOR)
    assert fast.r1 == pytest.approx(10 / 3 * 1e9 * 1e-13, rel=1e-4)
    assert fast.r2 == pytest.approx(fast.r1, rel=1e-4)
    slow = bpp_rates(1e9, 1e-3, LARMOR)
    assert slow.r1 == pytest.approx(4 / 3 * 1e9 / (LARMOR**2 * 1e-3), rel=1e-4)


def test_line_width_from_gauss_to_lorentz():
    second = (2e3 * np.pi) ** 2
    assert fwhm_hz(second, 0.0) == pytest.approx(2.3548 * 1e3, rel=1e-3)
    assert fwhm_hz(second, 1e6) == pytest.approx(second / 1e6 / np.pi, rel=0.02)
    assert narrowed_decay([1e-4], second, 1e-9) == pytest.approx(np.exp(-0.5 * second * 1e-8))


def test_second_moment_of_a_simple_cubic_lattice():
    """Σ r⁻⁶ of the simple cubic lattice is 8.4019 a⁻⁶."""
    one = np.array([0])
    found = van_vleck(np.zeros((1, 3)), 3.0 * np.eye(3), one, one, "7Li", "7Li")
    assert found == pytest.approx(second_moment_of_sum(8.40192 / 3.0**6, "7Li", "7Li"), rel=1e-4)


def test_second_moment_of_fluorine_in_fluorite():
    """CaF2, a = 5.463 Å: F on a simple cubic lattice of a/2; 0.6·γ⁴ħ²·¾·8.402 (2/a)⁶ is some 10 G²/…"""
    found = second_moment_of_sum(8.40192 / 2.7315**6, "19F", "19F") / 25.18148e7**2 * 1e8  # G²
    assert found == pytest.approx(0.6 * 0.75 * (25.18148e7 * 1.054571817e-34 * 1e-7) ** 2 * 8.40192
                                  / 2.7315e-10**6 * 1e8, rel=1e-6)  # fmt: skip
    assert 5.0 < found < 15.0
