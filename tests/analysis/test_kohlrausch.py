"""Kohlrausch fits of curves whose parameters are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import least_squares

from lpsnmr.analysis.nmr import fit_kohlrausch, kohlrausch, mean_time
from lpsnmr.errors import InputError

LAG = np.geomspace(1.0, 500.0, 60)


@settings(max_examples=60, deadline=None)
@given(
    tau=st.floats(3.0, 80.0),
    gamma=st.floats(0.3, 1.3),
    amplitude=st.floats(1e-6, 1e12),
    plateau=st.floats(0.0, 1.0),
)
def test_recovers_exact_curves(tau, gamma, amplitude, plateau):
    curve = kohlrausch(LAG, tau, gamma, amplitude, plateau * amplitude)
    fit = fit_kohlrausch(LAG, curve)
    np.testing.assert_allclose(fit.tau, tau, rtol=1e-3)
    np.testing.assert_allclose(fit.gamma, gamma, rtol=1e-3)
    np.testing.assert_allclose(fit.amplitude, amplitude, rtol=2e-3)
    np.testing.assert_allclose(fit(LAG)[0], curve, atol=1e-5 * amplitude)


@pytest.mark.parametrize("gamma", [0.3, 0.6, 1.0, 1.4])
def test_mean_time_is_the_integral(gamma):
    integral = quad(lambda x: kohlrausch(x, 1.0, gamma), 0, 1)[0]
    integral += quad(lambda u: np.exp(u) * kohlrausch(np.exp(u), 1.0, gamma), 0, 12)[0]
    assert mean_time(7.0, gamma) == pytest.approx(7.0 * integral, rel=1e-7)


def test_same_minimum_as_a_general_solver():
    """Noisy curves, weights, both baselines: never a higher cost than scipy from the true values."""
    rng = np.random.default_rng(2)
    weights = rng.uniform(0.2, 1.0, len(LAG))
    truth = kohlrausch(LAG, 20.0, 0.7, 1.0, 0.3)
    curves = truth + 0.02 * rng.normal(size=(20, len(LAG)))
    for baseline, lower in (("fit", 0.0), ("zero", None)):
        fit = fit_kohlrausch(LAG, curves, weights, baseline)
        cost = (weights * (fit(LAG) - curves) ** 2).sum(axis=1)
        for curve, ours in zip(curves, cost, strict=True):

            def residual(x, curve=curve, lower=lower):
                plateau = 0.0 if lower is None else x[3]
                return np.sqrt(weights) * (kohlrausch(LAG, *np.exp(x[:2]), x[2], plateau) - curve)

            start = [np.log(20.0), np.log(0.7), 1.0] + ([] if lower is None else [0.3])
            low = [-np.inf, np.log(0.15), -np.inf] + ([] if lower is None else [0.0])
            high = [np.inf, np.log(1.5)] + [np.inf] * (len(start) - 2)
            theirs = 2 * least_squares(residual, start, bounds=(low, high)).cost
            assert ours <= theirs * (1 + 1e-6)


def test_mixture_of_exponentials_that_makes_a_stretched_one():
    """γ = ½: exp(−√(t/τ)) is the mixture of rates k with density (4πτk³)^(−½) exp(−1/(4τk))."""
    tau = 12.0
    log_rate, step = np.linspace(np.log(1e-7), np.log(1e7), 6000, retstep=True)
    rate = np.exp(log_rate)
    density = np.exp(-1 / (4 * tau * rate)) / np.sqrt(4 * np.pi * tau * rate**3) * rate * step
    curve = np.exp(-np.outer(LAG, rate)) @ density
    fit = fit_kohlrausch(LAG, curve, baseline="zero")
    assert fit.gamma[0] == pytest.approx(0.5, rel=0.01)
    assert fit.tau[0] == pytest.approx(tau, rel=0.01)
    assert fit.mean_time[0] == pytest.approx(2 * tau, rel=0.01)


def test_plateau_is_not_negative():
    curve = kohlrausch(LAG, 20.0, 0.8, 1.0, -0.2)
    assert fit_kohlrausch(LAG, curve).plateau[0] == 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((LAG, np.ones(59)), r"\(n, 60\)"),
        ((LAG[:4], np.ones(4)), "at least five"),
        ((LAG - 1.0, np.ones(60)), "positive"),
        ((LAG, np.full(60, np.nan)), "finite"),
        ((LAG, np.ones(60), -np.ones(60)), "weights"),
        ((LAG, np.ones(60), None, "mean"), "baseline"),
    ],
)
def test_bad_input(arguments, words):
    with pytest.raises(InputError, match=words):
        fit_kohlrausch(*arguments)
