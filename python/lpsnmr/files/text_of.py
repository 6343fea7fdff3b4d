"""Text of a file that may be compressed."""

import bz2
import gzip
import lzma
from pathlib import Path
from typing import IO

__all__ = ["opened_text"]

_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def opened_text(path: Path) -> IO[str]:
    """Open a text file for reading, decompressed by its ending; odd bytes are replaced."""
    opener = _OPENERS.get(path.suffix)
    if opener is None:
        return path.open(encoding="utf-8", errors="replace")
    file: IO[str] = opener(path, "rt", encoding="utf-8", errors="replace")  # type: ignore[operator]
    return file
