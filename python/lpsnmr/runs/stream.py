"""The stream: dump files, finished or still growing, through the same sampler as a run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, FileFormatError, InputError
from lpsnmr.results import Results
from lpsnmr.runs.checkpoint import Checkpoint
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.prepare_stream import PreparedStream, prepare_stream
from lpsnmr.runs.progress import ProgressCallback, RateMeter, Status
from lpsnmr.runs.recipe import check_elements
from lpsnmr.runs.session import STREAM, RunOutcome, RunSession, open_session
from lpsnmr.sampling.sampler import Sampler, SamplerState, TensorModel
from lpsnmr.structures import intact_ps4
from lpsnmr.trajectory.dump import DumpReader
from lpsnmr.trajectory.frames import Frame
from lpsnmr.trajectory.unwrap import Unwrapper

__all__ = ["stream_dumps"]


def stream_dumps(
    paths: Sequence[Path],
    settings: RunSettings,
    model: TensorModel | None = None,
    *,
    fresh: bool = False,
    progress: ProgressCallback | None = None,
    notify: Callable[[str], None] | None = None,
) -> RunOutcome:
    """Read dumps one after the other, sample every frame, write results.

    Parameters
    ----------
    paths
        Dumps in the order of time; only the last one is followed.
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
        For a dump that is damaged, truncated, changed under the reader, or lacks frames. The frames
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
        self.unwrapper = Unwrapper(None if checkpoint is None else checkpoint.arrays.get("fractional"))
        self.fractional = self.unwrapper.fractional  # at the frame last read
        self.interval_ps = 0.0
        self.interval_steps = 0
        self.last_taken = self.last_read = -1
        self.turn = 0
        if checkpoint is not None:
            self.interval_ps = float(checkpoint.arrays["interval_ps"])
            self.interval_steps = int(checkpoint.arrays["interval_steps"])
            self.last_taken = checkpoint.step
            self.last_read = int(checkpoint.arrays["last_read"])
        self.waiting: Frame | None = None  # the first frame, until the second tells the interval
        self.latest: Frame | None = None  # the frame last sampled
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
        """Frames of all dumps that are to be sampled, in order, each step once."""
        settings = self.settings
        for k, path in enumerate(self.paths):
            last = k == len(self.paths) - 1
            reader = DumpReader(
                path,
                elements=self.prepared.elements,
                follow=settings.follow and last,
                idle_s=settings.idle_s or None,
                stopped=self.session.stop,
            )
            for frame in reader:
                if frame.step < settings.from_step or frame.step <= self.last_read:
                    continue  # of the equilibration, counted before, or the frame two files share
                if frame.unwrapped is None:
                    unwrapped = self.unwrapper.add(frame.positions, frame.cell, frame.pbc)
                    frame = replace(frame, unwrapped=unwrapped)
                if self._is_turn(frame):
                    yield frame  # marked as read once it has been taken
                else:
                    self._mark_read(frame)
            self.reason = reader.reason

    def _mark_read(self, frame: Frame) -> None:
        """Count a frame as dealt with; one that is refused must be read again after a repair."""
        self.last_read = frame.step
        self.fractional = self.unwrapper.fractional

    def _is_turn(self, frame: Frame) -> bool:
        """Whether this is one of every n-th frames, or at a multiple of the sampling interval."""
        every = self.prepared.every
        if every == 1:
            return True
        if every is None and self.waiting is not None and not self.interval_steps:
            self.interval_steps = self._steps_of_interval(self.waiting, frame)
            self.last_taken = self.waiting.step
        if self.interval_steps:
            return (frame.step - self.last_taken) % self.interval_steps == 0
        self.turn += 1
        return every is None or (self.turn - 1) % every == 0

    def _steps_of_interval(self, first: Frame, second: Frame) -> int:
        """Return the MD steps of ``sampling.interval_ps``, a multiple of the time between frames."""
        wanted = self.prepared.recipe.settings.sampling.interval_ps
        apart = self._interval_ps(first, second)
        every = round(wanted / apart)
        if every < 1 or abs(every * apart - wanted) > 1e-6 * wanted:
            raise InputError(
                f"{self.paths[0]}: the frames are {apart:g} ps apart; expected sampling.interval_ps to be a "
                f"multiple of that, got {wanted:g} (--every goes before it)"
            )
        return every * (second.step - first.step)

    def _take(self, frame: Frame) -> None:
        if self.sampler is None and self.waiting is None:
            self.prepared.check_frame(frame, self.paths[0])
            check_elements(self.prepared.recipe.model, frame.numbers, str(self.paths[0]))
        if self.sampler is None and self.session.checkpoint is None and self.waiting is None:
            self.waiting = frame
            self._mark_read(frame)
            return
        if self.sampler is None:
            self.sampler = self._new_sampler(frame)
        try:
            self.sampler.add(frame)
        except ComputeError:
            raise
        except InputError as error:
            raise FileFormatError(f"{self.paths[-1]}: {error}") from error
        self.last_taken = frame.step
        self._mark_read(frame)
        self.latest = frame
        if self.session.show_due:
            self._show(frame)

    def _new_sampler(self, frame: Frame) -> Sampler:
        if self.waiting is not None:
            self.interval_steps = frame.step - self.waiting.step
            self.interval_ps = self._interval_ps(self.waiting, frame)
        sampler = self.prepared.recipe.new_sampler(
            frame, interval_ps=self.interval_ps, interval_steps=self.interval_steps
        )
        checkpoint = self.session.checkpoint
        if checkpoint is not None and checkpoint.sampler is not None:
            sampler.restore(checkpoint.sampler)
        elif self.waiting is not None:
            sampler.add(self.waiting)
        return sampler

    def _interval_ps(self, first: Frame, second: Frame) -> float:
        steps, timestep_fs = second.step - first.step, self.prepared.timestep_fs
        if first.time_ps is not None and second.time_ps is not None:
            interval = second.time_ps - first.time_ps
            if timestep_fs is not None:
                stated = steps * timestep_fs * 1e-3
                if abs(stated - interval) > 1e-6 * abs(stated):
                    raise InputError(
                        f"{self.paths[0]}: the frames are {interval:g} ps apart by ITEM: TIME, but "
                        f"{stated:g} ps with a time step of {timestep_fs:g} fs"
                    )
            if interval > 0:
                return interval
            raise FileFormatError(f"{self.paths[0]}: ITEM: TIME does not advance between its first frames")
        if timestep_fs is None:
            raise InputError(
                f"{self.paths[0]}: carries no ITEM: TIME; give --timestep-fs, or set dump_modify time yes"
            )
        return steps * timestep_fs * 1e-3

    def _show(self, frame: Frame) -> None:
        if self.sampler is None:
            return
        rate = self.meter.update(frame.step)
        timestep_ps = self.interval_ps / self.interval_steps
        total = self.settings.frames
        left = None if total is None else (total - self.sampler.n_samples) * self.interval_steps
        intact, phosphorus = intact_ps4(frame.positions, frame.cell, frame.pbc, frame.numbers)
        self.session.show(
            replace(
                self._status(self.sampler.n_samples, self.sampler.n_flagged),
                steps_per_s=rate,
                ns_per_day=rate * timestep_ps * 86.4,
                eta_s=left / rate if left is not None and rate > 0 else None,
                intact=intact,
                n_phosphorus=phosphorus,
            )
        )

    def _status(self, n_samples: int, n_flagged: int) -> Status:
        """Return what is known without a frame."""
        total = self.settings.frames
        return Status(
            stage=STREAM,
            step=n_samples * self.interval_steps,
            last_step=None if total is None else total * self.interval_steps,
            time_ps=(n_samples - 1) * self.interval_ps,
            steps_per_s=0.0,
            ns_per_day=0.0,
            eta_s=None,
            n_samples=n_samples,
            temperature_k=None,
            intact=0,
            n_phosphorus=0,
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
            "interval_ps": np.array(self.interval_ps),
            "interval_steps": np.array(self.interval_steps),
            "last_read": np.array(self.last_read),
            "numbers": sampler.numbers,
        }
        if self.fractional is not None:
            arrays["fractional"] = self.fractional
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
            timestep_ps=self.interval_ps / self.interval_steps,
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
