"""Jumps between sites, found on the way: one window of vibration-averaged positions after the other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import nearest_sites
from lpsnmr.results import SiteJumps, SiteNetwork
from lpsnmr.sampling.jump_book import JumpBook, JumpTracker, State
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.sampling.site_finding import (
    find_sites,
    fold,
    minimum_image,
    replicate,
)
from lpsnmr.sampling.site_memory import SiteMemory
from lpsnmr.typing import Array

__all__ = ["SiteTracker"]

WINDOWS_TO_FOUND = 12
"""A Li that stays away from all sites for so many windows founds a new one."""
MAX_SITES_PER_ION = 8


class SiteTracker(JumpTracker):
    """Assigns ions to sites by the core they visited last and books their jumps.

    Parameters
    ----------
    n
        Number of ions.
    window_ps
        Time from one window to the next, ps.
    settings
        See ``JumpSettings``.
    sites
        (s, 3) fractional coordinates of known sites; None to find them in the density of the first
        ``settings.learn_ps``.
    """

    _ARRAYS = (
        "learn",
        "founded",
        "here",
        "before",
        "before_that",
        "away",
        "away_sum",
        "occupation",
        "between",
    )
    _KIND = "site"

    def __init__(self, n: int, window_ps: float, settings: JumpSettings, sites: Array | None = None) -> None:
        self._settings = settings
        self._n, self._window_ps = n, window_ps
        self.book = JumpBook(n, max(1, round(settings.min_stay_ps / window_ps)))
        self._learn = 0 if sites is not None else max(2, round(settings.learn_ps / window_ps))
        self._buffer: list[Array] = []
        self.sites = np.zeros((0, 3)) if sites is None else np.asarray(sites, dtype=np.float64) % 1.0
        self._founded = np.zeros(len(self.sites), dtype=np.bool_)
        self._here = np.full(n, -1, dtype=np.int64)  # site of each ion, −1 before the first core
        self._before = np.full(n, -1, dtype=np.int64)  # the site it came from
        self._before_that = np.full(n, -1, dtype=np.int64)  # restored when it returns at once
        self._away = np.zeros(n, dtype=np.int64)
        self._away_sum = np.zeros((n, 3))
        self._occupation = np.zeros(len(self.sites))
        self._between = 0.0  # ion-windows outside all cores
        self._pairs: dict[tuple[int, int], int] = {}
        self._memory = SiteMemory(n)

    def add(self, fractional: Array, cell: Array, tensors: Array | None = None) -> None:
        """Take the averaged positions of one window.

        Parameters
        ----------
        fractional
            (n, 3) float64, drift removed, unwrapped or not.
        cell
            (3, 3) float64, rows are the cell vectors, Å.
        tensors
            (n, 5) float64, V/Å², mean components of the ions in this window; used once sites are known.
        """
        if self._learn == 0:
            self._assign(fractional, cell, tensors)
            return
        self._buffer.append(np.array(fractional))
        if len(self._buffer) >= self._learn:
            self.finish_learning(cell)

    def finish_learning(self, cell: Array) -> None:
        """Find the sites in what was seen so far and go over it again; nothing once that is done."""
        if self._learn == 0 or not self._buffer:
            return
        repeats = self._settings.unit_cells
        points = fold(np.concatenate(self._buffer), repeats)
        unit = cell / np.asarray(repeats)[:, None]
        n_unit = max(1, round(self._n / int(np.prod(repeats))))
        found = find_sites(points, unit, self._settings.separation_angstrom, n_unit)
        self.sites = replicate(found, repeats)
        self._founded = np.zeros(len(self.sites), dtype=np.bool_)
        self._occupation = np.zeros(len(self.sites))
        self._learn, buffer, self._buffer = 0, self._buffer, []
        for fractional in buffer:
            self._assign(fractional, cell)

    def _assign(self, fractional: Array, cell: Array, tensors: Array | None = None) -> None:
        self.book.advance()
        core = self._settings.core_radius_angstrom
        inside = np.zeros(self._n, dtype=np.bool_)
        if len(self.sites):
            step = minimum_image(fractional - self.sites[self._here]) @ cell
            inside = (np.einsum("ix,ix->i", step, step) < core**2) & (self._here >= 0)
        strays = np.flatnonzero(~inside)
        if strays.size:
            nearest, distance = self._nearest(fractional[strays], cell)
            in_core = distance < core
            for i, site in zip(strays[in_core].tolist(), nearest[in_core].tolist(), strict=True):
                self._arrive(i, site, cell)
            inside[strays[in_core]] = True
            far = distance > self._settings.separation_angstrom
            self._away[strays[~far]] = 0
            if far.any():
                self._wander(strays[far], fractional[strays[far]], cell)
        self._away[inside] = 0
        here = self._here[inside]
        self._occupation += np.bincount(here, minlength=len(self.sites))
        self._between += float(self._n - inside.sum())
        self._memory.window(self._here, inside, len(self.sites), tensors)
        self.book.settle()

    def _nearest(self, fractional: Array, cell: Array) -> tuple[NDArray[np.int64], Array]:
        if len(self.sites) == 0:
            return np.full(len(fractional), -1, dtype=np.int64), np.full(len(fractional), np.inf)
        return nearest_sites(fractional, self.sites, cell)

    def _arrive(self, i: int, site: int, cell: Array) -> None:
        here = int(self._here[i])
        if here < 0:
            self._here[i] = site
            return
        if here == site:
            return
        if self.book.pending[i] and site == self._before[i]:
            self.book.retract(i)
            self._count(site, here, -1)
            self._memory.retract(i, site, here)
            self._here[i], self._before[i] = site, self._before_that[i]
            return
        length = float(np.linalg.norm(minimum_image(self.sites[site] - self.sites[here]) @ cell))
        self.book.propose(i, length, backward=site == self._before[i])
        self._count(here, site, 1)
        self._memory.arrive(i, here, site, self.book.now, backward=site == int(self._before[i]))
        self._before_that[i] = self._before[i]
        self._before[i], self._here[i] = here, site

    def _count(self, origin: int, target: int, change: int) -> None:
        """Change an entry of the site-pair matrix; what is pending is in it until retracted."""
        value = self._pairs.get((origin, target), 0) + change
        if value:
            self._pairs[origin, target] = value
        else:
            self._pairs.pop((origin, target), None)

    def _wander(self, ions: NDArray[np.intp], points: Array, cell: Array) -> None:
        """Follow ions far from all sites; found a site where one has rested."""
        away = self._away[ions]
        begins = away == 0
        self._away_sum[ions[begins]] = 0.0
        mean = self._away_sum[ions] / np.maximum(away, 1)[:, None]
        step = np.where(begins[:, None], points, minimum_image(points - mean))
        moved = step @ cell
        rests = begins | (np.einsum("ix,ix->i", moved, moved) <= self._settings.core_radius_angstrom**2)
        self._away[ions[~rests]] = 0
        resting = ions[rests]
        self._away_sum[resting] += (mean + step)[rests]
        self._away[resting] += 1
        for i in resting[self._away[resting] >= WINDOWS_TO_FOUND].tolist():
            self._found(i, cell)

    def _found(self, i: int, cell: Array) -> None:
        """Found a site where an ion has rested, unless there are too many or one is near."""
        if len(self.sites) >= MAX_SITES_PER_ION * self._n:
            return
        site = self._away_sum[i] / self._away[i] % 1.0
        self._away[i] = 0
        if self._nearest(site[None], cell)[1][0] < self._settings.separation_angstrom:
            return
        self.sites = np.vstack([self.sites, site])
        self._founded = np.append(self._founded, True)
        self._occupation = np.append(self._occupation, 0.0)
        self._arrive(i, len(self.sites) - 1, cell)

    def state(self) -> State:
        """Return everything known as arrays; what ``from_state`` takes."""
        pairs = np.array([(*key, count) for key, count in sorted(self._pairs.items())], dtype=np.int64)
        return {
            **super().state(),
            "sites": self.sites.copy(),
            "pairs": pairs.reshape(-1, 3),
            "buffer": np.array(self._buffer).reshape(-1, self._n, 3),
            **{f"memory_{name}": value for name, value in self._memory.state().items()},
        }

    @classmethod
    def from_state(
        cls, state: Mapping[str, NDArray[Any]], window_ps: float, settings: JumpSettings
    ) -> "SiteTracker":
        """Continue from a state."""
        cls._check(state, "sites", "pairs", "buffer")
        tracker = cls(len(state["here"]), window_ps, settings, state["sites"])
        tracker._restore(state)
        tracker._pairs = {(int(a), int(b)): int(count) for a, b, count in state["pairs"]}
        tracker._buffer = [np.array(window) for window in state["buffer"]]
        tracker._memory.restore(
            {k.removeprefix("memory_"): v for k, v in state.items() if k.startswith("memory_")}
        )
        return tracker

    def summary(self) -> SiteJumps:
        """Return what the analysis needs: the book's summary, sites, occupations and pair counts."""
        pairs = np.array([(*key, count) for key, count in sorted(self._pairs.items())], dtype=np.int64)
        windows = max(self.book.now, 1)
        return SiteJumps(
            **vars(self.book.summary(self._window_ps)),
            sites_fractional=self.sites.copy(),
            site_founded=self._founded.copy(),
            site_occupation=self._occupation / windows,
            between_sites=float(self._between / (windows * max(self._n, 1))),
            site_pairs=pairs.reshape(-1, 3),
        )

    def network(self) -> SiteNetwork:
        """Return what a jump network needs beside the summary."""
        return self._memory.summary(self._window_ps, len(self.sites))
