"""Read one file after the other with MDAnalysis in a process of its own, and send the frames to another.

MDAnalysis reads XTC and TRR with C code that damaged files can crash; here only this process ends with it.
Requests come as lines of JSON on standard input: ``path``, ``format`` and whether ``frames`` are wanted.
Answers go as pickled tuples to standard output: ``("head", n_atoms)``, for each snapshot ``("frame", step,
time, cell, positions)`` (or for all of them ``("steps", steps, times)``), ``("end", frames announced)``; or
``("error", text)``, ``("missing", text)``.
"""

import contextlib
import importlib
import json
import os
import pickle
import sys
import warnings
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

__all__ = ["MDA_FORMATS", "serve"]

MDA_FORMATS = {
    "xtc": ("XTC", "XTCReader"),
    "trr": ("TRR", "TRRReader"),
    "dcd": ("DCD", "DCDReader"),
    "nc": ("TRJ", "NCDFReader"),
}
"""Format: module of ``MDAnalysis.coordinates`` and class."""


def serve(requests: IO[str], answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    warnings.simplefilter("ignore")
    for line in requests:
        request = json.loads(line)
        for answer in _answers(request["path"], request["format"], request["frames"]):
            pickle.dump(answer, answers, protocol=5)
        answers.flush()


def _answers(path: str, file_format: str, frames: bool) -> Iterator[tuple[Any, ...]]:
    module, name = MDA_FORMATS[file_format]
    try:
        kind: Any = getattr(importlib.import_module(f"MDAnalysis.coordinates.{module}"), name)
    except ImportError as error:
        yield "missing", str(error)
        return
    try:
        options = {"refresh_offsets": True} if file_format in {"xtc", "trr"} else {}
        reader = kind(path, **options)
        with contextlib.closing(reader):
            yield "head", int(reader.n_atoms)
            yield from _snapshots(reader, file_format, frames)
            yield "end", int(reader.n_frames)
    except Exception as error:  # MDAnalysis raises many kinds
        yield "error", " ".join(str(error).split()) or type(error).__name__


def _snapshots(reader: Any, file_format: str, frames: bool) -> Iterator[tuple[Any, ...]]:
    """Yield the snapshots, or their steps and times alone."""
    header = reader._file.header if file_format == "dcd" else {}
    first, interval = int(header.get("istart", 0)), max(1, int(header.get("nsavc", 1)))
    steps, times = [], []
    for number, snapshot in enumerate(reader):
        step = number
        if file_format == "dcd":  # its times are in the units of the program that wrote it
            step = first + number * interval
        elif "step" in snapshot.data and file_format != "nc":
            step = int(snapshot.data["step"])
        time = None if file_format == "dcd" else float(snapshot.time)
        if frames:
            has_cell = snapshot.dimensions is not None
            cell = np.array(snapshot.triclinic_dimensions, dtype=np.float64) if has_cell else None
            yield "frame", step, time, cell, np.array(snapshot.positions)
        steps.append(step)
        times.append(time)
    if not frames:
        yield "steps", steps, times


if __name__ == "__main__":
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "wb")  # what MDAnalysis may print goes elsewhere
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    serve(sys.stdin, channel)
