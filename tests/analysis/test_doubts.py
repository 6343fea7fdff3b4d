"""What is fitted and still says nothing is told as such."""

import numpy as np
import pytest

from lpsnmr.analysis import AnalysisSettings, Interval, Quantity, analyze
from lpsnmr.analysis.doubts import doubt, doubted
from lpsnmr.analysis.dynamics import DiffusionSettings
from lpsnmr.analysis.nmr import DecaySettings
from oracles.results_files import synthetic_results

SETTINGS = AnalysisSettings(DecaySettings(n_bootstrap=50), DiffusionSettings(n_bootstrap=50))


@pytest.mark.parametrize(
    ("key", "interval", "words"),
    [
        ("tau_mean_ps", (10.0, 8.0, 12.0), ""),
        ("tau_mean_ps", (60.0, 50.0, 70.0), "the run lasts 17 decay times"),
        ("rate_nmr_per_s", (1e12 / 60, 1e10, 2e10), "the run lasts 17 decay times"),
        ("diffusion_cm2_per_s", (1e-6, 0.4e-6, 1.3e-6), "differ by a factor of 3.3"),
        ("diffusion_cm2_per_s", (1e-6, 0.5e-6, 1.4e-6), ""),
        ("sites_2us", (1.0, -0.5, 2.0), "reaches to zero"),
    ],
)
def test_reasons(key, interval, words):
    found = doubt(Quantity(key, "x", "", Interval(*interval)), 1000.0)
    assert words in found
    assert bool(found) == bool(words)


def test_a_parameter_at_its_bound_takes_what_comes_from_the_fit_along():
    tau = Quantity("tau_ps", "τ", "ps", Interval(10.0, 8.0, 12.0))
    t1 = Quantity("t1_116mhz_s", "T1", "s", Interval(1.0, 0.9, 1.1))
    d = Quantity("diffusion_cm2_per_s", "D", "cm²/s", Interval(1.0, 0.9, 1.1))
    found = doubted([tau, t1, d], 1000.0, "γ is at the bound of the fit, 1.5", frozenset({"tau_ps"}))
    assert [q.resolved for q in found] == [False, False, True]
    assert found[0].value == 10.0
    assert "γ is at the bound of the fit, 1.5" in str(found[0])


def test_a_short_run_is_told_as_such():
    """Fifteen decay times: numbers, but none to build on; the same process for longer is resolved."""
    short = analyze(synthetic_results(0.05, n=32, samples=301), SETTINGS)
    tau = short.quantity("tau_mean_ps")
    assert np.isfinite(tau.value)
    assert not tau.resolved
    assert "decay times" in tau.why_not
    assert f"τ_mean: {tau.why_not}" in [str(note) for note in short.notes]
    assert analyze(synthetic_results(0.05, n=16, samples=2000), SETTINGS).quantity("tau_mean_ps").resolved
