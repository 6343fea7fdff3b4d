"""Collective diffusion, Haven ratio and conductivity."""

import numpy as np
import pytest

from lpsnmr.analysis.dynamics import DiffusionSettings, analyze_collective, analyze_diffusion
from lpsnmr.analysis.dynamics.collective import conductivity
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import InputError
from lpsnmr.sampling import DisplacementCorrelator
from oracles.hopping import Lattice
from oracles.processes import random_walk


def measured(x, interval=0.5, temperature=600.0, start=2.0):
    n = x.shape[1]
    single = DisplacementCorrelator(n, sample_interval_ps=interval)
    charge = DisplacementCorrelator(3, sample_interval_ps=interval)
    for r in x:
        single.add(r)
        charge.add(np.diag(r.sum(axis=0) / np.sqrt(n)))
    duration = (len(x) - 1) * interval
    settings = DiffusionSettings(min_lag_ps=start, n_bootstrap=50)
    found = analyze_diffusion(single.statistics(), duration, settings)
    return found, analyze_collective(charge.statistics(), found, duration, n, 1000.0, temperature)


@pytest.mark.slow
def test_intervals_of_d_and_haven_ratio_cover():
    """200 repeats of 12 ions that share a tenth of their walk: D_σ/D = 0.9 + 12 · 0.1."""
    hits = np.zeros(2, dtype=int)
    common, truth = 0.1, 1.0 / 2.1
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = random_walk(rng, 400, 12, (1 - common) * 0.02, 0.5) + random_walk(rng, 400, 1, common * 0.02, 0.5)
        single, found = measured(x)
        assert found.resolved, found.reason
        hits[0] += single.diffusion_cm2_s.low <= 2e-6 <= single.diffusion_cm2_s.high
        hits[1] += found.haven_ratio.low <= truth <= found.haven_ratio.high
    assert np.all((hits >= 180) & (hits <= 199)), hits


def test_everything_in_step():
    """One walk for all: D_σ = N D exactly, curve by curve."""
    x = np.repeat(random_walk(np.random.default_rng(0), 2000, 1, 0.02, 0.5), 8, axis=1)
    single, both = measured(x)
    np.testing.assert_allclose(both.msd, 8 * single.msd, rtol=1e-9)
    assert both.haven_ratio.value == pytest.approx(1 / 8, rel=0.3)  # the two fits begin at different lags


def test_anisotropic_hopping_has_its_exact_diffusion_coefficient():
    """β-Li3PS4's sites with the three nearest connected: no way along a, different ones along b and c."""
    lattice, rate = Lattice.beta((1, 2, 2)), 0.05
    tensor = lattice.diffusion_tensor(rate)
    assert abs(tensor[0, 0]) < 1e-12 < tensor[1, 1] < tensor[2, 2]
    _, x, _ = lattice.walk(np.random.default_rng(1), 6000, 48, 0.5, rate, 0.15)
    found, both = measured(x, start=6.0)
    truth = np.trace(tensor) / 3 * 1e-4
    assert found.diffusion_cm2_s.low < truth < found.diffusion_cm2_s.high
    assert found.diffusion_cm2_s.value == pytest.approx(truth, rel=0.08)
    assert both.haven_ratio.low < 1 < both.haven_ratio.high


def test_conductivity_in_si_units():
    """σ = n e² D/(kT), computed in SI."""
    d = Interval(1e-5, 0.5e-5, 2e-5)
    found = conductivity(d, 24, 1291.0, 600.0)
    e, k = 1.602176634e-19, 1.380649e-23
    expected = 24 / 1291e-30 * e**2 * 1e-9 / (k * 600.0) / 100.0
    assert found.value == pytest.approx(expected, rel=1e-8)
    assert found.low == pytest.approx(0.5 * expected, rel=1e-8)
    with pytest.raises(InputError, match="positive volume"):
        conductivity(d, 24, 1291.0, 0.0)


def test_without_temperature_or_diffusion():
    x = random_walk(np.random.default_rng(0), 600, 12, 0.02, 0.5)
    _, found = measured(x, temperature=float("nan"))
    assert found.haven_ratio is not None
    assert found.conductivity_s_per_cm is None
    _, frozen = measured(0.1 * np.random.default_rng(0).normal(size=(600, 12, 3)))
    assert "self-diffusion is not" in frozen.reason
