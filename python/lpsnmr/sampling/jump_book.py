"""Counting jumps in bounded memory: residence times, distances, recrossings, blocks of time."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError
from lpsnmr.results.jumps import LENGTH_BIN, Jumps

__all__ = ["JumpBook", "JumpTracker", "State", "duration_edges"]

State = dict[str, NDArray[Any]]
MAX_BLOCKS = 32
N_DISTANCE_BINS = 200


def duration_edges() -> NDArray[np.int64]:
    """Return the lower edges of the histogram of residence times, in windows: 1, 2, …, then 8 an octave."""
    octaves = np.round(2.0 ** np.arange(0.0, 40.0, 0.125)).astype(np.int64)
    return np.unique(octaves)


EDGES = duration_edges()


class JumpBook:
    """Books the jumps of n particles; time is counted in windows.

    A jump is proposed when a particle arrives somewhere else and counts once it has stayed for
    ``min_stay`` windows or has gone on to a third place. One that returns before that is a recrossing
    and leaves no trace but a count.

    Parameters
    ----------
    n
        Number of particles.
    min_stay
        Shortest stay, windows, after which a return is a jump of its own.
    """

    def __init__(self, n: int, min_stay: int) -> None:
        if n < 0 or min_stay < 1:
            raise InputError(f"expected n ≥ 0 particles and min_stay ≥ 1, got {n} and {min_stay}")
        self.n, self.min_stay = n, min_stay
        self._counts = {"now": 0, "recrossings": 0, "backward": 0, "block_length": 1}
        self._sums = np.zeros(3)  # number of jumps with a length, Σ length, Σ length²
        self.jumps = np.zeros(n, dtype=np.int64)
        self._entered = np.zeros(n, dtype=np.int64)
        self._first = np.ones(n, dtype=np.bool_)
        self.pending = np.zeros(n, dtype=np.bool_)
        self._since = np.zeros(n, dtype=np.int64)
        self._length = np.zeros(n)
        self._back = np.zeros(n, dtype=np.bool_)
        self._stays = np.zeros(len(EDGES), dtype=np.int64)
        self._lengths = np.zeros(N_DISTANCE_BINS, dtype=np.int64)
        self._blocks = np.zeros(1, dtype=np.int64)

    @property
    def now(self) -> int:
        """Windows seen."""
        return self._counts["now"]

    def advance(self) -> None:
        """Begin the next window."""
        index = self._counts["now"]
        if index // self._counts["block_length"] >= MAX_BLOCKS:
            self._blocks = self._blocks[0::2] + self._blocks[1::2]
            self._counts["block_length"] *= 2
        if index // self._counts["block_length"] >= len(self._blocks):
            self._blocks = np.append(self._blocks, 0)
        self._counts["now"] = index + 1

    def propose(self, i: int, length: float, backward: bool) -> None:
        """Particle ``i`` has arrived elsewhere; what it left before that now counts."""
        if self.pending[i]:
            self._confirm(i)
        self.pending[i] = True
        self._since[i] = self.now
        self._length[i], self._back[i] = length, backward

    def retract(self, i: int) -> None:
        """Particle ``i`` is back where it came from before its arrival counted."""
        self.pending[i] = False
        self._counts["recrossings"] += 1

    def settle(self) -> NDArray[np.intp]:
        """Count the arrivals that have lasted; return their particles."""
        due = np.flatnonzero(self.pending & (self.now - self._since >= self.min_stay))
        for i in due:
            self._confirm(int(i))
        return due

    def set_lengths(self, particles: NDArray[np.intp], lengths: NDArray[np.float64]) -> None:
        """Replace the lengths of the jumps that particles have pending."""
        self._length[particles] = lengths

    def _confirm(self, i: int) -> None:
        since = self._since[i]
        if not self._first[i]:
            stay = max(int(since - self._entered[i]), 1)
            self._stays[np.searchsorted(EDGES, stay, side="right") - 1] += 1
        self._first[i] = False
        self._entered[i] = since
        self.pending[i] = False
        self.jumps[i] += 1
        self._blocks[(since - 1) // self._counts["block_length"]] += 1
        self._counts["backward"] += int(self._back[i])
        length = self._length[i]
        self._lengths[min(int(length / LENGTH_BIN), N_DISTANCE_BINS - 1)] += 1
        self._sums += (1.0, length, length**2)

    def state(self) -> State:
        """Return everything known as copies of arrays."""
        arrays = {name: getattr(self, attribute).copy() for name, attribute in _ARRAYS.items()}
        counts = {name: np.array(value) for name, value in self._counts.items()}
        return {**arrays, **counts, "min_stay": np.array(self.min_stay)}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> "JumpBook":
        """Continue from a state."""
        missing = sorted(({*_ARRAYS, "min_stay", "now"}) - state.keys())
        if missing:
            raise InputError(f"state of a jump book: no {missing[0]!r}")
        book = cls(len(state["jumps"]), int(state["min_stay"]))
        for name, attribute in _ARRAYS.items():
            setattr(book, attribute, np.array(state[name]))
        book._counts = {name: int(state[name]) for name in book._counts}
        return book

    def summary(self, window_ps: float) -> Jumps:
        """Return what the analysis needs: counts per particle and block, histograms, censored stays."""
        running = np.zeros(len(EDGES), dtype=np.int64)
        ages = np.maximum(self.now - self._entered[~self._first], 1)
        np.add.at(running, np.searchsorted(EDGES, ages, side="right") - 1, 1)
        last = max(int(np.flatnonzero(self._stays + running).max(initial=0)) + 1, 1)
        return Jumps(
            windows=self.now,
            window_ps=window_ps,
            jumps=self.jumps.copy(),
            block_jumps=self._blocks.copy(),
            block_windows=self._counts["block_length"],
            recrossings=self._counts["recrossings"],
            backward=self._counts["backward"],
            stay_edges=EDGES[: last + 1].copy(),
            stays=self._stays[:last].copy(),
            stays_running=running[:last],
            length_counts=self._lengths.copy(),
            length_sums=self._sums.copy(),
            min_stay=self.min_stay,
        )


_ARRAYS = {
    "jumps": "jumps", "entered": "_entered", "first": "_first", "pending": "pending", "since": "_since",
    "length": "_length", "back": "_back", "stays": "_stays", "lengths": "_lengths", "blocks": "_blocks",
    "sums": "_sums",
}  # fmt: skip


class JumpTracker:
    """What the detectors of jumps share: a book, and a state of arrays with names.

    ``_ARRAYS`` names the attributes, less their underscore, that make up the state beside the book.
    """

    _ARRAYS: ClassVar[tuple[str, ...]] = ()
    _KIND: ClassVar[str] = ""
    book: JumpBook

    def state(self) -> State:
        """Return everything known as arrays; what ``from_state`` takes."""
        arrays = {name: np.array(getattr(self, f"_{name}")) for name in self._ARRAYS}
        return {**{f"book_{name}": value for name, value in self.book.state().items()}, **arrays}

    @classmethod
    def _check(cls, state: Mapping[str, NDArray[Any]], *more: str) -> None:
        """Raise InputError for a state without one of the arrays, or of ``more``."""
        missing = sorted({*cls._ARRAYS, *more} - state.keys())
        if missing:
            raise InputError(f"state of a {cls._KIND} tracker: no {missing[0]!r}")

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays and the book from a state that was checked."""
        for name in self._ARRAYS:
            value = np.array(state[name])
            setattr(self, f"_{name}", value.item() if value.ndim == 0 else value)
        self.book = JumpBook.from_state(
            {name.removeprefix("book_"): value for name, value in state.items() if name.startswith("book_")}
        )
