"""A network from results files of runs at several temperatures."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.network.memory import memory_test
from lpsnmr.network.model import JumpNetwork
from lpsnmr.network.rates import JumpCounts, NetworkFit, fit_rates
from lpsnmr.network.symmetry import fold_sites, jump_classes
from lpsnmr.results import Results, SiteJumps, SiteNetwork, find_results_file
from lpsnmr.typing import Array, Indices
from lpsnmr.units import SECONDS_PER_PS

__all__ = ["FittedResults", "fit_results"]

SAME_SITE_ANGSTROM = 1.0
LEAST_WATCHED = 0.9


@dataclass(frozen=True)
class FittedResults:
    """The fit and what to know of it, one line each."""

    fit: NetworkFit
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Run:
    path: str
    results: Results
    jumps: SiteJumps
    network: SiteNetwork


def fit_results(paths: Sequence[str | os.PathLike[str]]) -> FittedResults:
    """Fit a jump network to runs of one structure at two temperatures or more.

    Sites are those of the first run, folded by symmetry; those of the others are assigned to them. Each
    mean tensor is that of all runs.

    Raises
    ------
    InputError
        When a file has no jumps between sites with waiting times and tensors (it was made by an earlier
        version, or without following sites), all temperatures are one, or the sites do not match.
    """
    runs = [_read(path) for path in paths]
    if len({round(run.results.best_temperature_k, 1) for run in runs}) < 2:
        raise InputError("network: expected runs at two temperatures or more, got one")
    first = runs[0]
    sites = first.jumps.sites_fractional
    maps = [_assign(run, sites, first) for run in runs]
    tensors = _tensors(runs, maps, len(sites))
    pairs = np.concatenate([_mapped_pairs(run, m)[0] for run, m in zip(runs, maps, strict=True)])
    classes = fold_sites(sites, first.results.cell)
    edges, kinds = jump_classes(pairs, classes)
    n_classes, n_kinds = int(classes.site_class.max()) + 1, int(kinds.max(initial=-1)) + 1
    step = sites[edges[:, 1]] - sites[edges[:, 0]]
    blank = JumpNetwork(
        tuple(str(i) for i in range(len(sites))), classes.site_class, tensors, np.zeros(n_classes),
        np.zeros(n_classes), edges, kinds, np.full(n_kinds, 0.35), np.full(n_kinds, 29.0),
        (step - np.round(step)) @ first.results.cell, first.results.nucleus,
        jump_names=tuple(_names(edges, kinds, classes.site_class)),
    )  # fmt: skip
    counts = [_counts(run, m, blank) for run, m in zip(runs, maps, strict=True)]
    fit = fit_rates(blank, counts, n_draws=100)
    symbol = f", space group of the sites {classes.symbol}" if classes.symbol else ""
    notes = [f"{len(sites)} sites in {n_classes} classes, {len(edges)} edges in {n_kinds} classes{symbol}"]
    notes += [_memory_note(run, fit.network) for run in runs]
    return FittedResults(fit, tuple(notes))


def _read(path: str | os.PathLike[str]) -> _Run:
    file = find_results_file(path)
    results = Results.read(file)
    jumps, network = results.jumps_sites, results.site_network
    if jumps is None or network is None:
        raise InputError(
            f"{file}: no waiting times and mean tensors of sites: expected a run of this "
            "version that follows jumps"
        )
    watched = network.waiting_windows.sum() / max(jumps.windows * results.n_li, 1)
    if watched < LEAST_WATCHED:
        raise InputError(
            f"{file}: sites were watched for {100 * watched:.0f} % of the run, expected "
            f"{100 * LEAST_WATCHED:.0f} %: it was begun by an earlier version, or its "
            "sites do not hold its ions"
        )
    if not network.tensor_windows.any():
        raise InputError(f"{file}: no mean tensors of sites: the run ended before its sites were known")
    if not np.isfinite(results.best_temperature_k):
        raise InputError(f"{file}: the temperature is unknown")
    return _Run(str(file), results, jumps, network)


def _assign(run: _Run, sites: Array, first: _Run) -> Indices:
    """Return which of the sites each site of a run is, −1 for none."""
    own = run.jumps.sites_fractional
    step = own[:, None] - sites[None]
    distance = np.linalg.norm((step - np.round(step)) @ first.results.cell, axis=-1)
    nearest = distance.argmin(axis=1)
    found = np.where(distance.min(axis=1) < SAME_SITE_ANGSTROM, nearest, -1)
    kept = run.jumps.site_occupation[found >= 0].sum() / max(run.jumps.site_occupation.sum(), 1e-300)
    if kept < LEAST_WATCHED:
        raise InputError(
            f"{run.path}: {100 * kept:.0f} % of its ions are at sites of {first.path}: "
            "are they of one structure?"
        )
    return found.astype(np.int64)


def _tensors(runs: Sequence[_Run], maps: Sequence[Indices], n: int) -> Array:
    sums, windows = np.zeros((n, 5)), np.zeros(n)
    for run, found in zip(runs, maps, strict=True):
        known = found >= 0
        weight = run.network.tensor_windows[known]
        np.add.at(sums, found[known], weight[:, None] * run.network.tensor_mean[known])
        np.add.at(windows, found[known], weight)
    return sums / np.maximum(windows, 1.0)[:, None]


def _mapped_pairs(run: _Run, found: Indices) -> tuple[Indices, Indices]:
    """Return pairs of the common sites and their jumps."""
    pairs = found[run.jumps.site_pairs[:, :2]]
    kept = (pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])
    return pairs[kept], run.jumps.site_pairs[kept, 2]


def _counts(run: _Run, found: Indices, network: JumpNetwork) -> JumpCounts:
    pairs, jumps = _mapped_pairs(run, found)
    index = {(int(a), int(b)): (e, 0) for e, (a, b) in enumerate(network.edges)}
    index |= {(b, a): (e, 1) for (a, b), (e, _) in list(index.items())}
    counts = np.zeros(network.edges.shape)
    for (a, b), n in zip(pairs.tolist(), jumps.tolist(), strict=True):
        counts[index[a, b]] += n
    waiting = np.zeros(network.n_sites)
    known = found >= 0
    np.add.at(waiting, found[known], run.network.waiting_windows[known])
    waiting *= run.network.window_ps * SECONDS_PER_PS
    return JumpCounts(run.results.best_temperature_k, counts, waiting, _dispersion(run.jumps))


def _dispersion(jumps: SiteJumps) -> float:
    """Variance over mean of the jumps in blocks of time, 1 at least."""
    whole = jumps.block_jumps[: jumps.windows // max(jumps.block_windows, 1)]
    if len(whole) < 5 or whole.mean() == 0:
        return 1.0
    return float(max(1.0, whole.var(ddof=1) / whole.mean()))


def _names(edges: Indices, kinds: Indices, site_class: Indices) -> list[str]:
    names = []
    for kind in range(int(kinds.max(initial=-1)) + 1):
        i, j = edges[np.argmax(kinds == kind)]
        names.append(f"{kind} ({site_class[i]}–{site_class[j]}, such as {i}–{j})")
    return names


def _memory_note(run: _Run, network: JumpNetwork) -> str:
    jumps = float(run.jumps.jumps.sum())
    temperature = run.results.best_temperature_k
    test = memory_test(
        network, temperature, float(run.jumps.backward), jumps, dispersion=_dispersion(run.jumps)
    )
    said = "no memory seen" if test.passed else "ions remember: D and slow times of the network are off"
    return (
        f"{temperature:.4g} K: {100 * test.backward_run:.1f} % of the jumps lead back, "
        f"{100 * test.backward_network:.1f} % "
        f"in the network ({test.excess_sigma:+.1f} σ): {said}"
    )
