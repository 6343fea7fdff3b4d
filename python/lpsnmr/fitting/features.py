"""Features of frames, evaluated once and kept in memory or, where they do not fit, in a scratch file."""

import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError
from lpsnmr.typing import Array

__all__ = ["FeatureStore", "SparseRows", "scratch_matrix"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class SparseRows:
    """A (size, m) float64 array of which only the rows that are not all zero are kept.

    ``index`` (k,) int32, ascending, says which rows ``values`` (k, m) are.
    """

    index: NDArray[np.int32]
    values: Array
    size: int

    @classmethod
    def of(cls, dense: Array) -> "SparseRows":
        """Return the rows of a dense array; they are copied."""
        index = np.flatnonzero(largest_of_rows(dense) != 0).astype(np.int32)
        return cls(index, dense[index], len(dense))

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.index.nbytes + self.values.nbytes

    def chosen(self, columns: NDArray[np.intp] | None) -> tuple[NDArray[np.intp], Array]:
        """Return where the rows stand among ``columns`` (ascending; all when None), and their values."""
        if columns is None:
            return self.index.astype(np.intp), self.values
        place = np.full(self.size, -1, dtype=np.intp)
        place[columns] = np.arange(len(columns))
        found = place[self.index]
        inside = found >= 0
        return (found, self.values) if inside.all() else (found[inside], self.values[inside])

    def dense(self) -> Array:
        """Return the whole array."""
        out = np.zeros((self.size, self.values.shape[1]))
        out[self.index] = self.values
        return out


def largest_of_rows(dense: Array) -> Array:
    """Return the largest absolute value of each row, (rows,), without a copy of the array."""
    return np.asarray(np.maximum(dense.max(axis=1, initial=0.0), -dense.min(axis=1, initial=0.0)))


class FeatureStore:
    """Features by frame: evaluated at the first call, kept while there is room, else evaluated again.

    Safe to use from several threads.

    Parameters
    ----------
    limit
        Most bytes to keep.

    Attributes
    ----------
    evaluated : int
        How often features were evaluated.
    nbytes : int
        Bytes kept.

    Examples
    --------
    >>> store = FeatureStore(10_000)
    >>> [store.get(3, lambda: SparseRows.of(np.eye(4))).values.shape for _ in range(2)]
    [(4, 4), (4, 4)]
    >>> store.evaluated
    1
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.evaluated = self.nbytes = 0
        self._kept: dict[int, SparseRows] = {}
        self._lock = Lock()

    def get(self, number: int, evaluate: Callable[[], SparseRows]) -> SparseRows:
        """Return the features of frame ``number``."""
        found = self._kept.get(number)
        if found is None:
            try:
                found = evaluate()
            except MemoryError:
                self._give_up()
                found = evaluate()
            self.put(number, found)
        return found

    def _give_up(self) -> None:
        """Forget all features, and keep none from here on: there is less memory than was thought."""
        self.clear()
        self.limit = 0

    def put(self, number: int, rows: SparseRows) -> None:
        """Keep features that were evaluated elsewhere, if there is room."""
        with self._lock:
            self.evaluated += 1
            if number not in self._kept and self.nbytes + rows.nbytes <= self.limit:
                self._kept[number] = rows
                self.nbytes += rows.nbytes

    def clear(self) -> None:
        """Forget all features."""
        log.info("kept the features of %d frames, %.3g GB of at most %.3g GB; evaluated %d",
                 len(self._kept), self.nbytes / 1e9, self.limit / 1e9, self.evaluated)  # fmt: skip
        self._kept.clear()
        self.nbytes = 0


def scratch_matrix(rows: int, columns: int) -> Array:
    """Return a (rows, columns) float64 array in a file without a name in the folder for such (``TMPDIR``).

    The file goes when the array does. Its room on the disk is taken at once, as a full disk could not be told
    later.

    Raises
    ------
    ComputeError
        When the disk has no room for it.
    """
    size = rows * columns * 8
    try:
        with tempfile.TemporaryFile() as file:
            os.posix_fallocate(file.fileno(), 0, max(size, 8))
            return np.memmap(file, dtype=np.float64, mode="r+", shape=(rows, columns))
    except OSError as error:
        raise ComputeError(
            f"features: expected room for a scratch file of {size / 1e9:.3g} GB in {tempfile.gettempdir()}, "
            f"got: {error.strerror}; TMPDIR names another folder"
        ) from error
