"""One trajectory out of many files: in order, each frame once, of the same atoms, without a break."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.dump import DumpReader
from lpsnmr.trajectory.formats import ReaderOptions, open_trajectory
from lpsnmr.trajectory.frames import Frame, FrameReader
from lpsnmr.trajectory.plan import REPEATED, Plan, Stretch, plan_by_steps, same_place
from lpsnmr.trajectory.step_index import ascending_runs, dump_steps

__all__ = ["JOINS", "Join", "Trajectory"]

Join = Literal["steps", "append"]
JOINS: Final[dict[Join, str]] = {
    "steps": "files are put in the order of their steps; a frame that is in two of them counts once",
    "append": "each file continues the one before it, as given; steps that begin anew are counted on",
}
REMEMBERED_BYTES = 16_000_000
"""Frames so large together are kept, to know one that a growing file repeats."""
FAR = 3.0
"""Root-mean-square displacement over a seam that is too far, in units of that between neighbouring frames."""
FAR_ANGSTROM = 0.1
"""What may be added to it."""
OTHER_CELL = 0.02


@dataclass
class _Before:
    """The frame before, as read and as counted, and the usual displacement between neighbours."""

    frame: Frame
    path: Path
    interval: int = 0
    interval_ps: float | None = None
    usual: float = 0.0
    pairs: int = 0


class Trajectory:
    """Iterate over the frames of several files as one trajectory.

    Steps of the frames that come out ascend. Files that are in one another's way are told apart by their
    frames, not by their steps alone: a frame counts as repeated only when its atoms are where they were.

    Parameters
    ----------
    paths
        Files, or one ``imd://host:port``.
    options
        What the readers need; ``follow`` is for the last file in time.
    join
        Key of ``JOINS``.

    Attributes
    ----------
    notes
        What was done with the files, a line each; complete for finished files once iteration has begun.
    left_out
        Frames that did not come out, counted by reason.
    path
        The file that is being read.
    reason
        Why the iteration ended, in words.

    Raises
    ------
    FileFormatError
        While iterating: a damaged file, or one that does not belong to the others; names it and the way on.
    """

    def __init__(self, paths: Sequence[Path], options: ReaderOptions, join: Join = "steps") -> None:
        if not paths:
            raise InputError("expected at least one trajectory")
        if join not in JOINS:
            raise InputError(f"join: expected one of {', '.join(JOINS)}, got {join!r}")
        self.paths, self.options, self.join = [Path(path) for path in paths], options, join
        self.notes: list[str] = []
        self.left_out: Counter[str] = Counter()
        self.path = self.paths[0]
        self.reason = ""
        self.has_steps = True
        self.known_steps: list[int] = []
        """Steps that will come out, as far as the files tell beforehand; empty where they do not."""
        self._before: _Before | None = None
        self._first: tuple[Frame, Path] | None = None
        self._shift, self._shift_ps = 0, 0.0
        self._recent: deque[Frame] = deque()
        self._fresh_stretch = False

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        plan = self._plan()
        self.notes += plan.notes
        self.left_out.update(plan.left_out)
        for parts in _by_pass(plan.stretches):
            self.path = parts[0].path
            last = parts[-1] is plan.stretches[-1]
            reader = self._open(self.path, follow=self.options.follow and last)
            self.has_steps = self.has_steps and reader.has_steps
            yield from self._read(reader, parts)
            self.reason = reader.reason

    def _open(self, path: Path, follow: bool = False) -> FrameReader:
        return open_trajectory(path, replace(self.options, follow=follow))

    def _plan(self) -> Plan:
        """Return what is read of which file, having looked at the steps of all of them."""
        known = [(path, self._steps(path)) for path in self.paths]
        for path, steps in known[:-1]:
            if steps is None and not path.exists():
                raise FileFormatError(f"{path}: cannot open: no such file")
        if self.join == "append":
            whole = [Stretch(path, 0, None, tuple(steps or ())) for path, steps in known]
            alone = len(known) == 1 and known[0][1] is not None and len(ascending_runs(known[0][1])) == 1
            self.known_steps = list(known[0][1] or ()) if alone else []
            return Plan(whole, [], Counter())
        live = self.paths[-1] if self.options.follow else None
        plan = plan_by_steps(known, self._open, live)
        self.known_steps = [step for part in plan.stretches for step in part.steps]
        return plan

    def _steps(self, path: Path) -> list[int] | None:
        """Return the steps of a file as far as they can be known without following it."""
        reader = self._open(path)
        if isinstance(reader, DumpReader):
            return dump_steps(path)
        steps: Callable[[], list[int] | None] | None = getattr(reader, "steps", None)
        found = None if steps is None else steps()
        if found is None and steps is not None and len(self.paths) > 1:
            found = [frame.step for frame in reader]
        return found

    def _read(self, reader: FrameReader, parts: Sequence[Stretch]) -> Iterator[Frame]:
        """Yield the frames of stretches of one file that follow each other in it."""
        waiting = deque(parts)
        self._fresh_stretch = True
        for number, frame in enumerate(reader):
            while waiting and waiting[0].end is not None and number >= waiting[0].end:
                waiting.popleft()
                self._fresh_stretch = True
            if not waiting:
                break
            if number < waiting[0].begin:
                continue
            counted = self._checked(frame)
            if counted is not None:
                yield counted

    def _checked(self, frame: Frame) -> Frame | None:
        """Return a frame with its step counted on, None for a repeated one; refuse what does not continue."""
        self._refuse_other_atoms(frame)
        counted = self._shifted(frame)
        before = self._before
        if before is not None and counted.step <= before.frame.step:
            if self.join == "append":
                return self._begin_anew(frame)
            if any(old.step == counted.step and same_place(old, counted) for old in self._recent):
                self.left_out[REPEATED] += 1
                return None
            raise FileFormatError(
                f"{self.path}: step {frame.step} after step {before.frame.step}, and no frame read before it "
                "is the same; if the steps are counted anew there, give --join append"
            )
        self._remember(counted)
        return counted

    def _shifted(self, frame: Frame) -> Frame:
        if not self._shift and not self._shift_ps:
            return frame
        time_ps = None if frame.time_ps is None else frame.time_ps + self._shift_ps
        return replace(frame, step=frame.step + self._shift, time_ps=time_ps)

    def _begin_anew(self, frame: Frame) -> Frame | None:
        """Go on after the frame before with one whose step is lower: count its steps and times on."""
        before = self._before
        if before is None:
            return frame
        last = before.frame
        again = same_place(last, frame)
        gap, gap_ps = (0, 0.0) if again else (before.interval, before.interval_ps or 0.0)
        if not again and gap == 0:
            raise FileFormatError(
                f"{self.path}: step {frame.step} after a single frame of {before.path.name}: the time "
                "between them is not known"
            )
        self._shift = last.step + gap - frame.step
        if frame.time_ps is not None and last.time_ps is not None:
            self._shift_ps = last.time_ps + gap_ps - frame.time_ps
        self.notes.append(
            f"{self.path.name}: step {frame.step} is counted as {frame.step + self._shift}, after "
            f"{before.path.name}"
        )
        if again:
            self.left_out[REPEATED] += 1
            return None
        self._fresh_stretch = True
        counted = self._shifted(frame)
        self._remember(counted)
        return counted

    def _remember(self, frame: Frame) -> None:
        """Check a seam, and keep what is needed to know repeated frames and later seams."""
        before = self._before
        if before is None:
            self._before = _Before(frame, self.path)
        else:
            steps = frame.step - before.frame.step
            times = frame.time_ps, before.frame.time_ps
            if self._fresh_stretch:
                self._refuse_a_break(before, frame, steps)
            elif before.pairs < 3:
                before.usual = max(before.usual, _displacement(before.frame, frame))
                before.pairs += 1
            before.interval = steps
            if times[0] is not None and times[1] is not None:
                before.interval_ps = times[0] - times[1]
            before.frame, before.path = frame, self.path
        self._fresh_stretch = False
        self._recent.append(frame)
        room = max(2, REMEMBERED_BYTES // (8 * 6 * max(len(frame.ids), 1)))
        while len(self._recent) > min(room, 4096):
            self._recent.popleft()

    def _refuse_a_break(self, before: _Before, frame: Frame, steps: int) -> None:
        """Raise when a new file's first frame is not where the one before it would have gone."""
        where = f"{self.path}: does not continue {before.path}: its first frame, step {frame.step}, "
        edges = [np.linalg.norm(cell, axis=1) for cell in (before.frame.cell, frame.cell)]
        strain = float(np.abs(edges[1] / edges[0] - 1.0).max())
        if strain > OTHER_CELL:
            raise FileFormatError(f"{where}has a cell that is {strain:.1%} longer or shorter along a vector")
        if before.pairs == 0 or steps > before.interval:
            return  # nothing to compare with, or frames are missing in between
        here = _displacement(before.frame, frame)
        if here > FAR * before.usual + FAR_ANGSTROM:
            raise FileFormatError(
                f"{where}is {here:.2f} Å (root mean square) from the last one before it, neighbouring frames "
                f"are {before.usual:.2f} Å; is it another run, or are the files in the wrong order?"
            )

    def _refuse_other_atoms(self, frame: Frame) -> None:
        if self._first is None:
            self._first = (frame, self.path)
            return
        first, path = self._first
        if self.path == path:
            return  # its reader has looked
        if len(frame.ids) != len(first.ids):
            raise FileFormatError(
                f"{self.path}: {len(frame.ids)} atoms, but {path} has {len(first.ids)}: another system"
            )
        if not np.array_equal(frame.ids, first.ids) or not np.array_equal(frame.numbers, first.numbers):
            raise FileFormatError(f"{self.path}: other atom ids or elements than {path}: another system")


def _by_pass(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Group stretches of one file that follow each other in it, so that it is read once for all."""
    group: list[Stretch] = []
    for part in stretches:
        if group and (part.path != group[-1].path or part.begin < (group[-1].end or part.begin + 1)):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _displacement(a: Frame, b: Frame) -> float:
    """Return the root-mean-square displacement between two frames by nearest images, Å."""
    shift = [np.linalg.solve(f.cell.T, np.asarray(f.origin)) for f in (a, b)]
    step: NDArray[np.float64] = np.linalg.solve(b.cell.T, b.positions.T).T - shift[1]
    step -= np.linalg.solve(a.cell.T, a.positions.T).T - shift[0]
    step -= np.round(step) * np.asarray(a.pbc)
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.mean(np.sum((step @ b.cell) ** 2, axis=1)))) if len(a.ids) else 0.0
