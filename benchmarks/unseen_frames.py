"""Errors of the shipped potential on labelled frames that its fit has not seen; markdown to standard output.

    python benchmarks/unseen_frames.py [FRAMES.extxyz ...]

Default: the frames beside the reference set that the potential was not fitted to. Per phase: RMS error of
energies (meV/atom) and of forces, in eV/Å and in % of the RMS of the reference.
"""

import json
import sys
from importlib.resources import files

import numpy as np

from lpsnmr.potential import Ufp
from lpsnmr.reference import read_reference
from lpsnmr.reference.data_card import PHASES, phase_of_run

LATER = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe_later.extxyz"


def rms(values):
    """Return the root mean square of all numbers of a list of arrays."""
    return float(np.sqrt(np.mean(np.square(np.concatenate([np.ravel(v) for v in values])))))


def main():
    """Print the table."""
    models = files("lpsnmr.data") / "models"
    potential = Ufp(str(models / "lps.uf3"))
    alone = json.loads((models / "lps.json").read_text())["reference_energies_eV"]
    errors = {}
    for path in sys.argv[1:] or [str(LATER)]:
        for frame in read_reference(path, require=("energy", "forces")):
            got, forces = potential.predict(frame), frame.get_forces()
            energy = got.energy + sum(alone[s] for s in frame.symbols) - frame.get_potential_energy()
            phase = phase_of_run(frame.info["run"], frame.info.get("run_T"))
            errors.setdefault(phase, []).append((1e3 * energy / len(frame), got.forces - forces, forces))
    print("| phase | frames | energy meV/atom | force eV/Å | % of force rms |\n|---|---|---|---|---|")
    for phase in PHASES:
        if phase in errors:
            energies, wrong, forces = zip(*errors[phase], strict=True)
            share = "–" if "at rest" in phase else f"{100 * rms(wrong) / rms(forces):.1f}"
            print(f"| {phase} | {len(forces)} | {rms(energies):.1f} | {rms(wrong):.3f} | {share} |")


if __name__ == "__main__":
    main()
