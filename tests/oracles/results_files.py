"""Results files of synthetic runs, as `lpsnmr run` would write them."""

import numpy as np

from lpsnmr.results import Results, SiteJumps
from lpsnmr.sampling import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.sampling.jump_book import JumpBook
from lpsnmr.sampling.nmr_sampling import NmrSampler, nmr_groups
from lpsnmr.sampling.settings import SamplingSettings
from oracles.processes import TwoSite, equal_exchange


def synthetic_results(rate, *, n=16, samples=2000, interval=0.5, jump=3.0, temperature=600.0, seed=0):
    """Two-site EFG jumps with k_ab = k_ba = rate (1/ps), each with a step of ``jump`` Å: D = rate a²/6."""
    rng = np.random.default_rng(seed)
    process = TwoSite(k_ab=rate, k_ba=rate, noise=0.05)
    on_a = process.sites(rng, samples, n, interval)
    components = np.where(on_a[..., None], *sites()) + 0.05 * rng.normal(size=(samples, n, 5))
    hops = on_a[1:] != on_a[:-1]
    directions = np.eye(3)[rng.integers(0, 3, hops.shape)] * rng.choice([-1, 1], (*hops.shape, 1))
    positions = np.zeros((samples, n, 3))
    positions[1:] = np.cumsum(jump * hops[..., None] * directions, axis=0)
    efg = MultiTauCorrelator(n, 5, sample_interval_ps=interval)
    displacement = DisplacementCorrelator(n, sample_interval_ps=interval)
    for c, r in zip(components, positions + 0.1 * rng.normal(size=positions.shape), strict=True):
        efg.add(c)
        displacement.add(r)
    return Results(
        sample_interval_ps=interval, n_samples=samples, n_atoms=n * 8 // 3, li_ids=np.arange(1, n + 1),
        cell=np.diag([10.0, 11.0, 12.0]), species_counts={"Li": n}, temperature_k=temperature,
        mean_temperature_k=temperature + 0.5, std_temperature_k=20.0,
        efg_correlation=efg.statistics(), efg_mean=efg.mean, efg_mean_square=efg.mean_square,
        displacement=displacement.statistics(), jump_distance_angstrom=jump,
        provenance={"seed": seed, "config": "[run]\n" * 20000, "lammps": "22 Jul 2025"},
        statistics={"ns_per_day": 12.5},
    )  # fmt: skip


def sites():
    """Return the components of the two sites."""
    from oracles.processes import SITE_A, SITE_B

    return SITE_A, SITE_B


INTERVAL = 0.5
SETTINGS = SamplingSettings(
    window_ps=0.5, evolution_times_us=(2.0, 10.0), orientation_degree=17, field_directions=((0.0, 0.0, 1.0),)
)


def results_with_nmr(rate, temperature, samples=1500, n=12):
    """Four sites in equal exchange: everything decays as exp(−4 rate t)."""
    process = equal_exchange(4, rate)
    components = process.components(np.random.default_rng(round(temperature)), samples, n, INTERVAL)
    sampler = NmrSampler(SETTINGS, n, sample_interval_ps=INTERVAL)
    for step, values in enumerate(components):
        sampler.add(values, step)
    efg = MultiTauCorrelator(n, 5, sample_interval_ps=INTERVAL)
    for values in components:
        efg.add(values)
    results = synthetic_results(rate, n=n, samples=50, interval=INTERVAL, temperature=temperature)
    results.n_samples = samples
    results.efg_correlation, results.efg_mean, results.efg_mean_square = (
        efg.statistics(), efg.mean, efg.mean_square,
    )  # fmt: skip
    results.displacement = None
    for name, group in vars(nmr_groups(sampler.states(), SETTINGS.field_directions)).items():
        setattr(results, name, group)
    return results, process


def booked_jumps(n=12, windows=1000, rate=0.02, seed=3):
    """Jumps of n Li between two sites at ``rate`` per window of 0.5 ps, as ``jumps_sites`` holds them."""
    rng = np.random.default_rng(seed)
    book = JumpBook(n, 1)
    for events in rng.random((windows, n)) < rate:
        book.advance()
        book.settle()
        for i in np.flatnonzero(events):
            book.propose(int(i), 3.0, False)
    return SiteJumps(
        **vars(book.summary(0.5)),
        sites_fractional=np.array([[0.0, 0.0, 0.0], [0.3, 0.0, 0.0]]),
        site_founded=np.array([False, True]),
        site_occupation=np.array([0.5, 0.5]),
        between_sites=0.1,
        site_pairs=np.array([[0, 1, 100], [1, 0, 100]]),
    )
