"""D of ions that jump back: a slope that is still changing, its interval, and where nothing can be had."""

import numpy as np
import pytest

from lpsnmr.analysis.dynamics import DiffusionSettings, analyze_collective, analyze_diffusion
from lpsnmr.analysis.statistics.least_squares import msd_covariance
from lpsnmr.analysis.statistics.memory_fit import fit_with_memory, memory_of_jumps
from lpsnmr.errors import InputError
from lpsnmr.sampling import DisplacementCorrelator
from oracles.hopping import cubic_walk

RATE, BACK, LENGTH, INTERVAL = 0.02, 0.3, 3.0, 0.5
TRUTH = RATE * LENGTH**2 / 6 * (1 - BACK) / (1 + BACK)
FAST = DiffusionSettings(n_bootstrap=50)


def lag_statistics(x, n):
    single = DisplacementCorrelator(n, sample_interval_ps=INTERVAL)
    charge = DisplacementCorrelator(3, sample_interval_ps=INTERVAL)
    for r in x:
        single.add(r)
        charge.add(np.diag(r.sum(axis=0) / np.sqrt(n)))
    return single.statistics(), charge.statistics()


def test_the_bend_of_jumps_back_is_not_taken_for_diffusion():
    """32 ions, 600 ps, 12 jumps each: a straight line is 40 % too large and its interval knows nothing."""
    prior = memory_of_jumps(1 / RATE, LENGTH**2)
    ratios, haven, hits, straight = [], [], 0, 0
    for seed in range(16):
        x = cubic_walk(np.random.default_rng(seed), 1201, 32, INTERVAL, RATE, BACK)
        lags, charge = lag_statistics(x, 32)
        found = analyze_diffusion(lags, 600.0, FAST, prior)
        d = found.diffusion_cm2_s.scaled(1e4)
        hits += d.low <= TRUTH <= d.high
        ratios.append(d.value / TRUTH)
        blind = analyze_diffusion(lags, 600.0, FAST).diffusion_cm2_s.scaled(1e4)
        straight += blind.low <= TRUTH <= blind.high
        both = analyze_collective(charge, found, 600.0, 32, 1000.0, 600.0)
        haven.append(not both.resolved or both.haven_ratio.low < 1 < both.haven_ratio.high)
    assert sum(haven) >= 12
    assert hits >= 14
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.1)
    assert straight <= 2


def test_a_curve_of_the_form_is_found():
    """Noise-free: D, offset and amplitude of the form itself, though τ is known to a factor only."""
    lag, amplitude, slope, time = np.geomspace(10.0, 1000.0, 20), 3.0, 0.1, 40.0
    msd = 0.5 + slope * lag + amplitude * (1 - np.exp(-lag / time))
    fit = fit_with_memory(lag, msd, np.ones(20), 4000.0, 1000.0, memory_of_jumps(60.0, 9.0))
    assert fit.slope == pytest.approx(slope, rel=0.03)
    assert fit.amplitude == pytest.approx(amplitude, rel=0.2)
    assert fit.posterior.typical_ps == pytest.approx(time, rel=0.2)
    np.testing.assert_allclose(fit(lag), msd, rtol=0.02)


def test_covariance_with_memory_against_many_walks():
    """A walk plus an Ornstein–Uhlenbeck process: MSD = 6Dt + 6 s² (1 − e^(−t/τ)), and Gaussian."""
    rng = np.random.default_rng(3)
    n, steps, d, time, size = 4000, 200, 0.02, 8.0, 1.0
    walk = np.cumsum(rng.normal(size=(steps + 1, n, 3)) * np.sqrt(2 * d), axis=0)
    bound = size * rng.normal(size=(n, 3))
    decay = np.exp(-1.0 / time)
    for step in range(steps + 1):
        walk[step] += bound
        bound = decay * bound + size * np.sqrt(1 - decay**2) * rng.normal(size=(n, 3))
    lags = np.array([5, 10, 20, 50])
    msd = np.array([np.mean(np.sum((walk[k:] - walk[:-k]) ** 2, axis=2), axis=0) for k in lags])
    expected = msd_covariance(lags.astype(float), np.ones(4), float(steps), d, 0.0, 6 * size**2, time)
    np.testing.assert_allclose(np.cov(msd), expected, rtol=0.12)
    forgotten = msd_covariance(lags.astype(float), np.ones(4), float(steps), d, 0.0, 1e-12, time)
    without = msd_covariance(lags.astype(float), np.ones(4), float(steps), d, 0.0)
    np.testing.assert_allclose(forgotten, without, rtol=1e-9)


def test_a_run_of_a_residence_time_resolves_nothing():
    """One jump each: whether it leads on or back nobody has seen."""
    x = cubic_walk(np.random.default_rng(1), 401, 16, INTERVAL, 0.004, 0.3)
    lags, _ = lag_statistics(x, 16)
    found = analyze_diffusion(lags, 200.0, FAST, memory_of_jumps(250.0, 9.0))
    assert not found.resolved
    assert "the run is 0.8 residence times long" in found.reason


@pytest.mark.parametrize("bad", [(0.0, 9.0), (50.0, -1.0)])
def test_bad_arguments(bad):
    with pytest.raises(InputError, match="positive residence time and length"):
        memory_of_jumps(*bad)
    with pytest.raises(InputError, match="three lags"):
        fit_with_memory(np.ones(2), np.ones(2), np.ones(2), 10.0, 5, memory_of_jumps(50.0, 9.0))
