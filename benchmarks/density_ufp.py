"""Accuracy against cost of density terms beside the shipped form of V2 and V3; JSON and markdown.

    python benchmarks/density_ufp.py OUT.json OUT.md [--data MORE.extxyz ...] [--only NAME ...] [--rounds 5]

Every form is fitted with five folds of blocks of 400 steps. Errors are held-out, in % of the force RMS of
each run; `fit` is the error of the fit to all frames at 900 K. Time: CPU time per atom and step of
`pair_style ufp` on 128 atoms of β-Li3PS4 at 600 K, NVE, neighbour lists included, least of the rounds, and
its ratio to that of the shipped potential in the same rounds.
"""

import argparse
import json
import os
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from front_ufp import MELT, PRIOR, RUNS, shipped
from step_time import time_form

from lpsnmr.potential import DataSet, DensityBlock, DensityChannel, FitSettings, fit_ufp, save_fit
from lpsnmr.reference import read_reference


def around_s(p=(5.0, 2, 2), li=(5.0, 2, 2), s=(5.0, 2, 2), orders=34):
    """Return terms around S: cutoff, functions and highest l of each neighbour."""
    return DensityBlock(
        "S",
        orders,
        (
            DensityChannel("P", *p, 1.7),
            DensityChannel("Li", *li, 1.9),
            DensityChannel("S", *s, 2.4),
        ),
    )


P = DensityBlock("P", 4, (DensityChannel("S", 5.0, 3, 1, 1.7), DensityChannel("Li", 5.0, 2, 1, 2.2)))
LI = DensityBlock("Li", 4, (DensityChannel("S", 4.5, 2, 1, 1.9), DensityChannel("Li", 5.0, 2, 1, 2.0)))
ONE = (5.0, 1, 2)
VECTOR = (5.0, 2, 1)
FORMS = {
    "none": (),
    "S: three-body, four functions to 6 Å": (around_s((6.0, 4, 2), (6.0, 4, 2), (6.0, 4, 2), 3),),
    "S: one function, l ≤ 2; P": (around_s(ONE, ONE, ONE), P),
    "S: two functions, l ≤ 1; P": (around_s(VECTOR, VECTOR, VECTOR), P),
    "S: two functions, l ≤ 2": (around_s(),),
    "S: two functions, l ≤ 2; P": (around_s(), P),
    "S: two functions, l ≤ 2; P, Li": (around_s(), P, LI),
}


def fit(density, run_weights, frames, path):
    """Fit one form, write it, return its record."""
    settings = FitSettings(
        shipped(density=density), (PRIOR,), folds=5, steps_per_block=400,
        run_weights=run_weights, learning_curve=False,
    )  # fmt: skip
    data = [DataSet(frames)]
    result = fit_ufp(data, settings)
    save_fit(path, result, settings, data, [[]], extrapolation=False)
    return {
        "terms": result.layout.density.columns if result.layout.density else 0,
        "held_out": {r.run: r.as_dict() for r in result.held_out},
        "fit": {r.run: r.as_dict() for r in result.training},
    }


def markdown(records):
    """Return the table."""
    head = ["terms", "melts", "number", "µs", "ratio", *RUNS, "fit, b32_900"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, r in records.items():
        form, _, weight = name.rpartition(", melts ")
        cells = [form, weight, f"{r['terms']}", f"{r['microseconds']:.2f}", f"{r['ratio']:.2f}"]
        cells += [f"{r['held_out'][run]['force_percent_of_rms']:.1f}" for run in RUNS]
        cells.append(f"{r['fit']['b32_900']['force_percent_of_rms']:.1f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    """Measure every form with melts weighing 1 and 0.1; the files are written after each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("json", type=Path)
    parser.add_argument("markdown", type=Path)
    parser.add_argument("--data", nargs="*", default=[], help="frames besides the shipped ones")
    parser.add_argument("--only", nargs="*", choices=list(FORMS), help="forms to measure")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1: times are of one core")
    path = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"
    frames = read_reference([str(path), *args.data], require=("energy", "forces"))
    records = {}
    for melts in (1.0, 0.1):
        weights = tuple((pattern, melts) for pattern, _ in MELT)
        for form in args.only or FORMS:
            name = f"{form}, melts {melts:g}"
            with tempfile.TemporaryDirectory() as folder:
                potential = Path(folder) / "form.uf3"
                records[name] = fit(FORMS[form], weights, frames, potential)
                records[name].update(time_form(potential, args.rounds))
            args.json.write_text(json.dumps({"frames": len(frames), "forms": records}, indent=1) + "\n")
            args.markdown.write_text(markdown(records))
            print(markdown({name: records[name]}).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
