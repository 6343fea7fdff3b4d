"""Multi-tau accumulators against direct sums, and their states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpsnmr.errors import InputError
from lpsnmr.sampling import (
    DisplacementCorrelator,
    MultiTauCorrelator,
    join_states,
    slice_state,
)
from oracles.multi_tau import direct_sum, multi_tau_direct
from oracles.processes import ornstein_uhlenbeck, random_walk

INTERVAL = 0.1


def fed(series, **options):
    correlator = MultiTauCorrelator(*series.shape[1:], sample_interval_ps=INTERVAL, **options)
    for values in series:
        correlator.add(values)
    return correlator


def assert_same_state(a, b):
    assert a.keys() == b.keys()
    for key in a:
        np.testing.assert_array_equal(a[key], b[key], err_msg=key)


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 300),
    n=st.integers(1, 3),
    components=st.integers(1, 5),
    ratio=st.integers(2, 4),
    factor=st.integers(1, 5),
    mode=st.sampled_from(["average", "subsample"]),
    max_blocks=st.sampled_from([2, 4, 32]),
    seed=st.integers(0, 2**31),
)
def test_equals_direct_sum(samples, n, components, ratio, factor, mode, max_blocks, seed):
    series = np.random.default_rng(seed).normal(size=(samples, n, components))
    points = ratio * factor
    correlator = fed(
        series, points_per_level=points, ratio=ratio, coarse_graining=mode, max_blocks=max_blocks
    )
    found = correlator.statistics()
    lags = np.rint(found.lag_ps / INTERVAL).astype(int)
    assert lags[0] == 0
    assert np.all(np.diff(lags) > 0)
    for i, lag in enumerate(lags):
        expected, pairs = multi_tau_direct(series, lag, points, ratio, mode)
        assert found.counts[i] == pairs
        np.testing.assert_allclose(found.values[i], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(correlator.mean, series.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(correlator.mean_square, (series**2).sum(axis=2).mean(axis=0), rtol=1e-12)
    # time blocks: bounded, and together they are the whole
    assert len(found.block_means) <= max_blocks
    np.testing.assert_array_equal(found.block_counts.sum(axis=0), found.counts)
    together = np.nansum(found.block_means * found.block_counts, axis=0) / found.counts
    np.testing.assert_allclose(together, found.values.mean(axis=1), rtol=1e-10, atol=1e-12)


def test_blocks_hold_the_pairs_that_end_in_them():
    series = np.random.default_rng(4).normal(size=(96, 2, 3))
    found = fed(series, max_blocks=4).statistics()
    length = round(found.block_length_ps / INTERVAL)
    assert length == 32
    for b in range(3):
        for lag in range(16):
            ends = np.arange(max(lag, b * length), (b + 1) * length)
            expected = (series[ends] * series[ends - lag]).sum(axis=2).mean()
            assert found.block_means[b, lag] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("mode", ["average", "subsample"])
def test_error_of_coarse_levels_is_as_stated(mode):
    """For a single exponential the expectation of averages is C (sinh(w/2τ)/(w/2τ))² in the limit of
    fine sampling, of subsampled values C itself.
    """
    tau, points = 40.0, 16  # in samples
    a = np.exp(-1 / tau)
    for level in range(1, 5):
        width = 2**level
        for k in range(points // 2, points):
            lag = k * width
            if mode == "average":
                offsets = np.arange(-width + 1, width)
                triangle = (1 - np.abs(offsets) / width) / width
                expected = (triangle * a ** (lag + offsets)).sum()
            else:
                expected = a**lag
            stated = width**2 / tau**2 / 12
            assert abs(expected / a**lag - 1) <= (1.01 * stated if mode == "average" else 1e-15)
            assert abs(expected - a**lag) < 0.0007 or lag < points
    # and the accumulator has that expectation: mean over many independent series
    rng = np.random.default_rng(8)
    series = ornstein_uhlenbeck(rng, 2000, 400, 1, INTERVAL, tau * INTERVAL)
    found = fed(series, coarse_graining=mode).statistics()
    error = found.values.std(axis=1) / np.sqrt(400)
    early = found.lag_ps <= 3 * tau * INTERVAL
    deviation = (found.values.mean(axis=1) - np.exp(-found.lag_ps / (tau * INTERVAL))) / error
    assert np.abs(deviation[early]).max() < 4.0


def test_averaging_removes_vibrations_from_coarse_levels():
    rng = np.random.default_rng(1)
    series = np.ones((4000, 1, 1)) + 3.0 * rng.normal(size=(4000, 1, 1))
    scatter = {
        mode: np.std(fed(series, coarse_graining=mode).statistics().values[32:64])
        for mode in ("average", "subsample")
    }
    assert scatter["average"] < 0.5 * scatter["subsample"]


@settings(max_examples=25, deadline=None)
@given(
    cut=st.integers(0, 200),
    bounds=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    mode=st.sampled_from(["average", "subsample"]),
    kind=st.sampled_from(["tensor", "displacement"]),
)
def test_continues_bit_for_bit_on_any_number_of_ranks(cut, bounds, mode, kind):
    """Cut at any sample, spread over three ranks (some may be empty), joined: as uninterrupted."""
    rng = np.random.default_rng(3)
    n, low, high = 5, min(bounds), max(bounds)
    if kind == "tensor":
        cls, series = MultiTauCorrelator, rng.normal(size=(201, n, 5))
        whole = cls(n, 5, sample_interval_ps=INTERVAL, points_per_level=4, max_blocks=8, coarse_graining=mode)
    else:
        cls, series = DisplacementCorrelator, random_walk(rng, 201, n, 0.1, 1.0)
        whole = cls(n, sample_interval_ps=INTERVAL, points_per_level=4, max_blocks=8)
    for values in series[:cut]:
        whole.add(values)
    ranges = [(0, low), (low, high), (high, n)]
    ranks = [cls.from_state(slice_state(whole.state(), *r)) for r in ranges]
    for values in series[cut:]:
        whole.add(values)
        for rank, (a, b) in zip(ranks, ranges, strict=True):
            rank.add(values[a:b])
    joined = join_states([rank.state() for rank in ranks])
    assert_same_state(joined, whole.state())
    a, b = cls.from_state(joined).statistics(), whole.statistics()
    np.testing.assert_array_equal(a.values, b.values)
    np.testing.assert_array_equal(a.block_means, b.block_means)


def test_state_is_independent_of_earlier_interruptions():
    series = np.random.default_rng(2).normal(size=(150, 2, 5))
    whole, stepwise = fed(series), fed(series[:1])
    for values in series[1:]:
        stepwise = MultiTauCorrelator.from_state(stepwise.state())
        stepwise.add(values)
    assert_same_state(whole.state(), stepwise.state())


def test_memory_grows_with_the_logarithm_and_stops():
    def size(state):
        return sum(array.nbytes for array in state.values())

    correlator = MultiTauCorrelator(1, 1, sample_interval_ps=1.0, max_levels=4, max_blocks=4)
    sizes = []
    for t in range(20000):
        correlator.add([[1.0]])
        if t in (999, 9999, 19999):
            sizes.append(size(correlator.state()))
            found = correlator.statistics()
            assert found.lag_ps[-1] == 15 * 8
            np.testing.assert_array_equal(found.values, 1.0)
    assert max(sizes) <= 1.4 * min(sizes)  # between 3 and 4 blocks


def test_displacement_of_simple_motions():
    correlator = DisplacementCorrelator(3, sample_interval_ps=0.5)
    velocity = np.array([1.0, -2.0, 0.5])
    for t in np.arange(0.0, 100.0, 0.5):
        correlator.add([[7.0, 8.0, 9.0], velocity * t, [np.sin(t), 0.0, 0.0]])
    found = correlator.statistics()
    np.testing.assert_array_equal(found.values[:, 0], 0.0)
    np.testing.assert_allclose(found.values[:, 1], velocity @ velocity * found.lag_ps**2, rtol=1e-12)
    assert found.values[:, 2].max() <= 4.0


@settings(max_examples=20, deadline=None)
@given(samples=st.integers(2, 200), seed=st.integers(0, 2**31))
def test_displacement_is_exact_at_every_lag(samples, seed):
    positions = random_walk(np.random.default_rng(seed), samples, 2, 0.3, 1.0) + 1000.0
    correlator = DisplacementCorrelator(2, sample_interval_ps=1.0, points_per_level=4)
    for r in positions:
        correlator.add(r)
    found = correlator.statistics()
    for i, lag in enumerate(np.rint(found.lag_ps).astype(int)):
        expected, pairs = multi_tau_direct(positions, lag, 4, 2, "subsample", "squared_difference")
        assert found.counts[i] == pairs
        np.testing.assert_allclose(found.values[i], expected, rtol=1e-9, atol=1e-9)


def test_level_zero_of_displacements_is_the_direct_sum():
    positions = random_walk(np.random.default_rng(0), 60, 4, 0.2, 1.0)
    correlator = DisplacementCorrelator(4, sample_interval_ps=1.0)
    for r in positions:
        correlator.add(r)
    values = correlator.statistics().values
    for lag in range(16):
        np.testing.assert_allclose(
            values[lag], direct_sum(positions, lag, "squared_difference"), rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ratio": 1}, "ratio"),
        ({"points_per_level": 15}, "multiple of ratio"),
        ({"max_levels": 0}, "max_levels"),
        ({"max_blocks": 5}, "max_blocks must be even"),
        ({"coarse_graining": "median"}, "median"),
        ({"sample_interval_ps": 0.0}, "sample_interval_ps must be positive"),
        ({"n_components": 0}, "n_components"),
        ({"n_series": -1}, "n_series"),
    ],
)
def test_bad_settings_are_named(options, words):
    with pytest.raises(InputError, match=words):
        MultiTauCorrelator(**{"n_series": 1, "sample_interval_ps": 1.0, **options})


def test_bad_samples_leave_the_accumulator_alone():
    correlator = fed(np.ones((3, 2, 5)))
    with pytest.raises(InputError, match=r"series 1, component 4 is not finite"):
        correlator.add([[1.0] * 5, [1.0] * 4 + [np.nan]])
    with pytest.raises(InputError, match=r"\(2, 5\)"):
        correlator.add(np.ones((2, 4)))
    assert_same_state(correlator.state(), fed(np.ones((3, 2, 5))).state())


def test_bad_states_are_refused():
    state = fed(np.ones((40, 2, 5))).state()
    for key in state:
        broken = {k: v for k, v in state.items() if k != key}
        with pytest.raises(InputError, match=key):
            MultiTauCorrelator.from_state(broken)
    with pytest.raises(InputError, match="level 0 must have received 41"):
        MultiTauCorrelator.from_state({**state, "n_samples": np.array(41)})
    with pytest.raises(InputError, match="series_sum"):
        MultiTauCorrelator.from_state({**state, "series_sum": np.ones((3, 5))})
    with pytest.raises(InputError, match="'series_sum' must hold numbers"):
        MultiTauCorrelator.from_state({**state, "series_sum": np.array(["a"])})
    with pytest.raises(InputError, match="kernel"):
        DisplacementCorrelator.from_state(state)
    with pytest.raises(InputError, match="n_samples"):
        join_states([state, fed(np.ones((39, 2, 5))).state()])
    with pytest.raises(InputError, match="at least one"):
        join_states([])
    with pytest.raises(InputError, match="1:3"):
        slice_state(state, 1, 3)
