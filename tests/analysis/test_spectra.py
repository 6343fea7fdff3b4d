"""Powder spectra and second moments against closed forms."""

from math import pi

import numpy as np
import pytest

from lpsnmr.analysis.nmr import powder_spectrum, second_moment
from lpsnmr.efg.quadrupolar import frequency_correlation, frequency_rad_s_per_efg
from lpsnmr.efg.tensors import tensor_to_components
from oracles.processes import equal_exchange


def tensors(v_zz, eta, n=6):
    """The same principal values in n random frames."""
    rng = np.random.default_rng(0)
    frames = np.linalg.qr(rng.normal(size=(n, 3, 3)))[0]
    diagonal = np.diag([-0.5 * (1 - eta), -0.5 * (1 + eta), 1.0]) * v_zz
    return tensor_to_components(frames @ diagonal @ frames.transpose(0, 2, 1))[None]


def test_pake_pattern():
    """η = 0: one satellite has the density 1/√(12 (x + ½)) between x = −½ and 1, x = ν/ν_max."""
    spectrum = powder_spectrum(tensors(1.0, 0.0), 1.0)
    nu = abs(frequency_rad_s_per_efg()) / (2 * pi * 1e3)
    x = spectrum.frequency_khz / nu
    step = spectrum.frequency_khz[1] - spectrum.frequency_khz[0]

    def below(y):  # share of the powder with 3z² − 1 < 2y
        return np.sqrt(np.clip((2 * y + 1) / 3, 0, 1))

    half = 0.5 * step / nu
    one = (below(x + half) - below(x - half)) / step
    expected = 0.6 * 0.5 * (one + one[::-1])
    np.testing.assert_allclose(spectrum.satellites, expected, atol=0.02 * expected.max())
    assert spectrum.central_share == 0.4


@pytest.mark.parametrize("eta", [0.0, 0.35, 1.0])
def test_area_edges_and_second_moment(eta):
    spectrum = powder_spectrum(tensors(0.7, eta), 1.0)
    step = spectrum.frequency_khz[1] - spectrum.frequency_khz[0]
    assert spectrum.satellites.sum() * step == pytest.approx(0.6, rel=1e-6)
    np.testing.assert_allclose(spectrum.satellites, spectrum.satellites[::-1], atol=1e-12)
    nu = 0.7 * abs(frequency_rad_s_per_efg()) / (2 * pi * 1e3)
    assert np.all(spectrum.satellites[np.abs(spectrum.frequency_khz) > nu + step] < 1e-9)
    # horns at ½(1 − η) ν_max, where the density is largest
    if eta < 1:
        horn = abs(spectrum.frequency_khz[np.argmax(spectrum.satellites)])
        assert horn == pytest.approx(0.5 * (1 - eta) * nu, abs=2 * step)
    moment = (spectrum.satellites * spectrum.frequency_khz**2).sum() * step / 0.6
    assert moment == pytest.approx(nu**2 / 5 * (1 + eta**2 / 3), rel=2e-3)
    assert spectrum.second_moment_khz2.value == pytest.approx(nu**2 / 5 * (1 + eta**2 / 3), rel=1e-9)
    whole = spectrum.line(2.0)
    assert whole.sum() * step == pytest.approx(1.0, rel=1e-3)


def test_jumps_narrow_the_line():
    """Means over a time T have the second moment (2/T²)∫(T − t) C(t) dt of C = plateau + ΔC exp(−t/τ)."""
    process = equal_exchange(4, 0.02)
    series = process.components(np.random.default_rng(1), 20000, 12, 0.5)
    tau, last = 1 / 0.08, process.trace_correlation(1e5)
    amplitude = process.trace_correlation(0.0) - last
    widths = []
    for samples in (1, 40, 400):
        means = series.reshape(-1, samples, 12, 5).mean(axis=1)
        x = 0.5 * samples / tau if samples > 1 else 1e-9
        share = 2 / x**2 * (x - 1 + np.exp(-x)) if samples > 1 else 1.0
        exact = float(frequency_correlation(last + amplitude * share)) / (2e3 * pi) ** 2
        found = second_moment(means)
        assert found.value == pytest.approx(exact, rel=0.06)
        widths.append(found.value)
    assert widths[0] > widths[1] > widths[2]


def test_spin_one_has_no_central_line():
    spectrum = powder_spectrum(tensors(1.0, 0.2), 1.0, "6Li")
    step = spectrum.frequency_khz[1] - spectrum.frequency_khz[0]
    assert spectrum.central_share == 0.0
    assert spectrum.satellites.sum() * step == pytest.approx(1.0, rel=1e-6)


def test_vanishing_tensors_and_few_li():
    spectrum = powder_spectrum(np.zeros((3, 2, 5)), 1.0, reach_khz=50.0)
    assert spectrum.second_moment_khz2 is None
    assert np.all(np.isfinite(spectrum.satellites))
    assert spectrum.satellites.sum() * 100.0 / 300 == pytest.approx(0.6, rel=1e-6)
    assert np.count_nonzero(spectrum.satellites > 1e-9) <= 2
