"""Show whether the extrapolation grade knows where a potential is wrong.

    python benchmarks/studies/bench_grade.py [--limit 900] [--out grade.json]
    python benchmarks/studies/bench_grade.py --shipped

Fits the shipped settings to every second frame of the runs up to --limit K and looks at the others:
frames of the same runs, and frames of hotter runs and of the quench, which the fit has not seen. For each
element: the median and largest grade of each set, how many atoms are beyond 1, and the rank correlation
(Spearman) of the grade with the true error of the force on the atom, over all atoms. With --shipped: the
largest grade of an atom in each reference frame, by the shipped potential; median and largest of each phase.
"""

import argparse
import importlib.util
import json
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from lpsnmr.active_learning import settings_of_potential
from lpsnmr.data import shipped_reference
from lpsnmr.potential import DataSet, Extrapolation, Ufp, fit_ufp, save_fit
from lpsnmr.reference import read_reference
from lpsnmr.reference.phases import phase_of_run

DATA = Path(importlib.util.find_spec("lpsnmr").origin).parent / "data"


def measure(potential: Path, frames: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return elements, grades and force errors (eV/Å) of all atoms of the frames."""
    ufp, extrapolation = Ufp(potential), Extrapolation(potential.with_suffix(".ufx"))
    numbers = np.concatenate([f.numbers for f in frames])
    grades = np.concatenate([extrapolation.grade(f) for f in frames])
    errors = [np.linalg.norm(ufp.predict(f).forces - f.calc.results["forces"], axis=1) for f in frames]
    return numbers, grades, np.concatenate(errors)


def print_shipped() -> None:
    """Print how the shipped potential grades the phases of its own training."""
    extrapolation = Extrapolation(DATA / "models" / "lps.ufx")
    found = defaultdict(list)
    for frame in read_reference(shipped_reference()):
        found[phase_of_run(frame.info["run"], frame.info["run_T"])].append(extrapolation.grade(frame).max())
    for phase, grades in found.items():
        print(f"{phase}: {len(grades)} frames, median {np.median(grades):.2f}, largest {max(grades):.2f}")


def main() -> None:
    """Fit, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--limit", type=float, default=900.0, help="hottest run that is fitted, K")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--shipped", action="store_true")
    args = parser.parse_args()
    if args.shipped:
        print_shipped()
        return
    frames = read_reference(DATA / "reference" / "lps_gpaw_pbe.extxyz", require=("energy", "forces"))
    cold = [f for f in frames if f.info.get("run_T", np.inf) <= args.limit and "quench" not in f.info["run"]]
    hot = [f for f in frames if not any(f is c for c in cold)]
    settings = settings_of_potential(DATA / "models" / "lps.uf3")
    data = [DataSet(cold[::2])]
    with tempfile.TemporaryDirectory() as folder:
        potential = Path(folder) / "half.uf3"
        save_fit(potential, fit_ufp(data, settings), settings, data, [[]])
        sets = {
            name: measure(potential, chosen)
            for name, chosen in (("fitted", cold[::2]), ("same runs", cold[1::2]), ("hotter", hot))
        }
    result = {}
    for element, number in (("Li", 3), ("P", 15), ("S", 16)):
        row: dict[str, object] = {}
        parts = []
        for name, (numbers, grades, errors) in sets.items():
            here = numbers == number
            parts.append((grades[here], errors[here]))
            row[name] = {
                "median_grade": round(float(np.median(grades[here])), 3),
                "largest_grade": round(float(grades[here].max()), 3),
                "beyond_1": int((grades[here] > 1).sum()),
                "atoms": int(here.sum()),
            }
        all_grades, all_errors = (np.concatenate(p) for p in zip(*parts, strict=True))
        row["rank_correlation_with_force_error"] = round(float(spearmanr(all_grades, all_errors)[0]), 3)
        result[element] = row
    text = json.dumps(result, indent=1)
    if args.out:
        args.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
