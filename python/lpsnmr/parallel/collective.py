"""Small tools for code that runs on all ranks at once, and for signals."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, TypeVar

import numpy as np

__all__ = ["StopFlag", "on_root", "or_over_ranks"]

T = TypeVar("T")


def on_root(comm: Any, function: Callable[[], T]) -> T:
    """Call ``function`` on rank 0 only and return its value, or raise its exception, on every rank."""
    outcome: tuple[bool, Any] = (True, None)
    if comm.rank == 0:
        try:
            outcome = (True, function())
        except Exception as error:  # sent to all ranks, raised there
            outcome = (False, error)
    if comm.size > 1:
        outcome = comm.bcast(outcome, root=0)
    good, value = outcome
    if not good:
        raise value
    result: T = value
    return result


def or_over_ranks(comm: Any, bits: int) -> int:
    """Return the bitwise or of ``bits`` of all ranks, on every rank."""
    if comm.size == 1:
        return bits
    from mpi4py import MPI

    received = np.empty(1, dtype=np.int64)
    comm.Allreduce(np.array([bits], dtype=np.int64), received, op=MPI.BOR)
    return int(received[0])


class StopFlag:
    """Context in which SIGTERM and SIGINT only set a flag; a second SIGINT interrupts at once.

    Attributes
    ----------
    name
        Name of the signal received, or empty.
    """

    def __init__(self) -> None:
        self.name = ""
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Return whether a signal has come."""
        return bool(self.name)

    def __enter__(self) -> "StopFlag":
        """Install the handlers."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the handlers before back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.name and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.name = signal.Signals(number).name
