"""How samples come from the running LAMMPS to the sampler: from where the atoms are, or gathered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from lpsnmr.elements import atomic_number
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.local_samples import LocalSamples, SampleBatch
from lpsnmr.sampling.sampler import Sampler, owned_range
from lpsnmr.typing import Array

__all__ = ["Feed", "FirstCell", "GatheringFeed", "LocalFeed"]

ROW = 10  # numbers that travel per Li and sample: which sample, which Li, five components, three coordinates
LONGEST_BATCH = 30
"""Samples between two looks at LAMMPS, at most."""
ATOM_STEPS = 2_000_000
"""Steps times atoms between two looks at LAMMPS, at most, but for a single sample: some seconds on one core,
so that a signal or the time of a checkpoint is not kept waiting."""


class Feed(Protocol):
    """Runs the MD and hands samples to the sampler of this rank; collective."""

    def advance(self, n_samples: int) -> int:
        """Take up to ``n_samples`` more samples; return how many."""
        ...


class FirstCell:
    """Maps positions into the cell of the first sample, where a barostat or deformation moves the cell.

    Displacements are then changes of fractional coordinates: breathing of the cell is none.

    Parameters
    ----------
    cell
        (3, 3) float64, rows are the cell vectors at the first sample, Å.
    periodic
        Whether the cell is periodic along each vector.
    """

    def __init__(self, cell: Array, periodic: tuple[bool, bool, bool]) -> None:
        self._cell, self._periodic = np.array(cell), periodic

    def map_from(self, cell: Array, step: int) -> Array | None:
        """Return the matrix that maps differences of positions in ``cell``, (3, 3); None in the first cell.

        Raises
        ------
        InputError
            When a cell with open boundaries changes: what is a fraction of it then?
        """
        if np.array_equal(cell, self._cell):
            return None
        if not all(self._periodic):
            raise InputError(
                f"the cell changed up to step {step}, and its boundaries are not all periodic: expected a "
                "fixed cell while samples are taken, got shrink-wrapped boundaries or a barostat"
            )
        return np.linalg.inv(cell) @ self._cell


class GatheringFeed:
    """Gathers all atoms on all ranks; each predicts the Li that it correlates.

    Works with any LAMMPS and any potential, since it needs positions only.

    Parameters
    ----------
    driver
        The running LAMMPS.
    sampler
        Sampler of this rank.
    first
        The cell of the first sample.
    """

    def __init__(self, driver: LammpsDriver, sampler: Sampler, first: FirstCell) -> None:
        self._driver, self._sampler = driver, sampler
        self._first_cell = first

    def advance(self, n_samples: int) -> int:
        """Take one sample."""
        self._driver.advance(self._sampler.interval_steps)
        frame = self._driver.frame()
        matrix = self._first_cell.map_from(frame.cell, frame.step)
        if matrix is not None and frame.unwrapped is not None:
            center = self._sampler.framework.position(frame.unwrapped)
            mapped = center + (frame.unwrapped - center) @ matrix
            frame = replace(frame, unwrapped=mapped, affine=frame.unwrapped)
        self._sampler.add(frame, self._driver.temperature())
        return 1


class LocalFeed:
    """Predicts on each rank the Li that are there; only what the accumulators need travels.

    Samples come in batches, none longer than a window of the jump detectors. Per batch travel: a sum over
    ranks of the drift; for each Li and sample its tensor and position, to the rank that correlates it; and,
    when jumps are followed, to rank 0 the summed position of each Li and the summed bonds of polyhedra.

    Parameters
    ----------
    samples
        The samples that LAMMPS takes.
    sampler
        Sampler of this rank; its motion has begun on rank 0, unless jumps are not followed.
    comm
        MPI communicator.
    elements
        Element of each LAMMPS type.
    first
        The cell of the first sample.
    """

    def __init__(
        self, samples: LocalSamples, sampler: Sampler, comm: Any, elements: Sequence[str], first: FirstCell
    ) -> None:
        self._samples, self._sampler, self._comm = samples, sampler, comm
        steps_times_atoms = samples.interval_steps * len(sampler.ids)
        self._longest = min(LONGEST_BATCH, max(1, ATOM_STEPS // steps_times_atoms))
        self._index_of_id = np.full(int(sampler.ids.max()) + 1, -1)
        self._index_of_id[sampler.ids] = np.arange(len(sampler.ids))
        self._li_of_index = np.full(len(sampler.ids), -1)
        self._li_of_index[sampler.mobile] = np.arange(sampler.n_li_total)
        ranges = [owned_range(sampler.n_li_total, rank, comm.size) for rank in range(comm.size)]
        self._first, end = ranges[comm.rank]
        self._n_owned = end - self._first
        self._ends = np.array([high for _, high in ranges])
        kinds = np.array([atomic_number(symbol) for symbol in elements], dtype=np.int32)
        self._share_of_type = sampler.framework.weight_of(kinds)
        motion = sampler.motion
        known = None if motion is None else (motion.pairs, motion.frames_per_window)
        self._first_cell = first
        self._motion = known if comm.size == 1 else comm.bcast(known, root=0)

    def advance(self, n_samples: int) -> int:
        """Take one batch of samples.

        Raises
        ------
        ComputeError
            When atoms were lost, or a number is not finite.
        """
        room = self._longest
        if self._motion is not None:
            room = min(room, self._motion[1] - self._sampler.n_samples % self._motion[1])
        n = min(n_samples, room)
        batch = self._samples.advance(n)
        drift, total = self._over_all_ranks(batch)
        values = self._exchange(batch)
        moved = values[:, :, 5:] - drift[:, None]
        shift = self._to_first_cell(batch, moved, total)
        for k in range(n):
            temperature = float(batch.temperatures_k[k])
            self._sampler.take(
                int(batch.steps[k]), batch.cells[k], values[k, :, :5], moved[k],
                None if np.isnan(temperature) else temperature,
            )  # fmt: skip
        if self._comm.rank == 0:
            self._sampler.count_flagged(int(batch.flagged.sum()))
        if self._motion is not None:
            self._follow(batch, moved.sum(axis=0), values[:, :, :5].sum(axis=0), total, drift, shift)
        return n

    def _to_first_cell(self, batch: SampleBatch, moved: Array, total: Array) -> Array | None:
        """Map positions into the first cell, in place; return what that took off, summed over the samples."""
        shift = None
        for k, (cell, step) in enumerate(zip(batch.cells, batch.steps, strict=True)):
            matrix = self._first_cell.map_from(cell, int(step))
            if matrix is not None:
                mapped = moved[k] @ matrix
                shift = (moved[k] - mapped) + (0.0 if shift is None else shift)
                moved[k], total[k] = mapped, total[k] @ matrix
        return shift

    def _over_all_ranks(self, batch: SampleBatch) -> tuple[Array, Array]:
        """Return the framework's centre of mass and the sum of the Li relative to it, (k, 3) each, Å."""
        n = len(batch.steps)
        sums = np.zeros((n, 7))
        sums[:, :3] = np.einsum("t,ktx->kx", self._share_of_type, batch.type_sums)
        for axis in range(3):
            sums[:, 3 + axis] = np.bincount(batch.li_sample, batch.li_values[:, 5 + axis], n)
        sums[:, 6] = batch.n_atoms
        if self._comm.size > 1:
            here, sums = sums, np.empty_like(sums)
            self._comm.Allreduce(here, sums)
        left = int(sums[:, 6].min())
        if left != len(self._sampler.ids):
            raise ComputeError(
                f"LAMMPS lost atoms: {left} left of {len(self._sampler.ids)} at step {batch.steps[-1]}"
            )
        return sums[:, :3], sums[:, 3:6] - self._sampler.n_li_total * sums[:, :3]

    def _exchange(self, batch: SampleBatch) -> Array:
        """Return components and positions of the Li that this rank correlates, (k, n_owned, 8)."""
        mobile = self._li_of_index[self._index_of_id[batch.li_ids]]
        sample, values = batch.li_sample, batch.li_values
        if self._comm.size > 1:
            from mpi4py import MPI

            rows = np.column_stack([sample, mobile, values])[np.argsort(mobile, kind="stable")]
            send = np.diff(np.searchsorted(np.sort(mobile), np.concatenate([[0], self._ends])))
            receive = np.empty(self._comm.size, dtype=np.int64)
            self._comm.Alltoall(send.astype(np.int64), receive)
            come = np.empty((int(receive.sum()), ROW))
            self._comm.Alltoallv([rows, ROW * send, MPI.DOUBLE], [come, ROW * receive, MPI.DOUBLE])
            sample, mobile, values = come[:, 0].astype(int), come[:, 1].astype(int), come[:, 2:]
        n = len(batch.steps)
        if len(values) != n * self._n_owned:
            raise ComputeError(
                f"{len(values)} tensors came of {n * self._n_owned} up to step {batch.steps[-1]}"
            )
        owned = np.empty((n, self._n_owned, 8))
        owned[sample, mobile - self._first] = values
        return owned

    def _follow(
        self,
        batch: SampleBatch,
        moved: Array,
        tensors: Array,
        total: Array,
        drift: Array,
        shift: Array | None,
    ) -> None:
        """Hand the batch over to the detectors on rank 0; ``moved`` and ``tensors`` are sums."""
        if self._motion is None:
            return
        sums = np.zeros((len(self._sampler.ids), 3))
        sums[self._index_of_id[batch.framework_ids]] = batch.framework_sums
        pairs = self._motion[0]
        bonds = sums[pairs[:, 1]] - sums[pairs[:, 0]]
        if self._comm.size > 1:
            parts = [moved, tensors] if shift is None else [moved, tensors, shift]
            gathered = self._gather(np.hstack(parts))
            moved, tensors = gathered[:, :3].copy(), gathered[:, 3:8].copy()
            shift = None if shift is None else gathered[:, 8:].copy()
            bonds = self._add_up(bonds)
        motion = self._sampler.motion
        if motion is None:
            return
        motion.add_sums(moved, bonds, shift, tensors)
        for k in range(len(batch.steps)):
            if motion.count(total[k], drift[k], batch.cells[k]):
                motion.end_window()

    def _gather(self, rows: Array) -> Array:
        """Return the rows of all mobile ions on rank 0, (n_li, columns); elsewhere of no meaning."""
        from mpi4py import MPI

        columns = rows.shape[1]
        counts = columns * np.diff(np.concatenate([[0], self._ends]))
        everything = np.empty((self._sampler.n_li_total, columns))
        self._comm.Gatherv([np.ascontiguousarray(rows), MPI.DOUBLE], [everything, counts, MPI.DOUBLE], root=0)
        return everything

    def _add_up(self, bonds: Array) -> Array:
        """Return the sum over ranks on rank 0; elsewhere of no meaning."""
        summed = np.empty_like(bonds)
        self._comm.Reduce(np.ascontiguousarray(bonds), summed, root=0)
        return summed
