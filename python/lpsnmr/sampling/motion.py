"""Everything about the motion of ions and polyhedra that is accumulated frame by frame, in one object.

One instance sees all Li. In a parallel run it lives on rank 0, which counts frames; what the other ranks
know reaches it as sums, once per window.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError
from lpsnmr.results import CollectiveDisplacement, Jumps, Rotations, SiteJumps, SiteNetwork
from lpsnmr.sampling.correlators import DisplacementCorrelator
from lpsnmr.sampling.displacement_jumps import DisplacementTracker
from lpsnmr.sampling.jump_book import State
from lpsnmr.sampling.rotation_jumps import RotationTracker
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.sampling.site_finding import minimum_image
from lpsnmr.sampling.site_jumps import SiteTracker
from lpsnmr.typing import Array

__all__ = ["MotionGroups", "MotionTracker"]

WINDOWS_AT_ONCE = 8
Tracker = SiteTracker | DisplacementTracker
PARTS: dict[str, type[Tracker]] = {
    "sites": SiteTracker,
    "displacements": DisplacementTracker,
}
OLD_UNITS, OLD_NAME = "ps4", "ps4"
"""How states of versions 1 to 3 call the only kind of polyhedra they knew."""


@dataclass(frozen=True)
class MotionGroups:
    """What was followed as groups of the results file; see ``lpsnmr.results.Results``."""

    collective_displacement: CollectiveDisplacement
    jumps_sites: SiteJumps
    jumps_displacement: Jumps
    rotations: dict[str, Rotations]
    site_network: SiteNetwork


class MotionTracker:
    """Collective displacement, jumps by sites and by displacement, and rotation of polyhedra.

    Parameters
    ----------
    n_li
        Number of Li.
    units
        Kind of polyhedra to (n, 1 + corners) int64 indices of centre and corners in every frame; see
        ``lpsnmr.structures.polyhedra.find_polyhedra``. Kinds without any are left out.
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
        units: Mapping[str, NDArray[np.int64]],
        *,
        sample_interval_ps: float,
        points_per_level: int = 16,
        settings: JumpSettings | None = None,
        sites: Array | None = None,
    ) -> None:
        self.settings = settings or JumpSettings()
        self._units = {
            name: np.asarray(rows, dtype=np.int64) for name, rows in sorted(units.items()) if len(rows)
        }
        self._pairs = _pairs_of(self._units)
        self._n_li = n_li
        self._per_window = max(1, round(self.settings.window_ps / sample_interval_ps))
        self.window_ps = self._per_window * sample_interval_ps
        self._collective = DisplacementCorrelator(
            3, sample_interval_ps=sample_interval_ps, points_per_level=points_per_level
        )
        self._sites = SiteTracker(n_li, self.window_ps, self.settings, sites)
        self._displacements = DisplacementTracker(n_li, self.window_ps, self.settings)
        self._rotations = {
            name: RotationTracker(len(rows), self.window_ps, self.settings, corners=rows.shape[1] - 1)
            for name, rows in self._units.items()
        }
        self._origin = np.full(3, np.nan)  # framework's centre of mass in the first frame
        self._filled = 0
        self._waiting: list[tuple[Array, Array, Array, Array, Array | None]] = []
        self._first_cell = np.full((3, 3), np.nan)  # NaN: of a checkpoint that knows of no changing cells
        self._sum = np.zeros((n_li, 3))
        self._tensor_sum = np.full((n_li, 5), np.nan)  # NaN: no tensors, or not of the whole window
        self._shift_sum = np.zeros((n_li, 3))  # from there to where sites are looked up; zero in one cell
        self._bond_sum = np.zeros((len(self._pairs), 3))
        self._cell_sum = np.zeros((3, 3))

    def add(
        self, moved: Array, drift: Array, unwrapped: Array, cell: Array, affine: Array | None = None,
        tensors: Array | None = None,
    ) -> None:  # fmt: skip
        """Take one frame.

        Parameters
        ----------
        moved
            (n_li, 3) float64, Å; unwrapped positions of all Li relative to the framework's centre.
        drift
            (3,) float64, Å; that centre, which is zero when there is no framework.
        unwrapped
            (n_atoms, 3) float64, Å; all atoms, for the polyhedra: differences of fractional coordinates
            times the present cell.
        cell
            (3, 3) float64, rows are the cell vectors, Å.
        affine
            (n_li, 3) float64, Å; where the cell has changed: fractional coordinates of all Li less those of
            the framework's centre, times the present cell. Sites are looked up with them.
        tensors
            (n_li, 5) float64, V/Å², components of all Li; None when unknown.
        """
        if affine is not None:
            self._shift_sum += affine - moved
        self.add_sums(moved, self.bonds(unwrapped), tensors=tensors)
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
        """Return corner minus centre of every bond, (b, 3), of positions of all atoms or sums of them."""
        return np.asarray(positions[self._pairs[:, 1]] - positions[self._pairs[:, 0]])

    def add_sums(
        self, moved: Array, bonds: Array, shift: Array | None = None, tensors: Array | None = None
    ) -> None:
        """Add to the present window: positions of ions, ``bonds`` and tensors, summed over frames.

        ``shift`` is the sum of affine positions less ``moved`` where the cell has changed; see ``add``.
        """
        if shift is not None:
            self._shift_sum += shift
        if self._filled == 0:
            self._tensor_sum[:] = 0.0
        self._tensor_sum += np.nan if tensors is None else tensors
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
        tensors = self._tensor_sum / filled if np.isfinite(self._tensor_sum).all() else None
        self._waiting.append((mean, bonds, cell, shift, tensors))
        if len(self._waiting) == WINDOWS_AT_ONCE:
            self._work_off()
        self._filled = 0
        for array in sums:
            array[:] = 0.0

    def _work_off(self) -> None:
        """Show the detectors the windows that wait: several at a time, which costs half of one by one."""
        for mean, bonds, cell, shift, tensors in self._waiting:
            inverse = np.linalg.inv(cell)
            places = (mean + self._origin) @ inverse
            if shift.any():  # the framework's centre keeps the fractional coordinates of the first frame
                first = self._first_cell if np.isfinite(self._first_cell).all() else cell
                places = (mean + shift) @ inverse + self._origin @ np.linalg.inv(first)
            self._sites.add(places, cell, tensors)
            self._displacements.add(mean)
            first_bond = 0
            for name, rows in self._units.items():
                shape = (len(rows), rows.shape[1] - 1, 3)
                of_kind = bonds[first_bond : first_bond + shape[0] * shape[1]].reshape(shape)
                first_bond += shape[0] * shape[1]
                self._rotations[name].add(minimum_image(of_kind @ inverse) @ cell)
        self._waiting = []

    @property
    def pairs(self) -> NDArray[np.int64]:
        """The bonds of all polyhedra, (b, 2) int64 indices of centre and corner."""
        return self._pairs

    @property
    def frames_per_window(self) -> int:
        """Frames averaged into one window."""
        return self._per_window

    def state(self) -> State:
        """Return everything known as a flat dict of arrays; what ``from_state`` takes."""
        self._work_off()
        arrays = {name: np.array(getattr(self, f"_{name}")) for name in (*_PLAIN, *_LATER)}
        parts = {
            "collective": self._collective,
            **{name: getattr(self, f"_{name}") for name in PARTS},
            **{f"{ROTATIONS}{name}": tracker for name, tracker in self._rotations.items()},
        }
        arrays |= {f"{UNITS}{name}": rows.copy() for name, rows in self._units.items()}
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
        state = _renamed(state)
        units = {key.removeprefix(UNITS): rows for key, rows in state.items() if key.startswith(UNITS)}
        tracker = cls(len(state["sum"]), units, sample_interval_ps=interval, settings=settings)
        for name in (*_PLAIN, *(name for name in _LATER if name in state)):
            value = np.array(state[name])
            setattr(tracker, f"_{name}", int(value) if value.ndim == 0 else value)
        tracker._n_li = len(tracker._sum)
        tracker._collective = DisplacementCorrelator.from_state(_part(state, "collective"))
        for name in tracker._units:
            turned = _part(state, f"{ROTATIONS}{name}")
            tracker._rotations[name] = RotationTracker.from_state(turned, tracker.window_ps, settings)
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
            rotations={name: tracker.summary() for name, tracker in self._rotations.items()},
            site_network=self._sites.network(),
        )


_UNIT = np.eye(3)
UNITS, ROTATIONS = "units.", "rotations_"
_PLAIN = ("origin", "filled", "sum", "bond_sum", "cell_sum")
_LATER = ("first_cell", "shift_sum", "tensor_sum")
"""What checkpoints of earlier versions lack."""


def _pairs_of(units: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return centre and corner of every bond, (b, 2), kind by kind."""
    bonds = [np.stack(np.broadcast_arrays(rows[:, :1], rows[:, 1:]), axis=-1) for rows in units.values()]
    return np.concatenate([np.zeros((0, 2), dtype=np.int64), *(pairs.reshape(-1, 2) for pairs in bonds)])


def _renamed(state: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Return a state under the present names; those before knew one kind of polyhedra."""
    if OLD_UNITS not in state:
        return state
    found = {
        key.replace("rotations.", f"{ROTATIONS}{OLD_NAME}.", 1)
        if key.startswith("rotations.")
        else key: value
        for key, value in state.items()
    }
    found[f"{UNITS}{OLD_NAME}"] = found.pop(OLD_UNITS)
    found["bond_sum"] = np.reshape(found["bond_sum"], (-1, 3))
    return found


def _part(state: Mapping[str, NDArray[Any]], name: str) -> State:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
