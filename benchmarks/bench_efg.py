"""Time of the shipped EFG model per Li and frame, beside featomic where it is installed; JSON out.

    python benchmarks/bench_efg.py [--output bench_efg.json] [--featomic PYTHON]

``--featomic`` names a Python that can import featomic (its own environment). The peer is then timed in turns
with our model, on the same structure: λ = 2 equivariant power spectrum, n = 6, l ≤ 4, 6 Å. It computes
every atom, so its time is divided by the number of atoms; it yields features, ours yields tensors.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import ase.io
import numpy as np

from lpsnmr.efg import EfgModel
from lpsnmr.reference import read_reference

PEER = """
import json, sys, time
import ase.io
import featomic
import numpy as np
from featomic.clebsch_gordan import EquivariantPowerSpectrum
from metatensor import Labels
atoms = ase.io.read(sys.argv[1])
calculator = EquivariantPowerSpectrum(featomic.SphericalExpansion(
    cutoff={"radius": 6.0, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
    density={"type": "Gaussian", "width": 0.3},
    basis={"type": "TensorProduct", "max_angular": 4, "radial": {"type": "Gto", "max_radial": 5}},
))
pairs = Labels(["o3_lambda", "o3_sigma"], np.array([[2, 1]]))
def compute():
    start = time.perf_counter()
    calculator.compute(atoms, selected_keys=pairs, neighbors_to_properties=True)
    return 1e6 * (time.perf_counter() - start)
compute()
for line in sys.stdin:
    print(json.dumps(compute()), flush=True)
"""


def structure(repeats):
    """Return a warm β-Li3PS4 cell of the reference set, repeated."""
    path = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"
    frame = next(f for f in read_reference(str(path)) if f.info["run"] == "b32_600")
    return frame.repeat(repeats)


def time_model(model, atoms, seconds=0.5, threads=1):
    """Return microseconds per target of single calls over about ``seconds``."""
    targets = model.find_targets(atoms.numbers)
    arguments = (atoms.positions, atoms.cell.array, atoms.pbc.tolist(), atoms.numbers, targets, threads)
    model.predict_components(*arguments)
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        model.predict_components(*arguments)
        times.append(1e6 * (time.perf_counter() - start) / len(targets))
    return times


def summary(times):
    """Return the fastest, the median and the number of timings."""
    return {"fastest_us": min(times), "median_us": float(np.median(times)), "timings": len(times)}


def paired(model, python, rounds=8):
    """Time our model and featomic in turns; return both and the median of the ratios."""
    atoms = structure((1, 1, 2))
    ours, theirs, ratios = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.extxyz"
        plain = atoms.copy()
        plain.arrays.pop("efg")
        ase.io.write(path, plain)
        with subprocess.Popen(
            [python, "-c", PEER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"},
        ) as peer:
            for _ in range(rounds):
                ours.append(float(np.median(time_model(model, atoms, 0.2))))
                peer.stdin.write("go\n")
                peer.stdin.flush()
                theirs.append(json.loads(peer.stdout.readline()) / len(atoms))
                ratios.append(theirs[-1] / ours[-1])
            peer.stdin.close()
    return {"lpsnmr": summary(ours), "featomic": summary(theirs), "median_ratio": float(np.median(ratios))}


def main():
    """Run the benchmark and write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("bench_efg.json"))
    parser.add_argument("--model", type=Path, help="model file; the shipped one by default")
    parser.add_argument("--featomic", metavar="PYTHON", help="a Python that can import featomic")
    options = parser.parse_args()
    model = EfgModel.load(options.model) if options.model else EfgModel.default()
    cells = {
        len(atoms): summary(time_model(model, atoms))
        for atoms in map(structure, [(1, 1, 1), (1, 2, 2), (2, 3, 4)])
    }
    result = {
        "what": "EFG prediction per Li and frame, one core, neighbour search and flags included",
        "machine": platform.processor() or platform.machine(),
        "load": os.getloadavg(),
        "model_sha256": model.sha256,
        "features": len(model.targets["Li"].weights),
        "by_number_of_atoms": cells,
        "two_threads_768_atoms": summary(time_model(model, structure((2, 3, 4)), threads=2)),
    }
    if options.featomic:
        result["paired"] = paired(model, options.featomic)
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
