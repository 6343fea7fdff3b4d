"""Resident memory of a long stream: 1e6 frames through a FIFO, parser, correlators and jump detectors.

    python benchmarks/kernels/memory_stream.py [--frames 1000000] [-o memory.json]

The EFG model is replaced by one that returns noise at once (its memory does not depend on the number of
frames); everything else is what ``lpsnmr stream`` does, checkpoints included: correlators, echoes at three
evolution times, two field directions, spectra, jumps, rotations, tensors.h5 every 10 ps. Ions vibrate and hop
in β-Li3PS4 (32 atoms).
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from lpsnmr.runs.config import load_config
from lpsnmr.runs.stream import stream_dumps
from lpsnmr.structures import load_structure

INTERVAL_STEPS, TIMESTEP_FS = 50, 2.0
BATCH = 500


class Noise:
    """A stand-in for the EFG model."""

    sha256, n_flagged = "0" * 64, 0

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def predict_components(self, positions, cell, pbc, numbers, targets):
        """Return noise, (m, 5)."""
        return self._rng.normal(size=(len(targets), 5))


def write_frames(path: Path, n_frames: int) -> None:
    """Write frames into the FIFO; texts are made once for a batch and differ only in the step."""
    crystal = load_structure("beta-Li3PS4")
    rng = np.random.default_rng(1)
    lithium = np.flatnonzero(crystal.numbers == 3)
    offset = np.zeros((32, 3))
    lines = "0 12.819\n0 8.22\n0 6.1235\nITEM: ATOMS id element xu yu zu\n"
    step = 0
    with path.open("w") as file:
        while step < n_frames * INTERVAL_STEPS:
            for _ in range(min(BATCH, n_frames - step // INTERVAL_STEPS)):
                if rng.random() < 0.02:
                    offset[rng.choice(lithium)] += 3.25 * np.eye(3)[rng.integers(3)] * rng.choice([-1, 1])
                x = crystal.positions + offset + 0.1 * rng.normal(size=(32, 3))
                rows = "".join(
                    f"{i + 1} {e} {a:.4f} {b:.4f} {c:.4f}\n"
                    for i, (e, (a, b, c)) in enumerate(zip(crystal.symbols, x.tolist(), strict=True))
                )
                header = f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n32\nITEM: BOX BOUNDS pp pp pp\n"
                file.write(header + lines + rows)
                step += INTERVAL_STEPS


def resident_mb() -> float:
    """Return the resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def growth(rows: list[tuple[int, float]], n_frames: int) -> float | None:
    """Return the rise of the mean from the second tenth of the frames to the last, MB."""
    tenths = [[mb for n, mb in rows if low < n / n_frames <= low + 0.1] for low in (0.1, 0.9)]
    return round(float(np.mean(tenths[1]) - np.mean(tenths[0])), 1) if all(tenths) else None


def main() -> None:
    """Stream, note the memory every now and then, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("-o", "--output", type=Path, default=Path("memory.json"))
    options = parser.parse_args()
    rows: list[tuple[int, float]] = []
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        fifo = Path(folder) / "dump"
        os.mkfifo(fifo)
        writer = os.fork()
        if writer == 0:
            try:
                write_frames(fifo, options.frames)
            except BrokenPipeError:  # the stream was stopped by a signal: what it has seen is reported
                os._exit(1)
            os._exit(0)
        done = threading.Event()

        def watch() -> None:
            status = Path(folder) / "out" / "status.json"
            while not done.wait(2.0):
                if status.exists():
                    content = json.loads(status.read_text())["status"]
                    rows.append((content["n_samples"], resident_mb()))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        keys = (
            f"output.folder={folder}/out", "output.checkpoint_min=0.5", "output.tensors_ps=10.0",
            f"stream.timestep_fs={TIMESTEP_FS}", "stream.idle_s=600.0",
            "sampling.field_directions=[[0, 0, 1], [1, 1, 0]]",
        )  # fmt: skip
        outcome = stream_dumps([fifo], load_config(None, keys, "stream"), Noise())
        done.set()
        os.waitpid(writer, 0)
    thinned = rows[:: max(1, len(rows) // 40)]
    result = {
        "frames": outcome.n_samples,
        "seconds": round(time.perf_counter() - begin, 1),
        "resident_mb": [[n, round(mb, 1)] for n, mb in thinned],
        "growth_after_a_tenth_mb": growth(thinned, outcome.n_samples),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }
    text = json.dumps(result, indent=1)
    options.output.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    sys.exit(main())
