"""What the fit asks of MPI, so that it runs the same without MPI."""

from typing import Any, Protocol, TypeVar

from lpsnmr.typing import Array

__all__ = ["MpiRanks", "OneRank", "Ranks"]

T = TypeVar("T")
CHUNK = 1 << 24
"""Numbers in one message: MPI counts to 2^31."""


class Ranks(Protocol):
    """Processes that share the frames; every method is collective."""

    rank: int
    size: int

    def add_up(self, array: Array) -> None:
        """Replace a contiguous array by its sum over the ranks."""

    def least(self, array: Array) -> None:
        """Replace a contiguous array by its minimum over the ranks."""

    def gather(self, item: T) -> list[T]:
        """Return the item of every rank, on every rank."""


class OneRank:
    """One process: nothing to exchange."""

    rank = 0
    size = 1

    def add_up(self, array: Array) -> None:
        """Leave the array as it is."""

    def least(self, array: Array) -> None:
        """Leave the array as it is."""

    def gather(self, item: T) -> list[T]:
        """Return the item alone."""
        return [item]


class MpiRanks:
    """The ranks of an mpi4py communicator."""

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self.rank = int(comm.rank)
        self.size = int(comm.size)

    def _reduce(self, array: Array, operation: Any) -> None:
        from mpi4py import MPI

        flat = array.reshape(-1, order="A")  # a view of C- and Fortran-ordered arrays alike
        for first in range(0, flat.size, CHUNK):
            self._comm.Allreduce(MPI.IN_PLACE, flat[first : first + CHUNK], operation)

    def add_up(self, array: Array) -> None:
        """Replace a contiguous array by its sum over the ranks."""
        from mpi4py import MPI

        self._reduce(array, MPI.SUM)

    def least(self, array: Array) -> None:
        """Replace a contiguous array by its minimum over the ranks."""
        from mpi4py import MPI

        self._reduce(array, MPI.MIN)

    def gather(self, item: T) -> list[T]:
        """Return the item of every rank, on every rank."""
        return list(self._comm.allgather(item))
