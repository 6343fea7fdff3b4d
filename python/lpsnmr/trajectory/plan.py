"""Which frames of which files, in which order, make one trajectory by their steps."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lpsnmr.errors import FileFormatError
from lpsnmr.trajectory.frames import Frame, FrameReader
from lpsnmr.trajectory.step_index import ascending_runs

__all__ = ["REPEATED", "REPLACED", "Plan", "Stretch", "plan_by_steps", "same_place"]

REPEATED = "the same as frames read before"
REPLACED = "replaced by those of a restart"
SAME_ANGSTROM = 3e-3
"""Positions of two copies of a frame agree within this; print formats round to 1e-3 Å or less."""

Opener = Callable[[Path], FrameReader]


@dataclass(frozen=True)
class Stretch:
    """Frames ``begin`` to ``end`` (None: all there will be) of a file; their steps as far as known."""

    path: Path
    begin: int
    end: int | None
    steps: tuple[int, ...]

    @property
    def first(self) -> int:
        """Its first step."""
        return self.steps[0]

    @property
    def last(self) -> int:
        """Its last known step."""
        return self.steps[-1]


@dataclass
class Plan:
    """Stretches in the order of time, what is to be told, and counts of frames left out by reason."""

    stretches: list[Stretch]
    notes: list[str]
    left_out: Counter[str]


def plan_by_steps(
    given: Sequence[tuple[Path, list[int] | None]], open_file: Opener, live: Path | None
) -> Plan:
    """Put files in the order of their steps; join where they overlap.

    A stretch that begins inside the one before is the run of a restart, when both have its first frame alike:
    from there on its frames count. One that lies wholly inside another, with the same frames, is left out.

    Parameters
    ----------
    given
        Files with the steps of their frames; None where only reading tells: such a file comes last.
    open_file
        Opens a reader of a file.
    live
        The file that may still grow.

    Raises
    ------
    FileFormatError
        When stretches overlap and their frames do not agree; names the later file and what may be meant.
    """
    runs: list[Stretch] = []
    unknown: list[Stretch] = []
    for path, steps in given:
        if not steps:
            unknown.append(Stretch(path, 0, None, ()))
            continue
        parts = [Stretch(path, a, b, tuple(steps[a:b])) for a, b in ascending_runs(steps)]
        if path == live:
            parts[-1] = replace(parts[-1], end=None)
        runs += parts
    ordered = sorted(runs, key=lambda run: run.first)
    _refuse_doubtful_order(runs, ordered)
    plan = Plan([], [], Counter())
    if [id(run) for run in ordered] != [id(run) for run in runs]:
        names = list(dict.fromkeys(run.path.name for run in ordered))
        told = ", ".join(names[:6]) + (f", … ({len(names)} files)" if len(names) > 6 else "")
        plan.notes.append(f"read in the order of their steps: {told}")
    for run in ordered:
        _append(plan, run, open_file)
    plan.stretches = [part for part in plan.stretches if part.end is None or part.end > part.begin] + unknown
    return plan


def _refuse_doubtful_order(given: list[Stretch], ordered: list[Stretch]) -> None:
    """Raise where only the steps speak for another order than the given one.

    Steps that were set back to 0 look like that too. A frame in both stretches decides; files of a frame each
    are what a shell puts in the order of their names.
    """
    rank = {id(run): k for k, run in enumerate(given)}
    for first, second in itertools.pairwise(ordered):
        if rank[id(first)] < rank[id(second)] or len(first.steps) == len(second.steps) == 1:
            continue
        if set(first.steps).isdisjoint(second.steps):
            raise FileFormatError(
                f"{first.path}: its steps {first.first} to {first.last} come after {second.first} to "
                f"{second.last} of {second.path}; give files in the order of their steps, or --join append "
                "if the steps were counted anew"
            )


def _append(plan: Plan, run: Stretch, open_file: Opener) -> None:
    """Add a stretch that begins no earlier than those of the plan."""
    if not plan.stretches or run.first > plan.stretches[-1].last:
        plan.stretches.append(run)
        return
    before = plan.stretches[-1]
    common = sorted(set(before.steps) & set(run.steps))
    if not common:
        raise FileFormatError(
            f"{run.path}: its steps {run.first} to {run.last} lie among those of {before.path} "
            f"({before.first} to {before.last}), and none is in both; give files of one run"
        )
    alike = _alike(before, run, {common[0], common[-1]}, open_file)
    if not alike[common[0]]:
        again = "begins again" if run.path != before.path else "goes back"
        raise FileFormatError(
            f"{run.path}: {again} at step {common[0]}, with another frame than {before.path.name} has there; "
            "if it continues that one with steps counted anew, give --join append; if it is another run, "
            "stream it into a folder of its own"
        )
    if run.end is not None and run.last <= before.last and alike[common[-1]]:
        plan.left_out[REPEATED] += len(run.steps)
        plan.notes.append(_told(run, len(run.steps), f"left out: they are in {before.path.name} too"))
        return
    inside = run.end is not None and run.last <= before.last
    if not alike[common[-1]] and (inside or common[0] <= before.first):
        raise FileFormatError(
            f"{run.path}: begins at step {common[0]} with the frame that {before.path.name} has there, but "
            f"is another run by step {common[-1]}; give only one of them"
        )
    cut = common[0]
    kept = tuple(step for step in before.steps if step <= cut)
    skipped = sum(1 for step in run.steps if step <= cut)
    dropped = len(before.steps) - len(kept)
    reason = REPEATED if alike[common[-1]] else REPLACED
    plan.left_out[reason] += dropped
    plan.left_out[REPEATED] += skipped
    plan.stretches[-1] = replace(before, end=before.begin + len(kept), steps=kept)
    plan.stretches.append(replace(run, begin=run.begin + skipped, steps=run.steps[skipped:]))
    if not run.steps[skipped:]:
        plan.stretches.pop()
    what = "repeated" if alike[common[-1]] else "replaced by those of the restart"
    there = "further on in it" if run.path == before.path else f"in {run.path.name}"
    plan.notes.append(_told(before, dropped + skipped, f"from step {cut} on {what} {there}"))


def _told(stretch: Stretch, count: int, what: str) -> str:
    return f"{stretch.path.name}: {count} frame{'s' if count > 1 else ''} {what}"


def _alike(first: Stretch, second: Stretch, steps: set[int], open_file: Opener) -> dict[int, bool]:
    """Return by step whether two stretches have the same frame there."""
    found = [_frames_at(stretch, steps, open_file) for stretch in (first, second)]
    return {step: same_place(found[0][step], found[1][step]) for step in steps}


def _frames_at(stretch: Stretch, steps: set[int], open_file: Opener) -> dict[int, Frame]:
    wanted = {stretch.begin + stretch.steps.index(step): step for step in steps}
    found = {}
    for number, frame in enumerate(open_file(stretch.path)):
        if number in wanted:
            found[wanted[number]] = frame
        if len(found) == len(wanted):
            break
    if len(found) < len(wanted):
        raise FileFormatError(f"{stretch.path}: ends before frame {max(wanted) + 1}")
    return found


def same_place(a: Frame, b: Frame) -> bool:
    """Return whether two frames are copies of one: same atoms, cell and places, up to rounding and images."""
    if len(a.ids) != len(b.ids) or not np.array_equal(a.numbers, b.numbers):
        return False
    if not np.allclose(a.cell, b.cell, rtol=0.0, atol=SAME_ANGSTROM):
        return False
    step = np.linalg.solve(a.cell.T, (b.positions - a.positions).T).T
    step -= np.round(step) * np.asarray(a.pbc)
    return bool(np.abs(step @ a.cell).max(initial=0.0) <= SAME_ANGSTROM)
