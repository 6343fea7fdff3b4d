"""Echoes and decays with motion against closed forms, matrix exponentials and drawn trajectories."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from lpsnmr.errors import InputError
from lpsnmr.network import JumpNetwork, Modes, exchange_echo, exchange_spectrum, fid, quadrupole_echo
from lpsnmr.network.exchange import frequencies
from lpsnmr.sampling.orientations import lebedev_half_sphere

Z = [0.0, 0.0, 1.0]
AXIAL = np.sqrt(2.0 / 3.0)  # b·V·b along z of the component m = 0


def random_network(n, rate, seed=0, spread=0.05):
    rng = np.random.default_rng(seed)
    network = JumpNetwork.equal_exchange(0.3 * rng.normal(size=(n, 5)), rate)
    return replace(
        network,
        site_class=np.arange(n),
        energy_ev=rng.normal(scale=spread, size=n),
        entropy=rng.normal(size=n),
    )


def two_sites(rate, split_rad_s):
    """Return sites at ± a frequency for a field along z."""
    unit = frequencies(np.eye(5)[[2]], "7Li", np.array([Z]))[0, 0]
    tensors = np.zeros((2, 5))
    tensors[:, 2] = np.array([1.0, -1.0]) * split_rad_s / unit
    return JumpNetwork.equal_exchange(tensors, rate)


@pytest.mark.parametrize("rate", [1e2, 2e5, 1e9])
def test_echo_equals_matrix_exponentials(rate):
    network = random_network(4, rate)
    modes = Modes.of(network, 300.0)
    matrix, p = network.rate_matrix(300.0), network.occupations(300.0)
    evolution, mixing = [2e-6, 1e-5], np.array([0.0, 1e-6, 1e-4])
    echo = exchange_echo(modes, network.tensors, evolution, mixing, degree=11)
    directions, weights = lebedev_half_sphere(11)
    omega = frequencies(network.tensors, "7Li", directions)
    for row, time in enumerate(evolution):
        expected = np.zeros((2, len(mixing)))
        for i, weight in enumerate(weights):
            whole = expm((matrix + 1j * np.diag(omega[:, i])) * time)
            first, last = p @ whole, whole.sum(axis=1)
            for k, mix in enumerate(mixing):
                between = expm(matrix * mix)
                expected[0, k] += weight * (first.imag @ between @ last.imag)
                expected[1, k] += weight * (first.real @ between @ last.real)
        np.testing.assert_allclose([echo.sine[row], echo.cosine[row]], expected, rtol=0, atol=2e-6)


def test_slow_motion_gives_the_echo_of_frozen_evolution():
    network = random_network(3, 1.0, spread=0.0)
    modes, times = Modes.of(network, 300.0), np.array([0.0, 0.1, 1.0, 1e3])
    echo = exchange_echo(modes, network.tensors, [1e-5], times, degree=35)
    directions, weights = lebedev_half_sphere(35)
    phase = 1e-5 * frequencies(network.tensors, "7Li", directions)
    matrix, p = network.rate_matrix(300.0), network.occupations(300.0)
    for k, time in enumerate(times):
        joint = p[:, None] * expm(matrix * time)
        expected = np.einsum("ib,ij,jb,b->", np.sin(phase), joint, np.sin(phase), weights)
        assert echo.sine[0, k] == pytest.approx(expected, abs=3e-5)
    final = np.einsum("i,ib->b", p, np.sin(phase)) ** 2 @ weights
    assert echo.plateau[0, 0] == pytest.approx(final, abs=3e-5)
    assert echo.amplitude[0] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("rate", [1e3, 1e5, 1.0001e5, 1e7])
def test_two_site_decay_in_closed_form(rate):
    """Through coalescence at rate = half the splitting, where modes of K + iΩ fall together."""
    split, times = 1e5, np.linspace(0.0, 1e-4, 40)
    network = two_sites(rate, split)
    found = fid(Modes.of(network, 300.0), network.tensors, times, direction=Z)
    root = np.sqrt(complex(rate**2 - split**2))
    if abs(root) * times[-1] < 1e-8:
        expected = np.exp(-rate * times) * (1 + rate * times)
    else:
        slow, fast = -(split**2) / (rate + root), -rate - root  # the roots, without cancellation
        expected = 0.5 * ((1 + rate / root) * np.exp(slow * times) + (1 - rate / root) * np.exp(fast * times))
    np.testing.assert_allclose(found, expected, atol=3e-6)


def test_echo_of_two_sites_against_drawn_trajectories():
    rate, split, evolution, mixing = 6e4, 2e5, 1e-5, 2e-5
    rng = np.random.default_rng(3)
    n = 60_000
    site = rng.integers(0, 2, n) * 2.0 - 1.0
    now = np.zeros(n)
    phases = [np.zeros(n), np.zeros(n)]
    edges = [(0.0, evolution), (evolution + mixing, 2 * evolution + mixing)]
    while now.min() < edges[1][1]:
        then = now + rng.exponential(1.0 / rate, n)
        for phase, (begin, end) in zip(phases, edges, strict=True):
            phase += split * site * np.clip(np.minimum(then, end) - np.maximum(now, begin), 0.0, None)
        now, site = then, -site
    drawn = np.sin(phases[0]) * np.sin(phases[1])
    network = two_sites(rate, split)
    echo = exchange_echo(Modes.of(network, 300.0), network.tensors, [evolution], [mixing], direction=Z)
    assert abs(drawn.mean() - echo.sine[0, 0]) < 4.0 * drawn.std() / np.sqrt(n)


def test_quadrupole_echo_refocuses_without_motion_only():
    still, moving = random_network(3, 1e-2), random_network(3, 2e4)
    signal = [
        quadrupole_echo(Modes.of(n, 300.0), n.tensors, 2e-5, [0.0], degree=23)[0].real
        for n in (still, moving)
    ]
    assert signal[0] == pytest.approx(1.0, abs=1e-5)
    assert 0.1 < signal[1] < 0.95


def test_jump_on_a_tetrahedron_averages_all():
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3.0)
    from lpsnmr.efg.tensors import tensor_to_components

    tensors = tensor_to_components(1.5 * corners[:, :, None] * corners[:, None, :] - 0.5 * np.eye(3))
    network = JumpNetwork.equal_exchange(0.5 * tensors, 1e9)
    modes = Modes.of(network, 300.0)
    np.testing.assert_allclose(modes.rates, [-4e9, -4e9, -4e9, 0.0], atol=1e-3)
    echo = exchange_echo(modes, network.tensors, [1e-5], [0.0, 1e-3])
    assert np.abs(echo.sine).max() < 1e-3
    assert echo.cosine[0, 1] == pytest.approx(1.0, abs=0.03)


def test_spectrum_from_rigid_to_narrow():
    tensors = np.zeros((2, 5))
    tensors[0, 2], tensors[1, 2] = 0.3, -0.3
    second = (2 * np.pi * 1500.0) ** 2
    widths = []
    for rate in (1.0, 1e8):
        modes = Modes.of(JumpNetwork.equal_exchange(tensors, rate), 300.0)
        spectrum = exchange_spectrum(modes, tensors, second_moment=second)
        step = np.diff(spectrum.frequency_hz)[0]
        assert spectrum.intensity.sum() * step == pytest.approx(1.0, abs=1e-3)
        far = np.abs(spectrum.frequency_hz) > 6e3
        widths.append(float(spectrum.intensity[far].sum() * step))
    assert widths[0] > 0.15
    assert abs(widths[1]) < 0.01


def test_rigid_line_is_the_powder_pattern():
    """Satellites of the decay against the histogram of orientations that ``analyze`` draws."""
    from lpsnmr.analysis.nmr.spectra import powder_spectrum

    tensors = np.array([[0.0, 0.0, 0.3, 0.0, 0.1]])
    modes = Modes.of(JumpNetwork.equal_exchange(tensors, 1.0), 300.0)
    sigma = 1.5
    found = exchange_spectrum(modes, tensors, second_moment=(2e3 * np.pi * sigma) ** 2)
    assert found.converged
    pattern = powder_spectrum(tensors[None], 1.0, n_bootstrap=50)
    x = np.linspace(-20.0, 20.0, 81)
    bins = pattern.frequency_khz
    kernel = np.exp(-0.5 * ((x[:, None] - bins) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    expected = kernel @ (pattern.satellites * np.diff(bins)[0])
    expected += 0.4 * np.exp(-0.5 * (x / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    got = np.interp(x, found.frequency_hz * 1e-3, found.intensity * 1e3)
    np.testing.assert_allclose(got, expected, atol=0.01 * expected.max())


def test_refuses_rates_out_of_balance():
    with pytest.raises(InputError, match="detailed balance"):
        Modes.of_matrix(np.array([[-1.0, 1.0], [2.0, -2.0]]), np.array([0.5, 0.5]))


def test_refuses_a_phase_that_nobody_can_wait_for():
    network = two_sites(1.0, 1e6)
    with pytest.raises(InputError, match="more than can be followed"):
        fid(Modes.of(network, 300.0), network.tensors, [1.0], direction=Z)
