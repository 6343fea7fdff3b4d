"""From jumps seen in positions to a network: the accumulator, its checkpoint, and the fit of drawn runs."""

import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.network.from_results import fit_results
from lpsnmr.results import Results
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.sampling.site_jumps import SiteTracker
from lpsnmr.units import BOLTZMANN_EV_PER_K

CELL = np.diag([12.0, 12.0, 4.0])
SITES = np.array([[0.0, 0, 0], [0.25, 0, 0], [0.5, 0, 0], [0.75, 0, 0]])
TENSORS = np.random.default_rng(4).normal(size=(4, 5))
SETTINGS = JumpSettings(min_stay_ps=0.5)


def ring_of(tracker, windows, rate, rng, n=8, site=None):
    """Let ions walk round the ring of four sites, so many jumps in a window; return their sites."""
    site = rng.integers(0, 4, n) if site is None else site
    for _ in range(windows):
        moves = rng.random(n) < rate
        site = (site + moves * rng.choice([-1, 1], n)) % 4
        tensors = TENSORS[site] + 0.05 * rng.normal(size=(n, 5))
        tracker.add(SITES[site] + 0.005 * rng.normal(size=(n, 3)), CELL, tensors)
    return site


def test_accumulator_finds_tensors_times_and_waits():
    tracker = SiteTracker(8, 0.5, SETTINGS, SITES)
    ring_of(tracker, 4000, 0.05, np.random.default_rng(0))
    found, jumps = tracker.network(), tracker.summary()
    np.testing.assert_allclose(found.tensor_mean, TENSORS, atol=0.01)
    assert found.waiting_windows.sum() == 8 * 4000
    np.testing.assert_allclose(found.pair_wait_windows.sum() / found.pair_waits.sum(), 20.0, rtol=0.1)
    assert found.pair_backward.sum() / jumps.site_pairs[:, 2].sum() == pytest.approx(0.5, abs=0.04)


def test_accumulator_continues_bit_for_bit():
    whole, part = (SiteTracker(8, 0.5, SETTINGS, SITES) for _ in range(2))
    rng, again = np.random.default_rng(1), np.random.default_rng(1)
    site = ring_of(whole, 300, 0.1, rng)
    ring_of(whole, 300, 0.1, rng, site=site)
    site = ring_of(part, 300, 0.1, again)
    part = SiteTracker.from_state(part.state(), 0.5, SETTINGS)
    ring_of(part, 300, 0.1, again, site=site)
    for name, value in vars(whole.network()).items():
        np.testing.assert_array_equal(value, getattr(part.network(), name))


def results_at(temperature, folder, *, with_network=True, energy=0.3):
    rng = np.random.default_rng(int(temperature))
    tracker = SiteTracker(8, 0.5, SETTINGS, SITES)
    rate = 0.06 * np.exp(-energy / BOLTZMANN_EV_PER_K * (1 / temperature - 1 / 700.0))
    ring_of(tracker, 3000, rate, rng)
    results = Results(0.1, 15_000, 8, np.arange(8), CELL, temperature_k=temperature)
    results.jumps_sites = tracker.summary()
    results.site_network = tracker.network() if with_network else None
    path = folder / f"{temperature:g}.h5"
    results.write(path)
    return path


def test_network_of_drawn_runs(tmp_path):
    pytest.importorskip("spglib")
    found = fit_results([results_at(t, tmp_path) for t in (550.0, 600.0, 700.0)])
    network = found.fit.network
    assert network.n_sites == 4
    assert len(network.saddle_ev) == 1
    assert network.saddle_ev[0] == pytest.approx(0.3, abs=0.04)
    assert network.jump_rate(700.0) == pytest.approx(
        0.06 / 0.5e-12, rel=0.12
    )  # what returns within a window is no jump
    assert any("no memory seen" in note for note in found.notes)
    np.testing.assert_allclose(network.tensors, TENSORS, atol=0.02)


def test_files_without_waiting_times_are_refused(tmp_path):
    paths = [results_at(t, tmp_path, with_network=t > 600) for t in (600.0, 700.0)]
    assert Results.read(paths[0]).site_network is None
    with pytest.raises(InputError, match=r"600.h5: no waiting times"):
        fit_results(paths)
