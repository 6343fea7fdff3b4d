"""Progress of runs and streams on standard error: a live line on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from lpsnmr.runs.progress import Status

__all__ = ["ProgressDisplay", "describe", "duration_text"]

OFTEN_S, SELDOM_S = 5.0, 60.0
"""Between plain lines: at the beginning, and later."""
OFTEN_FOR_S = 60.0
WIDTH = 80


def duration_text(seconds: float) -> str:
    """Return h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def describe(status: Status) -> str:
    """Return one line about the progress, of at most 80 columns; what matters least is left out first."""
    parts = [f"{status.stage[:13]:<13}", f"{status.time_ps:8.1f} ps"]
    if status.last_step:
        parts.append(f"{100.0 * min(status.step / status.last_step, 1.0):5.1f} %")
    if status.eta_s is not None:
        parts.append(f"ETA {duration_text(status.eta_s)}")
    if status.steps_per_s > 0:
        parts.append(f"{status.ns_per_day:.3g} ns/day")
    if status.temperature_k is not None:
        parts.append(f"{status.temperature_k:4.0f} K")
    if status.n_centers:
        parts.append(f"{status.polyhedra or 'whole'} {status.intact}/{status.n_centers}")
    if status.n_flagged:
        parts.append(f"{status.n_flagged} EFG outside")
    if status.n_samples:
        parts.append(f"{status.n_samples} samples")
    if status.steps_per_s > 0:
        parts.append(f"{status.steps_per_s:.0f} steps/s")
    line = parts[0]
    for part in parts[1:]:
        if len(line) + 2 + len(part) <= WIDTH:
            line += "  " + part
    return line


class ProgressDisplay:
    """Context that shows statuses; an inactive one shows nothing.

    Parameters
    ----------
    active
        False on ranks other than 0.
    """

    def __init__(self, active: bool = True) -> None:
        self._active = active
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=4) if sys.stderr.isatty() else None
        self._printed_at = 0.0
        self._began = time.monotonic()
        self._stage = ""
        self._rated = False

    def __enter__(self) -> "ProgressDisplay":
        """Begin."""
        if self._active and self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, leaving the last line."""
        if self._active and self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if self._active:
            self._console.print(line, soft_wrap=True)

    def __call__(self, status: Status) -> None:
        """Show a status."""
        if not self._active:
            return
        line = describe(status)
        if self._live is not None:
            self._live.update(Text(line))
            return
        now = time.monotonic()
        every = OFTEN_S if now - self._began < OFTEN_FOR_S else SELDOM_S
        rated = status.steps_per_s > 0
        first_rate = rated and not self._rated  # of the stage: a first line at once has none yet
        if status.stage != self._stage or first_rate or now - self._printed_at > every:
            self._console.print(line, soft_wrap=True)
            self._printed_at, self._stage, self._rated = now, status.stage, rated
