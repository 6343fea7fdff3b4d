"""HDF5 files that meet a full disk with an ordinary error.

When a write of the HDF5 library itself fails, the file cannot be closed any more and the process may crash.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

__all__ = ["hdf5_bytes", "write_hdf5"]


def hdf5_bytes(fill: Callable[[Any], None]) -> bytes:
    """Return the contents of the HDF5 file that ``fill`` writes into an open ``h5py.File``.

    Examples
    --------
    >>> hdf5_bytes(lambda file: None)[1:4]
    b'HDF'
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    return buffer.getvalue()


def write_hdf5(path: Path, fill: Callable[[Any, Callable[[], None]], None]) -> None:
    """Write a file that is too large for memory.

    Parameters
    ----------
    path
        Target; after an error its contents are of no use.
    fill
        Called with an open ``h5py.File`` and with a function to call after each piece, which ends the work
        when the piece could not be written.

    Raises
    ------
    OSError
        When the disk is full.
    """
    with path.open("w+b", buffering=0) as raw:
        disk = _Disk(raw)
        with h5py.File(disk, "w") as file:
            fill(file, disk.check)
        disk.check()


class _Disk:
    """What h5py needs of a file, without failures: the first is kept, and what would follow is dropped."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self._error: OSError | None = None
        self.read, self.readinto, self.seek, self.tell = raw.read, raw.readinto, raw.seek, raw.tell

    def check(self) -> None:
        """Raise the first failure."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write all of it, or drop it."""
        left = memoryview(data).cast("B")
        try:
            while self._error is None and len(left):
                left = left[self._raw.write(left) :]
        except OSError as error:
            self._error = error
        return len(data)

    def truncate(self, size: int) -> int:
        """Set the size."""
        try:
            if self._error is None:
                self._raw.truncate(size)
        except OSError as error:
            self._error = error
        return size

    def flush(self) -> None:
        """Do nothing: writes are not buffered."""
