"""Resampling: blocks keep their sums, intervals have the width theory gives."""

import numpy as np
import pytest

from lpsnmr.analysis.statistics.resampling import (
    Interval,
    merge_blocks,
    resample,
    select_lags,
    standard_error,
    wider_interval,
)
from lpsnmr.errors import InputError
from lpsnmr.sampling import MultiTauCorrelator
from oracles.processes import ornstein_uhlenbeck


def statistics(series, interval=1.0, **options):
    correlator = MultiTauCorrelator(*series.shape[1:], sample_interval_ps=interval, **options)
    for values in series:
        correlator.add(values)
    return correlator.statistics()


@pytest.mark.parametrize(("length_ps", "n_blocks"), [(0.0, 32), (40.0, 16), (65.0, 11), (1e9, 8)])
def test_merged_blocks_hold_the_same_sums(length_ps, n_blocks):
    found = statistics(np.random.default_rng(0).normal(size=(1024, 3, 2)))
    assert found.block_length_ps == 32.0
    sums, counts = merge_blocks(found, length_ps)
    assert len(sums) == n_blocks
    np.testing.assert_array_equal(counts.sum(axis=0), found.counts)
    np.testing.assert_allclose(sums.sum(axis=0) / found.counts, found.values.mean(axis=1), atol=1e-12)


def test_standard_error_is_that_of_repeats():
    """Of C(t) of an OU process at short, middle and long lags, over Li and over blocks."""
    curves, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = statistics(ornstein_uhlenbeck(rng, 1024, 12, 2, 1.0, 5.0))
        curves.append(found.values.mean(axis=1))
        errors.append([kind.standard_error() for kind in resample(found, 100, 20.0)])
    true = np.std(curves, axis=0)
    estimated = np.sqrt(np.mean(np.square(errors), axis=0))  # (2, L)
    lags = [0, 3, 8, 20, 30]
    # 60 repeats know a standard deviation to 9 %
    np.testing.assert_allclose(estimated[:, lags] / true[lags], 1.0, atol=0.3)


def test_same_seed_same_curves():
    found = statistics(np.random.default_rng(0).normal(size=(300, 6, 1)))
    a, b, c = (resample(found, 50, 0.0, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a[0].curves, b[0].curves)
    assert np.any(a[1].curves != c[1].curves)


def test_too_few_units_are_left_out():
    rng = np.random.default_rng(0)
    assert [k.n_units for k in resample(statistics(rng.normal(size=(320, 2, 1))), 50, 0.0)] == [20]
    assert [k.n_units for k in resample(statistics(rng.normal(size=(4, 6, 1))), 50, 0.0)] == [6]
    assert resample(statistics(rng.normal(size=(4, 2, 1))), 50, 0.0) == []
    assert np.isnan(standard_error([], 3)).all()


def test_interval_of_a_mean_is_students():
    """For n values the bootstrap of the mean, widened, is the t interval but for its randomness."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=10)
    means = rng.choice(values, size=(20000, 10)).mean(axis=1)
    found = wider_interval(values.mean(), [(means, 10)])
    half = 2.262 * values.std(ddof=1) / np.sqrt(10)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.08)
    wide = wider_interval(values.mean(), [(means, 10), (2 * means - values.mean(), 10)])
    assert wide.high - wide.low == pytest.approx(2 * (found.high - found.low), rel=1e-6)


def test_interval_arithmetic():
    x = Interval(2.0, 1.0, 4.0)
    assert x.scaled(3.0) == Interval(6.0, 3.0, 12.0)
    assert x.inverse(8.0) == Interval(4.0, 2.0, 8.0)
    with pytest.raises(InputError, match="at least one"):
        wider_interval(1.0, [])


def test_select_lags_keeps_rows_together():
    found = statistics(np.random.default_rng(0).normal(size=(100, 3, 2)))
    keep = found.lag_ps >= 10
    part = select_lags(found, keep)
    part.validate("part", 3)
    np.testing.assert_array_equal(part.values, found.values[keep])
    np.testing.assert_array_equal(part.block_counts, found.block_counts[:, keep])
