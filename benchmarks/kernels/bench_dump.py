"""Time the dump reader: MB of text per second of one core, for small and large frames.

    python benchmarks/kernels/bench_dump.py [--megabytes 20] [--repeats 5] > dump.json

CPU time, median over repeats. MDAnalysis' LAMMPS reader is timed on the same file when installed.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lpsnmr._core import DumpParser
from lpsnmr.trajectory.dump import DumpReader


def write_dump(path: Path, n_atoms: int, megabytes: float) -> None:
    """Write a dump of ``id element xu yu zu`` with five decimals."""
    rng = np.random.default_rng(0)
    elements = ["Li", "Li", "Li", "P", "S", "S", "S", "S"] * (n_atoms // 8)
    rows = [f"{i + 1} {e} %.5f %.5f %.5f \n" for i, e in enumerate(elements)]
    with path.open("w") as file:
        step = 0
        while file.tell() < megabytes * 1e6:
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(rows)}\n")
            file.write("ITEM: BOX BOUNDS pp pp pp\n0 12.8\n0 16.4\n0 12.2\nITEM: ATOMS id element xu yu zu\n")
            values = rng.uniform(-5, 20, (len(rows), 3))
            file.write("".join(row % tuple(v) for row, v in zip(rows, values, strict=True)))
            step += 50


def core_parser(path: Path) -> int:
    """Parse without making frames of Python."""
    parser, frames = DumpParser(), 0
    with path.open("rb") as file:
        while text := file.read(1 << 22):
            parser.feed(text)
            while parser.next() is not None:
                frames += 1
    return frames


def reader(path: Path) -> int:
    """Read as ``lpsnmr stream`` does."""
    return sum(1 for _ in DumpReader(path))


MDANALYSIS = """
import sys, time, warnings
warnings.simplefilter("ignore")
import MDAnalysis
begin = time.process_time()
frames = sum(1 for _ in MDAnalysis.Universe(sys.argv[1], format="LAMMPSDUMP").trajectory)
print(frames, time.process_time() - begin)
"""


def mdanalysis(python: Path, path: Path) -> tuple[int, float]:
    """Return frames and seconds of MDAnalysis' reader, which has an environment of its own."""
    done = subprocess.run(
        [python, "-c", MDANALYSIS, path], stdout=subprocess.PIPE, text=True, check=True, timeout=600
    )
    frames, seconds = done.stdout.split()
    return int(frames), float(seconds)


def speed(function: Callable[[Path], int], path: Path, repeats: int) -> float:
    """Return MB/s, median."""
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        function(path)
        times.append(time.process_time() - begin)
    return path.stat().st_size / 1e6 / statistics.median(times)


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--mdanalysis", type=Path, help="Python of an environment with MDAnalysis")
    options = parser.parse_args()
    functions: dict[str, Callable[[Path], int]] = {"core_parser": core_parser, "reader": reader}
    result: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for n_atoms in (128, 8192):
            path = Path(folder) / f"{n_atoms}.dump"
            write_dump(path, n_atoms, options.megabytes)
            row = {name: round(speed(f, path, options.repeats), 1) for name, f in functions.items()}
            if options.mdanalysis is not None:
                frames, seconds = mdanalysis(options.mdanalysis, path)
                if frames != reader(path):
                    raise SystemExit(f"MDAnalysis read {frames} frames, expected {reader(path)}")
                row["mdanalysis"] = round(path.stat().st_size / 1e6 / seconds, 2)
                # once more, right after it
                row["reader_over_mdanalysis"] = round(speed(reader, path, 1) / row["mdanalysis"], 1)
            result[f"{n_atoms}_atoms_mb_per_s"] = row
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
