"""Spin-alignment echoes of jumps between sites: closed forms, plateau and number of sites."""

import numpy as np
import pytest

from lpsnmr.analysis.nmr import DecaySettings, analyze_echo
from lpsnmr.analysis.nmr.echo import converged_phase_rad
from lpsnmr.efg.quadrupolar import frequency_rad_s_per_efg
from lpsnmr.sampling import EchoCorrelator, lebedev_half_sphere, projections
from oracles.processes import equal_exchange

FACTOR = frequency_rad_s_per_efg()
FAST = DecaySettings(n_bootstrap=100)


def sampled(process, times, *, samples=3000, n=24, interval=0.5, degree=29, seed=0):
    echo = EchoCorrelator(
        n,
        evolution_times_us=times,
        frequency_rad_s_per_efg=FACTOR,
        sample_interval_ps=interval,
        degree=degree,
    )
    for values in process.components(np.random.default_rng(seed), samples, n, interval):
        echo.add(values)
    return echo.statistics(), (samples - 1) * interval


def test_echo_of_four_sites_follows_the_closed_form():
    process = equal_exchange(4, 0.02)
    times = (2.0, 10.0)
    statistics, duration = sampled(process, times, seed=1)
    found = analyze_echo(statistics, duration, 0.0, FAST)
    for index, echo in enumerate(found):
        decay = echo.decay
        assert decay.resolved, decay.reason
        exact = np.array([process.echo(t, times[index], FACTOR) for t in decay.lag_ps])
        deviation = (decay.correlation - exact[:, 0])[decay.used] / decay.standard_error[decay.used]
        assert np.abs(deviation).max() < 5.0
        cosine = statistics.lags(index, "cosine").values
        error = cosine.std(axis=1) / np.sqrt(cosine.shape[1])
        assert np.abs((echo.cosine - exact[:, 1]) / np.maximum(error, 1e-12))[:40].max() < 5.0
        sites = exact[0, 0] / process.echo(1e4, times[index], FACTOR)[0]
        assert echo.number_of_sites.low < sites < echo.number_of_sites.high
        assert decay.tau_ps.low < 1 / (4 * 0.02) < decay.tau_ps.high


@pytest.mark.parametrize("n_sites", [2, 3, 6])
def test_long_evolution_times_count_the_sites(n_sites):
    """With phases of hundreds of radians S∞/S0 is 1/n, whatever the tensors."""
    process = equal_exchange(n_sites, 0.05 / n_sites, seed=1)
    first, last = (process.echo(t, 400.0, FACTOR)[0] for t in (0.0, 1e5))
    assert first / last == pytest.approx(n_sites, rel=0.1)
    short = [process.echo(t, 1e-3, FACTOR)[0] for t in (0.0, 1e5)]
    plateau = process.trace_correlation(1e5) / process.trace_correlation(0.0)
    assert short[1] / short[0] == pytest.approx(plateau, rel=1e-4)


def test_an_echo_that_does_not_decay_has_no_sites():
    statistics, duration = sampled(equal_exchange(4, 1e-7), (5.0,), samples=600)
    (echo,) = analyze_echo(statistics, duration, 0.0, FAST)
    assert not echo.decay.resolved
    assert "S(t_m) falls by" in echo.decay.reason
    assert echo.number_of_sites is None


def test_plateau_that_may_be_zero_leaves_the_number_of_sites_open():
    """Many sites in a short run: at least so many, with no upper end."""
    process = equal_exchange(60, 0.1 / 60, seed=3)
    statistics, duration = sampled(process, (10.0,), samples=2500, n=8)
    (echo,) = analyze_echo(statistics, duration, 0.0, FAST)
    assert echo.decay.resolved, echo.decay.reason
    assert echo.number_of_sites.high > 60
    assert echo.number_of_sites.low > 3


@pytest.mark.parametrize("degree", [17, 29, 41])
def test_phases_called_converged_are(degree):
    fine, fine_weights = lebedev_half_sphere(131)
    coarse, weights = lebedev_half_sphere(degree)
    rng = np.random.default_rng(7)
    for _ in range(30):
        components = rng.normal(size=5)
        phase = projections(fine) @ components
        scale = converged_phase_rad(degree) / np.abs(phase).max()
        exact = fine_weights @ np.cos(scale * phase)
        assert weights @ np.cos(scale * (projections(coarse) @ components)) == pytest.approx(exact, abs=1e-3)


def test_phases_beyond_are_said():
    statistics, duration = sampled(equal_exchange(2, 0.05), (2.0, 50.0), samples=300, degree=17)
    found = analyze_echo(statistics, duration, 3e5, FAST)
    assert [echo.converged for echo in found] == [True, False]
    assert found[1].largest_phase_rad == pytest.approx(30.0)
