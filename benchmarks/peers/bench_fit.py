"""Featurisation and fit against the PyPI package uf3: same frames, cutoffs, knots; time and error; JSON.

    python benchmarks/peers/bench_fit.py --uf3 PYTHON [--train 9] [--test 9] [--output bench_fit.json]

``--uf3`` names a Python that can import uf3 (its own environment). Both run in turns as processes of their
own on one core, after a warm-up on one frame; start-up and imports are not counted, reading files neither.
Times are of the processor, which a busy machine disturbs least. Frames come from the shipped reference set,
the same number of every run: the earliest for training, the latest for testing. Energies and forces only:
uf3 does not fit stress. uf3 solves with its default regularisation and three wider ones, of which the one
with the smallest force error on the test set is compared with (which favours it); lpsnmr with its defaults.
The ratio counts one solve. uf3 needs about eleven seconds for each frame of 32 atoms.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import ase.io
import numpy as np

from lpsnmr.potential import BasisSettings, DataSet, FitSettings, WeightSettings, fit_ufp
from lpsnmr.potential.rows import frame_rows
from lpsnmr.reference import read_reference

BASIS = BasisSettings()  # 0.6–6.0 Å every 0.2 Å; all triples 1.0–4.0 Å (r_jk 8.0 Å) every 0.5 Å
PEER = """
import json, sys, time
import ase.io
import numpy as np
from uf3.data import composition, io
from uf3.regression import least_squares
from uf3.representation import bspline, process
elements, two, three, counts, folder = json.loads(sys.argv[1])
system = composition.ChemicalSystem(element_list=elements, degree=3)
r_min, r_max, resolution = {}, {}, {}
for pair in system.interactions_map[2]:
    r_min[pair], r_max[pair], resolution[pair] = two[0], two[1], two[2]
for triple in system.interactions_map[3]:
    r_min[triple] = [three[0]] * 3
    r_max[triple] = [three[1], three[1], 2 * three[1]]
    resolution[triple] = [three[2], three[2], three[3]]
basis = bspline.BSplineBasis(system, r_min_map=r_min, r_max_map=r_max, resolution_map=resolution,
                             leading_trim=0, trailing_trim=3)
featurizer = process.BasisFeaturizer(basis)
def features(name):
    coordinator = io.DataCoordinator()
    coordinator.dataframe_from_trajectory(folder + "/" + name, prefix="x")
    frame = coordinator.consolidate()
    start = time.process_time()
    table = featurizer.evaluate(frame, progress=None)
    return table, time.process_time() - start
features("warm.extxyz")
table, featurise = features("train.extxyz")
start = time.process_time()
x_e, y_e, x_f, y_f = least_squares.dataframe_to_tuples(table, n_elements=len(elements))
unpack = time.process_time() - start
test, _ = features("test.extxyz")
t_e, u_e, t_f, u_f = least_squares.dataframe_to_tuples(test, n_elements=len(elements))
out = []
for width in [None, 1e-2, 1e-1, 1.0]:
    extra = {} if width is None else dict(ridge_map={1: min(width, 1e-3), 2: width, 3: width},
                                          curvature_map={2: width, 3: width})
    start = time.process_time()
    model = least_squares.WeightedLinearModel(basis, regularizer=basis.get_regularization_matrix(**extra))
    try:
        model.fit(x_e, y_e, x_f, y_f, weight=0.5)
    except np.linalg.LinAlgError as error:
        out.append({"ridge_and_curvature": width, "failed": str(error)})
        continue
    solve = time.process_time() - start
    c = model.coefficients
    out.append({"ridge_and_curvature": width, "solve_s": unpack + solve,
                "energy_meV_per_atom": 1e3 * float(np.sqrt(np.mean((t_e @ c - u_e) ** 2))),
                "force_eV_per_angstrom": float(np.sqrt(np.mean((t_f @ c - u_f) ** 2)))})
columns = int(x_f.shape[1])
print(json.dumps({"featurise_s": featurise, "columns": columns, "fits": out}))
"""


def choose(train, test, wanted):
    """Return training and test frames of some runs (all when none is named)."""
    runs = defaultdict(list)
    path = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"
    for frame in read_reference(str(path)):
        if not wanted or frame.info["run"] in wanted:
            runs[frame.info["run"]].append(frame)
    first, last = [], []
    for frames in runs.values():
        frames.sort(key=lambda f: f.info["run_step"])
        first += frames[: train // len(runs)]
        last += frames[len(frames) - test // len(runs) :]
    return first, last


def write_plain(path, frames):
    """Write positions, energies and forces alone."""
    plain = []
    for f in frames:
        g = f.copy()
        g.info, g.arrays = {}, {k: g.arrays[k] for k in ("numbers", "positions")}
        g.info["energy"] = f.get_potential_energy()
        g.arrays["forces"] = f.get_forces()
        plain.append(g)
    ase.io.write(path, plain, format="extxyz")


def ours(train, test):
    """Fit without cross-validation; return times and test errors."""
    settings = FitSettings(BASIS, weights=WeightSettings(stress_gpa=np.inf), folds=0)
    start = time.process_time()
    result = fit_ufp([DataSet(train)], settings)
    seconds = time.process_time() - start
    c = np.append(result.coefficients, [result.reference_energies[e] for e in BASIS.elements])
    energy, force = [], []
    for frame in test:
        rows = frame_rows(result.layout, frame)
        error = c @ rows.design - rows.target
        energy.append(error[rows.kind == 0])
        force.append(error[rows.kind == 1])
    return {
        "fit_s": seconds,
        "columns": result.layout.columns,
        "energy_meV_per_atom": 1e3 * float(np.sqrt(np.mean(np.square(energy)))),
        "force_eV_per_angstrom": float(np.sqrt(np.mean(np.concatenate(force) ** 2))),
    }


def peer(python, folder):
    """Run uf3 in its environment."""
    knots = [(BASIS.two_body_start, BASIS.two_body_cutoff, BASIS.two_body_spacing)]
    start, cutoff, h = BASIS.three_body_start, BASIS.three_body_cutoff, BASIS.three_body_spacing
    two = [*knots[0][:2], round((knots[0][1] - knots[0][0]) / knots[0][2])]
    three = [start, cutoff, round((cutoff - start) / h), round((2 * cutoff - start) / h)]
    arguments = json.dumps([list(BASIS.elements), two, three, None, str(folder)])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, "-W", "ignore", "-c", PEER, arguments],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uf3", required=True, help="Python that has uf3")
    parser.add_argument("--runs", nargs="*", default=[], help="runs to take frames of; all by default")
    parser.add_argument("--train", type=int, default=9)
    parser.add_argument("--test", type=int, default=9)
    parser.add_argument("--output", type=Path, default=Path("bench_fit.json"))
    args = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 for a fair comparison on one core")
    train, test = choose(args.train, args.test, args.runs)
    with tempfile.TemporaryDirectory() as folder:
        for name, frames in (("warm", train[:1]), ("train", train), ("test", test)):
            write_plain(Path(folder) / f"{name}.extxyz", frames)
        ours(train[:2], test[:1])
        before = ours(train, test)
        theirs = peer(args.uf3, folder)
        after = ours(train, test)
    own = 0.5 * (before["fit_s"] + after["fit_s"])
    solved = [f for f in theirs["fits"] if "failed" not in f]
    best = min(solved, key=lambda f: f["force_eV_per_angstrom"])
    record = {
        "cpu": platform.processor() or platform.machine(),
        "train_frames": len(train),
        "test_frames": len(test),
        "test_force_rms": float(np.sqrt(np.mean([f.get_forces() ** 2 for f in test]))),
        "lpsnmr": {**before, "fit_s": own, "fit_s_each": [before["fit_s"], after["fit_s"]]},
        "uf3": {
            "featurise_s": theirs["featurise_s"],
            "columns": theirs["columns"],
            "default": theirs["fits"][0],
            "best_on_test": best,
            "all": theirs["fits"],
        },
        "time_ratio": (theirs["featurise_s"] + best["solve_s"]) / own,
    }
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
