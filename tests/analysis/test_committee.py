"""Model intervals from the runs of several members."""

from dataclasses import replace

import numpy as np
import pytest

from lpsnmr.analysis import AnalysisSettings, Interval, analyze
from lpsnmr.analysis.committee import _combine, combine_members
from lpsnmr.analysis.dynamics import DiffusionSettings
from lpsnmr.analysis.nmr import DecaySettings
from lpsnmr.errors import InputError
from oracles.results_files import synthetic_results

SETTINGS = AnalysisSettings(DecaySettings(n_bootstrap=50), DiffusionSettings(n_bootstrap=50))


def test_the_model_interval_is_what_sampling_does_not_explain():
    """2000 committees of 8: models spread by 0.3 in the logarithm, sampling by 0.2."""
    rng = np.random.default_rng(0)
    half = 1.959964 * 0.2
    hits, widths, points = 0, [], 0
    for _ in range(2000):
        logs = 0.3 * rng.normal(size=8) + 0.2 * rng.normal(size=8)
        _, model = _combine([Interval(*np.exp([y, y - half, y + half])) for y in logs], 0.95)
        another = np.exp(0.3 * rng.normal())
        hits += model.low <= another <= model.high
        widths.append(np.log(model.high / model.low) / 2)
        same = 0.2 * rng.normal(size=8)
        _, none = _combine([Interval(*np.exp([y, y - half, y + half])) for y in same], 0.95)
        points += np.log(none.high / none.low) / 2 < 0.3
    assert 0.85 < hits / 2000 < 0.97  # what sampling adds is known to eight members only
    assert np.median(widths) == pytest.approx(2.365 * 0.3 * np.sqrt(9 / 8), rel=0.15)
    assert points > 1200


@pytest.fixture(scope="module")
def members():
    """Four members whose models hop at unlike rates."""
    rates = (0.04, 0.05, 0.07, 0.1)
    return [analyze(synthetic_results(r, samples=1500, seed=k), SETTINGS) for k, r in enumerate(rates)]


def test_members_that_differ(members):
    found = {m.key: m for m in combine_members(members)}
    rate = found["rate_nmr_per_s"]
    assert rate.n_members == 4
    assert rate.statistical.value == pytest.approx(2 * (0.04 * 0.05 * 0.07 * 0.1) ** 0.25 * 1e12, rel=0.15)
    assert rate.model.high / rate.model.low > 2 * rate.statistical.high / rate.statistical.low
    # one and the same model sampled four times: sampling explains most of it
    same = [analyze(synthetic_results(0.05, samples=1500, seed=k), SETTINGS) for k in range(4)]
    alike = {m.key: m for m in combine_members(same)}["rate_nmr_per_s"]
    assert np.log(alike.model.high / alike.model.low) < 0.4 * np.log(rate.model.high / rate.model.low)


def test_what_is_no_committee(members):
    with pytest.raises(InputError, match="needs 3 members, got 2"):
        combine_members(members[:2])
    hot = replace(members[0], results=replace(members[0].results, mean_temperature_k=900.0))
    with pytest.raises(InputError, match="one temperature; theirs are 600 to 900 K"):
        combine_members([*members, hot])
    other = replace(members[0], results=replace(members[0].results, species_counts={"Na": 16}))
    with pytest.raises(InputError, match="one system"):
        combine_members([*members, other])
