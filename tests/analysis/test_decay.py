"""From tensors to a decay time: processes with known correlation functions, end to end."""

import numpy as np
import pytest
from scipy.stats import norm

from lpsnmr.analysis.nmr import DecaySettings, analyze_decay
from lpsnmr.efg.quadrupolar import frequency_correlation
from lpsnmr.errors import InputError
from lpsnmr.sampling import MultiTauCorrelator
from oracles.processes import SITE_A, SITE_B, TwoSite, ornstein_uhlenbeck
from support.correlated import correlated

FAST = DecaySettings(n_bootstrap=150)


def test_two_site_jumps():
    process = TwoSite(k_ab=0.06, k_ba=0.04, noise=0.1)
    rng = np.random.default_rng(0)
    statistics, duration = correlated(process.components(rng, 6000, 48, 0.5), 0.5)
    decay = analyze_decay(statistics, duration)
    assert decay.resolved
    # C(t) itself, at every lag used, within five of its own standard errors
    exact = frequency_correlation(process.plateau + process.amplitude * np.exp(-decay.lag_ps / process.tau))
    deviation = np.abs(decay.correlation - exact)[decay.used] / decay.standard_error[decay.used]
    assert deviation.max() < 5.0
    for found, true in (
        (decay.tau_ps, process.tau),
        (decay.tau_mean_ps, process.tau),
        (decay.gamma, 1.0),
        (decay.amplitude, frequency_correlation(process.amplitude)),
        (decay.plateau, frequency_correlation(process.plateau)),
    ):
        assert found.value == pytest.approx(float(true), rel=0.1)
        assert found.low <= found.value <= found.high
    assert decay.rate_per_s.value == pytest.approx(1e12 / decay.tau_mean_ps.value)
    assert decay.rate_per_s.low == pytest.approx(1e12 / decay.tau_mean_ps.high)
    # the noise is the part that is gone before the fit starts
    share = 5 * 0.1**2 / (process.plateau + process.amplitude + 5 * 0.1**2)
    assert decay.vibrational_fraction == pytest.approx(share, rel=0.1)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """40 repeats: a 95 % interval misses at most 6 times with probability 0.997."""
    process = TwoSite(k_ab=0.06, k_ba=0.04, noise=0.1)
    hits = {"tau_ps": 0, "gamma": 0, "tau_mean_ps": 0, "plateau": 0}
    truth = {"tau_ps": process.tau, "gamma": 1.0, "tau_mean_ps": process.tau,
             "plateau": float(frequency_correlation(process.plateau))}  # fmt: skip
    for seed in range(40):
        rng = np.random.default_rng(seed)
        statistics, duration = correlated(process.components(rng, 1200, 16, 0.5), 0.5)
        decay = analyze_decay(statistics, duration, settings=DecaySettings(n_bootstrap=100))
        assert decay.resolved, decay.reason
        for name in hits:
            found = getattr(decay, name)
            hits[name] += found.low <= truth[name] <= found.high
    assert min(hits.values()) >= 34, hits


def test_all_li_moving_together_widens_the_interval():
    """Ten copies of one Li carry the information of one: the blocks of time must notice."""
    process = TwoSite(k_ab=0.06, k_ba=0.04)
    rng = np.random.default_rng(1)
    independent = process.components(rng, 4000, 10, 0.5)
    copies = np.repeat(independent[:, :1], 10, axis=1)
    widths = []
    for components in (independent, copies):
        statistics, duration = correlated(components, 0.5)
        error = analyze_decay(statistics, duration, settings=FAST).standard_error
        widths.append(np.median(error[5:30]))
    assert widths[1] > 2.0 * widths[0]


def test_stretched_decay_from_a_mixture_of_rates():
    """exp(−√(t/τ)) is the mean of exp(−kt) over rates k = 1/(2τ z²), z normal (Lévy's distribution)."""
    tau, n = 6.0, 150
    z = norm.ppf(0.5 + 0.5 * (np.arange(n) + 0.5) / n)
    times = 2 * tau * z**2
    series = ornstein_uhlenbeck(np.random.default_rng(3), 10000, n, 1, 1.0, times)
    decay = analyze_decay(*correlated(series, 1.0), settings=FAST)
    assert decay.resolved, decay.reason
    assert decay.gamma.low < 0.5 < decay.gamma.high < 0.8
    assert decay.tau_ps.low < tau < decay.tau_ps.high
    assert decay.tau_mean_ps.value == pytest.approx(2 * tau, rel=0.15)
    assert decay.tau_mean_ps.low < 2 * tau < decay.tau_mean_ps.high


@pytest.mark.parametrize("rate", [1e-5, 2e-3])
def test_undecayed_data_is_called_so(rate):
    """Decay times of 50 μs and 250 ps in a run of 1 ns (lags to 250 ps): nothing is invented."""
    process = TwoSite(k_ab=rate, k_ba=rate, noise=0.1)
    statistics, duration = correlated(process.components(np.random.default_rng(5), 2000, 12, 0.5), 0.5)
    decay = analyze_decay(statistics, duration, settings=FAST)
    assert not decay.resolved
    assert decay.reason.startswith("not resolved: C(t) falls by")
    assert "longest lag used, 24" in decay.reason
    assert decay.tau_ps is decay.rate_per_s is None
    assert np.isnan(decay.fitted).all()


def test_white_noise_has_no_decay():
    noise = np.random.default_rng(0).normal(size=(2000, 12, 5))
    statistics, duration = correlated(noise + SITE_A + 0 * SITE_B, 0.5)
    assert not analyze_decay(statistics, duration, settings=FAST).resolved


def test_short_runs_are_not_fitted():
    statistics, duration = correlated(np.random.default_rng(0).normal(size=(30, 12, 5)), 0.1)
    decay = analyze_decay(statistics, duration, settings=FAST)
    assert "only 0 lags" in decay.reason


def test_one_unit_has_no_error():
    """Two Li and four blocks of time cannot tell their spread, however long the lags."""
    series = np.random.default_rng(0).normal(size=(256, 2, 5))
    correlator = MultiTauCorrelator(2, 5, sample_interval_ps=0.5, max_blocks=4)
    for values in series:
        correlator.add(values)
    decay = analyze_decay(correlator.statistics(), 127.5)
    assert "no error estimate possible" in decay.reason
    assert np.isnan(decay.standard_error).all()


def test_same_data_same_numbers():
    process = TwoSite(k_ab=0.06, k_ba=0.04, noise=0.1)
    statistics, duration = correlated(process.components(np.random.default_rng(1), 1200, 16, 0.5), 0.5)
    a, b = (analyze_decay(statistics, duration, settings=FAST) for _ in range(2))
    assert (a.tau_ps, a.gamma, a.rate_per_s) == (b.tau_ps, b.gamma, b.rate_per_s)


@pytest.mark.parametrize(
    "options",
    [{"fit_start_ps": 0.0}, {"max_lag_fraction": 1.0}, {"level": 95.0}, {"n_bootstrap": 3}, {"min_decay": 0}],
)
def test_bad_settings(options):
    with pytest.raises(InputError, match=next(iter(options))):
        DecaySettings(**options)


def test_decay_before_the_first_fitted_lag_is_not_resolved():
    components = ornstein_uhlenbeck(np.random.default_rng(3), 4000, 24, 5, 0.1, 0.4)
    statistics, duration = correlated(components, 0.1)
    decay = analyze_decay(statistics, duration, settings=FAST)
    assert not decay.resolved
    assert "shorter than the first lag fitted" in decay.reason
    earlier = DecaySettings(fit_start_ps=0.1, n_bootstrap=150)
    assert analyze_decay(statistics, duration, settings=earlier).tau_ps.value == pytest.approx(0.4, rel=0.15)
