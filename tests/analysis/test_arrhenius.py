"""Activation energies and site distances."""

import numpy as np
import pytest

from lpsnmr.analysis.dynamics import fit_arrhenius
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import InputError
from lpsnmr.structures import mean_nearest_distance
from lpsnmr.units import BOLTZMANN_EV_PER_K

TEMPERATURES = np.array([400.0, 500.0, 650.0, 900.0])


def around(value, sigma_log):
    return Interval(value, value * np.exp(-1.96 * sigma_log), value * np.exp(1.96 * sigma_log))


def test_exact_line():
    rates = 3e13 * np.exp(-0.35 / (BOLTZMANN_EV_PER_K * TEMPERATURES))
    fit = fit_arrhenius(TEMPERATURES, [around(r, 0.1) for r in rates])
    assert fit.activation_energy_ev.value == pytest.approx(0.35, rel=1e-9)
    assert fit.log_prefactor == pytest.approx(np.log(3e13), rel=1e-9)
    np.testing.assert_allclose(fit(TEMPERATURES), rates, rtol=1e-9)


@pytest.mark.parametrize("given", [0.1, 0.02])
def test_interval_covers_the_truth(given):
    """Scatter of 10 %; also when the given intervals claim 2 % the scatter widens that of E_a."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        rates = np.exp(-0.3 / (BOLTZMANN_EV_PER_K * TEMPERATURES) + 0.1 * rng.normal(size=4))
        energy = fit_arrhenius(TEMPERATURES, [around(r, given) for r in rates]).activation_energy_ev
        hits += energy.low <= 0.3 <= energy.high
    # four points know their own scatter badly: without honest intervals √χ² alone covers about 80 %
    assert hits / 400 >= (0.92 if given == 0.1 else 0.72)


def test_points_weigh_by_their_intervals():
    rates = np.exp(-0.3 / (BOLTZMANN_EV_PER_K * TEMPERATURES))
    outlier = [around(r, 0.01) for r in rates[:3]] + [around(10 * rates[3], 5.0)]
    assert fit_arrhenius(TEMPERATURES, outlier).activation_energy_ev.value == pytest.approx(0.3, abs=0.002)


def test_refusals():
    y = [around(1.0, 0.1)] * 2
    with pytest.raises(InputError, match="two different temperatures"):
        fit_arrhenius([300.0, 300.0], y)
    with pytest.raises(InputError, match="positive, finite intervals"):
        fit_arrhenius([300.0, 400.0], [y[0], Interval(1.0, -1.0, 2.0)])


def test_mean_nearest_distance():
    assert mean_nearest_distance(np.zeros((1, 3)), np.diag([9.0, 5.0, 7.0])) == pytest.approx(5.0)
    # pairs 2 Å apart across the boundary, and a lone site 3 Å from its nearest
    sites = [[0.5, 0, 0], [19.0, 0, 0], [3.5, 0, 0]]
    expected = (1.5 + 1.5 + 3.0) / 3
    assert mean_nearest_distance(sites, np.diag([20.0] * 3)) == pytest.approx(expected)
    with pytest.raises(InputError, match="no other site"):
        mean_nearest_distance(np.zeros((1, 3)), np.eye(3) * 5, (False,) * 3)
    with pytest.raises(InputError, match="shape"):
        mean_nearest_distance(np.zeros((0, 3)), np.eye(3))
