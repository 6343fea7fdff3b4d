"""Time of a step with a potential beside that with lps_23body.uf3; for the fronts of accuracy and cost."""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.kernels.bench_pair_ufp import BIN, HEAD, PAIRS_TRIPLETS, TAIL, Bench


def form_parser(description, forms):
    """Return the command line of a study of several forms: OUT.json, OUT.md and --only."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("json", type=Path)
    parser.add_argument("markdown", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(forms), help="forms to measure")
    return parser


def require_one_core():
    """End unless BLAS is held to one thread."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1: times are of one core")


def cpu_time(deck, folder):
    """Return the CPU time per atom and step of the last loop of a deck, µs."""
    (folder / "in.bench").write_text(deck)
    command = [BIN / "mpirun", "-np", "1", BIN / "lmp", "-in", "in.bench", "-log", "none", "-nocite"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [str(c) for c in command], cwd=folder, capture_output=True, text=True, timeout=600, env=environment
    )
    loops = re.findall(r"Loop time of (\S+) on \d+ procs for (\d+) steps with (\d+) atoms", done.stdout)
    share = re.findall(r"(\S+)% CPU use", done.stdout)
    if done.returncode or not loops:
        raise SystemExit(done.stdout + done.stderr)
    seconds, steps, atoms = loops[-1]
    return 1e4 * float(seconds) * float(share[-1]) / int(steps) / int(atoms)


def order(path):
    """Return the body order of a potential file."""
    return 3 if re.search(r"^3B\b", Path(path).read_text(encoding="utf-8"), re.MULTILINE) else 2


def time_form(path, rounds):
    """Return the least time of a potential and its median ratio to lps_23body.uf3 in neighbouring runs.

    Of ``pair_style ufp``, CPU time per atom and step on 128 atoms of β-Li3PS4 at 600 K, NVE, neighbour lists
    included; with the density terms that lie beside the file.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        beta = Bench(folder, PAIRS_TRIPLETS, rounds).beta(128)
        tail = TAIL.format(temperature=600.0, warm=20, steps=300, skin=1.0)
        beside = path.with_suffix(".ufd")
        names = f"{path} {beside}" if beside.exists() else f"{path}"
        times = []
        for _ in range(rounds):
            times.append(
                [
                    cpu_time(f"{HEAD}{beta}pair_style ufp {n}\npair_coeff * * {f} Li P S\n{tail}", folder)
                    for n, f in ((3, PAIRS_TRIPLETS), (3 if beside.exists() else order(path), names))
                ]
            )
    return {
        "microseconds": min(t[1] for t in times),
        "ratio": statistics.median(t[1] / t[0] for t in times),
    }
