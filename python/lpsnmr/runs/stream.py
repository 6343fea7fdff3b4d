"""The stream: dump files, finished or still growing, through the same sampler as a run."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, FileFormatError, InputError
from lpsnmr.results import Results
from lpsnmr.runs.checkpoint import Checkpoint
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.prepare import tell_no_framework
from lpsnmr.runs.prepare_stream import PreparedStream, prepare_stream
from lpsnmr.runs.progress import ProgressCallback, RateMeter, Status
from lpsnmr.runs.recipe import check_elements
from lpsnmr.runs.session import STREAM, RunOutcome, RunSession, open_session
from lpsnmr.sampling.sampler import Sampler, SamplerState, TensorModel
from lpsnmr.structures.polyhedra import tell_broken, whole_polyhedra
from lpsnmr.trajectory.formats import ReaderOptions
from lpsnmr.trajectory.frames import Frame
from lpsnmr.trajectory.joined import Trajectory
from lpsnmr.trajectory.time_grid import TimeGrid, hint
from lpsnmr.trajectory.unwrap import Unwrapper

__all__ = ["stream_dumps"]

FOREIGN = 0.5
"""Share of predictions outside the training range that no intended material has."""
CELL_TOLD = 1e-6
"""Relative change of the cell that is told."""
NO_FRAME = Frame(
    -1,
    None,
    np.zeros((3, 3)),
    (True, True, True),
    np.zeros(0, dtype=np.int64),
    np.zeros(0, dtype=np.int32),
    np.zeros((0, 3)),
)


def stream_dumps(
    paths: Sequence[Path],
    settings: RunSettings,
    model: TensorModel | None = None,
    *,
    fresh: bool = False,
    progress: ProgressCallback | None = None,
    notify: Callable[[str], None] | None = None,
) -> RunOutcome:
    """Read trajectories, joined to one, sample every frame, write results.

    Parameters
    ----------
    paths
        Files that ``lpsnmr.trajectory.formats`` knows; the last one in time is followed.
    settings
        Configuration; see ``prepare_stream`` for what is taken from which section.
    model
        EFG model; by default the one that the settings name.
    fresh
        Start over instead of resuming.
    progress
        Called about twice a second.
    notify
        Called with a line for the user: where a resumed stream goes on.

    Raises
    ------
    FileFormatError
        For a file that is damaged, truncated, changed under the reader, of another run or
        lacks frames. The frames
        before count: the checkpoint and the results so far are written first.
    InputError
        When the settings do not fit the dumps or the folder is in use.
    """
    if not paths:
        raise InputError("expected at least one dump")
    prepared = prepare_stream(settings, model)
    with open_session(
        prepared.recipe, "stream", fresh=fresh, progress=progress, notify=notify
    ) as session:  # fmt: skip
        outcome = _Stream(paths, prepared, session).execute()
        if not outcome.already:
            session.ended(outcome.reason)
        return outcome


class _Stream:
    """State of one stream."""

    def __init__(self, paths: Sequence[Path], prepared: PreparedStream, session: RunSession) -> None:
        self.paths, self.prepared, self.session = list(paths), prepared, session
        self.settings = prepared.recipe.settings.stream
        checkpoint = session.checkpoint
        self.sampler: Sampler | None = None
        arrays = None if checkpoint is None else checkpoint.arrays
        self.unwrapper = Unwrapper(None if arrays is None else arrays.get("fractional"), arrays)
        self.unwrapped_state = self.unwrapper.state()  # at the frame last read
        last_taken = {} if checkpoint is None else {"last_taken": np.array(checkpoint.step)}
        self.grid = TimeGrid(prepared.grid, None if arrays is None else {**last_taken, **arrays})
        self.last_read = -1 if arrays is None else int(arrays["last_read"])
        options = ReaderOptions(
            elements=prepared.elements,
            numbers=prepared.numbers,
            units=self.settings.units,
            follow=self.settings.follow,
            idle_s=self.settings.idle_s or None,
            stopped=session.stop,
        )
        self.trajectory = Trajectory(paths, options, self.settings.join)
        self.left_out: Counter[str] = Counter()
        self.waiting: Frame | None = None  # the first frame, until the second tells the interval
        self.latest: Frame | None = None  # the frame last sampled
        self.as_read: Frame = NO_FRAME  # the same before its step was made even
        self.reason = ""
        self.meter = RateMeter()

    def execute(self) -> RunOutcome:
        """Read to the end condition and write everything."""
        session, done = self.session, self.session.n_samples_before
        if self._enough(done):
            session.rewrite_results(self._results)
            return session.already_finished(self._status_before(done))
        if done:
            session.notify(f"resuming after {done} samples, step {self.last_read}")
        try:
            for frame in self._frames():
                self._take(frame)
                if self._enough(self._n_samples()):
                    self.reason = f"{self.settings.frames} samples"
                    break
                if session.stop():
                    self.reason = f"stopped by {session.stop.name}; the same command resumes"
                    break
                if session.save_due:
                    self._save()
        finally:
            self._tell()
            if self.sampler is not None:
                if self.latest is not None:
                    self._show(self.latest)
                self._save(last=True)
        if self.sampler is None:
            return self._nothing_new(done)
        return RunOutcome(session.results_file, not session.stop(), False, self._n_samples(), self.reason)

    def _nothing_new(self, done: int) -> RunOutcome:
        session = self.session
        if done:
            session.rewrite_results(self._results)
            session.already_finished(self._status_before(done))
            reason = f"no frames after step {self.last_read}"
            return RunOutcome(session.results_file, not session.stop(), True, done, reason)
        count = "one frame" if self.waiting is not None else "no frames"
        raise InputError(f"{self.paths[-1]}: {count} to sample, expected at least two ({self.reason})")

    def _enough(self, n_samples: int) -> bool:
        return self.settings.frames is not None and n_samples >= self.settings.frames

    def _n_samples(self) -> int:
        return 0 if self.sampler is None else self.sampler.n_samples

    def _frames(self) -> Iterator[Frame]:
        """Frames that are to be sampled, in order, each once, under evenly spaced steps."""
        trajectory, left_out = self.trajectory, self.left_out
        for frame in trajectory:
            if frame.step <= self.last_read:
                continue  # counted before
            if frame.step < self.settings.from_step:
                left_out[f"before step {self.settings.from_step} (--from-step)"] += 1
                continue
            followed = self._followed(frame)
            step = self._place(followed)
            if step is None:
                left_out["between samples (--every, sampling.interval_ps)"] += 1
                self._mark_read(frame)
                continue
            yield replace(followed, step=step)  # marked as read once it has been taken
        self.reason = trajectory.reason

    def _followed(self, frame: Frame) -> Frame:
        try:
            return self.unwrapper.follow(frame)
        except InputError as error:
            raise FileFormatError(f"{self.trajectory.path}: step {frame.step}: {error}") from error

    def _place(self, frame: Frame) -> int | None:
        """Return the step under which a frame is sampled, None to leave it out; keeps it as it was read."""
        path = self.trajectory.path
        try:
            step = self.grid.place(frame, self.trajectory.has_steps)
        except FileFormatError as error:
            known = [step for step in self.trajectory.known_steps if step >= self.settings.from_step]
            advice = hint(known or [self.last_read, frame.step])
            raise FileFormatError(f"{path}: {error}" + (f" ({advice})" if advice else "")) from error
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        self.as_read = frame
        return step

    def _mark_read(self, frame: Frame) -> None:
        """Count a frame as dealt with; one that is refused must be read again after a repair."""
        self.last_read = frame.step
        self.unwrapped_state = self.unwrapper.state()

    def _take(self, frame: Frame) -> None:
        path, recipe = self.trajectory.path, self.prepared.recipe
        if self.sampler is None and self.waiting is None:
            self.prepared.check_frame(frame, path)
            check_elements(recipe.model, frame.numbers, str(path), recipe.settings.species)
            self._about(frame)
        if self.sampler is None and self.session.checkpoint is None and self.waiting is None:
            self.waiting = frame
            self._mark_read(self.as_read)
            return
        if self.sampler is None:
            self.sampler = self._new_sampler(frame)
        try:
            self.sampler.add(frame)
        except ComputeError:
            raise
        except InputError as error:
            raise FileFormatError(f"{path}: {error}") from error
        self.grid.took(self.as_read, frame.step)
        self._mark_read(self.as_read)
        self.latest = frame
        if self.session.show_due:
            self._show(frame)

    def _refuse_foreign(self, sampler: Sampler) -> None:
        """Raise when the model knows hardly anything of the first frame."""
        predictions = sampler.n_li_total
        if sampler.n_flagged > FOREIGN * predictions and not self.settings.accept_outside:
            raise InputError(
                f"{self.trajectory.path}: {sampler.n_flagged} of {predictions} EFG predictions of the first "
                "frame are outside the range of the model's training data: is it another material, or "
                "are --elements in another order? --accept-outside goes on"
            )

    def _about(self, frame: Frame) -> None:
        """Say what the user should know of the atoms, at the begin of a stream."""
        if self.session.checkpoint is not None:
            return
        species = self.prepared.recipe.settings.species
        broken = tell_broken(frame.positions, frame.cell, frame.pbc, frame.numbers, species.polyhedra)
        for text in (broken, tell_no_framework(frame.numbers, species)):
            if text:
                self.session.notify(text)

    def _new_sampler(self, frame: Frame) -> Sampler:
        sampler = self.prepared.recipe.new_sampler(
            frame, interval_ps=self.grid.interval_ps, interval_steps=self.grid.interval_steps
        )
        checkpoint = self.session.checkpoint
        if checkpoint is not None and checkpoint.sampler is not None:
            sampler.restore(checkpoint.sampler)
        elif self.waiting is not None:
            sampler.add(self.waiting)
            self._refuse_foreign(sampler)
        return sampler

    def _tell(self) -> None:
        """Tell what was done with the files, which frames were not used, and that the cell changed."""
        for note in self.trajectory.notes:
            self.session.notify(note)
        for reason, count in (self.trajectory.left_out + self.left_out).items():
            self.session.notify(f"{count} frame{'s' if count > 1 else ''} not used: {reason}")
        if self.grid.by_time:
            self.session.notify("the steps between frames vary while their times are even: placed by time")
        *lengths, volume = self.unwrapper.strain.tolist()
        if volume > CELL_TOLD or max(lengths) > CELL_TOLD:
            self.session.notify(
                f"the cell changes: its volume by {volume:.2%}, its vectors by up to {max(lengths):.2%}; "
                "displacements are summed as changes of fractional coordinates"
            )

    def _show(self, frame: Frame) -> None:
        if self.sampler is None:
            return
        rate = self.meter.update(frame.step)
        timestep_ps = self.grid.interval_ps / self.grid.interval_steps
        total = self.settings.frames
        left = None if total is None else (total - self.sampler.n_samples) * self.grid.interval_steps
        kinds = self.prepared.recipe.settings.species.polyhedra
        intact, centres = whole_polyhedra(frame.positions, frame.cell, frame.pbc, frame.numbers, kinds)
        self.session.show(
            replace(
                self._status(self.sampler.n_samples, self.sampler.n_flagged),
                steps_per_s=rate,
                ns_per_day=rate * timestep_ps * 86.4,
                eta_s=left / rate if left is not None and rate > 0 else None,
                intact=intact,
                n_centers=centres,
                polyhedra=" or ".join(kind.formula for kind in kinds),
            )
        )

    def _status(self, n_samples: int, n_flagged: int) -> Status:
        """Return what is known without a frame."""
        total = self.settings.frames
        return Status(
            stage=STREAM,
            step=n_samples * self.grid.interval_steps,
            last_step=None if total is None else total * self.grid.interval_steps,
            time_ps=(n_samples - 1) * self.grid.interval_ps,
            steps_per_s=0.0,
            ns_per_day=0.0,
            eta_s=None,
            n_samples=n_samples,
            temperature_k=None,
            intact=0,
            n_centers=0,
            n_flagged=n_flagged,
        )

    def _status_before(self, done: int) -> Status:
        start = self.session.checkpoint
        return self._status(done, 0 if start is None or start.sampler is None else start.sampler.n_flagged)

    def _save(self, last: bool = False) -> None:
        sampler = self.sampler
        if sampler is None:
            return
        arrays = {
            **self.grid.state(),
            **self.unwrapped_state,
            "last_read": np.array(self.last_read),
            "numbers": sampler.numbers,
        }
        checkpoint = Checkpoint(
            step=sampler.last_step,
            stage=STREAM,
            fingerprint=self.prepared.recipe.fingerprint,
            finished=self._enough(sampler.n_samples),
            sampler=sampler.state(),
            arrays=arrays,
        )
        self.session.save(
            checkpoint,
            lambda state: self._results(state, sampler.numbers),
            timestep_ps=self.grid.interval_ps / self.grid.interval_steps,
            last=last,
        )
        sampler.forget_rows()

    def _results(self, state: SamplerState, numbers: NDArray[np.int32]) -> Results:
        return self.prepared.recipe.results(
            state,
            numbers,
            statistics={},
            source="stream",
            dumps=" ".join(path.name for path in self.paths),
        )
