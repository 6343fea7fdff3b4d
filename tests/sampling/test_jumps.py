"""Jump detection on processes whose jumps are known."""

import dataclasses

import numpy as np
import pytest

from lpsnmr.analysis.dynamics import analyze_jumps
from lpsnmr.analysis.dynamics.jump_rates import poisson_interval, survival
from lpsnmr.errors import InputError
from lpsnmr.sampling import JumpSettings
from lpsnmr.sampling.displacement_jumps import DisplacementTracker
from lpsnmr.sampling.jump_book import JumpBook
from lpsnmr.sampling.site_finding import find_sites, minimum_image, replicate
from lpsnmr.sampling.site_jumps import SiteTracker
from oracles.hopping import Lattice, cubic_walk

WINDOW = 0.5
SETTINGS = JumpSettings(min_stay_ps=1.0, learn_ps=200.0)


def rates(tracker):
    return analyze_jumps(tracker.summary())


@pytest.fixture(scope="module")
def lattice():
    return Lattice.beta((1, 2, 2))


@pytest.fixture(scope="module")
def walk(lattice):
    """48 Li on the real sites of β-Li3PS4, 1200 windows, about 380 jumps, vibrations of 0.15 Å."""
    return lattice.walk(np.random.default_rng(0), 1200, 48, WINDOW, 0.004, 0.15)


@pytest.fixture(scope="module")
def tracked(lattice, walk):
    inverse = np.linalg.inv(lattice.cell)
    tracker = SiteTracker(48, WINDOW, SETTINGS, lattice.sites @ inverse)
    for r in walk[1]:
        tracker.add(r @ inverse, lattice.cell)
    return tracker


def true_transitions(site):
    """(from, to) of every change of site, in order, for all ions."""
    at, ion = np.nonzero(site[1:] != site[:-1])
    return [(int(site[t, i]), int(site[t + 1, i])) for t, i in zip(at, ion, strict=True)]


def test_known_sites_give_every_jump(lattice, walk, tracked):
    site, _, jumps = walk
    found = rates(tracked)
    assert found.n_jumps + found.n_recrossings * 2 + int(tracked.book.pending.sum()) == jumps
    assert found.n_recrossings <= 4  # true jumps back within 1 ps: 1.3 % of two windows each way
    truth = lattice.mean_rate(0.004) * 1e12
    assert found.rate_per_s.low < truth < found.rate_per_s.high
    assert found.residence_ps.value == pytest.approx(1e12 / found.rate_per_s.value)
    assert found.mean_square_length == pytest.approx(lattice.mean_square_length(), rel=0.05)
    pairs = {(a, b): n for a, b, n in tracked.summary().site_pairs.tolist()}
    direct = {}
    for pair in true_transitions(site):
        direct[pair] = direct.get(pair, 0) + 1
    differing = sum(abs(pairs.get(k, 0) - direct.get(k, 0)) for k in pairs | direct)
    assert differing <= 2 * found.n_recrossings + 2
    occupation = np.bincount(site.ravel(), minlength=48) / len(site)
    np.testing.assert_allclose(tracked.summary().site_occupation, occupation, atol=0.01)


def test_sites_are_found_in_the_density(lattice, walk, tracked):
    inverse = np.linalg.inv(lattice.cell)
    finder = SiteTracker(48, WINDOW, JumpSettings(min_stay_ps=1.0, learn_ps=200.0, repeats=(1, 2, 2)))
    for r in walk[1]:
        finder.add(r @ inverse, lattice.cell)
    assert len(finder.sites) == 48
    apart = minimum_image(finder.sites[:, None] - (lattice.sites @ inverse)[None]) @ lattice.cell
    assert np.linalg.norm(apart, axis=2).min(axis=0).max() < 0.1
    assert rates(finder).n_jumps == rates(tracked).n_jumps


def test_sites_visited_late_are_founded(lattice, walk):
    """Without the symmetry of the cell, sites that were empty at first come in as they are visited."""
    inverse = np.linalg.inv(lattice.cell)
    visited = {int(s) for s in np.unique(walk[0][:20])}
    tracker = SiteTracker(48, WINDOW, JumpSettings(min_stay_ps=1.0, learn_ps=10.0))
    for r in walk[1]:
        tracker.add(r @ inverse, lattice.cell)
    assert len(tracker.sites) > len(visited)
    assert tracker.summary().site_founded.sum() == len(tracker.sites) - len(visited)
    assert len(tracker.sites) <= 48


def test_displacement_finds_the_same_jumps(walk, tracked):
    tracker = DisplacementTracker(48, WINDOW, SETTINGS)
    for r in walk[1]:
        tracker.add(r)
    found, by_site = rates(tracker), rates(tracked)
    assert found.n_jumps == pytest.approx(by_site.n_jumps, abs=8)
    assert found.mean_length == pytest.approx(by_site.mean_length, rel=0.02)


@pytest.mark.parametrize("kind", ["sites", "displacement"])
def test_excursions_are_no_jumps(lattice, walk, kind):
    """Each ion is put on a neighbouring site for one or two windows now and then, and back."""
    rng = np.random.default_rng(5)
    inverse = np.linalg.inv(lattice.cell)
    site, positions, _ = walk
    disturbed, n_excursions = positions.copy(), 0
    changes = np.zeros(site.shape, dtype=bool)
    changes[1:] = site[1:] != site[:-1]
    for i in range(48):
        for t in rng.choice(np.arange(20, 1180), 5, replace=False):
            if not changes[t - 8 : t + 9, i].any():
                disturbed[t : t + 2, i] += lattice.vectors[site[t, i], 0]
                changes[t - 8 : t + 9, i] = True
                n_excursions += 1
    settings = JumpSettings(min_stay_ps=2.0)
    counts = []
    for x in (positions, disturbed):
        if kind == "sites":
            tracker = SiteTracker(48, WINDOW, settings, lattice.sites @ inverse)
        else:
            tracker = DisplacementTracker(48, WINDOW, settings)
        for r in x:
            tracker.add(r @ inverse, lattice.cell) if kind == "sites" else tracker.add(r)
        counts.append(rates(tracker))
    assert n_excursions > 150
    assert counts[1].n_jumps == counts[0].n_jumps
    assert counts[1].n_recrossings - counts[0].n_recrossings == n_excursions


@pytest.mark.slow
def test_intervals_cover_the_rate():
    """200 repeats of 24 ions; the number of hits of a 95 % interval lies in 180 … 199."""
    lattice = Lattice.beta((1, 1, 2))
    inverse = np.linalg.inv(lattice.cell)
    truth = lattice.mean_rate(0.01) * 1e12
    hits = 0
    for seed in range(200):
        _, x, _ = lattice.walk(np.random.default_rng(seed), 160, 24, WINDOW, 0.01, 0.1)
        tracker = SiteTracker(24, WINDOW, JumpSettings(min_stay_ps=0.5), lattice.sites @ inverse)
        for r in x:
            tracker.add(r @ inverse, lattice.cell)
        interval = rates(tracker).rate_per_s
        hits += interval.low <= truth <= interval.high
    assert 180 <= hits <= 199


def test_survival_is_exponential_with_censoring(tracked, lattice):
    found = rates(tracked)
    inside = (found.survival_ps > 0) & (found.survival_ps < 120)
    expected = np.exp(-lattice.mean_rate(0.004) * found.survival_ps[inside])
    np.testing.assert_allclose(found.survival[inside], expected, atol=0.08)


def test_kaplan_meier_by_hand():
    # 2 stays of 1 window, 1 running of 2, 1 stay of 3: S = 1, 1/2, 1/2, 0
    times, values = survival(np.array([1, 2, 3, 4]), np.array([2, 0, 1]), np.array([0, 1, 0]))
    assert times.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(values, [1.0, 0.5, 0.5, 0.0])


def test_blocks_merge_and_states_go_on():
    rng = np.random.default_rng(6)
    events = rng.random((500, 3)) < 0.02

    def feed(book, rows):
        for row in rows:
            book.advance()
            for i in np.flatnonzero(row):
                book.propose(int(i), 1.0, backward=False)
            book.settle()

    whole, half = JumpBook(3, 2), JumpBook(3, 2)
    feed(whole, events)
    feed(half, events[:230])
    resumed = JumpBook.from_state(half.state())
    feed(resumed, events[230:])
    for name, value in whole.state().items():
        np.testing.assert_array_equal(resumed.state()[name], value)
    summary = whole.summary(1.0)
    assert len(summary.block_jumps) <= 32
    assert summary.block_jumps.sum() == summary.jumps.sum() == events.sum() - whole.pending.sum()


@pytest.mark.parametrize("cut", [30, 700])
def test_trackers_resume_bit_for_bit(lattice, walk, tracked, cut):
    """Cut while sites are learnt, and after."""
    inverse = np.linalg.inv(lattice.cell)

    def site_tracker():
        return SiteTracker(48, WINDOW, JumpSettings(min_stay_ps=1.0, learn_ps=50.0))

    for make, kind, give in (
        (site_tracker, SiteTracker, lambda t, r: t.add(r @ inverse, lattice.cell)),
        (lambda: DisplacementTracker(48, WINDOW, SETTINGS), DisplacementTracker, lambda t, r: t.add(r)),
    ):
        whole, first = make(), make()
        for r in walk[1]:
            give(whole, r)
        for r in walk[1][:cut]:
            give(first, r)
        second = kind.from_state(first.state(), WINDOW, first._settings)
        for r in walk[1][cut:]:
            give(second, r)
        for name, value in whole.state().items():
            np.testing.assert_array_equal(second.state()[name], value, err_msg=name)
    with pytest.raises(InputError, match="no 'away'"):
        SiteTracker.from_state({}, WINDOW, SETTINGS)


def test_frozen_ions_have_an_upper_limit():
    tracker = DisplacementTracker(6, WINDOW, SETTINGS)
    rng = np.random.default_rng(7)
    for _ in range(100):
        tracker.add(0.1 * rng.normal(size=(6, 3)))
    found = rates(tracker)
    assert found.rate_per_s is None
    # 3.7 of 0 jumps at 97.5 %: 3.69/(6 · 50 ps)
    assert "0 jumps of 6 particles in 50 ps; the rate is below 1.2e+10 1/s" in found.reason


def test_dispersion_widens():
    plain, wide = poisson_interval(400), poisson_interval(400, 4.0)
    assert wide.high - 400 == pytest.approx(2 * (plain.high - 400), rel=0.1)
    assert poisson_interval(0).low == 0


def test_find_sites_in_a_skew_cell():
    cell = np.array([[8.0, 0, 0], [3.0, 7.0, 0], [1.0, 2.0, 6.0]])
    rng = np.random.default_rng(8)
    truth = np.array([[0.02, 0.5, 0.97], [0.4, 0.1, 0.3], [0.7, 0.6, 0.6]])
    points = np.repeat(truth, [300, 200, 100], axis=0) + 0.2 * rng.normal(size=(600, 3)) @ np.linalg.inv(cell)
    points = np.vstack([points, rng.random((6, 3))])  # ions on their way
    sites = find_sites(points, cell, 1.2, 3)
    assert len(sites) == 3
    apart = minimum_image(sites - truth) @ cell
    assert np.abs(apart).max() < 0.1
    whole = replicate(sites, (2, 1, 1))
    assert len(whole) == 6
    with pytest.raises(InputError, match="shape"):
        find_sites(np.zeros((0, 3)), cell, 1.0)


def test_bad_settings():
    with pytest.raises(InputError, match="window_ps"):
        JumpSettings.checked(window_ps=0.0)
    with pytest.raises(InputError, match="repeats"):
        JumpSettings.checked(repeats=(1, 0, 1))


def test_jumps_taken_for_recrossings_are_added():
    """Γ·min_stay = 0.1, three jumps in ten go back beyond chance: 9 % of the jumps are not counted."""
    rate, n, side = 0.05, 120, 12.0
    x = cubic_walk(np.random.default_rng(2), 2401, n, 0.5, rate, 0.3)
    grid = np.stack(np.meshgrid(*[np.arange(4) / 4] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    tracker = SiteTracker(n, 0.5, JumpSettings(min_stay_ps=2.0), grid)
    for r in x:
        tracker.add(r / side, side * np.eye(3))
    found = analyze_jumps(tracker.summary())
    assert found.counted_per_s.value == pytest.approx(0.91 * rate * 1e12, rel=0.02)
    assert found.rate_per_s.value == pytest.approx(rate * 1e12, rel=0.025)
    assert found.correction == pytest.approx(found.rate_per_s.value / found.counted_per_s.value)
    # no more jumps are added than recrossings were seen
    none = dataclasses.replace(tracker.summary(), recrossings=0)
    assert analyze_jumps(none).correction == 1.0
