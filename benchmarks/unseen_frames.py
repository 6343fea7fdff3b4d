"""Errors of the shipped models on labelled frames that no fit has seen; markdown to standard output.

    python benchmarks/unseen_frames.py [FRAMES.extxyz]

Default: the frames beside the reference set that are not merged yet. Per group of runs, the RMS errors of
forces and of EFG tensors at Li, in % of the RMS of the reference; then C(0) and C(t) of ω_Q (Σ Tr V(0)V(t),
every Li) along the run called "segment", predicted against reference.
"""

import sys
from importlib.resources import files

import ase.io
import numpy as np

from lpsnmr.efg import EfgModel
from lpsnmr.potential import Ufp
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2

LATER = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe_later.extxyz"
HOT = ("b32_1200", "b32_1800", "b32_2500", "b32_quench")


def group(frame):
    """Return what kind of frame it is."""
    run = frame.info["run"]
    if run.startswith("eos"):
        return "β at rest, strained"
    if "segment" in run:
        return "β 600 K, stretch of a new run"
    if run.startswith("ufp"):
        return "new runs, chosen by information"
    return "1200 K and hotter, runs of the set" if run in HOT else "crystals 300–900 K, runs of the set"


def percent(pairs):
    """Return the RMS of predicted minus reference over that of the reference, %."""
    wrong = np.concatenate([(p - r).ravel() for p, r in pairs])
    right = np.concatenate([r.ravel() for _, r in pairs])
    return 100 * np.sqrt((wrong**2).mean() / (right**2).mean())


def correlation(tensors, lag):
    """Return the mean of Tr V(0)V(t) over Li and origins; tensors (frames, Li, 3, 3)."""
    first, second = tensors[: len(tensors) - lag], tensors[lag:]
    return np.einsum("tnab,tnab->", first, second) / first.shape[0] / first.shape[1]


def main():
    """Print both tables."""
    frames = ase.io.read(sys.argv[1] if len(sys.argv) > 1 else str(LATER), ":")
    potential, model = Ufp(str(files("lpsnmr.data") / "models" / "lps.uf3")), EfgModel.default()
    forces, tensors, series = {}, {}, []
    for frame in sorted(frames, key=lambda f: (f.info["run"], int(f.info["run_step"]))):
        lithium = frame.numbers == 3
        reference = EFG_AU_V_PER_ANGSTROM2 * frame.arrays["efg"].reshape(-1, 3, 3)[lithium]
        predicted = model.predict(frame)
        forces.setdefault(group(frame), []).append((potential.predict(frame).forces, frame.get_forces()))
        tensors.setdefault(group(frame), []).append((predicted, reference))
        if "segment" in frame.info["run"]:
            series.append((int(frame.info["run_step"]), predicted, reference))
    print("| frames | number | forces, % | EFG at Li, % |\n|---|---|---|---|")
    for name in forces:
        print(
            f"| {name} | {len(forces[name])} | {percent(forces[name]):.1f} | {percent(tensors[name]):.1f} |"
        )
    steps, ours, theirs = (np.array(column) for column in zip(*series, strict=True))
    print(f"\nC(0), predicted over reference: {correlation(ours, 0) / correlation(theirs, 0):.3f}\n")
    print("| lag, steps | C(t)/C(0) predicted | reference |\n|---|---|---|")
    for lag in range(1, min(9, len(steps))):
        values = [correlation(v, lag) / correlation(v, 0) for v in (ours, theirs)]
        print(f"| {steps[lag] - steps[0]} | {values[0]:.3f} | {values[1]:.3f} |")


if __name__ == "__main__":
    main()
