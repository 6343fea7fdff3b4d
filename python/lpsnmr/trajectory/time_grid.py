"""The evenly spaced times at which frames are sampled, found from the first two frames and checked after."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.frames import Frame

__all__ = ["LONGEST_STEP_FS", "SHORTEST_STEP_FS", "GridSettings", "TimeGrid", "hint"]

SHORTEST_STEP_FS: Final = 0.05
LONGEST_STEP_FS: Final = 20.0
"""MD time steps outside of these are taken as an error of units."""
UNEVEN = 1e-3
"""How far a time may be off the grid, in units of the interval."""
STATED = 1e-6


@dataclass(frozen=True)
class GridSettings:
    """What the user says of the times.

    Attributes
    ----------
    timestep_fs
        MD time step, fs; None where the frames carry times.
    frame_ps
        Time between frames, ps, for files that have neither times nor steps; None for none.
    every
        Use every n-th frame; None for ``wanted_ps``.
    wanted_ps
        Time between samples, ps, that is wanted where ``every`` is None.
    """

    timestep_fs: float | None = None
    frame_ps: float | None = None
    every: int | None = 1
    wanted_ps: float = 0.0


class TimeGrid:
    """Tell which frames are samples, and give them evenly spaced steps.

    Frames lie on the grid by their steps or, where they carry times and the steps are uneven, by their times.

    Parameters
    ----------
    settings
        What the user says.
    state
        What ``state`` returned, or of an older checkpoint ``interval_ps``, ``interval_steps`` and
        ``last_taken``; None to begin.

    Attributes
    ----------
    interval_ps, interval_steps
        Between samples; zero before the second frame.
    by_time
        Whether a frame was placed by its time, its step being uneven.
    """

    def __init__(self, settings: GridSettings, state: Mapping[str, NDArray[Any]] | None = None) -> None:
        self.settings = settings
        self.interval_ps, self.interval_steps = 0.0, 0
        self.by_time = False
        self._first: Frame | None = None
        self._step = -1  # of the last sample, as counted
        self._own_step = -1  # of the last sample, as read
        self._time: float | None = None
        self._every = 1
        if state is not None:
            self.interval_ps, self.interval_steps = float(state["interval_ps"]), int(state["interval_steps"])
            self._step = int(state["last_taken"])
            self._own_step = int(state.get("last_own_step", np.array(self._step)))
            time = float(state.get("last_time_ps", np.array(np.nan)))
            self._time = None if np.isnan(time) else time
            self._every = int(state.get("every", np.array(settings.every or 2)))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what is needed to go on."""
        return {
            "interval_ps": np.array(self.interval_ps),
            "interval_steps": np.array(self.interval_steps),
            "last_taken": np.array(self._step),
            "last_own_step": np.array(self._own_step),
            "last_time_ps": np.array(np.nan if self._time is None else self._time),
            "every": np.array(self._every),
        }

    def place(self, frame: Frame, has_steps: bool = True) -> int | None:
        """Return the step under which a frame is sampled; None for a frame between two samples.

        The frame counts as sampled only once ``took`` is called.

        Raises
        ------
        InputError
            When the time between frames cannot be known or cannot be right.
        FileFormatError
            When frames are missing or uneven.
        """
        if self.interval_steps == 0:
            if self._first is None:
                self._first = frame
                return frame.step
            self._begin(self._first, frame, has_steps)
        ahead = self._ahead(frame)
        if ahead is None:
            if self._every > 1:
                return None
            raise FileFormatError(self._off(frame))
        if ahead != 1:
            raise FileFormatError(self._off(frame))
        return self._step + self.interval_steps

    def took(self, frame: Frame, step: int) -> None:
        """Note that a frame was sampled under a step."""
        self._step, self._own_step, self._time = step, frame.step, frame.time_ps

    def _ahead(self, frame: Frame) -> int | None:
        """Return how many intervals a frame is after the last sample; None for no whole number of them."""
        count, rest = divmod(frame.step - self._own_step, self.interval_steps)
        if frame.time_ps is None or self._time is None:
            return None if rest else count
        apart = (frame.time_ps - self._time) / self.interval_ps
        whole = round(apart)
        if abs(apart - whole) > UNEVEN * max(1, whole):
            if not rest and self._every == 1:
                raise FileFormatError(
                    f"step {frame.step} comes {apart * self.interval_ps:g} ps after step {self._own_step}, "
                    f"expected {count * self.interval_ps:g} ps as before: the time step of the MD changed"
                )
            return None
        if rest or count != whole:
            self.by_time = True
        return whole

    def _begin(self, first: Frame, second: Frame, has_steps: bool) -> None:
        """Find the interval from the first two frames."""
        steps = second.step - first.step
        apart = self._apart_ps(first, second, steps)
        _refuse_odd_step(apart * 1e3 / steps, self.settings, has_steps, second.time_ps is not None)
        self._every = self.settings.every or 1
        if self.settings.every is None:
            self._every = round(self.settings.wanted_ps / apart)
            if self._every < 1 or abs(self._every * apart - self.settings.wanted_ps) > STATED * apart:
                raise InputError(
                    f"the frames are {apart:g} ps apart; expected sampling.interval_ps to be a multiple of "
                    f"that, got {self.settings.wanted_ps:g} (--every goes before it)"
                )
        self.interval_ps, self.interval_steps = self._every * apart, self._every * steps
        self.took(first, first.step)

    def _apart_ps(self, first: Frame, second: Frame, steps: int) -> float:
        """Return the time between the first two frames, from what they carry or from what the user says."""
        settings = self.settings
        stated, option = None, ""
        if settings.timestep_fs is not None:
            stated, option = (
                steps * settings.timestep_fs * 1e-3,
                f"a time step of {settings.timestep_fs:g} fs",
            )
        elif settings.frame_ps is not None:
            stated, option = settings.frame_ps, f"--frame-ps {settings.frame_ps:g}"
        if settings.timestep_fs is not None and settings.frame_ps is not None:
            if abs(settings.frame_ps - (stated or 0.0)) > STATED * settings.frame_ps:
                raise InputError(f"--frame-ps {settings.frame_ps:g} contradicts {option}: {stated:g} ps")
        if first.time_ps is None or second.time_ps is None:
            if stated is None:
                raise InputError(
                    "carries no ITEM: TIME; give --timestep-fs (or --frame-ps, the time "
                    "between frames), or set dump_modify time yes"
                )
            return stated
        apart = second.time_ps - first.time_ps
        if not apart > 0:
            raise FileFormatError("ITEM: TIME does not advance between its first frames")
        if stated is not None and abs(stated - apart) > STATED * abs(stated):
            raise InputError(
                f"the frames are {apart:g} ps apart by ITEM: TIME, but {stated:g} ps with {option}"
            )
        return apart

    def _off(self, frame: Frame) -> str:
        expected = self._own_step + self.interval_steps
        return (
            f"expected a frame at step {expected}, got step {frame.step}: frames are missing, or their "
            "spacing changed"
        )


def _refuse_odd_step(step_fs: float, settings: GridSettings, has_steps: bool, by_times: bool) -> None:
    """Raise for an MD step that no MD has; names the option that mends it."""
    if not has_steps or SHORTEST_STEP_FS <= step_fs <= LONGEST_STEP_FS:
        return
    expected = f"expected {SHORTEST_STEP_FS:g} to {LONGEST_STEP_FS:g} fs"
    if by_times and settings.timestep_fs is None and settings.frame_ps is None:
        unit = "real (fs)" if step_fs > LONGEST_STEP_FS else "metal (ps)"
        raise InputError(
            f"the MD step is {step_fs:g} fs by ITEM: TIME, {expected}: is that time in units {unit}? Give "
            f"--units {unit.split()[0]}"
        )
    if settings.timestep_fs is not None:
        raise InputError(f"--timestep-fs {step_fs:g}: {expected}; the option is in fs, not ps")
    raise InputError(
        f"the MD step is {step_fs:g} fs with --frame-ps {settings.frame_ps:g}, {expected}; is it in ps?"
    )


def hint(steps: Sequence[int]) -> str:
    """Return which option makes the steps of frames even, or which are missing; empty when they are even.

    Examples
    --------
    >>> hint([0, 50, 100, 200, 300])
    'the frames are 50 steps apart at first and 100 later: --every 2'
    """
    gaps = [b - a for a, b in itertools.pairwise(steps)]
    if len(gaps) < 2 or len(set(gaps)) == 1:
        return ""
    off_grid = gaps[0] < gaps[1] and (len(gaps) > 2 or gaps[1] % gaps[0] != 0)
    if len(set(gaps[1:])) == 1 and off_grid:
        return (
            f"the first frame, step {steps[0]}, is off the grid of the others, every {gaps[1]} steps: "
            f"--from-step {steps[1]} leaves it out"
        )
    if len(set(gaps[:-1])) == 1 and gaps[-1] < gaps[0]:
        return f"the last frame, step {steps[-1]}, is off the grid of the others: --frames {len(steps) - 1}"
    usual = min(gaps)
    largest = max(gaps)
    on_grid = {steps[0] + k * largest for k in range((steps[-1] - steps[0]) // largest + 1)}
    if largest % usual == 0 and on_grid <= set(steps) and gaps == sorted(gaps) and gaps.count(largest) > 1:
        return f"the frames are {usual} steps apart at first and {largest} later: --every {largest // usual}"
    common = max(set(gaps), key=gaps.count)
    missing = sum(gap // common - 1 for gap in gaps if gap > common and gap % common == 0)
    first = next((steps[k] for k, gap in enumerate(gaps) if gap != common), steps[0])
    return f"frames are {common} steps apart, but not after step {first}; {missing} are missing in all"
