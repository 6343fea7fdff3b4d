"""Which form a decay has: the right one is found on synthetic data, the wrong ones only by accident."""

import numpy as np
import pytest

from lpsnmr.analysis.nmr import DecaySettings, analyze_decay
from lpsnmr.analysis.nmr.kohlrausch import fit_shape, shape
from lpsnmr.analysis.nmr.models import compare_models
from lpsnmr.errors import InputError
from oracles.processes import TwoSite, levy_mixture, ornstein_uhlenbeck
from support.correlated import correlated

LAG = np.geomspace(1.0, 300.0, 60)
FAST = DecaySettings(n_bootstrap=150)


@pytest.mark.parametrize(
    ("family", "tau", "exponent"),
    [("kohlrausch", 20.0, 0.5), ("exponential", 15.0, 1.0), ("power", 5.0, 1.5)],
)
def test_every_family_recovers_its_own_curves(family, tau, exponent):
    curve = 0.2 + 3.0 * shape(family, LAG, tau, exponent)
    fit = fit_shape(LAG, curve, family=family)
    assert fit.tau[0] == pytest.approx(tau, rel=1e-3)
    assert fit.exponent[0] == pytest.approx(exponent, rel=1e-3)
    np.testing.assert_allclose(fit(LAG)[0], curve, atol=1e-4)


def comparison(truth, seed, n_units=40):
    """Compare on the mean of units whose noise is correlated between lags, and its bootstrap."""
    rng = np.random.default_rng(seed)
    covariance = 0.01**2 * np.exp(-np.abs(np.log(LAG[:, None] / LAG)) / 1.0)
    factor = np.linalg.cholesky(covariance)
    units = truth + np.sqrt(n_units) * rng.normal(size=(n_units, len(LAG))) @ factor.T
    curve = units.mean(axis=0)
    curves = units[rng.integers(0, n_units, (400, n_units))].mean(axis=1)
    starts = [fit_shape(LAG, curve, family=f) for f in ("kohlrausch", "exponential", "power")]
    return compare_models(LAG, curve, curves, n_units, starts)


@pytest.mark.parametrize(("family", "exponent"), [("kohlrausch", 0.5), ("exponential", 1.0), ("power", 0.8)])
def test_bic_finds_the_family(family, exponent):
    truth = 0.1 + shape(family, LAG, 8.0, exponent)
    found = []
    for seed in range(20):
        models = comparison(truth, seed)
        assert [m.aic for m in models] == sorted(m.aic for m in models)
        assert sum(m.akaike_weight for m in models) == pytest.approx(1.0)
        found.append(min(models, key=lambda m: m.bic).name)
    assert found.count(family) >= 15, found


@pytest.mark.slow
def test_chi_squared_is_that_of_the_degrees_of_freedom():
    """Were residuals at different lags taken as independent, it would be off by factors."""
    truth = 0.1 + shape("kohlrausch", LAG, 8.0, 0.6)
    models = [next(m for m in comparison(truth, seed) if m.name == "kohlrausch") for seed in range(30)]
    freedom = models[0].n_lags - models[0].n_parameters
    assert np.mean([m.chi_squared for m in models]) == pytest.approx(freedom, rel=0.3)


def test_models_of_simulated_decays():
    exponential = ornstein_uhlenbeck(np.random.default_rng(0), 4000, 48, 5, 0.5, 8.0)
    decay = analyze_decay(*correlated(exponential, 0.5), settings=FAST)
    assert min(decay.models, key=lambda m: m.bic).name == "exponential"
    stretched = levy_mixture(np.random.default_rng(2), 6000, 128, 1, 1.0, 6.0)
    decay = analyze_decay(*correlated(stretched, 1.0), settings=FAST)
    assert decay.models[-1].name == "exponential"
    assert decay.models[-1].aic > decay.models[0].aic + 10


def test_parts_add_up():
    process = TwoSite(k_ab=0.06, k_ba=0.04, noise=0.1)
    decay = analyze_decay(
        *correlated(process.components(np.random.default_rng(0), 4000, 32, 0.5), 0.5), settings=FAST
    )
    noise = 5 * 0.1**2
    zero = process.plateau + process.amplitude + noise
    hopping, plateau = decay.hopping_fraction, decay.plateau_fraction
    assert hopping.low < process.amplitude / zero < hopping.high
    assert plateau.low < process.plateau / (zero - noise) < plateau.high
    parts = decay.vibrational_fraction + hopping.value + decay.plateau.value / decay.initial.value
    assert parts == pytest.approx(1.0)


def test_unknown_family():
    with pytest.raises(InputError, match="family must be one of kohlrausch"):
        fit_shape(LAG, LAG, family="gauss")
