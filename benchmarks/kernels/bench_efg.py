"""Time of the shipped EFG model per Li and frame, beside featomic where it is installed; JSON out.

    python benchmarks/kernels/bench_efg.py [--output OUT.json] [--featomic PYTHON] [--scaling] [--lammps]

``--featomic`` names a Python that can import featomic (its own environment). The peer is then timed in turns
with our model, on the same structure: λ = 2 equivariant power spectrum, n = 6, l ≤ 4, 6 Å. It computes
every atom, so its time is divided by the number of atoms; it yields features, ours yields tensors. Both are
timed by the processor time of their process on one thread, which a busy machine disturbs less than a clock.

``--scaling`` times models of other cutoffs, numbers of functions, degrees and species. ``--lammps`` times
``compute efg/atom`` on one rank, search included: processor time of a run of ``pair_style zero`` with it,
less that without.
"""

import argparse
import dataclasses
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import ase.io
import numpy as np

from lpsnmr.efg import EfgModel, EfgSettings
from lpsnmr.efg.files import TargetPart
from lpsnmr.reference import read_reference
from lpsnmr.trajectory.data_file import write_data_file

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
    start = time.process_time()
    calculator.compute(atoms, selected_keys=pairs, neighbors_to_properties=True)
    return 1e6 * (time.process_time() - start)
compute()
for line in sys.stdin:
    print(json.dumps(compute()), flush=True)
"""


def structure(repeats):
    """Return a warm β-Li3PS4 cell of the reference set, repeated."""
    path = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"
    frame = next(f for f in read_reference(str(path)) if f.info["run"] == "b32_600")
    return frame.repeat(repeats)


def time_model(model, atoms, seconds=0.5, threads=1, clock=time.perf_counter):
    """Return microseconds per target of single calls over about ``seconds``."""
    targets = model.find_targets(atoms.numbers)
    arguments = (atoms.positions, atoms.cell.array, atoms.pbc.tolist(), atoms.numbers, targets, threads)
    model.predict_components(*arguments)
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = clock()
        model.predict_components(*arguments)
        times.append(1e6 * (clock() - start) / len(targets))
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
                ours.append(float(np.median(time_model(model, atoms, 0.2, clock=time.process_time))))
                peer.stdin.write("go\n")
                peer.stdin.flush()
                theirs.append(json.loads(peer.stdout.readline()) / len(atoms))
                ratios.append(theirs[-1] / ours[-1])
            peer.stdin.close()
    return {"lpsnmr": summary(ours), "featomic": summary(theirs), "median_ratio": float(np.median(ratios))}


SCALING = {
    "shipped": {},
    "pair cutoff 6 Å": {"pair": (6, 6.0)},
    "pair cutoff 7 Å": {"pair": (6, 7.0)},
    "chain cutoff 5.5 Å": {"chain": (2, 5.5)},
    "bridge cutoff 3.5 Å": {"bridge": (3, 3.5), "product": (1, 3.5)},
    "bridge cutoff 5 Å": {"bridge": (3, 5.0), "product": (1, 5.0)},
    "bridge n_max 6": {"bridge": (6, 4.0)},
    "product n_max 2": {"product": (2, 4.0)},
    "no product": {"product": (0, 4.0)},
    "l_max 2": {"bridge_l_max": 2, "product_l_max": 2, "product_degree_max": 2},
    "l_max 4": {"bridge_l_max": 4, "product_l_max": 4},
    "l_max 5": {"bridge_l_max": 5, "product_l_max": 5},
    "triple n_max 4, l_max 4": {"triple": (4, 4.0), "triple_l_max": 4},
    "no triple": {"triple": (0, 4.0)},
    "bridges P and S": {"bridges": (15, 16)},
    "no field": {"field_cutoff": 0.0},
    "field cutoff 6 Å": {"field_cutoff": 6.0},
    "field cutoff 7 Å": {"field_cutoff": 7.0},
    "field cutoff 10 Å": {"field_cutoff": 10.0},
    "constant charges": {"sources": ()},
}


def scaling():
    """Return the time of models with random weights, one thing changed at a time, and of six species."""
    results = {}
    for name, change in SCALING.items():
        results[name] = time_settings(dataclasses.replace(EfgSettings(), **change), structure((1, 2, 2)))
    atoms = structure((1, 2, 2))
    atoms.numbers[::2] += np.array([{3: 8, 15: 18, 16: 18}[z] for z in atoms.numbers[::2]])  # Na, As, Se
    six = dataclasses.replace(
        EfgSettings(), species=(3, 11, 15, 16, 33, 34), bridges=(16, 34), sources=(15, 16, 33, 34)
    )
    results["six species, two of them bridges"] = time_settings(six, atoms)
    return results


def time_settings(settings, atoms):
    """Time a model of given terms with random weights."""
    size = settings.basis().size
    n = len(settings.species)
    free = np.array([[0.0] * n, [0.0] * n, [1e9] * n])
    weights = np.random.default_rng(0).normal(size=size)
    part = TargetPart(weights, free, np.array([free] * len(settings.bridges)))
    times = summary(time_model(EfgModel(settings, {"Li": part}, {}), atoms, 0.3))
    return {"features": size, **times}


DECK = """units metal
atom_style atomic
read_data data.efg
pair_style zero 5.0
pair_coeff * *
neighbor 1.0 bin
neigh_modify every 5 delay 0 check yes
velocity all create 300 7
fix move all nve
{compute}
run {steps}
"""
COMPUTE = """compute efg all efg/atom {model} Li P S
fix use all ave/atom 1 1 1 c_efg[1]
"""


def time_lammps(model_path, repeats=(2, 3, 4), steps=200, rounds=3):
    """Return microseconds of processor time per Li and step of the compute, by rounds."""
    atoms = structure(repeats)
    lithium = int((atoms.numbers == 3).sum())
    lmp = Path(sys.executable).parent / "lmp"
    differences = []
    with tempfile.TemporaryDirectory() as folder:
        write_data_file(Path(folder) / "data.efg", atoms)
        for _ in range(rounds):
            seconds = []
            for compute in ("", COMPUTE.format(model=model_path)):
                (Path(folder) / "in.efg").write_text(DECK.format(compute=compute, steps=steps))
                done = subprocess.run(
                    [str(lmp), "-in", "in.efg"], cwd=folder, capture_output=True, text=True, timeout=300
                )
                if done.returncode:
                    raise SystemExit(done.stdout[-2000:] + done.stderr)
                loop = float(re.search(r"Loop time of (\S+)", done.stdout)[1])
                busy = float(re.search(r"(\S+)% CPU use", done.stdout)[1])
                seconds.append(loop * busy / 100.0)
            differences.append(1e6 * (seconds[1] - seconds[0]) / steps / lithium)
    return {"atoms": len(atoms), "steps": steps, **summary(differences)}


def main():
    """Run the benchmark and write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("bench_efg.json"))
    parser.add_argument("--model", type=Path, help="model file; the shipped one by default")
    parser.add_argument("--scaling", action="store_true", help="time other terms and species")
    parser.add_argument("--lammps", action="store_true", help="time compute efg/atom")
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
    if options.scaling:
        result["scaling"] = scaling()
    if options.lammps:
        shipped = files("lpsnmr.data") / "models" / "li3ps4_pbe.efg"
        path = options.model or shipped
        result["compute_efg_atom"] = [time_lammps(path, (1, 2, 2), 400), time_lammps(path)]
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
