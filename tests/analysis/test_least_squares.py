"""The covariance of an MSD against simulation, the weighted line, and its intervals."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import chi2

from lpsnmr.analysis.statistics.least_squares import (
    chi2_quantile,
    fit_line,
    msd_covariance,
    ratio_interval,
    scaled_chi2_interval,
    thin_lags,
)
from lpsnmr.errors import InputError


@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_covariance_against_many_walks(noise):
    """Time-averaged MSDs of 4000 walks of 200 steps, origins at every step, fine steps inside."""
    rng = np.random.default_rng(1)
    n, steps, d = 4000, 200, 0.02
    walk = np.cumsum(rng.normal(size=(steps + 1, n, 3)) * np.sqrt(2 * d), axis=0)
    walk += np.sqrt(noise) * rng.normal(size=walk.shape)
    lags = np.array([10, 14, 30, 50])
    msd = np.array([np.mean(np.sum((walk[k:] - walk[:-k]) ** 2, axis=2), axis=0) for k in lags])
    expected = msd_covariance(lags.astype(float), np.ones(4), float(steps), d, noise)
    found = np.cov(msd)
    # the continuous-origin formula is a few per cent off for ten origins a lag; 4000 walks give 2 to 4 %
    np.testing.assert_allclose(found, expected, rtol=0.12)


def test_least_squares_is_unbiased_and_knows_its_error():
    rng = np.random.default_rng(2)
    n, steps, d, noise = 300, 400, 0.01, 0.2
    walk = np.cumsum(rng.normal(size=(steps + 1, n, 3)) * np.sqrt(2 * d), axis=0)
    walk += np.sqrt(noise) * rng.normal(size=walk.shape)
    lags = np.array([4, 6, 8, 12, 16, 24, 32, 48, 64])
    msd = np.array([np.mean(np.sum((walk[k:] - walk[:-k]) ** 2, axis=2), axis=0) for k in lags])
    mean = fit_line(lags.astype(float), msd.mean(axis=1), np.ones(len(lags)), float(steps))
    assert mean.slope == pytest.approx(6 * d, rel=0.05)
    assert mean.offset == pytest.approx(6 * noise, rel=0.1)
    # walkers fitted with the weights of the mean scatter as the fit says
    each = mean.weights @ msd
    assert np.var(each) == pytest.approx(mean.slope_variance, rel=0.25)
    np.testing.assert_allclose(each.mean(), mean.slope, rtol=1e-9)
    # ordinary least squares on the same lags is worse
    ordinary = np.polyfit(lags, msd, 1)[0]
    assert np.var(each) < np.var(ordinary)


def test_a_straight_line_is_found_exactly():
    lags = np.geomspace(2, 200, 12)
    fit = fit_line(lags, 0.7 + 0.3 * lags, np.ones(12), 1000.0)
    assert fit.slope == pytest.approx(0.3, rel=1e-9)
    assert fit.offset == pytest.approx(0.7, rel=1e-9)


def test_thinning_keeps_ends_apart():
    lags = np.arange(1.0, 101.0)
    used = lags >= 10
    chosen = lags[thin_lags(lags, used)]
    assert chosen[0] == 10
    assert np.all(chosen[1:] / chosen[:-1] >= 1.2)
    assert len(thin_lags(lags, lags > 98)) == 2


def test_intervals_of_mean_squares_cover():
    """Means of n squares of Gaussians: the interval is exact, at n as small as 4."""
    rng = np.random.default_rng(3)
    for n in (4, 40):
        values = rng.chisquare(n, 2000) / n
        hits = 0
        for v in values:
            i = scaled_chi2_interval(v, v * np.sqrt(2 / n), 0.95)
            hits += i.low <= 1 <= i.high
        assert 0.93 <= hits / 2000 <= 0.97
    exact = scaled_chi2_interval(1.0, np.sqrt(2 / 10), 0.9)
    assert exact.low == pytest.approx(10 / chi2.ppf(0.95, 10))


def test_intervals_of_ratios_cover():
    rng = np.random.default_rng(4)
    above, below = rng.chisquare(20, 2000) / 20, rng.chisquare(6, 2000) / 6
    hits = sum(
        (i := ratio_interval(a, a * np.sqrt(2 / 20), b, b * np.sqrt(2 / 6), 0.95)).low <= 1 <= i.high
        for a, b in zip(above, below, strict=True)
    )
    assert 0.93 <= hits / 2000 <= 0.97


def test_bad_arguments():
    with pytest.raises(InputError, match="three lags"):
        fit_line(np.array([1.0, 2.0]), np.ones(2), np.ones(2), 10.0)
    with pytest.raises(InputError, match="length of the run"):
        msd_covariance(np.array([1.0, 20.0]), np.ones(2), 10.0, 1.0, 0.0)
    with pytest.raises(InputError, match="positive value"):
        scaled_chi2_interval(-1.0, 0.1, 0.95)


def test_quantiles_are_those_of_scipys_statistics():
    rng = np.random.default_rng(4)
    for probability, freedom in zip(rng.uniform(0, 1, 200), 10 ** rng.uniform(-1, 8, 200), strict=True):
        assert chi2_quantile(probability, freedom) == stats.chi2.ppf(probability, freedom)
    value, ratio = 2.0, ratio_interval(2.0, 0.3, 1.0, 0.2, 0.9)
    low, high = stats.f.ppf([0.05, 0.95], 2 / 0.2**2, 2 / 0.15**2)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx(
        (value, low * value, high * value), rel=1e-12
    )
