"""Time ``fit-ufp`` and ``fit-efg`` on the shipped frames with two versions of the package, in turns; JSON.

    python benchmarks/studies/bench_fits.py DATA DATA DATA DATA [--before PATH] [--after PATH] [--pairs 3]

``--before`` and ``--after`` are folders for ``PYTHONPATH`` that hold ``lpsnmr``; an empty word means what the
interpreter finds by itself. DATA are the frames that both fit. Each pair runs the one, then the other, and
the next pair the other way round, so that a machine that others use slows both alike. The potential is the
shipped one (options of ``examples/inputs/fit_lps.sh``), the EFG model the shipped one with its two reports.
Told are medians of wall and user time, those of the ratios, and whether the files have the same bytes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "inputs" / "fit_lps.sh"
COMPARED = {"fit-ufp": ("x.uf3", "x.ufd", "x.ufx", "x.json"), "fit-efg": ("x.efg", "x.fit.json")}


def commands(data):
    """Return the command of each fit."""
    efg = ["lpsnmr", "fit-efg", *data[:2], "-o", "x.efg", "--learning-curve", "--groups"]
    return {"fit-ufp": ["sh", str(SCRIPT), "x.uf3", *data], "fit-efg": efg}


def run(command, path, folder):
    """Return wall and user time (s) of a command with the processes it starts."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    if path:
        environment["PYTHONPATH"] = path
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return wall, after.ru_utime - before.ru_utime


def measure(name, command, paths, pairs):
    """Return the times of both versions, pair by pair."""
    times = {"before": [], "after": []}
    same = True
    for pair in range(pairs):
        folders = {version: tempfile.TemporaryDirectory() for version in times}
        for version in list(times)[:: 1 if pair % 2 == 0 else -1]:
            times[version].append(run(command, paths[version], folders[version].name))
            print(f"{name} {version}: wall {times[version][-1][0]:.1f} s, user {times[version][-1][1]:.1f} s")
        one, two = (Path(folders[version].name) for version in times)
        same &= all((one / file).read_bytes() == (two / file).read_bytes() for file in COMPARED[name])
        for folder in folders.values():
            folder.cleanup()
    median = {version: np.median(found, axis=0) for version, found in times.items()}
    ratios = np.array(times["before"]) / np.array(times["after"])
    return {
        **{
            version: {"wall_s": wall, "user_s": user, "each": times[version]}
            for version, (wall, user) in ((v, m.tolist()) for v, m in median.items())
        },
        "speed_up": dict(zip(("wall", "user"), np.median(ratios, axis=0).tolist(), strict=True)),
        "same_bytes": same,
    }


def main():
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs=4, help="the four shipped sets of frames, in the order of labelling")
    parser.add_argument("--before", default="", help="PYTHONPATH of the earlier version")
    parser.add_argument("--after", default="", help="PYTHONPATH of the later version")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("bench_fits.json"))
    args = parser.parse_args()
    paths = {"before": args.before, "after": args.after}
    record = {"load": os.getloadavg(), "cores": os.cpu_count()}
    data = [str(Path(name).resolve()) for name in args.data]
    for name, command in commands(data).items():
        record[name] = measure(name, command, paths, args.pairs)
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
