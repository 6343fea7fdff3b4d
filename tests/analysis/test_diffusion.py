"""Diffusion coefficients of random walks, with and without vibrations."""

import numpy as np
import pytest

from lpsnmr.analysis.dynamics import DiffusionSettings, analyze_diffusion
from lpsnmr.errors import InputError
from lpsnmr.sampling import DisplacementCorrelator
from oracles.processes import ornstein_uhlenbeck, random_walk

FAST = DiffusionSettings(n_bootstrap=150)


def measured(positions, interval, settings=FAST):
    correlator = DisplacementCorrelator(positions.shape[1], sample_interval_ps=interval)
    for r in positions:
        correlator.add(r)
    return analyze_diffusion(correlator.statistics(), (len(positions) - 1) * interval, settings)


def test_random_walk():
    walk = random_walk(np.random.default_rng(0), 6000, 64, 0.01, 0.5)
    found = measured(walk, 0.5, DiffusionSettings(jump_distance_angstrom=3.0))
    assert found.resolved
    assert found.linear
    np.testing.assert_allclose(found.msd[1:20], 6 * 0.01 * found.lag_ps[1:20], rtol=0.05)
    assert found.diffusion_cm2_s.value == pytest.approx(0.01 * 1e-4, rel=0.05)  # 1 Å²/ps = 1e-4 cm²/s
    assert abs(found.diffusion_cm2_s.value / 1e-6 - 1) < 3 * found.relative_error < 0.02
    # Γ_D = 6D/a² with D = 0.01 Å²/ps = 1e10 Å²/s
    assert found.jump_rate_per_s.value == pytest.approx(6e10 / 9, rel=0.05)
    assert abs(found.offset_angstrom2) < 0.05


def test_scales_with_the_square_of_lengths():
    rng = np.random.default_rng(1)
    walk = random_walk(rng, 2000, 12, 0.02, 1.0)
    slow = measured(walk, 1.0)
    fast = measured(3.0 * walk, 1.0)  # lengths times 3, D times 9, everything else alike
    assert fast.diffusion_cm2_s.value == pytest.approx(9 * slow.diffusion_cm2_s.value, rel=1e-9)
    assert fast.diffusion_cm2_s.low == pytest.approx(9 * slow.diffusion_cm2_s.low, rel=1e-9)
    np.testing.assert_array_equal(fast.used, slow.used)


@pytest.mark.parametrize("vibration", [0.0, 0.5])
def test_intervals_cover_the_truth(vibration):
    """40 repeats: a 95 % interval misses at most 6 times with probability 0.997.

    The vibration remembers itself for 3 ps, longer than ``min_lag_ps``: the regime must start later.
    """
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        positions = random_walk(rng, 1000, 16, 0.01, 0.5)
        positions += vibration * ornstein_uhlenbeck(rng, 1000, 16, 3, 0.5, 3.0)
        found = measured(positions, 0.5)
        assert found.resolved, found.reason
        hits += found.diffusion_cm2_s.low <= 1e-6 <= found.diffusion_cm2_s.high
        if vibration:
            assert found.lag_ps[found.used][0] >= 4.0
    assert hits >= 34


def test_recrossing_jumps_start_the_regime_late():
    """Pairs of sites visited back and forth with 5 ps; only the net walk counts."""
    rng = np.random.default_rng(4)
    walk = random_walk(rng, 3000, 24, 0.005, 0.5)
    walk[..., 0] += 1.5 * np.sign(ornstein_uhlenbeck(rng, 3000, 24, 1, 0.5, 5.0)[..., 0])
    found = measured(walk, 0.5)
    assert found.lag_ps[found.used][0] > 10.0
    assert found.diffusion_cm2_s.low < 0.5e-6 < found.diffusion_cm2_s.high
    assert found.diffusion_cm2_s.value == pytest.approx(0.5e-6, rel=0.2)
    # what recrossing adds is the offset, 2 · 1.5² Å², and not the slope
    assert found.offset_angstrom2 == pytest.approx(4.5, abs=0.7)


def test_bound_particles_do_not_diffuse():
    rng = np.random.default_rng(0)
    found = measured(0.3 * rng.normal(size=(2000, 12, 3)), 0.5)
    assert not found.resolved
    assert found.diffusion_cm2_s is None
    assert "not resolved: D =" in found.reason
    still = measured(np.zeros((2000, 12, 3)), 0.5)
    assert "only 0 lags with a displacement" in still.reason


def test_jump_rate_needs_a_jump_distance():
    walk = random_walk(np.random.default_rng(0), 1000, 12, 0.05, 0.5)
    assert measured(walk, 0.5).jump_rate_per_s is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jump_distance_angstrom": -1.0}, "jump distance must be positive"),
        ({"min_lag_ps": 0.0}, "min_lag_ps"),
        ({"max_lag_fraction": 2.0}, "max_lag_fraction"),
        ({"n_bootstrap": 1}, "n_bootstrap"),
    ],
)
def test_bad_settings(options, words):
    with pytest.raises(InputError, match=words):
        DiffusionSettings(**options)
