"""The run: LAMMPS in this process, sampled, correlated, checkpointed."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lpsnmr.errors import ComputeError, InputError, LpsnmrError
from lpsnmr.files.lock import locked_folder
from lpsnmr.md.commands import (
    equilibration_commands,
    pair_commands,
    production_commands,
    system_commands,
    velocity_command,
)
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.local_samples import LocalSamples
from lpsnmr.parallel.collective import StopFlag, on_root, or_over_ranks
from lpsnmr.results.results import Results
from lpsnmr.results.tensor_file import drop_tensors_after, remove_tensors
from lpsnmr.runs.checkpoint import (
    Checkpoint,
    check_fingerprint,
    latest_checkpoint,
    remove_checkpoints,
)
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.feeds import Feed, GatheringFeed, LocalFeed
from lpsnmr.runs.prepare import PreparedRun, prepare_run, steps_between_samples
from lpsnmr.runs.progress import ProgressCallback
from lpsnmr.runs.reporting import RunReporter
from lpsnmr.runs.saving import RunWriter
from lpsnmr.sampling.sampler import Sampler
from lpsnmr.sampling.to_results import RESULTS_FILE
from lpsnmr.trajectory.frames import Frame

__all__ = ["RunOutcome", "run_md"]

logger = logging.getLogger(__name__)

EQUILIBRATION_CHUNK = 50
SAVE, STOP, REPORT = 1, 2, 4  # bits of what the ranks want


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


def run_md(
    settings: RunSettings, *, comm: Any = None, fresh: bool = False, progress: ProgressCallback | None = None
) -> RunOutcome:
    """Run or resume the MD of a configuration; collective over ``comm``.

    Parameters
    ----------
    settings
        Configuration.
    comm
        MPI communicator; ``MPI.COMM_WORLD`` by default.
    fresh
        Start over instead of resuming from a checkpoint in the output folder.
    progress
        Called on rank 0 about twice a second.

    Raises
    ------
    InputError
        When files are missing or unfit, the folder is in use, or holds another run.
    ComputeError
        When LAMMPS fails, atoms are lost, a tensor is not finite or a file cannot be written.
    """
    if comm is None:
        from mpi4py import MPI

        comm = MPI.COMM_WORLD
    prepared = prepare_run(settings)
    folder = settings.output.folder
    with ExitStack() as stack:
        on_root(comm, lambda: stack.enter_context(locked_folder(folder)))
        checkpoint = on_root(comm, lambda: _open_folder(prepared, fresh))
        stop = stack.enter_context(StopFlag())
        run = _Run(prepared, comm, checkpoint, stop)
        if run.finished_before:
            samples = 0 if checkpoint is None or checkpoint.sampler is None else checkpoint.sampler.n_samples
            return RunOutcome(folder / RESULTS_FILE, True, True, samples, "the run was finished before")
        stack.callback(run.close)
        run.start_lammps(progress)
        try:
            outcome = run.execute()
        except LpsnmrError as error:
            run.reporter.ended(f"failed: {error}")
            raise
        run.reporter.ended(outcome.reason)
        return outcome


def _open_folder(prepared: PreparedRun, fresh: bool) -> Checkpoint | None:
    folder = prepared.settings.output.folder
    if fresh:
        remove_checkpoints(folder)
        remove_tensors(folder)
        (folder / RESULTS_FILE).unlink(missing_ok=True)
    checkpoint = latest_checkpoint(folder)
    if checkpoint is not None:
        if checkpoint.stage == "stream":
            raise InputError(f"{folder} holds a stream; use another folder")
        check_fingerprint(checkpoint, prepared.fingerprint, folder)
        drop_tensors_after(folder, checkpoint.step)
        return checkpoint
    if (folder / RESULTS_FILE).exists():
        raise InputError(
            f"{folder} holds {RESULTS_FILE} but no checkpoint to resume from; use --fresh or another folder"
        )
    prepared.write_data_file()
    return None


def _samples_in(path: Path) -> int:
    """Return the number of samples in a results file, -1 when it cannot be read."""
    try:
        return Results.read(path).n_samples
    except InputError:
        return -1


class _Run:
    """State of one run on one rank."""

    driver: LammpsDriver
    writer: RunWriter
    reporter: RunReporter

    def __init__(
        self, prepared: PreparedRun, comm: Any, checkpoint: Checkpoint | None, stop: Callable[[], bool]
    ) -> None:
        self.prepared, self.settings, self.comm, self.stop = prepared, prepared.settings, comm, stop
        self.folder = prepared.settings.output.folder
        self.checkpoint = checkpoint
        self.sampler: Sampler | None = None
        self.samples: LocalSamples | None = None
        self.predicted = "in LAMMPS"
        self.interval = steps_between_samples(self.settings)
        self.arrays = {"first_step": np.array(0), "cell_sum": np.zeros((3, 3)), "cell_count": np.array(0)}
        if checkpoint is not None:
            self.arrays.update(checkpoint.arrays)
        self._closers = ExitStack()

    @property
    def first_step(self) -> int:
        """Step at which the equilibration began."""
        return int(self.arrays["first_step"])

    @property
    def production_start(self) -> int:
        """Step of the first sample."""
        return self.first_step + round(self.settings.md.equilibration_ps * 1e3 / self.settings.md.timestep_fs)

    @property
    def production_end(self) -> int:
        """Step of the last sample."""
        samples = int(self.settings.md.production_ps / self.settings.sampling.interval_ps + 1e-9)
        return self.production_start + samples * self.interval

    @property
    def finished_before(self) -> bool:
        """Whether checkpoint and results file are already at the end.

        The results file is written last: a kill in between leaves it behind the checkpoint.
        """
        start = self.checkpoint
        if start is None or start.stage != "production" or start.step < self.production_end:
            return False
        samples = 0 if start.sampler is None else start.sampler.n_samples
        return on_root(self.comm, lambda: _samples_in(self.folder / RESULTS_FILE)) == samples

    def start_lammps(self, progress: ProgressCallback | None) -> None:
        """Set LAMMPS up from the data file, the deck or the checkpoint's restart file."""
        checkpoint = self.checkpoint
        restart = None if checkpoint is None else (self.folder / checkpoint.restart).resolve()
        variables = {} if restart is None else {"restart": str(restart)}
        self.driver = driver = LammpsDriver(self.comm, self.folder / "log.lammps", variables)
        self._closers.callback(driver.close)
        if self.settings.md.input is not None:
            self._read_deck(self.settings.md.input, restart)
        else:
            self._build_system(restart)
        driver.define_types(self.prepared.elements)
        if checkpoint is None:
            self.arrays["first_step"] = np.array(driver.step)
        elif driver.step != checkpoint.step:
            raise ComputeError(
                f"{checkpoint.restart} is at step {driver.step}, its checkpoint at {checkpoint.step}"
            )
        if checkpoint is not None and checkpoint.stage == "production":
            self._set_up_production()
        else:
            driver.advance(0)
        driver.commands(["log none"])  # from here on thermo.csv; LAMMPS would write lines at each sample
        saved = -1 if checkpoint is None else checkpoint.step
        self.writer = RunWriter(self.prepared, self.comm, driver, saved)
        self.reporter = RunReporter(self.settings, self.comm.rank == 0, driver, progress, saved)
        self._closers.callback(self.reporter.close)

    def _read_deck(self, deck: Path, restart: Path | None) -> None:
        if restart is not None and "restart" not in deck.read_text(encoding="utf-8", errors="replace"):
            raise InputError(f"{deck} cannot resume: it never uses the variable restart; use --fresh")
        self.driver.file(deck)
        if self.driver.units != "metal":
            raise InputError(f"{deck}: expected units metal, got {self.driver.units}")
        timestep_fs = self.driver.timestep_ps * 1e3
        if abs(timestep_fs - self.settings.md.timestep_fs) > 1e-9:
            raise InputError(
                f"{deck} has the time step {timestep_fs:g} fs, but md.timestep_fs is "
                f"{self.settings.md.timestep_fs:g}"
            )

    def _build_system(self, restart: Path | None) -> None:
        settings, driver = self.settings, self.driver
        pair = pair_commands(settings.potential, self.prepared.potential, self.prepared.elements)
        structure = restart or self.prepared.data_file.resolve()
        driver.commands(system_commands(settings.md, structure, pair, restart=restart is not None))
        if restart is None:
            driver.commands([velocity_command(settings.md)])
        producing = self.checkpoint is not None and self.checkpoint.stage == "production"
        stage = production_commands if producing else equilibration_commands
        driver.commands(stage(settings.md, driver.step))

    def execute(self) -> RunOutcome:
        """Equilibrate, produce, and say how it ended."""
        producing = self.checkpoint is not None and self.checkpoint.stage == "production"
        finished = (producing or self._equilibrate()) and self._produce()
        samples = 0 if self.sampler is None else self.sampler.n_samples
        reason = (
            "finished"
            if finished
            else f"stopped by a signal at step {self.driver.step}; the same command resumes"
        )
        return RunOutcome(self.folder / RESULTS_FILE, finished, False, samples, reason)

    def _equilibrate(self) -> bool:
        driver, end = self.driver, self.production_start
        half = self.first_step + (end - self.first_step) // 2
        while driver.step < end:
            driver.advance(min(EQUILIBRATION_CHUNK, end - driver.step))
            if driver.step > half:
                self.arrays["cell_sum"] = self.arrays["cell_sum"] + driver.cell()
                self.arrays["cell_count"] = self.arrays["cell_count"] + 1
            if not self._between("equilibration", end):
                return False
        if self.settings.md.input is None:
            driver.unfix()
            if self.settings.md.equilibration == "npt" and self.arrays["cell_count"] > 0:
                driver.rescale_cell(self.arrays["cell_sum"] / self.arrays["cell_count"])
            driver.commands(production_commands(self.settings.md, driver.step))
        self._set_up_production()
        return True

    def _set_up_production(self) -> None:
        """Compute the forces; let LAMMPS take the samples where it can."""
        try:
            self.samples = LocalSamples(
                self.driver,
                self.prepared.model_file,
                self.prepared.elements,
                interval_steps=self.interval,
                first_step=self.production_start,
            )
        except ComputeError as error:
            self.predicted = f"from all positions: {error}"
            self.driver.advance(0)
        if self.comm.rank == 0 and self.samples is None:
            logger.warning("tensors are predicted outside LAMMPS, %s", self.predicted)

    def _produce(self) -> bool:
        driver, end = self.driver, self.production_end
        self.reporter.restart_clock()
        frame = driver.frame()
        self.sampler = sampler = self._new_sampler(frame)
        if sampler.last_step < 0:
            sampler.add(frame, driver.temperature())
        feed = self._new_feed(sampler)
        self.writer.predicted = self.predicted
        while driver.step < end:
            feed.advance(self._samples_to_line(end))
            if not self._between("production", end):
                return False
        self.writer.save("production", sampler, self.arrays, finished=True)
        return True

    def _samples_to_line(self, end: int) -> int:
        """Return how many samples there are to the next line of ``thermo.csv`` or to the end."""
        line = self.reporter.next_line
        steps = min(end, line) - self.driver.step
        return max(1, -(-steps // self.interval))

    def _new_feed(self, sampler: Sampler) -> Feed:
        if self.samples is None:
            return GatheringFeed(self.driver, sampler)
        return LocalFeed(self.samples, sampler, self.comm, self.prepared.elements)

    def _new_sampler(self, frame: Frame) -> Sampler:
        sampler = Sampler(
            self.prepared.model,
            frame.ids,
            frame.numbers,
            sample_interval_ps=self.settings.sampling.interval_ps,
            interval_steps=self.interval,
            points_per_level=self.settings.sampling.points_per_level,
            nmr=self.settings.nmr(),
            jumps=self.prepared.jumps,
            sites=self.prepared.sites,
            rank=self.comm.rank,
            size=self.comm.size,
        )
        if self.checkpoint is not None and self.checkpoint.sampler is not None:
            sampler.restore(self.checkpoint.sampler, self.comm.rank, self.comm.size)
        sampler.start_motion(frame)
        return sampler

    def _between(self, stage: str, end: int) -> bool:
        """Report and write checkpoints between two stretches; False when the run must stop."""
        wishes = STOP | SAVE if self.stop() else 0
        if self.comm.rank == 0:
            wishes |= SAVE if self.writer.due else 0
            wishes |= REPORT if self.reporter.due else 0
        wishes = or_over_ranks(self.comm, wishes)
        if wishes & REPORT:
            begin = self.first_step if stage == "equilibration" else self.production_start
            self.reporter.report(stage, begin, end, self.driver.frame(), self.sampler)
        if wishes & SAVE:
            self.reporter.flush()
            self.writer.save(stage, self.sampler, self.arrays, finished=False)
        return not wishes & STOP

    def close(self) -> None:
        """Close LAMMPS and files."""
        self._closers.close()
