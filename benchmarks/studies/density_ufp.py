"""Accuracy against cost of density terms and triples on the reference set; JSON and markdown.

    python benchmarks/studies/density_ufp.py OUT.json OUT.md [--only NAME ...] [--rounds 5]

Every form is fitted with five folds of blocks of 400 steps and the options of examples/inputs/fit_lps.sh but
for what its row says. Errors are held-out, in % of the force RMS of each phase, energies in meV per atom of
the crystals up to 1000 K. Time: CPU time per atom and step of `pair_style ufp` on 128 atoms of β-Li3PS4 at
600 K, NVE, neighbour lists included, least of the rounds, and its ratio to that of lps_23body.uf3 in the same
rounds.
"""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

from front_ufp import PRIOR, pairs_triplets
from lpsnmr.data import shipped_reference
from lpsnmr.potential import (
    DataSet,
    DensityBlock,
    DensityChannel,
    FitSettings,
    WeightSettings,
    fit_ufp,
    save_fit,
)
from lpsnmr.reference import read_reference
from lpsnmr.report.fit_phases import phase_rows
from step_time import form_parser, require_one_core, time_form

PHASES = (
    "β crystal",
    "γ crystal",
    "β cell above 1000 K",
    "γ cell above 1000 K",
    "amorphous",
    "melt",
    "quench",
)
IN_FIT = {"β in the fit": "β crystal", "melt in the fit": "melt", "quench in the fit": "quench"}


def around_s(cutoff, functions, sulfur_from=2.4):
    """Return terms around S: cutoff and functions of every neighbour, where those of S begin."""
    starts = (("P", 1.7), ("Li", 1.9), ("S", sulfur_from))
    channels = tuple(DensityChannel(e, cutoff, functions, 2, r0) for e, r0 in starts)
    return DensityBlock("S", 34, channels)


def around_p(cutoff, functions):
    """Return terms around P: cutoff, functions of S and Li."""
    s, li = functions
    return DensityBlock(
        "P", 4, (DensityChannel("S", cutoff, s, 1, 1.7), DensityChannel("Li", cutoff, li, 1, 2.2))
    )


def without(*triples):
    """Return the triples of lps_23body.uf3 without some."""
    return {name: (*name.split("-"), 0.0, 0.0) for name in triples}


TRIPLES = {
    "all of lps_23body.uf3": {},
    "P-S-S, S-Li-P, S-P-S": without("S-Li-Li", "S-Li-S", "S-P-P"),
    "P-S-S, S-Li-P": without("S-Li-Li", "S-Li-S", "S-P-P", "S-P-S"),
    "P-S-S": without("S-Li-Li", "S-Li-S", "S-P-P", "S-P-S", "S-Li-P"),
    "none": without("S-Li-Li", "S-Li-S", "S-P-P", "S-P-S", "S-Li-P", "P-S-S"),
}
SIX = (around_s(6.0, 3), around_p(6.0, (3, 3)))
SHIPPED = "P-S-S, S-Li-P"
ALL = "all of lps_23body.uf3"
FORMS = {
    "no density terms": (ALL, (), 0.2),
    "S: 2 functions, P; 5 Å": (ALL, (around_s(5.0, 2), around_p(5.0, (3, 2))), 0.2),
    "S: 3 functions, P; 6 Å": (ALL, SIX, 0.2),
    "the same, fewer triples": ("P-S-S, S-Li-P, S-P-S", SIX, 0.2),
    "**shipped**": (SHIPPED, SIX, 0.2),
    "one triple": ("P-S-S", SIX, 0.2),
    "no triple": ("none", SIX, 0.2),
    "shipped, 5 Å": (SHIPPED, (around_s(5.0, 3), around_p(5.0, (3, 3))), 0.2),
    "shipped, S: 2 functions": (SHIPPED, (around_s(6.0, 2), around_p(6.0, (3, 3))), 0.2),
    "shipped, without P": (SHIPPED, SIX[:1], 0.2),
    "shipped, melts weigh 1": (SHIPPED, SIX, 1.0),
    "4 functions, S from 1.9 Å, melts weigh 1": (
        SHIPPED,
        (around_s(6.0, 4, 1.9), around_p(6.0, (4, 3))),
        1.0,
    ),
}
"""Name: triples, density terms, weight of melts and quench."""


def fit(triples, density, melts, frames, path):
    """Fit one form, write it, return its record."""
    settings = FitSettings(
        pairs_triplets(density=density, triples=TRIPLES[triples]),
        (replace(PRIOR, density=0.02),),
        weights=WeightSettings(energy_ev_per_atom=0.7e-3),
        folds=5,
        steps_per_block=400,
        run_weights=tuple(
            (pattern, melts) for pattern in ("*1800*", "*2500", "*quench*", "*melt*", "ufp_hot*")
        ),
        learning_curve=False,
    )
    data = [DataSet(frames)]
    result = fit_ufp(data, settings)
    save_fit(path, result, settings, data, [[]], extrapolation=False)
    return {
        "terms": result.layout.density.columns if result.layout.density else 0,
        "held_out": {r.run: r.as_dict() for r in phase_rows(result.held_out)},
        "fit": {r.run: r.as_dict() for r in phase_rows(result.training)},
    }


def markdown(records):
    """Return the table."""
    head = ["form", "triples", "terms", "µs", "ratio", *PHASES, "energy β", "γ", *IN_FIT]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, r in records.items():
        cells = [name, FORMS[name][0], f"{r['terms']}", f"{r['microseconds']:.2f}", f"{r['ratio']:.2f}"]
        cells += [f"{r['held_out'][phase]['force_percent_of_rms']:.1f}" for phase in PHASES]
        cells += [f"{r['held_out'][phase]['energy_meV_per_atom']:.1f}" for phase in PHASES[:2]]
        cells += [f"{r['fit'][phase]['force_percent_of_rms']:.1f}" for phase in IN_FIT.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    """Measure every form; the files are written after each."""
    parser = form_parser(__doc__, FORMS)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    require_one_core()
    frames = read_reference(shipped_reference(), require=("energy", "forces"))
    records = {}
    for name in args.only or FORMS:
        with tempfile.TemporaryDirectory() as folder:
            potential = Path(folder) / "form.uf3"
            records[name] = fit(*FORMS[name], frames, potential)
            records[name].update(time_form(potential, args.rounds))
        args.json.write_text(
            json.dumps({"frames": len(frames), "forms": records}, indent=1, ensure_ascii=False) + "\n"
        )
        args.markdown.write_text(markdown(records))
        print(markdown({name: records[name]}).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
