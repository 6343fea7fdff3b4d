"""The run: LAMMPS in this process, sampled, correlated, checkpointed."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lpsnmr.errors import ComputeError, InputError, LpsnmrError
from lpsnmr.io.frames import Frame
from lpsnmr.md.commands import (
    equilibration_commands,
    pair_commands,
    production_commands,
    system_commands,
    velocity_command,
)
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.pipeline.checkpoint import (
    Checkpoint,
    check_fingerprint,
    latest_checkpoint,
    remove_checkpoints,
    write_checkpoint,
)
from lpsnmr.pipeline.collective import StopFlag, maximum_over_ranks, on_root
from lpsnmr.pipeline.config import RunSettings
from lpsnmr.pipeline.lock import locked_folder
from lpsnmr.pipeline.prepare import PreparedRun, prepare_run, provenance, steps_between_samples
from lpsnmr.pipeline.progress import ProgressCallback, RateMeter, Status
from lpsnmr.pipeline.results import build_results
from lpsnmr.pipeline.sampler import Sampler, SamplerState
from lpsnmr.pipeline.thermo import ThermoFile
from lpsnmr.structures import intact_ps4

__all__ = ["RESULTS_FILE", "RunOutcome", "run_md"]

logger = logging.getLogger(__name__)

RESULTS_FILE = "results.h5"
PROGRESS_S = 0.5
EQUILIBRATION_CHUNK = 50
GO_ON, SAVE, STOP = 0, 1, 2


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

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
    with ExitStack() as stack:
        folder = settings.output.folder
        on_root(comm, lambda: stack.enter_context(locked_folder(folder)))
        checkpoint = on_root(comm, lambda: _open_folder(prepared, fresh))
        stop = stack.enter_context(StopFlag())
        run = _Run(prepared, comm, checkpoint, progress, stop)
        stack.callback(run.close)
        return run.execute()


def _open_folder(prepared: PreparedRun, fresh: bool) -> Checkpoint | None:
    folder = prepared.settings.output.folder
    if fresh:
        remove_checkpoints(folder)
        (folder / RESULTS_FILE).unlink(missing_ok=True)
    checkpoint = latest_checkpoint(folder)
    if checkpoint is not None:
        check_fingerprint(checkpoint, prepared.fingerprint, folder)
        return checkpoint
    if (folder / RESULTS_FILE).exists():
        raise InputError(
            f"{folder} holds {RESULTS_FILE} but no checkpoint to resume from; use --fresh or another folder"
        )
    prepared.write_data_file()
    return None


class _Run:
    """State of one run on one rank."""

    def __init__(
        self,
        prepared: PreparedRun,
        comm: Any,
        checkpoint: Checkpoint | None,
        progress: ProgressCallback | None,
        stop: Callable[[], bool],
    ) -> None:
        settings = prepared.settings
        self.prepared, self.settings, self.comm, self.stop = prepared, settings, comm, stop
        self.progress = progress
        self.folder = settings.output.folder
        self.start = checkpoint
        self.driver: LammpsDriver | None = None
        self.sampler: Sampler | None = None
        self.thermo_file: ThermoFile | None = None
        self.interval = steps_between_samples(settings)
        self.meter = RateMeter()
        self.saved_step = -1
        self.saved_at = self.shown_at = time.monotonic()
        self.thermo_step = -1
        self.cell_sum = np.zeros((3, 3))
        self.cell_count = 0
        self.first_step = 0
        if checkpoint is not None:
            self.first_step = int(checkpoint.arrays["first_step"])
            self.cell_sum = checkpoint.arrays["cell_sum"]
            self.cell_count = int(checkpoint.arrays["cell_count"])
            self.saved_step = checkpoint.step

    # -- lengths, in MD steps -------------------------------------------------------------------

    @property
    def production_start(self) -> int:
        return self.first_step + round(self.settings.md.equilibration_ps * 1e3 / self.settings.md.timestep_fs)

    @property
    def production_end(self) -> int:
        samples = int(self.settings.md.production_ps / self.settings.sampling.interval_ps + 1e-9)
        return self.production_start + samples * self.interval

    # -- the course of the run -------------------------------------------------------------------

    def execute(self) -> RunOutcome:
        start = self.start
        if start is not None and start.stage == "production" and start.step >= self.production_end:
            n = 0 if start.sampler is None else int(start.sampler.efg["n_samples"])
            return RunOutcome(self.folder / RESULTS_FILE, True, True, n, "the run was finished before")
        self._start_lammps()
        driver = self._driver()
        if self.comm.rank == 0:
            self.thermo_file = ThermoFile(self.folder / "thermo.csv", -1 if start is None else start.step)
        if start is None or start.stage == "equilibration":
            if not self._equilibrate():
                return self._outcome(False)
            self._begin_production()
        driver.advance(0)
        self._make_sampler()
        finished = self._produce()
        return self._outcome(finished)

    def _driver(self) -> LammpsDriver:
        if self.driver is None:
            raise ComputeError("LAMMPS has not been started")
        return self.driver

    def _start_lammps(self) -> None:
        settings, start = self.settings, self.start
        restart = None if start is None else (self.folder / start.restart).resolve()
        variables = {} if restart is None else {"restart": str(restart)}
        self.driver = driver = LammpsDriver(self.comm, self.folder / "log.lammps", variables)
        deck = settings.md.input
        if deck is not None:
            if restart is not None and "restart" not in deck.read_text(encoding="utf-8", errors="replace"):
                raise InputError(
                    f"{deck} cannot resume: it never uses the variable restart (see docs/run.md); use --fresh"
                )
            driver.file(deck)
            if driver.units != "metal":
                raise InputError(f"{deck}: expected units metal, got {driver.units}")
            if abs(driver.timestep_ps * 1e3 - settings.md.timestep_fs) > 1e-9:
                raise InputError(
                    f"{deck} has the time step {driver.timestep_ps * 1e3:g} fs, but md.timestep_fs is "
                    f"{settings.md.timestep_fs:g}"
                )
        else:
            potential = self.prepared.potential or Path()
            pair = pair_commands(settings.potential, potential, self.prepared.elements)
            structure = restart or self.prepared.data_file.resolve()
            driver.commands(system_commands(settings.md, structure, pair, restart=restart is not None))
            if restart is None:
                driver.commands([velocity_command(settings.md)])
            stage = (
                equilibration_commands
                if start is None or start.stage == "equilibration"
                else production_commands
            )
            driver.commands(stage(settings.md, driver.step))
        driver.define_types(self.prepared.elements)
        if start is None:
            self.first_step = driver.step
        elif driver.step != start.step:
            raise ComputeError(f"{start.restart} is at step {driver.step}, its checkpoint at {start.step}")
        driver.advance(0)
        driver.commands(["log none"])  # from here on thermo.csv; LAMMPS would write two lines a sample

    def _equilibrate(self) -> bool:
        driver = self._driver()
        end = self.production_start
        half = self.first_step + (end - self.first_step) // 2
        while driver.step < end:
            driver.advance(min(EQUILIBRATION_CHUNK, end - driver.step))
            if driver.step > half:
                self.cell_sum += driver.cell()
                self.cell_count += 1
            if not self._housekeep("equilibration", end, None):
                return False
        return True

    def _begin_production(self) -> None:
        if self.settings.md.input is not None:
            return
        driver = self._driver()
        driver.unfix()
        if self.settings.md.equilibration == "npt" and self.cell_count:
            driver.rescale_cell(self.cell_sum / self.cell_count)
        driver.commands(production_commands(self.settings.md, driver.step))

    def _make_sampler(self) -> None:
        frame = self._driver().frame()
        self.sampler = Sampler(
            self.prepared.model,
            frame.ids,
            frame.numbers,
            sample_interval_ps=self.settings.sampling.interval_ps,
            interval_steps=self.interval,
            points_per_level=self.settings.sampling.points_per_level,
            rank=self.comm.rank,
            size=self.comm.size,
        )
        if self.start is not None and self.start.sampler is not None:
            self.sampler.restore(self.start.sampler, self.comm.rank, self.comm.size)
        if self.sampler.last_step < 0:
            self._sample(frame)

    def _sample(self, frame: Frame) -> None:
        if self.sampler is None:
            raise ComputeError("the sampler has not been made")
        self.sampler.add(frame, self._driver().thermo().get("Temp"))

    def _produce(self) -> bool:
        driver, end = self._driver(), self.production_end
        while driver.step < end:
            driver.advance(self.interval)
            frame = driver.frame()
            self._sample(frame)
            if not self._housekeep("production", end, frame):
                return False
        self._save("production", finished=True)
        return True

    # -- between samples -------------------------------------------------------------------------

    def _housekeep(self, stage: str, end: int, frame: Frame | None) -> bool:
        """Report, write checkpoints, and return False when the run must stop."""
        due = time.monotonic() - self.saved_at > 60.0 * self.settings.output.checkpoint_min
        wish = STOP if self.stop() else SAVE if due and self.comm.rank == 0 else GO_ON
        wish = maximum_over_ranks(self.comm, wish)
        self._report(stage, end, frame, last=wish == STOP)
        if wish != GO_ON:
            self._save(stage, finished=False)
        return wish != STOP

    def _report(self, stage: str, end: int, frame: Frame | None, last: bool) -> None:
        driver = self._driver()
        step = driver.step
        thermo_steps = max(1, round(self.settings.output.thermo_ps / driver.timestep_ps))
        write = step // thermo_steps != self.thermo_step
        show = time.monotonic() - self.shown_at > PROGRESS_S or last
        wanted = maximum_over_ranks(self.comm, int(write or (show and self.comm.rank == 0)))
        if not wanted:
            return
        frame = driver.frame() if frame is None else frame  # collective, so decided together
        if self.comm.rank != 0:
            self.thermo_step = step // thermo_steps
            return
        intact, total = intact_ps4(frame.positions, frame.cell, frame.pbc, frame.numbers)
        thermo = driver.thermo()
        start = self.first_step if stage == "equilibration" else self.production_start
        time_ps = (step - start) * driver.timestep_ps
        if write and self.thermo_file is not None:
            self.thermo_file.write(stage, step, time_ps, thermo, intact)
        self.thermo_step = step // thermo_steps
        if not show or self.progress is None:
            return
        rate = self.meter.update(step)
        self.shown_at = time.monotonic()
        self.progress(
            Status(
                stage=stage,
                step=step - start,
                last_step=end - start,
                time_ps=time_ps,
                steps_per_s=rate,
                ns_per_day=rate * driver.timestep_ps * 86.4,
                eta_s=(end - step) / rate if rate > 0 else None,
                n_samples=0 if self.sampler is None else self.sampler.n_samples,
                temperature_k=thermo.get("Temp"),
                intact=intact,
                n_phosphorus=total,
                n_flagged=0 if self.sampler is None else self.sampler.n_flagged,
            )
        )

    def _joined_state(self) -> SamplerState | None:
        if self.sampler is None:
            return None
        parts = self.comm.gather(self.sampler.state(), root=0)
        return None if parts is None else SamplerState.join(parts)

    def _save(self, stage: str, *, finished: bool) -> None:
        """Write restart file, checkpoint and results; collective."""
        driver = self._driver()
        step = driver.step
        restart = f"restart.{step}.lmp"
        if step != self.saved_step:
            driver.write_restart(self.folder / restart)
        state = self._joined_state()
        checkpoint = Checkpoint(
            step=step,
            stage=stage,
            fingerprint=self.prepared.fingerprint,
            finished=finished,
            restart=restart,
            sampler=state,
            arrays={
                "first_step": np.array(self.first_step),
                "cell_sum": self.cell_sum,
                "cell_count": np.array(self.cell_count),
            },
        )
        on_root(self.comm, lambda: self._write_files(checkpoint))
        self.saved_step = step
        self.saved_at = time.monotonic()

    def _write_files(self, checkpoint: Checkpoint) -> None:
        try:
            if self.thermo_file is not None:
                self.thermo_file.flush()
            write_checkpoint(self.folder, checkpoint)
            if checkpoint.sampler is not None:
                self._results(checkpoint.sampler).write(self.folder / RESULTS_FILE)
        except LpsnmrError:
            raise
        except OSError as error:
            raise ComputeError(
                f"cannot write the checkpoint at step {checkpoint.step} to {self.folder}: {error}"
            ) from error

    def _results(self, state: SamplerState) -> Any:
        driver, settings = self._driver(), self.settings
        fingerprint = self.prepared.fingerprint
        done = driver.step - (self.first_step if self.start is None else self.start.step)
        rate = done / max(self.meter.elapsed_s, 1e-9)
        return build_results(
            state,
            self.prepared.numbers,
            temperature_k=settings.md.temperature_k,
            nucleus=settings.efg.nucleus,
            jump_distance_angstrom=self.prepared.jump_distance_angstrom,
            provenance=provenance(
                fingerprint,
                source="run",
                seed=settings.md.seed,
                n_ranks=self.comm.size,
                lammps_version=driver.version,
                efg_sha256=self.prepared.model.sha256,
                potential_sha256=fingerprint.get("potential.sha256", ""),
                structure=settings.structure.file,
            ),
            statistics={"steps_per_s": rate, "ns_per_day": rate * driver.timestep_ps * 86.4},
        )

    def _outcome(self, finished: bool) -> RunOutcome:
        n = 0 if self.sampler is None else self.sampler.n_samples
        step = self._driver().step
        reason = "finished" if finished else f"stopped by a signal at step {step}; the same command resumes"
        return RunOutcome(self.folder / RESULTS_FILE, finished, False, n, reason)

    def close(self) -> None:
        if self.thermo_file is not None:
            self.thermo_file.close()
        if self.driver is not None:
            self.driver.close()
