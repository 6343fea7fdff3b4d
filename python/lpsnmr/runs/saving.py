"""What a run writes: checkpoints with their restart files, and the results so far."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.parallel.collective import on_root
from lpsnmr.results.results import Results
from lpsnmr.results.tensor_file import TensorFile
from lpsnmr.runs.checkpoint import Checkpoint, write_checkpoint
from lpsnmr.runs.prepare import PreparedRun, provenance
from lpsnmr.runs.progress import RateMeter
from lpsnmr.sampling.sampler import Sampler, SamplerState
from lpsnmr.sampling.to_results import RESULTS_FILE, build_results

__all__ = ["RunWriter"]


class RunWriter:
    """Writes consistent pairs of LAMMPS restart file and accumulators; all methods are collective.

    Parameters
    ----------
    prepared
        The run's files and settings.
    comm
        MPI communicator.
    driver
        The running LAMMPS.
    saved_step
        Step of the checkpoint that the run was resumed from, -1 without one.
    """

    def __init__(self, prepared: PreparedRun, comm: Any, driver: LammpsDriver, saved_step: int) -> None:
        self._prepared, self._comm, self._driver = prepared, comm, driver
        self._saved_step = saved_step
        self._saved_at = time.monotonic()
        self._begin = driver.step
        self._meter = RateMeter()
        self.predicted = "in LAMMPS"  # where, for the results

    @property
    def due(self) -> bool:
        """Whether the last checkpoint is older than ``output.checkpoint_min``."""
        return time.monotonic() - self._saved_at > 60.0 * self._prepared.settings.output.checkpoint_min

    def save(
        self, stage: str, sampler: Sampler | None, arrays: dict[str, NDArray[Any]], *, finished: bool
    ) -> None:
        """Write restart file, checkpoint and, with samples, the results so far.

        Raises
        ------
        ComputeError
            When a file cannot be written (disk full); the checkpoint before stays.
        """
        step = self._driver.step
        restart = f"restart.{step}.lmp"
        if step != self._saved_step:
            self._driver.write_restart(self._prepared.settings.output.folder / restart)
        checkpoint = Checkpoint(
            step=step,
            stage=stage,
            fingerprint=self._prepared.fingerprint,
            finished=finished,
            restart=restart,
            sampler=self._joined(sampler),
            arrays=arrays,
        )
        numbers = None if sampler is None else sampler.numbers
        on_root(self._comm, lambda: self._write(checkpoint, numbers))
        if sampler is not None:
            sampler.forget_rows()
        self._saved_step = step
        self._saved_at = time.monotonic()

    def _joined(self, sampler: Sampler | None) -> SamplerState | None:
        if sampler is None:
            return None
        parts = self._comm.gather(sampler.state(), root=0)
        return None if parts is None else SamplerState.join(parts)

    def _write(self, checkpoint: Checkpoint, numbers: NDArray[np.int32] | None) -> None:
        folder = self._prepared.settings.output.folder
        try:
            self._write_tensors(checkpoint)
            write_checkpoint(folder, checkpoint)
            if checkpoint.sampler is not None and numbers is not None:
                self._results(checkpoint.sampler, numbers).write(folder / RESULTS_FILE)
        except OSError as error:
            raise ComputeError(
                f"cannot write the checkpoint at step {checkpoint.step} to {folder}: {error}"
            ) from error

    def _write_tensors(self, checkpoint: Checkpoint) -> None:
        """Write the rows since the last checkpoint before the checkpoint that counts on them."""
        state = checkpoint.sampler
        if state is None or not self._prepared.settings.output.tensors_ps:
            return
        file = TensorFile(self._prepared.settings.output.folder, state.li_ids, self._driver.timestep_ps)
        file.append(state.rows)
        if checkpoint.finished:
            file.finish()

    def _results(self, state: SamplerState, numbers: NDArray[np.int32]) -> Results:
        settings, fingerprint = self._prepared.settings, self._prepared.fingerprint
        rate = (self._driver.step - self._begin) / max(self._meter.elapsed_s, 1e-9)
        return build_results(
            state,
            numbers,
            temperature_k=settings.md.temperature_k,
            nucleus=settings.efg.nucleus,
            jump_distance_angstrom=self._prepared.jump_distance_angstrom,
            provenance=provenance(
                fingerprint,
                source="run",
                seed=settings.md.seed,
                n_ranks=self._comm.size,
                efg_predicted=self.predicted,
                lammps_version=self._driver.version,
                efg_sha256=self._prepared.model.sha256,
                potential_sha256=fingerprint.get("potential.sha256", ""),
                structure=settings.structure.file,
            ),
            jumps=self._prepared.jumps,
            statistics={"steps_per_s": rate, "ns_per_day": rate * self._driver.timestep_ps * 86.4},
            field_directions=settings.sampling.field_directions,
        )
