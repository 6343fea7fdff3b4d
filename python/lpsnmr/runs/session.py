"""The output folder of a run or stream while it is written: lock, checkpoint, status, results."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, InputError, LpsnmrError
from lpsnmr.files.lock import locked_folder
from lpsnmr.parallel.collective import StopFlag, on_root
from lpsnmr.results import RESULTS_FILE, Results
from lpsnmr.results.tensor_file import TensorFile, drop_tensors_after, remove_tensors
from lpsnmr.runs.checkpoint import (
    Checkpoint,
    check_fingerprint,
    latest_checkpoint,
    remove_checkpoints,
    write_checkpoint,
)
from lpsnmr.runs.live import StatusFile
from lpsnmr.runs.progress import ProgressCallback, Status
from lpsnmr.runs.recipe import Recipe
from lpsnmr.sampling.sampler import SamplerState

__all__ = ["ALREADY", "RunOutcome", "RunSession", "open_session"]

SHOW_EVERY_S = 0.5
ALREADY = "already finished"
STREAM = "stream"  # stage of a stream's checkpoints
Kind = Literal["run", "stream"]


@dataclass(frozen=True)
class RunOutcome:
    """How a run or stream ended.

    Attributes
    ----------
    results
        Results file.
    finished
        True when the whole length is there; False when a signal ended it early, with a checkpoint.
    already
        True when it had been finished before and nothing was computed.
    n_samples
        Samples in the results.
    reason
        In words.
    """

    results: Path
    finished: bool
    already: bool
    n_samples: int
    reason: str


class _Alone:
    """Stands for the communicator of a single process, which then needs no MPI."""

    rank, size = 0, 1


class RunSession:
    """One output folder, held by this process (by rank 0 of several).

    Parameters
    ----------
    recipe
        What is sampled, and where the results go.
    kind
        ``"run"`` or ``"stream"``.
    comm
        MPI communicator.
    checkpoint
        Where an earlier process had come to; None for a new start.
    stop
        Whether a signal has come.
    progress
        Called on rank 0 with every status.
    notify
        Called on rank 0 with a line for the user.
    """

    def __init__(
        self,
        recipe: Recipe,
        kind: Kind,
        comm: Any,
        checkpoint: Checkpoint | None,
        stop: StopFlag,
        progress: ProgressCallback | None,
        notify: Callable[[str], None] | None,
    ) -> None:
        self.recipe, self.kind, self.comm, self.checkpoint, self.stop = recipe, kind, comm, checkpoint, stop
        self.folder = recipe.folder
        self.active = comm.rank == 0
        self._progress, self._notify = progress, notify
        self._live = StatusFile(self.folder)
        self._status = self._live.before
        self._saved_at = time.monotonic()
        self._shown_at = 0.0

    @property
    def results_file(self) -> Path:
        """Path of the results file."""
        return self.folder / RESULTS_FILE

    @property
    def n_samples_before(self) -> int:
        """Samples in the checkpoint."""
        start = self.checkpoint
        return 0 if start is None or start.sampler is None else start.sampler.n_samples

    @property
    def save_due(self) -> bool:
        """Whether the last checkpoint is older than ``output.checkpoint_min``."""
        return time.monotonic() - self._saved_at > 60.0 * self.recipe.settings.output.checkpoint_min

    @property
    def show_due(self) -> bool:
        """Whether it is time for another status."""
        return self.active and time.monotonic() - self._shown_at > SHOW_EVERY_S

    def notify(self, line: str) -> None:
        """Tell the user something, once."""
        if self.active and self._notify is not None:
            self._notify(f"{self.folder}: {line}")

    def show(self, status: Status) -> None:
        """Write a status to ``status.json`` and show it; only on rank 0."""
        if self.active:
            self._shown_at = time.monotonic()
            self._status = status
            self._live.update(status)
            if self._progress is not None:
                self._progress(status)

    def ended(self, state: str) -> None:
        """Say in ``status.json`` how it ended; the last status stays, with nothing left to do."""
        if self.active:
            status = self._status
            self._live.close(state, None if status is None else replace(status, eta_s=None))

    def already_finished(self, status: Status) -> RunOutcome:
        """Return that nothing was left to do; ``status`` is what the checkpoint knows.

        What only an earlier process knew (whole PS4 units, temperature) is kept in ``status.json``.
        """
        before = self._status
        if before is not None and (before.step, before.n_samples) == (status.step, status.n_samples):
            status = before
        elif before is not None:
            status = replace(
                status, temperature_k=before.temperature_k, intact=before.intact,
                n_centers=before.n_centers, polyhedra=before.polyhedra,
            )  # fmt: skip
        self._status = status
        self.ended("finished")
        return RunOutcome(self.results_file, True, True, self.n_samples_before, ALREADY)

    def save(
        self,
        checkpoint: Checkpoint,
        results: Callable[[SamplerState], Results],
        *,
        timestep_ps: float,
        last: bool,
    ) -> None:
        """Write tensors, checkpoint and, with samples, the results so far, in this order; on rank 0 only.

        Parameters
        ----------
        checkpoint
            The moment, with the joined state of all ranks and the restart file that is there already.
        results
            Makes the results of that state.
        timestep_ps
            MD time step, ps.
        last
            Whether no tensors come after these.

        Raises
        ------
        ComputeError
            When a file cannot be written (disk full); the checkpoint before stays.
        """
        on_root(self.comm, lambda: self._save(checkpoint, results, timestep_ps, last))
        self._saved_at = time.monotonic()

    def _save(
        self,
        checkpoint: Checkpoint,
        results: Callable[[SamplerState], Results],
        timestep_ps: float,
        last: bool,
    ) -> None:
        state = checkpoint.sampler
        where = f"the checkpoint at step {checkpoint.step} to" if self.kind == "run" else "to"
        try:
            if state is not None and self.recipe.settings.output.tensors_ps:
                file = TensorFile(self.folder, state.li_ids, timestep_ps)
                file.append(state.rows)
                if last:
                    file.finish()
            write_checkpoint(self.folder, checkpoint)
            if state is not None:
                results(state).write(self.results_file)
        except OSError as error:
            raise ComputeError(f"cannot write {where} {self.folder}: {error}") from error

    def rewrite_results(self, results: Callable[[SamplerState, NDArray[np.int32]], Results]) -> None:
        """Write the results of the checkpoint again: a kill may have come between the two files."""
        start = self.checkpoint
        if start is not None and start.sampler is not None:
            try:
                results(start.sampler, start.arrays["numbers"]).write(self.results_file)
            except OSError as error:
                raise ComputeError(f"cannot write to {self.folder}: {error}") from error


@contextmanager
def open_session(
    recipe: Recipe,
    kind: Kind,
    *,
    comm: Any = None,
    fresh: bool = False,
    begin: Callable[[], None] | None = None,
    progress: ProgressCallback | None = None,
    notify: Callable[[str], None] | None = None,
) -> Iterator[RunSession]:
    """Hold the output folder, find where an earlier process had come to, and note how this one ends.

    Parameters
    ----------
    recipe, kind, progress, notify
        As of ``RunSession``.
    comm
        MPI communicator; None for a single process, without MPI.
    fresh
        Start over instead of resuming.
    begin
        Called on rank 0 when there is nothing to resume.

    Raises
    ------
    InputError
        When the folder is in use, or holds something else or results without a checkpoint.
    """
    comm = _Alone() if comm is None else comm
    with ExitStack() as stack:
        on_root(comm, lambda: stack.enter_context(locked_folder(recipe.folder)))
        checkpoint = on_root(comm, lambda: _open_folder(recipe, kind, fresh, begin))
        stop = stack.enter_context(StopFlag())
        session = RunSession(recipe, kind, comm, checkpoint, stop, progress, notify)
        try:
            yield session
        except LpsnmrError as error:
            session.ended(f"failed: {error}")
            raise


def _open_folder(
    recipe: Recipe, kind: Kind, fresh: bool, begin: Callable[[], None] | None
) -> Checkpoint | None:
    folder = recipe.folder
    if fresh:
        remove_checkpoints(folder)
        remove_tensors(folder)
        (folder / RESULTS_FILE).unlink(missing_ok=True)
    checkpoint = latest_checkpoint(folder)
    if checkpoint is not None:
        there: Kind = "stream" if checkpoint.stage == STREAM else "run"
        if there != kind:
            raise InputError(f"{folder} holds a {there}, not a {kind}; use another folder")
        check_fingerprint(checkpoint, recipe.fingerprint, folder)
        drop_tensors_after(folder, checkpoint.step)
        return checkpoint
    if (folder / RESULTS_FILE).exists():
        raise InputError(
            f"{folder} holds {RESULTS_FILE} but no checkpoint to resume from; use --fresh or another folder"
        )
    if begin is not None:
        begin()
    return None
