"""HDF5 files made in memory first: a full disk is then an ordinary error.

When a write of the HDF5 library itself fails, the file cannot be closed any more and the process may crash.
"""

import io
from collections.abc import Callable
from typing import Any

import h5py

__all__ = ["hdf5_bytes"]


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
