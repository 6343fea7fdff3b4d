"""Walk over the frames of all data sets: shared out over ranks, evaluated by threads, with progress."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import ase

from lpsnmr.errors import InputError
from lpsnmr.fitting.datasets import DataSet
from lpsnmr.parallel.ranks import OneRank, Ranks

__all__ = ["Execution", "Item", "Walk"]

Progress = Callable[[str, int, int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Execution:
    """How a fit is carried out; none of it changes the result beyond round-off.

    Attributes
    ----------
    threads
        Threads of each rank that evaluate features; the sums are added in the same order whatever their
        number. The rank-k updates are BLAS calls with threads of their own (``OMP_NUM_THREADS``).
    ranks
        Processes that share the frames.
    checkpoint
        File that keeps the sums while they are made; a fit of the same data with the same settings goes on
        from there. Removed by ``save_fit``'s caller, not here. None: no such file.
    checkpoint_s
        Least time between two writes, s.
    memory
        Bytes that the ranks of one machine may use together for the matrices and the features they keep.
        None: what the machine or the job has, of which half of what the matrices leave is for features.
    """

    threads: int = 1
    ranks: Ranks = field(default_factory=OneRank)
    checkpoint: Path | None = None
    checkpoint_s: float = 60.0
    memory: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if self.threads < 1:
            raise InputError(f"threads: expected at least 1, got {self.threads}")
        if self.checkpoint_s < 0:
            raise InputError(f"time between checkpoints: expected seconds >= 0, got {self.checkpoint_s}")
        if self.memory is not None and self.memory <= 0:
            raise InputError(f"memory: expected more than 0 bytes, got {self.memory}")


@dataclass(frozen=True, eq=False)
class Item:
    """A frame, its data set and the number of that set."""

    index: int
    set_number: int
    data: DataSet
    frame: ase.Atoms


class Walk:
    """All frames of all data sets."""

    def __init__(
        self, data: Sequence[DataSet], progress: Progress | None = None, execution: Execution | None = None
    ) -> None:
        pairs = [(n, d, f) for n, d in enumerate(data) for f in d.frames]
        self.items = [Item(k, *pair) for k, pair in enumerate(pairs)]
        self.sets = len(data)
        self.execution = execution or Execution()
        self._progress = progress

    @property
    def ranks(self) -> Ranks:
        """The processes that share the frames."""
        return self.execution.ranks

    def mine(self, items: Sequence[Item] | None = None) -> list[Item]:
        """Return the items of this rank, in order."""
        chosen = self.items if items is None else items
        return list(chosen[self.ranks.rank :: self.ranks.size])

    def tick(self, stage: str, done: int, total: int) -> None:
        """Report progress of this rank."""
        if self._progress:
            self._progress(stage, done, total)

    def evaluate(
        self, function: Callable[[Item], T], items: Sequence[Item], stage: str, done: int = 0
    ) -> Iterator[tuple[Item, T]]:
        """Yield each item with ``function(item)``, in order, some threads ahead.

        Parameters
        ----------
        function
            Called in the threads; most of its time should be spent outside the interpreter lock.
        items
            What is left to do.
        stage
            Name for the progress.
        done
            Items that were done before, for the progress.
        """
        total = done + len(items)
        threads = self.execution.threads
        if threads == 1:
            for n, item in enumerate(items):
                yield item, function(item)
                self.tick(stage, done + n + 1, total)
            return
        waiting: deque[tuple[Item, Future[T]]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            rest = iter(items)
            try:
                for item in rest:
                    waiting.append((item, pool.submit(function, item)))
                    if len(waiting) > 2 * threads:
                        break
                n = 0
                while waiting:
                    item, future = waiting.popleft()
                    following = next(rest, None)
                    if following is not None:
                        waiting.append((following, pool.submit(function, following)))
                    yield item, future.result()
                    n += 1
                    self.tick(stage, done + n, total)
            finally:
                for _, future in waiting:
                    future.cancel()
