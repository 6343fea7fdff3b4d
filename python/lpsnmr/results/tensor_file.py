"""The thinned trajectory of the EFG tensors: segments while a run goes on, one file at its end.

Every checkpoint adds one small file, written aside and renamed, so that a kill at any moment leaves
whole files. Segments that a checkpoint does not cover are removed on resuming; at the end all become
one file.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, FileFormatError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hdf5 import hdf5_bytes, write_hdf5

__all__ = ["TENSOR_FILE", "TensorFile", "TensorRows", "drop_tensors_after", "read_tensors", "remove_tensors"]

TENSOR_FILE = "tensors.h5"
SEGMENTS = "tensors.*.part.h5"
FORMAT = "lpsnmr-tensors"
ROWS_PER_CHUNK = 256


@dataclass
class TensorRows:
    """Tensors waiting to be written: steps and (rows, n_li, 5) components, V/Å²."""

    steps: list[int] = field(default_factory=list)
    components: list[NDArray[np.float64]] = field(default_factory=list)


class TensorFile:
    """Writes tensors of one run into a folder; used by rank 0 only.

    Parameters
    ----------
    folder
        Output folder.
    li_ids
        (n_li,) int64, the order of the Li.
    timestep_ps
        MD time step, ps.
    """

    def __init__(self, folder: Path, li_ids: NDArray[np.int64], timestep_ps: float) -> None:
        self._folder, self._li_ids, self._timestep_ps = folder, li_ids, timestep_ps

    def append(self, rows: TensorRows) -> None:
        """Write one segment, components as float32; nothing without rows."""
        if not rows.steps:
            return
        path = self._folder / SEGMENTS.replace("*", f"{rows.steps[0]:015d}")

        def fill(file: Any) -> None:
            self._create(file, len(rows.steps))
            file["step"][:] = rows.steps
            file["components"][:] = np.stack(rows.components)

        content = hdf5_bytes(fill)
        with written_aside(path) as aside:
            aside.write_bytes(content)

    def drop_after(self, step: int) -> None:
        """Remove what lies after the MD step a run resumes from."""
        for path in self._segments():
            if int(path.name.split(".")[1]) > step:
                path.unlink()
        whole = self._folder / TENSOR_FILE
        if whole.exists() and len(_steps(whole)) and _steps(whole)[-1] > step:
            self._merge([whole], step)

    def finish(self) -> Path | None:
        """Join all segments into one file; return it, or None when there is nothing."""
        whole = self._folder / TENSOR_FILE
        segments = self._segments()
        if segments:
            self._merge(([whole] if whole.exists() else []) + segments, None)
            for path in segments:
                path.unlink()
        return whole if whole.exists() else None

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob(SEGMENTS))

    def _merge(self, paths: list[Path], last_step: int | None) -> None:
        """Copy rows up to ``last_step`` piece by piece; memory does not grow with the file."""
        counts, newest = [], -1
        for path in paths:
            steps = _steps(path)
            fresh = steps > newest  # a kill between joining and removing leaves rows twice
            if last_step is not None:
                fresh &= steps <= last_step
            counts.append((int(np.argmax(fresh)) if fresh.any() else 0, int(fresh.sum())))
            newest = max(newest, int(steps[fresh][-1])) if fresh.any() else newest

        def fill(target: Any, check: Callable[[], None]) -> None:
            self._create(target, sum(count for _, count in counts))
            begin = 0
            for path, (first, count) in zip(paths, counts, strict=True):
                with h5py.File(path, "r") as source:
                    for low in range(0, count, ROWS_PER_CHUNK):
                        high = min(low + ROWS_PER_CHUNK, count)
                        for name in ("step", "components"):
                            rows = source[name][first + low : first + high]
                            target[name][begin + low : begin + high] = rows
                        check()
                begin += count

        with written_aside(self._folder / TENSOR_FILE) as aside:
            write_hdf5(aside, fill)

    def _create(self, file: Any, rows: int) -> None:
        n = len(self._li_ids)
        file.attrs.update({"format": FORMAT, "format_version": 1, "timestep_ps": self._timestep_ps})
        file["li_ids"] = self._li_ids
        chunk = max(1, min(rows, ROWS_PER_CHUNK))
        file.create_dataset("step", (rows,), "i8", chunks=(chunk,), compression="gzip")
        components = file.create_dataset(
            "components", (rows, n, 5), "f4", chunks=(chunk, max(n, 1), 5), compression="gzip", shuffle=True
        )
        components.attrs["unit"] = "V/angstrom^2"


def remove_tensors(folder: Path) -> None:
    """Remove the thinned trajectory of a folder."""
    for path in [folder / TENSOR_FILE, *folder.glob(SEGMENTS)]:
        path.unlink(missing_ok=True)


def drop_tensors_after(folder: Path, step: int) -> None:
    """Remove tensors later than the MD step a run resumes from; nothing when there are none.

    Raises
    ------
    FileFormatError
        When the file is damaged.
    ComputeError
        When the disk is full.
    """
    paths = [folder / TENSOR_FILE] if (folder / TENSOR_FILE).exists() else sorted(folder.glob(SEGMENTS))
    if not paths:
        return
    try:
        with h5py.File(paths[0], "r") as file:
            ids, timestep_ps = file["li_ids"][()], float(file.attrs["timestep_ps"])
        TensorFile(folder, ids, timestep_ps).drop_after(step)
    except (OSError, KeyError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # not one of the HDF5 library
            raise ComputeError(f"cannot write the tensors anew to {folder}: {error}") from error
        raise FileFormatError(f"{paths[0]}: damaged: {error}; remove it, or use --fresh") from error


def _steps(path: Path) -> NDArray[np.int64]:
    with h5py.File(path, "r") as file:
        return np.asarray(file["step"][()], dtype=np.int64)


def read_tensors(
    path: str | os.PathLike[str],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float32]]:
    """Read a thinned trajectory.

    Parameters
    ----------
    path
        ``tensors.h5`` or one of its segments.

    Returns
    -------
    time_ps : (rows,) float64, ps, from MD step 0
    li_ids : (n_li,) int64
    components : (rows, n_li, 5) float32, V/Å², see ``lpsnmr.efg.tensors``

    Raises
    ------
    FileFormatError
        When it is no such file.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise FileFormatError(f"{path}: not a file of tensors (format is not {FORMAT!r})")
            time_ps = file["step"][()] * float(file.attrs["timestep_ps"])
            return time_ps, file["li_ids"][()], file["components"][()]
    except (OSError, KeyError) as error:
        raise FileFormatError(f"{path}: not a file of tensors: {error}") from error
