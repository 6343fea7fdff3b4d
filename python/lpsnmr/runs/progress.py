"""How far a run is; measured here, shown by the command line."""

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ProgressCallback", "RateMeter", "Status"]


@dataclass(frozen=True)
class Status:
    """What is known at one moment of a run or stream.

    Attributes
    ----------
    stage
        ``"equilibration"``, ``"production"`` or ``"stream"``.
    step, last_step
        MD steps of this stage so far, and at its end (None when unknown).
    time_ps
        MD time since the start of the stage, ps.
    steps_per_s, ns_per_day, eta_s
        Rate over the last seconds, and wall-clock time left (None when unknown).
    n_samples
        Samples so far.
    temperature_k
        Kinetic temperature, K; None when unknown.
    intact, n_centers
        Whole polyhedra, and atoms that are centres of one where it is whole.
    n_flagged
        EFG predictions outside the range of the training data; only of the Li of rank 0 where positions
        are gathered.
    polyhedra
        Formulas of the polyhedra.
    """

    stage: str
    step: int
    last_step: int | None
    time_ps: float
    steps_per_s: float
    ns_per_day: float
    eta_s: float | None
    n_samples: int
    temperature_k: float | None
    intact: int
    n_centers: int
    n_flagged: int
    polyhedra: str = ""


ProgressCallback = Callable[[Status], None]


class RateMeter:
    """Steps per second over a sliding window of wall-clock time.

    Parameters
    ----------
    window_s
        Length of the window, s.
    clock
        Monotonic clock, for tests.
    """

    def __init__(self, window_s: float = 20.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = window_s
        self._clock = clock
        self._marks: list[tuple[float, int]] = []
        self.started = clock()

    @property
    def elapsed_s(self) -> float:
        """Wall-clock time since construction, s."""
        return self._clock() - self.started

    def update(self, step: int) -> float:
        """Note the present step and return steps per second, 0 at first."""
        now = self._clock()
        if not self._marks or now - self._marks[-1][0] >= 0.05 * self._window or len(self._marks) < 2:
            self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[1][0] > self._window:
            self._marks.pop(0)
        start_time, start_step = self._marks[0]
        return (step - start_step) / (now - start_time) if now > start_time else 0.0
