"""Accuracy of featomic's λ = 2 equivariant power spectrum on the reference set, beside the EFG model's.

    python benchmarks/peers/compare_featomic.py PYTHON [--max-radial 5] [--max-angular 4] [--cutoff 6.0]

PYTHON can import featomic (its own environment). Ridge regression on its features of every Li, all frames
of the two files that the EFG model is fitted to, with the folds of whole runs and the weights of frames of
``lpsnmr fit-efg``; of nine strengths the one best on the held-out runs is taken. Prints held-out errors of
components in % of their RMS, markdown.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import ase.io
import numpy as np
import scipy.linalg

from lpsnmr.data import shipped_reference
from lpsnmr.efg.training import MOST_FOLDS, TrainingOptions
from lpsnmr.reference import blocks_by_run, phase_of, read_reference, split_blocks
from lpsnmr.reference.phases import order_of
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2

PEER = """
import sys
import ase.io
import featomic
import numpy as np
from featomic.clebsch_gordan import EquivariantPowerSpectrum
from metatensor import Labels
calculator = EquivariantPowerSpectrum(featomic.SphericalExpansion(
    cutoff={"radius": float(sys.argv[5]), "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
    density={"type": "Gaussian", "width": 0.3},
    basis={"type": "TensorProduct", "max_angular": int(sys.argv[4]),
           "radial": {"type": "Gto", "max_radial": int(sys.argv[3])}},
))
pairs = Labels(["o3_lambda", "o3_sigma"], np.array([[2, 1]]))
out = []
for atoms in ase.io.read(sys.argv[1], ":"):
    found = calculator.compute(atoms, selected_keys=pairs, neighbors_to_properties=True)
    out.append(found.block({"center_type": 3}).values.astype(np.float32))
np.save(sys.argv[2], np.concatenate(out))
"""
STRENGTHS = tuple(10.0**k for k in range(-9, 0))


def real_harmonics(tensors):
    """Return the components m = -2 … 2 of traceless tensors (n, 3, 3): (n, 5), of the same norm."""
    xx, yy, zz = (tensors[:, a, a] for a in range(3))
    xy, yz, xz = tensors[:, 0, 1], tensors[:, 1, 2], tensors[:, 0, 2]
    root = np.sqrt(2.0)
    return np.stack([root * xy, root * yz, np.sqrt(1.5) * zz, root * xz, (xx - yy) / root], axis=1)


def held_out(features, components, frame, folds, weights):
    """Return the held-out predictions (n, 5) of the strength with the least weighted error, and it."""
    found = np.zeros((len(STRENGTHS), *components.shape))
    sums = []
    for _, test in folds:
        x = features[np.isin(frame, test)].reshape(-1, features.shape[2])
        w = np.repeat(weights[frame[np.isin(frame, test)]], 5)
        y = components[np.isin(frame, test)].ravel()
        sums.append(((x * w[:, None]).T @ x, x.T @ (w * y)))
    for number, (_, test) in enumerate(folds):
        matrix, vector = (sum(s[k] for i, s in enumerate(sums) if i != number) for k in (0, 1))
        scale = np.trace(matrix) / len(matrix)
        other = np.isin(frame, test)
        for k, strength in enumerate(STRENGTHS):
            ridge = matrix + strength * scale * np.eye(len(matrix))
            found[k, other] = features[other] @ scipy.linalg.solve(ridge, vector, assume_a="pos")
    losses = [float((weights[frame, None] * (f - components) ** 2).sum()) for f in found]
    best = int(np.argmin(losses))
    return found[best], STRENGTHS[best]


def main():
    """Evaluate, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", help="a Python with featomic")
    parser.add_argument("--max-radial", type=int, default=5)
    parser.add_argument("--max-angular", type=int, default=4)
    parser.add_argument("--cutoff", type=float, default=6.0)
    args = parser.parse_args()
    frames = read_reference(shipped_reference()[:2], require=("efg",))
    with tempfile.TemporaryDirectory() as scratch:
        path, target = Path(scratch) / "frames.extxyz", Path(scratch) / "features.npy"
        plain = [ase.Atoms(f.symbols, f.positions, cell=f.cell, pbc=True) for f in frames]
        ase.io.write(path, plain)
        numbers = [str(v) for v in (args.max_radial, args.max_angular, args.cutoff)]
        subprocess.run([args.python, "-c", PEER, str(path), str(target), *numbers], check=True)
        features = np.load(target).astype(float)
    lithium = [f.numbers == 3 for f in frames]
    tensors = np.concatenate(
        [f.arrays["efg"].reshape(-1, 3, 3)[li] for f, li in zip(frames, lithium, strict=True)]
    )
    components = EFG_AU_V_PER_ANGSTROM2 * real_harmonics(tensors)
    frame = np.repeat(np.arange(len(frames)), [li.sum() for li in lithium])
    phases = np.array([order_of(phase_of(f)) for f in frames])
    weights = np.where(phases == "disordered", TrainingOptions().disordered_weight, 1.0)
    blocks = blocks_by_run(frames)
    folds = split_blocks(blocks, min(len(np.unique(blocks)), MOST_FOLDS), 0)
    predicted, strength = held_out(features, components, frame, folds, weights)
    print("| features | strength | all | crystals | disordered |\n|---|---|---|---|---|")
    parts = [np.ones(len(frame), dtype=bool), phases[frame] == "crystal", phases[frame] == "disordered"]
    rms = [
        100 * np.sqrt(((predicted - components)[p] ** 2).mean() / (components[p] ** 2).mean()) for p in parts
    ]
    print(f"| {features.shape[2]} | {strength:g} | " + " | ".join(f"{v:.1f}" for v in rms) + " |")


if __name__ == "__main__":
    main()
