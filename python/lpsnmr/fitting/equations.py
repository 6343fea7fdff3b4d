"""Normal equations of a least-squares problem: sums over rows that can be added, subtracted and cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from lpsnmr.parallel.ranks import Ranks
from lpsnmr.typing import Array

__all__ = ["NormalEquations"]

BATCH = 512
"""Rows that are gathered for one rank-k update."""


@dataclass(eq=False)
class NormalEquations:
    """Sums over rows: design' design (lower triangle), design' target, target' target and the row count.

    Memory is that of one (columns, columns) float64 matrix, whatever the number of frames; rows are
    gathered into batches for one rank-k update each.
    """

    size: int
    gram: Array = field(init=False)
    moment: Array = field(init=False)
    square: float = 0.0
    rows: int = 0

    def __post_init__(self) -> None:
        """Start from zero."""
        self.reset()

    def reset(self) -> None:
        """Forget all rows."""
        self.gram = np.zeros((self.size, self.size), order="F")
        self.moment = np.zeros(self.size)
        self.square, self.rows = 0.0, 0
        self._waiting: list[Array] = []

    def add(self, design: Array, target: Array) -> None:
        """Add weighted rows: design (columns, rows), target (rows,)."""
        self._waiting.append(design)
        self.moment += design @ target
        self.square += float(target @ target)
        self.rows += len(target)
        if sum(d.shape[1] for d in self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Bring the waiting rows into ``gram``."""
        if not self._waiting:
            return
        batch = np.asfortranarray(np.concatenate(self._waiting, axis=1))
        self._waiting = []
        self.gram = blas.dsyrk(1.0, batch, beta=1.0, c=self.gram, lower=1, overwrite_c=1)

    def state(self) -> dict[str, Array]:
        """Return the sums as arrays, the waiting rows apart: flushing them now would change last digits."""
        waiting = np.concatenate(self._waiting, axis=1) if self._waiting else np.empty((self.size, 0))
        rest = np.array([self.square, float(self.rows)])
        return {"gram": self.gram, "moment": self.moment, "rest": rest, "waiting": waiting}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go back to what ``state`` returned; rows added from here on give the same bits."""
        self.gram = np.asfortranarray(state["gram"])
        self.moment = np.array(state["moment"])
        self.square, self.rows = float(state["rest"][0]), int(state["rest"][1])
        waiting = np.array(state["waiting"])
        self._waiting = [waiting] if waiting.shape[1] else []

    def __iadd__(self, other: "NormalEquations") -> "NormalEquations":
        """Add the sums of other rows."""
        self.add_times(other, 1)
        return self

    def add_times(self, other: "NormalEquations", times: int) -> None:
        """Add the sums of other rows as if they stood there ``times`` times."""
        self.flush()
        other.flush()
        self.gram += other.gram if times == 1 else times * other.gram
        self.moment += times * other.moment
        self.square += times * other.square
        self.rows += times * other.rows

    def __sub__(self, other: "NormalEquations") -> "NormalEquations":
        """Return the sums over the rows that are not in ``other``, which must be part of these."""
        self.flush()
        other.flush()
        out = NormalEquations.of_sums(self.gram - other.gram, self.moment - other.moment)
        out.square, out.rows = self.square - other.square, self.rows - other.rows
        return out

    @classmethod
    def of_sums(cls, gram: Array, moment: Array, square: float = 0.0, rows: int = 0) -> "NormalEquations":
        """Return equations of sums that were made elsewhere; the arrays are kept, not copied."""
        out = cls.__new__(cls)
        out.size, out.gram, out.moment = len(moment), gram, moment
        out.square, out.rows, out._waiting = square, rows, []
        return out

    def part(self, chosen: NDArray[np.intp]) -> "NormalEquations":
        """Return the sums over the same rows for some of the unknowns, ascending; the others are zero."""
        self.flush()
        out = NormalEquations(len(chosen))
        out.gram = np.asfortranarray(self.gram[np.ix_(chosen, chosen)])
        out.moment, out.square, out.rows = self.moment[chosen], self.square, self.rows
        return out

    def add_over(self, ranks: Ranks) -> None:
        """Replace the sums by those over all ranks."""
        self.flush()
        if ranks.size == 1:
            return
        rest = np.array([self.square, float(self.rows)])
        for array in (self.gram, self.moment, rest):
            ranks.add_up(array)
        self.square, self.rows = float(rest[0]), int(rest[1])

    def loss(self, coefficients: Array) -> float:
        """Return the mean squared weighted residual of these rows at given coefficients."""
        self.flush()
        product = blas.dsymv(1.0, self.gram, coefficients, lower=1)
        total = self.square - 2 * coefficients @ self.moment + coefficients @ product
        return float(max(total, 0.0) / max(self.rows, 1))
