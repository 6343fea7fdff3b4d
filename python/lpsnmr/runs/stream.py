"""The stream: dump files, finished or still growing, through the same sampler as a run."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, FileFormatError, InputError, LpsnmrError
from lpsnmr.files.lock import locked_folder
from lpsnmr.parallel.collective import StopFlag
from lpsnmr.results.tensor_file import TensorFile, drop_tensors_after, remove_tensors
from lpsnmr.runs.checkpoint import (
    Checkpoint,
    check_fingerprint,
    latest_checkpoint,
    remove_checkpoints,
    write_checkpoint,
)
from lpsnmr.runs.live import StatusFile
from lpsnmr.runs.prepare import provenance
from lpsnmr.runs.progress import ProgressCallback, RateMeter, Status
from lpsnmr.runs.run import RunOutcome
from lpsnmr.sampling.jump_settings import JumpSettings
from lpsnmr.sampling.nmr_sampling import NmrSettings
from lpsnmr.sampling.sampler import Sampler, SamplerState, TensorModel
from lpsnmr.sampling.to_results import RESULTS_FILE, build_results
from lpsnmr.structures import KnownSites, intact_ps4
from lpsnmr.trajectory.dump import DumpReader
from lpsnmr.trajectory.frames import Frame
from lpsnmr.trajectory.unwrap import Unwrapper
from lpsnmr.units import check_lithium

__all__ = ["StreamSettings", "stream_dumps"]

SHOW_EVERY_S = 0.5


@dataclass(frozen=True)
class StreamSettings:
    """How to read dumps.

    Attributes
    ----------
    folder
        Output folder.
    elements
        Element of LAMMPS type 1, 2, …; None when the dumps have the column ``element``.
    timestep_fs
        MD time step, fs; None when the dumps carry ``ITEM: TIME``.
    follow
        Wait for more at the end of the last dump.
    idle_s
        Following ends after this many seconds without anything new; None waits for ever.
    frames
        Stop after this many samples in total; None for no limit.
    from_step
        Frames of earlier steps are skipped (equilibration).
    every
        Use every n-th frame.
    points_per_level
        Lags per level of the correlators.
    temperature_k
        Temperature of the MD, K, for the results; None when unknown.
    nmr
        Nucleus, and what is sampled for NMR beyond the tensor correlation.
    jump_distance_angstrom
        Mean distance between Li sites, Å; None when unknown.
    checkpoint_min
        Wall-clock time between checkpoints, minutes.
    jumps
        How jumps are told from vibrations; None not to count them.
    sites
        Known sites of Li; None to find them.
    """

    folder: Path = Path("results")
    elements: tuple[str, ...] | None = None
    timestep_fs: float | None = None
    follow: bool = True
    idle_s: float | None = 60.0
    frames: int | None = None
    from_step: int = 0
    every: int = 1
    points_per_level: int = 16
    temperature_k: float | None = None
    nmr: NmrSettings = field(default_factory=NmrSettings)
    jump_distance_angstrom: float | None = None
    checkpoint_min: float = 5.0
    jumps: JumpSettings | None = field(default_factory=JumpSettings)
    sites: KnownSites | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.every < 1:
            raise InputError(f"every: expected a positive integer, got {self.every}")
        if self.frames is not None and self.frames < 2:
            raise InputError(f"frames: expected at least 2, got {self.frames}")
        if self.timestep_fs is not None and not self.timestep_fs > 0:
            raise InputError(f"timestep-fs: expected a positive number, got {self.timestep_fs}")
        if self.points_per_level < 2 or self.points_per_level % 2:
            raise InputError(f"points-per-level: expected an even number, got {self.points_per_level}")
        for name in ("temperature_k", "jump_distance_angstrom", "checkpoint_min", "idle_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name}: expected a positive number, got {value}")
        check_lithium(self.nmr.nucleus)

    def fingerprint(self, model: TensorModel) -> dict[str, str]:
        """Return what a resumed stream must not change."""
        names = ("elements", "timestep_fs", "from_step", "every", "points_per_level")
        sampled = ("nucleus", "window_ps", "evolution_times_us", "orientation_degree", "field_directions")
        jumps = {"jumps.follow": "False"} if self.jumps is None else self.jumps.fingerprint()
        return {
            **{name: str(getattr(self, name)) for name in names},
            **{name: str(getattr(self.nmr, name)) for name in sampled},
            **jumps,
            **({} if self.sites is None else {"jumps.sites.sha256": self.sites.sha256}),
            "efg.sha256": model.sha256,
        }


def stream_dumps(
    paths: Sequence[Path],
    model: TensorModel,
    settings: StreamSettings,
    *,
    fresh: bool = False,
    progress: ProgressCallback | None = None,
) -> RunOutcome:
    """Read dumps one after the other, sample every frame, write results.

    Parameters
    ----------
    paths
        Dumps in the order of time; only the last one is followed.
    model
        EFG model.
    settings
        How to read them.
    fresh
        Start over instead of resuming.
    progress
        Called about twice a second.

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
    with ExitStack() as stack:
        stack.enter_context(locked_folder(settings.folder))
        if fresh:
            remove_checkpoints(settings.folder)
            remove_tensors(settings.folder)
            (settings.folder / RESULTS_FILE).unlink(missing_ok=True)
        checkpoint = latest_checkpoint(settings.folder)
        if checkpoint is not None:
            if checkpoint.stage != "stream":
                raise InputError(f"{settings.folder} holds a run, not a stream; use another folder")
            check_fingerprint(checkpoint, settings.fingerprint(model), settings.folder)
            drop_tensors_after(settings.folder, checkpoint.step)
        elif (settings.folder / RESULTS_FILE).exists():
            raise InputError(f"{settings.folder} holds {RESULTS_FILE} but no checkpoint; use --fresh")
        stop = stack.enter_context(StopFlag())
        stream = _Stream(paths, model, settings, checkpoint, stop, progress)
        try:
            outcome = stream.execute()
        except LpsnmrError as error:
            stream.live.close(f"failed: {error}")
            raise
        stream.live.close(outcome.reason)
        return outcome


class _Stream:
    """State of one stream."""

    def __init__(
        self,
        paths: Sequence[Path],
        model: TensorModel,
        settings: StreamSettings,
        checkpoint: Checkpoint | None,
        stop: StopFlag,
        progress: ProgressCallback | None,
    ) -> None:
        self.paths, self.model, self.settings = list(paths), model, settings
        self.checkpoint, self.stop, self.progress = checkpoint, stop, progress
        self.fingerprint = settings.fingerprint(model)
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
        self.reason = ""
        self.meter = RateMeter()
        self.live = StatusFile(settings.folder)
        self.saved_at = time.monotonic()
        self.shown_at = 0.0

    def execute(self) -> RunOutcome:
        """Read to the end condition and write everything."""
        path = self.settings.folder / RESULTS_FILE
        done = (
            0
            if self.checkpoint is None or self.checkpoint.sampler is None
            else self.checkpoint.sampler.n_samples
        )
        if self._enough(done):
            self._rewrite_results()
            return RunOutcome(path, True, True, done, "the stream was finished before")
        try:
            for frame in self._frames():
                self._take(frame)
                if self._enough(self._n_samples()):
                    self.reason = f"{self.settings.frames} samples"
                    break
                if self.stop():
                    self.reason = f"stopped by {self.stop.name}; the same command resumes"
                    break
                if time.monotonic() - self.saved_at > 60.0 * self.settings.checkpoint_min:
                    self._save()
        finally:
            if self.sampler is not None:
                self._save(ended=True)
        if self.sampler is None:
            return self._nothing_new(path, done)
        return RunOutcome(path, not self.stop(), False, self._n_samples(), self.reason)

    def _nothing_new(self, path: Path, done: int) -> RunOutcome:
        if done:
            self._rewrite_results()
            return RunOutcome(path, not self.stop(), True, done, f"no frames after step {self.last_read}")
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
                elements=settings.elements,
                follow=settings.follow and last,
                idle_s=settings.idle_s,
                stopped=self.stop,
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
        """Whether this is one of every n-th frames."""
        if self.settings.every == 1:
            return True
        if self.interval_steps:
            return (frame.step - self.last_taken) % self.interval_steps == 0
        self.turn += 1
        return (self.turn - 1) % self.settings.every == 0

    def _take(self, frame: Frame) -> None:
        if self.sampler is None and self.checkpoint is None and self.waiting is None:
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
        self._show(frame)

    def _new_sampler(self, frame: Frame) -> Sampler:
        if self.waiting is not None:
            self.interval_steps = frame.step - self.waiting.step
            self.interval_ps = self._interval_ps(self.waiting, frame)
        sampler = Sampler(
            self.model,
            frame.ids,
            frame.numbers,
            sample_interval_ps=self.interval_ps,
            interval_steps=self.interval_steps,
            points_per_level=self.settings.points_per_level,
            nmr=self.settings.nmr,
            jumps=self.settings.jumps,
            sites=self.settings.sites,
        )
        if self.checkpoint is not None and self.checkpoint.sampler is not None:
            sampler.restore(self.checkpoint.sampler)
        elif self.waiting is not None:
            sampler.add(self.waiting)
        return sampler

    def _interval_ps(self, first: Frame, second: Frame) -> float:
        steps = second.step - first.step
        if first.time_ps is not None and second.time_ps is not None:
            interval = second.time_ps - first.time_ps
            if self.settings.timestep_fs is not None:
                stated = steps * self.settings.timestep_fs * 1e-3
                if abs(stated - interval) > 1e-6 * abs(stated):
                    raise InputError(
                        f"{self.paths[0]}: the frames are {interval:g} ps apart by ITEM: TIME, but "
                        f"{stated:g} ps with --timestep-fs {self.settings.timestep_fs:g}"
                    )
            if interval > 0:
                return interval
            raise FileFormatError(f"{self.paths[0]}: ITEM: TIME does not advance between its first frames")
        if self.settings.timestep_fs is None:
            raise InputError(
                f"{self.paths[0]}: carries no ITEM: TIME; give --timestep-fs, or set dump_modify time yes"
            )
        return steps * self.settings.timestep_fs * 1e-3

    def _show(self, frame: Frame) -> None:
        if self.sampler is None or time.monotonic() - self.shown_at < SHOW_EVERY_S:
            return
        self.shown_at = time.monotonic()
        rate = self.meter.update(frame.step)
        timestep_ps = self.interval_ps / self.interval_steps
        total = self.settings.frames
        left = None if total is None else (total - self.sampler.n_samples) * self.interval_steps
        intact, phosphorus = intact_ps4(frame.positions, frame.cell, frame.pbc, frame.numbers)
        status = Status(
            stage="stream",
            step=self.sampler.n_samples * self.interval_steps,
            last_step=None if total is None else total * self.interval_steps,
            time_ps=(self.sampler.n_samples - 1) * self.interval_ps,
            steps_per_s=rate,
            ns_per_day=rate * timestep_ps * 86.4,
            eta_s=left / rate if left is not None and rate > 0 else None,
            n_samples=self.sampler.n_samples,
            temperature_k=None,
            intact=intact,
            n_phosphorus=phosphorus,
            n_flagged=self.sampler.n_flagged,
        )
        self.live.update(status)
        if self.progress is not None:
            self.progress(status)

    def _save(self, ended: bool = False) -> None:
        if self.sampler is None:
            return
        state = self.sampler.state()
        arrays = {
            "interval_ps": np.array(self.interval_ps),
            "interval_steps": np.array(self.interval_steps),
            "last_read": np.array(self.last_read),
            "numbers": self.sampler.numbers,
        }
        if self.fractional is not None:
            arrays["fractional"] = self.fractional
        checkpoint = Checkpoint(
            step=self.sampler.last_step,
            stage="stream",
            fingerprint=self.fingerprint,
            finished=self._enough(self.sampler.n_samples),
            sampler=state,
            arrays=arrays,
        )
        try:
            if self.settings.nmr.tensors_ps:
                timestep_ps = self.interval_ps / self.interval_steps
                file = TensorFile(self.settings.folder, state.li_ids, timestep_ps)
                file.append(state.rows)
                self.sampler.forget_rows()
                if ended:
                    file.finish()
            write_checkpoint(self.settings.folder, checkpoint)
        except OSError as error:
            raise ComputeError(f"cannot write to {self.settings.folder}: {error}") from error
        self._write_results(state, self.sampler.numbers)
        self.saved_at = time.monotonic()

    def _rewrite_results(self) -> None:
        """Write the results of the checkpoint again: a kill may have come between the two files."""
        if self.checkpoint is not None and self.checkpoint.sampler is not None:
            self._write_results(self.checkpoint.sampler, self.checkpoint.arrays["numbers"])

    def _write_results(self, state: SamplerState, numbers: NDArray[Any]) -> None:
        results = build_results(
            state,
            numbers,
            temperature_k=self.settings.temperature_k,
            nucleus=self.settings.nmr.nucleus,
            jump_distance_angstrom=self.settings.jump_distance_angstrom,
            provenance=provenance(
                self.fingerprint,
                source="stream",
                efg_sha256=self.model.sha256,
                dumps=" ".join(path.name for path in self.paths),
            ),
            statistics={},
            field_directions=self.settings.nmr.field_directions,
            jumps=self.settings.jumps,
        )
        try:
            results.write(self.settings.folder / RESULTS_FILE)
        except OSError as error:
            raise ComputeError(f"cannot write to {self.settings.folder}: {error}") from error
