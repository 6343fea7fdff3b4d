"""The run: LAMMPS in this process, sampled, correlated, checkpointed."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.md.local_samples import LocalSamples
from lpsnmr.md.loop import MdLoop, Place
from lpsnmr.md.schedule import equilibration_and_production
from lpsnmr.parallel.collective import on_root, or_over_ranks
from lpsnmr.results import Results
from lpsnmr.runs.checkpoint import Checkpoint
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.feeds import Feed, FirstCell, GatheringFeed, LocalFeed
from lpsnmr.runs.prepare import PreparedRun, prepare_run, steps_between_samples
from lpsnmr.runs.progress import ProgressCallback, RateMeter, Status
from lpsnmr.runs.reporting import RunReporter, stage_name
from lpsnmr.runs.session import RunOutcome, RunSession, open_session
from lpsnmr.runs.start import define_elements, open_lammps
from lpsnmr.sampling.sampler import Sampler, SamplerState
from lpsnmr.structures import CRYSTALS
from lpsnmr.structures.checks import density_g_per_cm3
from lpsnmr.trajectory.frames import Frame

__all__ = ["run_md"]

logger = logging.getLogger(__name__)

EQUILIBRATION_CHUNK = 50
SAVE, STOP, REPORT, SHOW = 1, 2, 4, 8  # bits of what the ranks want


def run_md(
    settings: RunSettings,
    *,
    comm: Any = None,
    fresh: bool = False,
    progress: ProgressCallback | None = None,
    notify: Callable[[str], None] | None = None,
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
    notify
        Called on rank 0 with a line for the user: where a resumed run goes on.

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
    with open_session(
        prepared.recipe, "run", comm=comm, fresh=fresh, begin=prepared.write_data_file, progress=progress,
        notify=notify,
    ) as session, ExitStack() as closers:  # fmt: skip
        if _finished_before(session):
            return session.already_finished(_status_of_checkpoint(session))
        _tell_where(session)
        for note in prepared.notes:
            session.notify(note)
        run = _Run(prepared, session, closers)
        outcome = run.execute()
        session.ended(outcome.reason)
        return outcome


def _lengths(settings: RunSettings) -> tuple[int, int]:
    """Return the MD steps of the equilibration and of the production, which is a whole number of samples."""
    samples = int(settings.md.production_ps / settings.sampling.interval_ps + 1e-9)
    equilibration = round(settings.md.equilibration_ps * 1e3 / settings.md.timestep_fs)
    return equilibration, samples * steps_between_samples(settings)


def _finished_before(session: RunSession) -> bool:
    """Whether checkpoint and results file are already at the end.

    The results file is written last: a kill in between leaves it behind the checkpoint.
    """
    start = session.checkpoint
    if start is None or start.stage != "production":
        return False
    if start.step < int(start.arrays["first_step"]) + sum(_lengths(session.recipe.settings)):
        return False
    return on_root(session.comm, lambda: _samples_in(session)) == session.n_samples_before


def _samples_in(session: RunSession) -> int:
    """Return the number of samples in the results file, -1 when it cannot be read."""
    try:
        return Results.read(session.results_file).n_samples
    except InputError:
        return -1


def _time_of_checkpoint(session: RunSession, start: Checkpoint) -> tuple[int, int]:
    """Return steps since the stage of the checkpoint began, and its length in steps."""
    equilibration, production = _lengths(session.recipe.settings)
    done = start.step - int(start.arrays["first_step"])
    return (done, equilibration) if start.stage == "equilibration" else (done - equilibration, production)


def _status_of_checkpoint(session: RunSession) -> Status:
    """Return what a checkpoint at the end knows of the run."""
    start = session.checkpoint
    if start is None or start.sampler is None:
        raise ComputeError(f"{session.folder}: expected a checkpoint with samples")
    steps, length = _time_of_checkpoint(session, start)
    time_ps = steps * session.recipe.settings.md.timestep_fs * 1e-3
    samples = start.sampler.n_samples
    return Status(
        start.stage, steps, length, time_ps, 0.0, 0.0, None, samples, None, 0, 0, start.sampler.n_flagged
    )


def _tell_where(session: RunSession) -> None:
    """Say where a resumed run goes on."""
    if session.checkpoint is None:
        return
    timestep_ps = session.recipe.settings.md.timestep_fs * 1e-3
    done, length = (n * timestep_ps for n in _time_of_checkpoint(session, session.checkpoint))
    what = " of the equilibration" if session.checkpoint.stage == "equilibration" else ""
    session.notify(f"resuming from {done:.1f} of {length:g} ps{what}")


class _Run:
    """State of one run on one rank."""

    def __init__(self, prepared: PreparedRun, session: RunSession, closers: ExitStack) -> None:
        self.prepared, self.session, self.settings = prepared, session, prepared.settings
        self.comm = session.comm
        self.sampler: Sampler | None = None
        self.samples: LocalSamples | None = None
        self.predicted = "in LAMMPS"
        self.interval = steps_between_samples(self.settings)
        self.arrays: dict[str, NDArray[Any]] = {
            "first_step": np.array(0), "cell_sum": np.zeros((3, 3)), "cell_count": np.array(0)
        }  # fmt: skip
        checkpoint = session.checkpoint
        self.saved_step = -1
        self.producing = checkpoint is not None and checkpoint.stage == "production"
        self.driver = driver = open_lammps(prepared, checkpoint, self.comm)
        closers.callback(driver.close)
        if checkpoint is None:
            self.arrays["first_step"] = np.array(driver.step)
        else:
            self.arrays.update(checkpoint.arrays)
            self.saved_step = checkpoint.step
        self.loop = self._new_loop()
        self._set_up()
        self.reporter = RunReporter(session, driver, self.saved_step)
        closers.callback(self.reporter.close)
        self.begin, self.meter = driver.step, RateMeter()

    def _new_loop(self) -> MdLoop:
        equilibration, production = _lengths(self.settings)
        production_ps = production * self.settings.md.timestep_fs * 1e-3
        lengths = [equilibration, production] if self.settings.md.equilibration_ps > 0 else [production]
        return MdLoop(
            self.driver,
            equilibration_and_production(self.settings.md, production_ps),
            first_step=int(self.arrays["first_step"]),
            lengths=lengths,
            sets_fixes=self.settings.md.input is None,
            look=self._look,
        )

    @property
    def _production_start(self) -> int:
        """Step of the first sample."""
        return self.loop.bounds[self.loop.last]

    def _set_up(self) -> None:
        """Set the fixes of the stage the run is in, and compute the forces."""
        if self.producing:
            self.loop.set_fixes(self.loop.last)
        elif self.loop.last > 0:
            self.loop.set_fixes(0)
        define_elements(self.driver, self.prepared, self.session.checkpoint)
        if self.producing:
            self._set_up_production()
        else:
            self.driver.advance(0)
        self.driver.commands(["log none"])  # now comes thermo.csv; LAMMPS would write lines at each sample

    def execute(self) -> RunOutcome:
        """Equilibrate, produce, and say how it ended."""
        finished = (self.producing or self._equilibrate()) and self._produce()
        samples = 0 if self.sampler is None else self.sampler.n_samples
        reason = (
            "finished"
            if finished
            else f"stopped by a signal at step {self.driver.step}; the same command resumes"
        )
        return RunOutcome(self.session.results_file, finished, False, samples, reason)

    def _equilibrate(self) -> bool:
        """Go to the first sample; with npt set the mean cell of the second half. False when stopped."""
        driver, loop = self.driver, self.loop
        if loop.last > 0:
            for place in loop.stretches(0, EQUILIBRATION_CHUNK):
                if place.step > place.begin + (place.end - place.begin) // 2:
                    self.arrays["cell_sum"] = self.arrays["cell_sum"] + driver.cell()
                    self.arrays["cell_count"] = self.arrays["cell_count"] + 1
            if loop.stopped:
                return False
        breathed = self.settings.md.input is None and self.settings.md.equilibration == "npt"
        if breathed and self.arrays["cell_count"] > 0:
            driver.unfix()
            driver.rescale_cell(self.arrays["cell_sum"] / self.arrays["cell_count"])
            self._tell_density()
        loop.set_fixes(loop.last)
        self._set_up_production()
        return True

    def _tell_density(self) -> None:
        """Say the density that the equilibration found, beside that of the given cell."""
        atoms = self.prepared.atoms
        if atoms is None:
            return
        given = density_g_per_cm3(atoms)
        change = float(abs(np.linalg.det(self.driver.cell()))) / atoms.get_volume()
        whose = "published" if self.settings.structure.file in CRYSTALS else "given"
        self.session.notify(
            f"cell at {self.settings.md.pressure_bar:g} bar: {given / change:.3f} g/cm³, {whose} cell "
            f"{given:.3f} g/cm³ (volume {100 * (change - 1):+.1f} %)"
        )

    def _set_up_production(self) -> None:
        """Compute the forces; let LAMMPS take the samples where it can."""
        try:
            if self.prepared.model_file is None:
                raise ComputeError("there is no EFG model")
            self.samples = LocalSamples(
                self.driver,
                self.prepared.model_file,
                self.prepared.elements,
                interval_steps=self.interval,
                first_step=self._production_start,
                species=self.settings.species,
            )
        except ComputeError as error:
            self.predicted = f"from all positions: {error}"
            self.driver.advance(0)
        if self.comm.rank == 0 and self.samples is None and self.prepared.model_file is not None:
            logger.warning("tensors are predicted outside LAMMPS, %s", self.predicted)

    def _produce(self) -> bool:
        """Take all samples; False when stopped."""
        self.reporter.restart_clock()
        frame = self.driver.frame()
        self.sampler = sampler = self._new_sampler(frame)
        if sampler.last_step < 0:
            sampler.add(frame, self.driver.temperature())
        feed = self._new_feed(sampler)
        if self.driver.step >= self.loop.bounds[-1]:  # only the results file is behind
            self.reporter.report(self.loop.place, frame, sampler, show=True)
        for _ in self.loop.stretches(self.loop.last, lambda: feed.advance(self._samples_to_line())):
            pass
        if self.loop.stopped:
            return False
        self.save("production", finished=True)
        return True

    def _samples_to_line(self) -> int:
        """Return how many samples there are to the next line of ``thermo.csv`` or to the end."""
        steps = min(self.loop.bounds[-1], self.reporter.next_line) - self.driver.step
        return max(1, -(-steps // self.interval))

    def _new_feed(self, sampler: Sampler) -> Feed:
        if self.settings.md.input is not None:  # only a deck's own fixes can move the cell
            self.arrays.setdefault("first_cell", self.driver.cell())
        first = FirstCell(self.arrays.get("first_cell", self.driver.cell()), self.driver.periodic)
        if self.samples is None:
            return GatheringFeed(self.driver, sampler, first)
        return LocalFeed(self.samples, sampler, self.comm, self.prepared.elements, first)

    def _new_sampler(self, frame: Frame) -> Sampler:
        sampler = self.prepared.recipe.new_sampler(
            frame,
            interval_ps=self.settings.sampling.interval_ps,
            interval_steps=self.interval,
            rank=self.comm.rank,
            size=self.comm.size,
        )
        checkpoint = self.session.checkpoint
        if checkpoint is not None and checkpoint.sampler is not None:
            sampler.restore(checkpoint.sampler, self.comm.rank, self.comm.size)
        sampler.start_motion(frame)
        return sampler

    def _look(self, place: Place) -> bool:
        """Report and write checkpoints between two stretches; False when the run must stop."""
        wishes = STOP | SAVE | SHOW if self.session.stop() else 0
        if self.comm.rank == 0:
            wishes |= SAVE if self.session.save_due else 0
            wishes |= REPORT if self.reporter.due else 0
            wishes |= SHOW if place.finished else 0
        wishes = or_over_ranks(self.comm, wishes)
        if wishes & (REPORT | SHOW):
            self.reporter.report(place, self.driver.frame(), self.sampler, show=bool(wishes & SHOW))
        if wishes & SAVE:
            self.reporter.flush()
            self.save(stage_name(place), finished=False)
        return not wishes & STOP

    def save(self, stage: str, *, finished: bool) -> None:
        """Write restart file, checkpoint and, with samples, the results so far; collective."""
        step, sampler = self.driver.step, self.sampler
        restart = f"restart.{step}.lmp"
        if step != self.saved_step:
            self.driver.write_restart(self.session.folder / restart)
        checkpoint = Checkpoint(
            step=step,
            stage=stage,
            fingerprint=self.prepared.recipe.fingerprint,
            finished=finished,
            restart=restart,
            sampler=None if sampler is None else self._joined(sampler),
            arrays=self.arrays,
        )
        self.session.save(checkpoint, self._results, timestep_ps=self.driver.timestep_ps, last=finished)
        if sampler is not None:
            sampler.forget_rows()
        self.saved_step = step

    def _joined(self, sampler: Sampler) -> SamplerState | None:
        parts = self.comm.gather(sampler.state(), root=0)
        return None if parts is None else SamplerState.join(parts)

    def _results(self, state: SamplerState) -> Results:
        if self.sampler is None:
            raise ComputeError("expected a sampler before results")
        rate = (self.driver.step - self.begin) / max(self.meter.elapsed_s, 1e-9)
        return self.prepared.recipe.results(
            state,
            self.sampler.numbers,
            statistics={"steps_per_s": rate, "ns_per_day": rate * self.driver.timestep_ps * 86.4},
            source="run",
            seed=self.settings.md.seed,
            n_ranks=self.comm.size,
            efg_predicted=self.predicted,
            lammps_version=self.driver.version,
            potential_sha256=self.prepared.recipe.fingerprint.get("potential.sha256", ""),
            structure=self.settings.structure.file,
        )
