"""Frames in, correlators out: the EFG of every Li and its displacement, in bounded memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.results.tensor_file import TensorRows
from lpsnmr.sampling import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.sampling.motion import MotionTracker
from lpsnmr.sampling.nmr_sampling import (
    NmrSampler,
    join_nmr_states,
    slice_nmr_states,
)
from lpsnmr.sampling.settings import JumpSettings, SamplingSettings
from lpsnmr.sampling.states import State, join_states, slice_state
from lpsnmr.structures import KnownSites
from lpsnmr.structures.framework import Framework
from lpsnmr.structures.polyhedra import find_polyhedra
from lpsnmr.structures.species import SpeciesSettings
from lpsnmr.trajectory.frames import Frame
from lpsnmr.typing import Array

__all__ = ["Sampler", "SamplerState", "TensorModel", "owned_range"]


class TensorModel(Protocol):
    """What the sampler needs of an EFG model."""

    @property
    def sha256(self) -> str:
        """Hash of the model file."""
        ...

    @property
    def n_flagged(self) -> int:
        """Predictions so far that were outside the range of the training data."""
        ...

    def predict_components(
        self,
        positions: Array,
        cell: Array,
        pbc: Sequence[bool],
        numbers: NDArray[Any],
        targets: NDArray[Any],
    ) -> Array:
        """Return the five EFG components of the atoms ``targets``, (m, 5) float64, V/Å²."""
        ...


def owned_range(n: int, rank: int, size: int) -> tuple[int, int]:
    """Return the half-open range of n items that ``rank`` of ``size`` owns; sizes differ by one at most.

    Examples
    --------
    >>> [owned_range(5, r, 3) for r in range(3)]
    [(0, 1), (1, 3), (3, 5)]
    """
    return n * rank // size, n * (rank + 1) // size


@dataclass
class SamplerState:
    """Everything a sampler knows of the Li it owns.

    Attributes
    ----------
    li_ids
        (m,) int64, ids of the owned Li in ascending order.
    efg, displacement
        States of the two correlators.
    last_step
        Step of the last sample, -1 before the first.
    n_flagged
        EFG predictions of the owned Li outside the range of the training data.
    sums
        Sums over samples, the same on every rank: ``cell`` (3, 3) and ``temperature`` (3,) with the
        number of samples that had a temperature, Σ T and Σ T².
    nmr
        States of the accumulators of ``NmrSampler`` by name; none without one.
    rows
        Tensors to be written to the thinned trajectory; no part of a checkpoint.
    motion
        State of the ``MotionTracker`` of all Li, which lives on rank 0; empty elsewhere, or when jumps
        are not followed.
    """

    li_ids: NDArray[np.int64]
    efg: State
    displacement: State
    last_step: int
    n_flagged: int = 0
    sums: dict[str, Array] = field(default_factory=dict)
    nmr: dict[str, State] = field(default_factory=dict)
    rows: TensorRows = field(default_factory=TensorRows)
    motion: State = field(default_factory=dict)

    @property
    def n_samples(self) -> int:
        """Samples so far."""
        return int(self.efg["n_samples"])

    @classmethod
    def join(cls, parts: Sequence["SamplerState"]) -> "SamplerState":
        """Join the states of all ranks, in rank order."""
        return cls(
            np.concatenate([part.li_ids for part in parts]),
            join_states([part.efg for part in parts]),
            join_states([part.displacement for part in parts]),
            parts[0].last_step,
            sum(part.n_flagged for part in parts),
            parts[0].sums,
            join_nmr_states([part.nmr for part in parts]),
            TensorRows(
                parts[0].rows.steps,
                [np.concatenate(row) for row in zip(*(part.rows.components for part in parts), strict=True)],
            ),
            parts[0].motion,
        )

    def part(self, low: int, high: int) -> "SamplerState":
        """Cut out the Li ``low`` to ``high``; the first part keeps the count of flagged predictions."""
        return SamplerState(
            self.li_ids[low:high].copy(),
            slice_state(self.efg, low, high),
            slice_state(self.displacement, low, high),
            self.last_step,
            self.n_flagged if low == 0 and high > 0 else 0,
            {name: value.copy() for name, value in self.sums.items()},
            slice_nmr_states(self.nmr, low, high),
            motion=self.motion if low == 0 else {},
        )


class Sampler:
    """Predict, correlate and count; one instance per rank, each with its own slice of the Li.

    Parameters
    ----------
    model
        EFG model.
    ids, numbers
        (n,) atom ids, ascending, and atomic numbers of every frame to come.
    sample_interval_ps
        Time between samples, ps.
    interval_steps
        MD steps between samples; a frame at any other step is refused.
    points_per_level
        Lags per level of the correlators.
    nmr
        What else to sample for NMR; None for nothing.
    nucleus
        Whose quadrupole moment turns tensors into frequencies.
    tensors_ps
        Time between tensors kept for the thinned trajectory, ps; 0 keeps none.
    jumps
        How jumps are told from vibrations; None not to follow the motion of all Li together.
    sites
        Known sites of Li; None to find them.
    species
        Which ion moves, what it moves through and which polyhedra are followed; by default as in the
        configuration.
    rank, size
        This instance owns ``owned_range(n_li, rank, size)`` of the Li sorted by id.

    Raises
    ------
    InputError
        When there is no mobile ion.
    """

    def __init__(
        self,
        model: TensorModel,
        ids: NDArray[np.int64],
        numbers: NDArray[np.int32],
        *,
        sample_interval_ps: float,
        interval_steps: int,
        points_per_level: int = 16,
        nmr: SamplingSettings | None = None,
        nucleus: str = "7Li",
        tensors_ps: float = 0.0,
        jumps: JumpSettings | None = None,
        sites: KnownSites | None = None,
        species: SpeciesSettings | None = None,
        rank: int = 0,
        size: int = 1,
    ) -> None:
        self.species = species or SpeciesSettings()
        mobile = np.flatnonzero(numbers == self.species.number)
        if mobile.size == 0:
            raise InputError(f"there is no {self.species.mobile} among the {len(numbers)} atoms")
        low, high = owned_range(mobile.size, rank, size)
        self.model = model
        self.interval_steps = interval_steps
        self.n_li_total = int(mobile.size)
        self.numbers = np.asarray(numbers, dtype=np.int32)
        self._targets = mobile[low:high]
        self._mobile = mobile
        self.ids = np.asarray(ids, dtype=np.int64)
        self._jumps = jumps if rank == 0 else None
        self._known = sites
        self.motion: MotionTracker | None = None  # of all Li, on rank 0
        self._li_ids = self.ids[self._targets]
        self.framework = Framework(self.numbers, self.species)
        self._settings: dict[str, Any] = {
            "sample_interval_ps": sample_interval_ps,
            "points_per_level": points_per_level,
        }
        self._efg = MultiTauCorrelator(len(self._targets), 5, **self._settings)
        self._displacement = DisplacementCorrelator(len(self._targets), **self._settings)
        self._nmr = None
        if nmr is not None:
            self._nmr = NmrSampler(
                nmr, len(self._targets), nucleus=nucleus, tensors_ps=tensors_ps, **self._settings
            )
        self._last_step = -1
        self._flagged_before = -model.n_flagged
        self._sums = {"cell": np.zeros((3, 3)), "temperature": np.zeros(3)}

    @property
    def n_samples(self) -> int:
        """Samples so far."""
        return self._efg.n_samples

    @property
    def last_step(self) -> int:
        """Step of the last sample, -1 before the first."""
        return self._last_step

    @property
    def n_flagged(self) -> int:
        """EFG predictions of the owned Li outside the range of the training data."""
        return self._flagged_before + self.model.n_flagged

    @property
    def mobile(self) -> NDArray[np.intp]:
        """Indices of all Li in a frame, ascending; (n_li,)."""
        return self._mobile

    def add(self, frame: Frame, temperature_k: float | None = None) -> None:
        """Take one sample, or none of it when it raises.

        Raises
        ------
        InputError
            When the frame is not the next one or lacks unwrapped positions.
        ComputeError
            When a position or a component of the EFG is not finite; names the step.
        """
        if frame.unwrapped is None:
            raise InputError("the frame has no unwrapped positions")
        self._expect(frame.step)
        self.start_motion(frame)
        components = self.model.predict_components(
            frame.positions, frame.cell, frame.pbc, frame.numbers, self._targets
        )
        drift = self.framework.position(frame.unwrapped)
        self.take(frame.step, frame.cell, components, frame.unwrapped[self._targets] - drift, temperature_k)
        if self.motion is not None:
            moved = frame.unwrapped[self._mobile] - drift
            tensors = self._tensors_of_all(frame, components)
            if frame.affine is None:
                self.motion.add(moved, drift, np.asarray(frame.unwrapped), frame.cell, tensors=tensors)
            else:
                relative = frame.affine[self._mobile] - self.framework.position(frame.affine)
                self.motion.add(moved, drift, frame.affine, frame.cell, relative, tensors)

    def _tensors_of_all(self, frame: Frame, owned: Array) -> Array:
        """Return the components of all mobile ions; what is predicted for it is not counted as flagged."""
        if len(owned) == self.n_li_total:
            return owned
        before = self.model.n_flagged
        everything = self.model.predict_components(
            frame.positions, frame.cell, frame.pbc, frame.numbers, self._mobile
        )
        self._flagged_before -= self.model.n_flagged - before
        return everything

    def take(
        self, step: int, cell: Array, components: Array, moved: Array, temperature_k: float | None = None
    ) -> None:
        """Take what is known of the owned Li at one step, or none of it when it raises.

        The motion of all Li together is not followed: ``add`` does, or whoever calls this.

        Parameters
        ----------
        step
            MD step.
        cell
            (3, 3) float64, rows are the cell vectors, Å.
        components
            (m, 5) float64, V/Å²; tensors of the owned Li.
        moved
            (m, 3) float64, Å; their unwrapped positions relative to the framework's centre of mass.
        temperature_k
            Kinetic temperature, K; None when unknown.

        Raises
        ------
        InputError
            When the step is not the next one.
        ComputeError
            When a number is not finite; names the step.
        """
        self._expect(step)
        if not np.isfinite(components).all():
            bad = int(np.argmin(np.isfinite(components).all(axis=1)))
            raise ComputeError(f"the EFG of atom {self._li_ids[bad]} at step {step} is not finite")
        if not np.isfinite(moved).all():
            raise ComputeError(f"a position at step {step} is not finite")
        self._efg.add(components)
        self._displacement.add(moved)
        if self._nmr is not None:
            self._nmr.add(components, step)
        self._sums["cell"] += cell
        if temperature_k is not None:
            self._sums["temperature"] += (1.0, temperature_k, temperature_k**2)
        self._last_step = step

    def _expect(self, step: int) -> None:
        if self._last_step >= 0 and step != self._last_step + self.interval_steps:
            raise InputError(
                f"expected a frame at step {self._last_step + self.interval_steps}, got step {step}: "
                "frames are missing, or their spacing changed"
            )

    def start_motion(self, frame: Frame) -> None:
        """Begin to follow jumps, with the polyhedra of this frame, unless that has begun or is not wanted."""
        if self._jumps is None or self.motion is not None:
            return
        units = {
            kind.name: find_polyhedra(frame.positions, frame.cell, frame.pbc, frame.numbers, kind)
            for kind in self.species.polyhedra
        }
        sites = None
        if self._known is not None:
            sites = sites_of_frame(self._known, frame, self._jumps, self.species)
        self.motion = MotionTracker(
            self.n_li_total, units, settings=self._jumps, sites=sites, **self._settings
        )

    def count_flagged(self, n: int) -> None:
        """Count predictions, made elsewhere, that are outside the range of the training data."""
        self._flagged_before += n

    def state(self) -> SamplerState:
        """Return a copy of everything known; what ``restore`` takes."""
        return SamplerState(
            self._li_ids.copy(),
            self._efg.state(),
            self._displacement.state(),
            self._last_step,
            self.n_flagged,
            {name: value.copy() for name, value in self._sums.items()},
            {} if self._nmr is None else self._nmr.states(),
            TensorRows() if self._nmr is None else self._nmr.rows,
            {} if self.motion is None else self.motion.state(),
        )

    def forget_rows(self) -> None:
        """Drop the tensors kept for the thinned trajectory; called once they are written."""
        if self._nmr is not None:
            self._nmr.rows = TensorRows()

    def restore(self, whole: SamplerState, rank: int = 0, size: int = 1) -> None:
        """Continue from the joined state of all ranks.

        Raises
        ------
        InputError
            When it is of other Li or another sampling interval.
        """
        low, high = owned_range(len(whole.li_ids), rank, size)
        part = whole.part(low, high)
        if not np.array_equal(part.li_ids, self._li_ids):
            raise InputError(f"the {self.species.mobile} of the checkpoint are not those of this run")
        efg = MultiTauCorrelator.from_state(part.efg)
        if not np.isclose(efg.sample_interval_ps, self._efg.sample_interval_ps, rtol=1e-9):
            raise InputError(
                f"the checkpoint has a sample every {efg.sample_interval_ps:g} ps, this run every "
                f"{self._efg.sample_interval_ps:g} ps"
            )
        self._efg = efg
        self._displacement = DisplacementCorrelator.from_state(part.displacement)
        if self._nmr is not None:
            self._nmr.restore(part.nmr, efg.n_samples)
        self._last_step = part.last_step
        self._flagged_before = part.n_flagged - self.model.n_flagged
        self._sums = part.sums
        if self._jumps is not None and part.last_step >= 0:
            self.motion = MotionTracker.from_state(part.motion, self._jumps)


def sites_of_frame(
    known: KnownSites, frame: Frame, settings: JumpSettings, species: SpeciesSettings
) -> Array:
    """Return known sites in the fractional coordinates in which the positions of a frame are counted, (s, 3).

    Raises
    ------
    InputError
        When the cell is another, or fewer than half of the Li are near a site.
    """
    inverse = np.linalg.inv(frame.cell)
    sites = known.in_cell(frame.cell, settings.unit_cells, settings.separation_angstrom)
    sites = np.asarray((sites + np.array(frame.origin) @ inverse) % 1.0)
    near = 0
    mobile = frame.positions[frame.numbers == species.number] @ inverse
    for point in mobile:
        step = sites - point
        distance = np.linalg.norm((step - np.round(step)) @ frame.cell, axis=1).min()
        near += bool(distance < settings.separation_angstrom)
    if near < 0.5 * len(mobile):
        raise InputError(
            f"{known.source}: {near} of {len(mobile)} {species.mobile} of the first frame are within "
            f"{settings.separation_angstrom:g} Å of a site, expected at least half: are origin and axes of "
            "the file those of the simulation?"
        )
    return sites


def mean_values(sums: Mapping[str, Array], n_samples: int) -> tuple[Array, float, float]:
    """Return the mean cell (3, 3), and mean and standard deviation of the temperature (NaN if unknown)."""
    count, total, squares = sums["temperature"]
    mean = total / count if count else float("nan")
    spread = float(np.sqrt(max(squares / count - mean**2, 0.0))) if count else float("nan")
    return sums["cell"] / max(n_samples, 1), float(mean), spread
