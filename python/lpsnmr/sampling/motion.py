"""Everything about the motion of Li and PS4 that is accumulated frame by frame, in one object.

One instance sees all Li. In a parallel run it lives on rank 0, which counts frames; what the other ranks
know reaches it as sums, once per window.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import neighbor_list
from lpsnmr.errors import InputError
from lpsnmr.results import CollectiveDisplacement, Jumps, Rotations, SiteJumps
from lpsnmr.sampling.correlators import DisplacementCorrelator
from lpsnmr.sampling.displacement_jumps import DisplacementTracker
from lpsnmr.sampling.jump_book import State
from lpsnmr.sampling.rotation_jumps import RotationTracker
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.sampling.site_finding import minimum_image
from lpsnmr.sampling.site_jumps import SiteTracker
from lpsnmr.typing import Array

__all__ = ["MotionGroups", "MotionTracker", "find_ps4"]

BOND_ANGSTROM = 2.7
WINDOWS_AT_ONCE = 8
PHOSPHORUS, SULFUR = 15, 16
Tracker = SiteTracker | DisplacementTracker | RotationTracker
PARTS: dict[str, type[Tracker]] = {
    "sites": SiteTracker,
    "displacements": DisplacementTracker,
    "rotations": RotationTracker,
}


def find_ps4(
    positions: Array, cell: Array, pbc: tuple[bool, bool, bool], numbers: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the indices of P and its four S for every whole PS4 unit, (n, 5) int64."""
    units = []
    first, second, _, distance = neighbor_list(positions, cell, pbc, BOND_ANGSTROM)
    for p in np.flatnonzero(numbers == PHOSPHORUS):
        around = second[first[p] : first[p + 1]]
        sulfur = around[(numbers[around] == SULFUR) & (distance[first[p] : first[p + 1]] < BOND_ANGSTROM)]
        if len(sulfur) == 4:
            units.append([p, *sorted(sulfur)])
    return np.array(units, dtype=np.int64).reshape(-1, 5)


@dataclass(frozen=True)
class MotionGroups:
    """What was followed as groups of the results file; see ``lpsnmr.results.Results``."""

    collective_displacement: CollectiveDisplacement
    jumps_sites: SiteJumps
    jumps_displacement: Jumps
    rotations_ps4: Rotations | None


class MotionTracker:
    """Collective displacement, jumps by sites and by displacement, and PS4 rotation.

    Parameters
    ----------
    n_li
        Number of Li.
    ps4
        (n, 5) int64 indices of P and its four S in every frame; see ``find_ps4``.
    sample_interval_ps
        Time between frames, ps.
    points_per_level
        Lags per level of the correlator of the collective displacement.
    settings
        How jumps are told from vibrations.
    sites
        (s, 3) fractional coordinates of known sites, in the frame of the first sample; None to find
        them.
    """

    def __init__(
        self,
        n_li: int,
        ps4: NDArray[np.int64],
        *,
        sample_interval_ps: float,
        points_per_level: int = 16,
        settings: JumpSettings | None = None,
        sites: Array | None = None,
    ) -> None:
        self.settings = settings or JumpSettings()
        self._ps4 = np.asarray(ps4, dtype=np.int64).reshape(-1, 5)
        self._n_li = n_li
        self._per_window = max(1, round(self.settings.window_ps / sample_interval_ps))
        self.window_ps = self._per_window * sample_interval_ps
        self._collective = DisplacementCorrelator(
            3, sample_interval_ps=sample_interval_ps, points_per_level=points_per_level
        )
        self._sites = SiteTracker(n_li, self.window_ps, self.settings, sites)
        self._displacements = DisplacementTracker(n_li, self.window_ps, self.settings)
        self._rotations = RotationTracker(len(self._ps4), self.window_ps, self.settings)
        self._origin = np.full(3, np.nan)  # framework's centre of mass in the first frame
        self._filled = 0
        self._waiting: list[tuple[Array, Array, Array, Array]] = []
        self._first_cell = np.full((3, 3), np.nan)  # NaN: of a checkpoint that knows of no changing cells
        self._sum = np.zeros((n_li, 3))
        self._shift_sum = np.zeros((n_li, 3))  # from there to where sites are looked up; zero in one cell
        self._bond_sum = np.zeros((len(self._ps4), 4, 3))
        self._cell_sum = np.zeros((3, 3))

    def add(
        self, moved: Array, drift: Array, unwrapped: Array, cell: Array, affine: Array | None = None
    ) -> None:
        """Take one frame.

        Parameters
        ----------
        moved
            (n_li, 3) float64, Å; unwrapped positions of all Li relative to the framework's centre.
        drift
            (3,) float64, Å; that centre, which is zero when there is no framework.
        unwrapped
            (n_atoms, 3) float64, Å; all atoms, for the PS4 units: differences of fractional coordinates
            times the present cell.
        cell
            (3, 3) float64, rows are the cell vectors, Å.
        affine
            (n_li, 3) float64, Å; where the cell has changed: fractional coordinates of all Li less those of
            the framework's centre, times the present cell. Sites are looked up with them.
        """
        if affine is not None:
            self._shift_sum += affine - moved
        self.add_sums(moved, self.bonds(unwrapped))
        if self.count(moved.sum(axis=0), drift, cell):
            self.end_window()

    def count(self, total: Array, drift: Array, cell: Array) -> bool:
        """Count one frame; return whether it fills the window, which ``end_window`` must then end.

        Parameters
        ----------
        total
            (3,) float64, Å; sum of the displacements of all Li relative to the framework's centre.
        drift, cell
            As in ``add``.
        """
        if math.isnan(self._origin[0]):
            self._origin = np.array(drift, dtype=np.float64)
            self._first_cell = np.array(cell, dtype=np.float64)
        self._collective.add(_UNIT * (total / math.sqrt(self._n_li)))  # a series an axis
        self._cell_sum += cell
        self._filled += 1
        return self._filled == self._per_window

    def bonds(self, positions: Array) -> Array:
        """Return S minus P of every unit, (n, 4, 3), for unwrapped positions of all atoms or sums of them."""
        return np.asarray(positions[self._ps4[:, 1:]] - positions[self._ps4[:, :1]])

    def add_sums(self, moved: Array, bonds: Array) -> None:
        """Add to the present window: positions of Li and ``bonds``, summed over some of its frames."""
        self._sum += moved
        self._bond_sum += bonds

    def end_window(self) -> None:
        """Hand the means over a full window to the detectors.

        The difference of two unwrapped positions is whole cell vectors away from the bond, the same ones as
        long as no bond grows to half a cell: these are taken off the mean.
        """
        filled = self._filled
        sums = (self._sum, self._bond_sum, self._cell_sum, self._shift_sum)
        mean, bonds, cell, shift = (total / filled for total in sums)
        self._waiting.append((mean, bonds, cell, shift))
        if len(self._waiting) == WINDOWS_AT_ONCE:
            self._work_off()
        self._filled = 0
        for array in sums:
            array[:] = 0.0

    def _work_off(self) -> None:
        """Show the detectors the windows that wait: several at a time, which costs half of one by one."""
        for mean, bonds, cell, shift in self._waiting:
            inverse = np.linalg.inv(cell)
            places = (mean + self._origin) @ inverse
            if shift.any():  # the framework's centre keeps the fractional coordinates of the first frame
                first = self._first_cell if np.isfinite(self._first_cell).all() else cell
                places = (mean + shift) @ inverse + self._origin @ np.linalg.inv(first)
            self._sites.add(places, cell)
            self._displacements.add(mean)
            self._rotations.add(minimum_image(bonds @ inverse) @ cell)
        self._waiting = []

    @property
    def ps4(self) -> NDArray[np.int64]:
        """The units, (n, 5) int64 indices of P and its four S."""
        return self._ps4

    @property
    def frames_per_window(self) -> int:
        """Frames averaged into one window."""
        return self._per_window

    def state(self) -> State:
        """Return everything known as a flat dict of arrays; what ``from_state`` takes."""
        self._work_off()
        arrays = {name: np.array(getattr(self, f"_{name}")) for name in (*_PLAIN, *_LATER)}
        parts = {"collective": self._collective, **{name: getattr(self, f"_{name}") for name in PARTS}}
        nested = {f"{part}.{name}": v for part, owner in parts.items() for name, v in owner.state().items()}
        return {**arrays, **nested}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]], settings: JumpSettings) -> "MotionTracker":
        """Continue from a state, bit for bit as if never interrupted.

        Raises
        ------
        InputError
            When it is incomplete.
        """
        missing = sorted({*_PLAIN, "collective.sample_interval_ps"} - state.keys())
        if missing:
            raise InputError(f"state of the motion: no {missing[0]!r}")
        interval = float(state["collective.sample_interval_ps"])
        tracker = cls(len(state["sum"]), state["ps4"], sample_interval_ps=interval, settings=settings)
        for name in (*_PLAIN, *(name for name in _LATER if name in state)):
            value = np.array(state[name])
            setattr(tracker, f"_{name}", int(value) if value.ndim == 0 else value)
        tracker._n_li = len(tracker._sum)
        tracker._collective = DisplacementCorrelator.from_state(_part(state, "collective"))
        for name, kind in PARTS.items():
            part = kind.from_state(_part(state, name), tracker.window_ps, settings)
            setattr(tracker, f"_{name}", part)
        return tracker

    def summary(self, cell: Array) -> MotionGroups:
        """Return the groups of the results file; ``cell`` is the mean cell, Å.

        Call it on a tracker made from a state: sites that are still being learnt are settled first.
        """
        self._work_off()
        self._sites.finish_learning(cell)
        return MotionGroups(
            collective_displacement=CollectiveDisplacement(self._collective.statistics()),
            jumps_sites=self._sites.summary(),
            jumps_displacement=self._displacements.summary(),
            rotations_ps4=self._rotations.summary() if len(self._ps4) else None,
        )


_UNIT = np.eye(3)
_PLAIN = ("ps4", "origin", "filled", "sum", "bond_sum", "cell_sum")
_LATER = ("first_cell", "shift_sum")
"""What checkpoints of earlier versions lack."""


def _part(state: Mapping[str, NDArray[Any]], name: str) -> State:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
