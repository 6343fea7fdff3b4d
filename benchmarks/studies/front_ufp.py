"""Accuracy against cost of two- and three-body potentials on the reference set; JSON and markdown.

    python benchmarks/studies/front_ufp.py OUT.json OUT.md [--reference FILE ...] [--only NAME ...] [--times]

Every form is fitted with five folds of blocks of 400 steps. Cost: coefficients, pairs and triplets per atom
that are inside the cutoffs, and the CPU time per atom and step of `pair_style ufp` on 128 atoms of β-Li3PS4
at 600 K, neighbour lists included, least of five. Errors are held-out, in % of the force RMS of each run;
`fit` is the error of the fit to all frames at 900 K, which no more data can beat. --times fits without folds
and prints times alone, with the ratio to lps_23body.uf3 in neighbouring runs.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from lpsnmr._core import neighbor_list
from lpsnmr.data import shipped_reference
from lpsnmr.potential import (
    BasisSettings,
    DataSet,
    FitSettings,
    Layout,
    PriorSettings,
    blocks_from_coefficients,
    fit_ufp,
    write_uf3,
)
from lpsnmr.reference import read_reference
from step_time import form_parser, require_one_core, time_form

PRIOR = PriorSettings(1.0, 0.1, 0.5, 0.3)
NO_LI = (("Li", "Li", 0.0), ("Li", "P", 0.0), ("Li", "S", 0.0), ("P", "Li", 0.0), ("P", "P", 0.0))
TRIPLES = {
    "S-P-S": ("S", "P", "S", 3.0, 5.0),
    "S-Li-P": ("S", "Li", "P", 4.0, 3.0),
    "S-Li-S": ("S", "Li", "S", 3.5, 4.0),
    "S-P-P": ("S", "P", "P", 3.5, 3.5),
    "S-S-S": ("S", "S", "S", 0.0, 0.0),
}
MELT = (("*1800*", 0.1), ("*2500", 0.1), ("*quench*", 0.1))
RUNS = (
    "b32_300",
    "b32_600",
    "b32_900",
    "g32_300",
    "g32_700",
    "b32_1200",
    "b32_1800",
    "b32_2500",
    "b32_quench",
)


def pairs_triplets(**changes):
    """Return the form of lps_23body.uf3 with other triples or options."""
    triples = {**TRIPLES, **changes.pop("triples", {})}
    options = {"two_body_cutoff": 5.0, "three_body_cutoffs": NO_LI, **changes}
    return BasisSettings(triple_cutoffs=tuple(triples.values()), **options)


SSS = {"S-S-S": ("S", "S", "S", 4.0, 4.0)}
FORMS = {
    "pairs, 6 Å": (BasisSettings(body_order=2), ()),
    "all triples, 3.5 Å": (BasisSettings(three_body_cutoff=3.5), ()),
    "all triples, 4.0 Å": (BasisSettings(), ()),
    "all triples, 4.5 Å": (BasisSettings(three_body_cutoff=4.5), ()),
    "form of lps_23body.uf3": (pairs_triplets(), ()),
    "the same, pairs to 8 Å": (pairs_triplets(two_body_cutoff=8.0), ()),
    "the same, pair knots 0.1 Å": (pairs_triplets(two_body_spacing=0.1), ()),
    "the same, P-S-S to 4.5 Å": (pairs_triplets(triples={"P-S-S": ("P", "S", "S", 4.5, 4.5)}), ()),
    "the same, S-Li-S to 5 Å": (pairs_triplets(triples={"S-Li-S": ("S", "Li", "S", 4.0, 5.0)}), ()),
    "the same, S-Li-Li to 5 Å": (pairs_triplets(triples={"S-Li-Li": ("S", "Li", "Li", 5.0, 5.0)}), ()),
    "the same, three-body knots 0.35 Å": (pairs_triplets(three_body_spacing=0.35), ()),
    "the same + S-S-S": (pairs_triplets(triples=SSS), ()),
    "the same, melts weigh 0.1": (pairs_triplets(), MELT),
    "the same, knots 0.35 Å, melts 0.1": (pairs_triplets(three_body_spacing=0.35), MELT),
    "the same + S-S-S, melts 0.1": (pairs_triplets(triples=SSS), MELT),
    "the same + S-S-S, knots 0.35 Å, melts 0.1": (pairs_triplets(triples=SSS, three_body_spacing=0.35), MELT),
}
"""Name: form, weights of runs."""


def count_terms(layout, atoms):
    """Return pairs and triplets per atom inside the cutoffs."""
    species = np.array(layout.species(atoms.get_chemical_symbols()))
    reach = float(layout.pair_knots[-1])
    first, index, vector, distance = neighbor_list(
        atoms.positions, atoms.cell.array, atoms.pbc.tolist(), reach
    )
    triplets = 0
    for i in range(len(atoms)):
        part = slice(first[i], first[i + 1])
        s, r, v = species[index[part]], distance[part], vector[part]
        for (a, b, c), (ij, ik, jk) in zip(layout.triples, layout.triple_knots, strict=True):
            if a != species[i]:
                continue
            left, right = np.flatnonzero((s == b) & (r < ij[-1])), np.flatnonzero((s == c) & (r < ik[-1]))
            apart = np.linalg.norm(v[left][:, None] - v[right][None], axis=2)
            n = int(((apart < jk[-1]) & (apart > 1e-9)).sum())
            triplets += n // 2 if b == c else n
    return len(distance) / len(atoms), triplets / len(atoms)


def microseconds(result, rounds=5):
    """Return the time of a step, µs per atom, and its ratio to that of lps_23body.uf3."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.uf3"
        write_uf3(path, blocks_from_coefficients(result.layout, result.coefficients))
        time = time_form(path, rounds)
    return time["microseconds"], time["ratio"]


def measure(basis, run_weights, frames, atoms):
    """Fit one form; return its errors and costs."""
    settings = FitSettings(
        basis, (PRIOR,), folds=5, steps_per_block=400, run_weights=run_weights, learning_curve=False
    )
    result = fit_ufp([DataSet(frames)], settings)
    pairs, triplets = count_terms(Layout.from_settings(basis), atoms)
    rows = {r.run: r for r in result.held_out}
    fitted = {r.run: r for r in result.training}
    return {
        "coefficients": result.fitted_columns,
        "pairs_per_atom": pairs,
        "triplets_per_atom": triplets,
        "microseconds_per_atom": microseconds(result)[0],
        "held_out": {k: r.as_dict() for k, r in rows.items()},
        "fit": {k: r.as_dict() for k, r in fitted.items()},
    }


def print_times(names, frames):
    """Print a table of the times of the forms."""
    print("| form | µs / atom | over lps_23body.uf3 |\n|---|---|---|")
    for name in names:
        basis, run_weights = FORMS[name]
        settings = FitSettings(basis, (PRIOR,), folds=0, run_weights=run_weights, learning_curve=False)
        time, ratio = microseconds(fit_ufp([DataSet(frames)], settings))
        print(f"| {name} | {time:.2f} | {ratio:.2f} |", flush=True)


def markdown(records):
    """Return the table."""
    head = ["form", "coefficients", "triplets / atom", "µs / atom", *RUNS, "fit, b32_900"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, r in records.items():
        cells = [
            name,
            f"{r['coefficients']}",
            f"{r['triplets_per_atom']:.0f}",
            f"{r['microseconds_per_atom']:.1f}",
        ]
        cells += [f"{r['held_out'][run]['force_percent_of_rms']:.1f}" for run in RUNS]
        cells.append(f"{r['fit']['b32_900']['force_percent_of_rms']:.1f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    """Measure every form; the files are written after each."""
    parser = form_parser(__doc__, FORMS)
    parser.add_argument(
        "--reference", nargs="*", default=shipped_reference(), help="default: the shipped frames"
    )
    parser.add_argument("--times", action="store_true", help="print times alone")
    args = parser.parse_args()
    require_one_core()
    frames = read_reference(args.reference, require=("energy", "forces"))
    atoms = next(f for f in frames if f.info["run"] == "b32_600").repeat((1, 1, 2))
    atoms.calc = None
    if args.times:
        print_times(args.only or list(FORMS), frames)
        return
    records = {}
    if args.json.exists():
        old = json.loads(args.json.read_text())
        records = old["forms"] if old["frames"] == len(frames) else {}
    for name in args.only or [n for n in FORMS if n not in records]:
        records[name] = measure(*FORMS[name], frames, atoms)
        args.json.write_text(json.dumps({"frames": len(frames), "forms": records}, indent=1) + "\n")
        args.markdown.write_text(markdown(records))
        print(markdown({name: records[name]}).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
