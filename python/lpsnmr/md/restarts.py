"""LAMMPS restart files and the states that belong to them: whole pairs, whenever a kill comes."""

import os
from pathlib import Path

__all__ = ["check_restart", "flush_to_disk"]

MAGIC = b"LammpS RestartT"
TAIL = 64


def check_restart(path: Path) -> None:
    """Raise OSError unless a LAMMPS restart file is whole: LAMMPS writes it without looking at errors.

    Its first and its last words are the same magic text.
    """
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - TAIL, 0))
        tail = file.read()
    if head != MAGIC or MAGIC not in tail or size < 2 * len(MAGIC):
        raise OSError(f"{path.name} is not a whole LAMMPS restart file ({size} bytes): is the disk full?")


def flush_to_disk(path: Path) -> None:
    """Hand a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
