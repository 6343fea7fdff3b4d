"""SHA-256 of files and arrays: how runs, models and labels know what they were made from."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["add_arrays", "sha256_of"]


def sha256_of(*paths: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of the bytes of files, one after the other, hexadecimal.

    Raises
    ------
    OSError
        For a file that cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


def add_arrays(digest: Any, *arrays: NDArray[Any]) -> None:
    """Add the bytes of arrays, in C order and their own type, to a hash of ``hashlib``."""
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
