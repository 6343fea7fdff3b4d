"""Learn the difference between two sets of labels from few frames, and carry it over to all frames.

    python benchmarks/studies/label_difference.py topbesol --other LPS_GPAW_PBESOL.extxyz
    python benchmarks/studies/label_difference.py d4smooth --term d4 --highest-c6 10

The difference (other minus PBE, or a dispersion correction) of energy, forces and stress is fitted by pairs
and a few triples with zero as the prior. Its error is measured with whole runs held out. OUT.uf3 is that fit,
OUT.json the errors, OUT.extxyz all reference frames with the fitted difference added to their labels. The two
files of lpsnmr/data/terms are made so; docs/howto/label.md says what for.

With --highest-c6 the frames in which D4 gives any Li a larger C6 are left out of a fit to its correction: the
fit then has none of its steps at Li (docs/howto/label.md).
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import Bohr

from lpsnmr.data import shipped_reference
from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.ridge import solve
from lpsnmr.potential import BasisSettings, Layout, PriorSettings, WeightSettings
from lpsnmr.potential.prior import build_prior
from lpsnmr.potential.rows import frame_rows, row_weights, touched_columns
from lpsnmr.potential.uf3_file import blocks_from_coefficients, write_uf3
from lpsnmr.reference import blocks_by_run, read_reference, split_blocks
from lpsnmr.reference.merge import structure_key
from lpsnmr.reference.terms import drop_terms, term_of
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

FORMS = {
    "pairs": BasisSettings(body_order=2, two_body_cutoff=6.0, two_body_spacing=0.5),
    "triples": BasisSettings(
        two_body_cutoff=6.0,
        two_body_spacing=0.5,
        three_body_cutoff=3.5,
        three_body_spacing=0.8,
        three_body_cutoffs=(("Li", "Li", 0.0), ("Li", "P", 0.0), ("P", "Li", 0.0), ("P", "P", 0.0)),
        triple_cutoffs=(("S", "S", "S", 0.0, 0.0), ("S", "P", "P", 0.0, 0.0), ("S", "Li", "Li", 0.0, 0.0)),
    ),
}
WEIGHTS = WeightSettings(0.0003, 0.01, 0.02)
PRIOR = PriorSettings(0.3, 0.1, 0.1, 0.1)
LITHIUM = 3
KINDS = {"energy_meV_per_atom": 1e3, "force_eV_per_angstrom": 1.0, "stress_GPa": EV_PER_ANGSTROM3_GPA}


@dataclass
class Difference:
    """A fit to differences of labels: one coefficient per column, reference energies last."""

    layout: Layout
    columns: np.ndarray
    solution: np.ndarray

    def write(self, path, comments):
        """Write the pairs and triples as a potential; reference energies are left out."""
        full = np.zeros(self.layout.columns)
        full[self.columns] = self.solution[: len(self.columns)]
        write_uf3(path, blocks_from_coefficients(self.layout, full), comments)

    def of(self, frame):
        """Return energy (eV), forces and stress of a frame."""
        design = frame_rows(self.layout, frame, self.columns).design
        values, n = design.T @ self.solution, len(frame)
        return values[0] * n, values[1 : 1 + 3 * n].reshape(n, 3), values[1 + 3 * n :]


def with_labels(frame, energy, forces, stress):
    """Return a copy of a frame with other labels and no corrections."""
    out = frame.copy()
    drop_terms(out)
    out.calc = SinglePointCalculator(out, energy=float(energy), forces=forces, stress=stress)
    return out


def lithium_c6(frame):
    """Return the C6 that D4 gives every Li, a.u."""
    from dftd4.interface import DispersionModel

    model = DispersionModel(
        frame.numbers, frame.positions / Bohr, 0.0, frame.cell.array / Bohr, np.ones(3, dtype=bool)
    )
    return np.diag(model.get_properties()["c6 coefficients"])[frame.numbers == LITHIUM]


def differences(args, frames):
    """Return the frames whose labels are the difference."""
    out = []
    if args.term:
        for frame in frames:
            if args.highest_c6 and lithium_c6(frame).max() > args.highest_c6:
                continue
            term = term_of(frame, args.term)
            out.append(with_labels(frame, term.energy, term.forces, term.stress))
        return out
    known = {structure_key(f): f.calc.results for f in frames}
    for frame in read_reference(args.other, require=("energy", "forces", "stress")):
        base, own = known[structure_key(frame)], frame.calc.results
        parts = [np.asarray(own[k]) - np.asarray(base[k]) for k in ("energy", "forces", "stress")]
        out.append(with_labels(frame, *parts))
    return out


def fit(layout, columns, sums):
    """Return the solution with zero as the prior mean of all but the reference energy."""
    energy = float(np.mean([t for s in sums for t in s[2]]))
    total = NormalEquations(len(columns) + len(layout.settings.elements))
    for design, target, _ in sums:
        total.add(design, target)
    prior = build_prior(layout, PRIOR, columns, [energy])
    prior.mean[: len(columns)] = 0.0  # not the repulsion of bare nuclei
    return solve(total, prior)[0]


def rms(values):
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def study(basis, frames):
    """Fit; return the difference of all frames and the errors with whole runs held out."""
    layout = Layout.from_settings(basis)
    columns = touched_columns(layout, frames)
    rows, sums = [frame_rows(layout, f, columns) for f in frames], []
    for r in rows:
        weight = row_weights(r.kind, WEIGHTS)
        sums.append((r.design * weight, r.target * weight, r.target[r.kind == 0]))
    errors = [[], [], []]
    for train, held_out in split_blocks(blocks_by_run(frames), 5):
        solution = fit(layout, columns, [sums[k] for k in train])
        for k in held_out:
            residual = rows[k].design.T @ solution - rows[k].target
            for kind in range(3):
                errors[kind].append(residual[rows[k].kind == kind])
    table = {}
    for kind, (name, unit) in enumerate(KINDS.items()):
        own = [r.target[r.kind == kind] for r in rows]
        mean = np.mean(np.concatenate(own)) if kind == 0 else 0.0
        table[name] = {
            "difference": unit * rms(np.concatenate(own) - mean),
            "held_out": unit * rms(np.concatenate(errors[kind])),
        }
    return Difference(layout, columns, fit(layout, columns, sums)), table


def main():
    """Study both forms; write the frames with the difference of the one that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--other", nargs="*", default=[], help="the same structures with other labels")
    parser.add_argument("--term", help="a dispersion correction of the reference")
    parser.add_argument("--highest-c6", type=float, help="a.u.")
    parser.add_argument("--reference", nargs="*", default=[str(p) for p in shipped_reference()])
    parser.add_argument("--form", choices=list(FORMS), default="triples")
    args = parser.parse_args()
    frames = read_reference(args.reference, require=("energy", "forces", "stress"))
    chosen = differences(args, frames)
    record = {"frames": len(chosen), "form": args.form, "forms": {}}
    fits = {}
    for name, basis in FORMS.items():
        fits[name], record["forms"][name] = study(basis, chosen)
        record["forms"][name]["coefficients"] = len(fits[name].columns)
    args.output.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))
    what = args.term or "other labels"
    comment = (
        f"{what} beside PBE, fitted to {len(chosen)} frames by label_difference.py; no reference energies"
    )
    fits[args.form].write(args.output.with_suffix(".uf3"), [comment])
    lifted = []
    for frame in frames:
        own, more = frame.calc.results, fits[args.form].of(frame)
        parts = [np.asarray(own[k]) + m for k, m in zip(("energy", "forces", "stress"), more, strict=True)]
        lifted.append(with_labels(frame, *parts))
        del lifted[-1].info["source"]
    ase.io.write(args.output.with_suffix(".extxyz"), lifted, format="extxyz")


if __name__ == "__main__":
    main()
