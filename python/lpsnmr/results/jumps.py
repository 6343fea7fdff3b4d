"""Booked jumps of ions and rotations of polyhedra."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError
from lpsnmr.results.groups import ArrayGroup, Shape
from lpsnmr.typing import Array

__all__ = ["LENGTH_BIN", "Jumps", "Rotations", "SiteJumps", "SiteNetwork"]

Counts = NDArray[np.int64]

LENGTH_BIN = 0.1
"""Width of a bin of the histogram of jump lengths, in the unit of the lengths booked (Å; ten degrees)."""

_BOOK: dict[str, Shape] = {
    "windows": (),
    "jumps": ("n",),
    "block_jumps": ("blocks",),
    "block_windows": (),
    "recrossings": (),
    "backward": (),
    "stay_edges": ("edges",),
    "stays": ("bins",),
    "stays_running": ("bins",),
    "length_counts": ("lengths",),
    "length_sums": (3,),
    "min_stay": (),
}


@dataclass(frozen=True)
class Jumps(ArrayGroup):
    """Jumps of n particles; time is counted in windows.

    Attributes
    ----------
    windows, window_ps
        Windows seen, and the length of one in ps.
    jumps
        (n,) int64, jumps of each particle.
    block_jumps, block_windows
        (blocks,) int64, jumps in blocks of time; windows of one, the last may be shorter.
    recrossings, backward
        Excursions that do not count; jumps back to the place before.
    stay_edges, stays, stays_running
        Histogram of residence times, windows: lower edges, finished, unfinished; without the first of each.
    length_counts, length_sums
        Histogram of jump lengths in bins of ``LENGTH_BIN``; number, Σa and Σa², in Å.
    min_stay
        Windows; a return after a shorter stay was a recrossing. 0 in files that do not tell.
    """

    SHAPES: ClassVar = {**_BOOK, "window_ps": ()}
    OPTIONAL: ClassVar = {"min_stay": 0}
    LENGTH_UNIT: ClassVar[float] = 1.0
    """What one unit of the booked lengths is, in Å or degrees."""

    windows: int
    jumps: Counts
    block_jumps: Counts
    block_windows: int
    recrossings: int
    backward: int
    stay_edges: Counts
    stays: Counts
    stays_running: Counts
    length_counts: Counts
    length_sums: Array
    window_ps: float
    min_stay: int = field(default=0, kw_only=True)

    def validate(self, name: str, n_li: int) -> None:
        """Raise InputError when shapes or values do not fit together; ``name`` goes in the message."""
        super().validate(name, n_li)
        if len(self.stay_edges) - len(self.stays) not in (0, 1):
            raise InputError(
                f"{name}/stay_edges: expected one edge more than the {len(self.stays)} bins, "
                f"got {len(self.stay_edges)}"
            )


@dataclass(frozen=True)
class SiteJumps(Jumps):
    """Jumps of ions between sites.

    Attributes
    ----------
    sites_fractional
        (s, 3) float64, fractional coordinates.
    site_founded
        (s,) bool, whether a site was found later than the first stretch.
    site_occupation
        (s,) float64, ions on average.
    between_sites
        Share of time outside all cores.
    site_pairs
        (k, 3) int64: from, to, jumps; those that still wait to be recrossings are in it.
    """

    SHAPES: ClassVar = {
        **_BOOK,
        "sites_fractional": ("s", 3),
        "site_founded": ("s",),
        "site_occupation": ("s",),
        "between_sites": (),
        "site_pairs": ("k", 3),
        "window_ps": (),
    }

    sites_fractional: Array
    site_founded: NDArray[np.bool_]
    site_occupation: Array
    between_sites: float
    site_pairs: Counts


@dataclass(frozen=True)
class Rotations(Jumps):
    """Rotations of polyhedra; a unit of length is ten degrees."""

    LENGTH_UNIT: ClassVar[float] = 10.0


@dataclass(frozen=True)
class SiteNetwork(ArrayGroup):
    """What a jump network needs of the sites of ``SiteJumps``, beside their pair counts.

    Attributes
    ----------
    window_ps
        Length of a window, ps.
    waiting_windows
        (s,) float64, windows that ions were assigned to each site, between the cores too.
    tensor_windows, tensor_mean
        (s,) float64, windows of the means; (s, 5) float64, V/Å², mean components in the core of each site,
        zero for sites without windows.
    pairs
        (k, 2) int64: from, to.
    pair_backward, pair_waits, pair_wait_windows
        (k,) int64, of the jumps of each pair: those back to the site before; those whose stay before was seen
        from its beginning; windows of these stays.
    """

    SHAPES: ClassVar = {
        "window_ps": (),
        "waiting_windows": ("s",),
        "tensor_windows": ("s",),
        "tensor_mean": ("s", 5),
        "pairs": ("k", 2),
        "pair_backward": ("k",),
        "pair_waits": ("k",),
        "pair_wait_windows": ("k",),
    }

    window_ps: float
    waiting_windows: Array
    tensor_windows: Array
    tensor_mean: Array
    pairs: Counts
    pair_backward: Counts
    pair_waits: Counts
    pair_wait_windows: Counts
