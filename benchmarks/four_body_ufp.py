"""What products of neighbour densities on top of pairs and triples would give; an experiment, JSON out.

    python benchmarks/four_body_ufp.py OUT.json [--data MORE.extxyz ...] [--melts 0.1]

Around every atom i the neighbours of each element make moments of their splines,
    A_nl(i) = Σ_j B_n(r_ij) r̂_ij ⊗ … ⊗ r̂_ij (l times),  l = 0, 1, 2,
and the energy gets terms linear in the coefficients w of products of them:
    three-body at pair cost:  A_n0 A_m0,  A_n1·A_m1,  A_n2:A_m2
    four-body:                A_n0 A_m0 A_k0,  A_n0 (A_m1·A_k1),  A_n0 (A_m2:A_k2)
so that the fit stays linear. Everything is evaluated in NumPy on the reference set and fitted with five folds
of blocks of 400 steps beside the shipped form; columns are scaled to a force RMS of 1 eV/Å per unit
coefficient, and WIDTH is the width of their prior. Nothing here is shipped: `pair_style ufp` has no such
terms.

Cost per atom is given as counts: pairs inside the cutoffs times moment components (each is evaluated and
differentiated), and products.
"""

import argparse
import itertools
import json
import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from front_ufp import MELT, PRIOR, RUNS, shipped
from scipy.interpolate import BSpline

from lpsnmr._core import neighbor_list
from lpsnmr.potential import Layout, WeightSettings
from lpsnmr.potential.accumulate import weight_of
from lpsnmr.potential.errors_table import error_table
from lpsnmr.potential.normal import FrameRows, NormalEquations, frame_rows, row_weights, touched_columns
from lpsnmr.potential.prior import penalty, prior_mean
from lpsnmr.potential.solve import Prior, solve
from lpsnmr.reference import blocks_by_run, read_reference, run_name, split_blocks

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
# centre: neighbours (element, first knot, cutoff, functions, highest l); kinds of products
SHORT_S = ("S", [("P", 1.5, 3.5, 2, 1), ("Li", 1.5, 4.5, 2, 1), ("S", 1.5, 4.5, 2, 1)])
WIDE_S = ("S", [("P", 1.5, 5.0, 2, 2), ("Li", 1.5, 5.0, 2, 2), ("S", 1.5, 5.0, 2, 2)])
LONG_S = ("S", [("Li", 1.5, 6.0, 4, 2), ("P", 1.5, 6.0, 4, 2), ("S", 1.5, 6.0, 4, 2)])
ON_P = ("P", [("S", 1.5, 5.0, 3, 1), ("Li", 1.5, 5.0, 2, 1)])
ON_LI = ("Li", [("S", 1.5, 4.5, 2, 1), ("Li", 1.5, 5.0, 2, 1)])
EXTENSIONS = {
    "none": [],
    "three-body at pair cost, S, 6 Å": [(*LONG_S, "pairs")],
    "four-body, S, l ≤ 1, 4.5 Å": [(*SHORT_S, "triples")],
    "four-body, S, l ≤ 2, 5 Å": [(*WIDE_S, "triples")],
    "three-body S + four-body S, P, Li": [
        (*LONG_S, "pairs"), (*SHORT_S, "triples"), (*ON_P, "triples"), (*ON_LI, "triples"),
    ],
}  # fmt: skip
WIDTHS = (0.003, 0.01, 0.03, 0.1)


def monomials(order):
    """Return exponents of x, y, z and how often each stands in the full tensor."""
    powers = [(a, b, order - a - b) for a in range(order, -1, -1) for b in range(order - a, -1, -1)]
    times = [math.factorial(order) / math.prod(math.factorial(p) for p in e) for e in powers]
    return powers, np.array(times)


def radial(start, cutoff, count, r):
    """Return ``count`` clamped cubic B-splines that vanish at the cutoff, and their slopes."""
    inner = np.linspace(start, cutoff, count + 1)
    spline = BSpline(np.r_[[start] * 3, inner, [cutoff] * 3], np.eye(count + 3)[:, :count], 3)
    inside = np.clip(r, start, cutoff)
    return spline(inside), spline.derivative()(inside) * ((r > start) & (r < cutoff))[:, None]


def moments(frame, center, neighbours):
    """Return [(l, values (centres, m), derivatives (centres, m, 3 n + 6))] for all channels.

    Derivatives are with respect to the positions and to the six strains.
    """
    symbols = np.array(frame.get_chemical_symbols())
    atoms = np.flatnonzero(symbols == center)
    first, index, vector, distance = neighbor_list(
        frame.positions, frame.cell.array, frame.pbc.tolist(), max(x[2] for x in neighbours), atoms.tolist()
    )
    row = np.repeat(np.arange(len(atoms)), np.diff(first))
    out = []
    for element, start, cutoff, count, highest in neighbours:
        chosen = (symbols[index] == element) & (distance < cutoff)
        i, j, d, r = row[chosen], index[chosen], vector[chosen], distance[chosen]
        u = d / r[:, None]
        value, slope = radial(start, cutoff, count, r)
        for order in range(highest + 1):
            powers, _ = monomials(order)
            y = np.stack([np.prod(u ** np.array(e), axis=1) for e in powers], axis=1)
            dy = np.zeros((len(r), len(powers), 3))
            for q, e in enumerate(powers):
                for k in range(3):
                    if e[k]:
                        lower = np.array(e) - np.eye(3, dtype=int)[k]
                        dy[:, q, k] = e[k] * np.prod(u**lower, axis=1)
            dy = (dy - order * y[:, :, None] * u[:, None, :]) / r[:, None, None]
            for n in range(count):
                g = slope[:, n, None, None] * y[:, :, None] * u[:, None, :] + value[:, n, None, None] * dy
                total = np.zeros((len(atoms), len(powers)))
                np.add.at(total, i, value[:, n, None] * y)
                on = np.zeros((len(atoms), len(frame), len(powers), 3))
                np.add.at(on, (i, j), g)
                np.add.at(on, (i, atoms[i]), -g)
                strain = np.zeros((len(atoms), len(powers), 6))
                both = [0.5 * (g[:, :, a] * d[:, b, None] + g[:, :, b] * d[:, a, None]) for a, b in VOIGT]
                np.add.at(strain, i, np.stack(both, axis=-1))
                on = on.transpose(0, 2, 1, 3).reshape(len(atoms), len(powers), -1)
                out.append((order, total, np.concatenate([on, strain], axis=-1)))
    return out


def times(a, b):
    """Return the product of two (value, derivative)."""
    return a[0] * b[0], a[0][:, None] * b[1] + b[0][:, None] * a[1]


def invariants(channels, kind):
    """Return (value, derivative) of all products."""
    scalars = [(v[:, 0], d[:, 0]) for order, v, d in channels if order == 0]
    dots = []
    for order in (1, 2):
        weight = monomials(order)[1]
        for p, q in itertools.combinations_with_replacement([c for c in channels if c[0] == order], 2):
            value = np.einsum("im,im,m->i", p[1], q[1], weight)
            slope = np.einsum("im,imr,m->ir", p[1], q[2], weight)
            dots.append((value, slope + np.einsum("im,imr,m->ir", q[1], p[2], weight)))
    pairs = [times(a, b) for a, b in itertools.combinations_with_replacement(scalars, 2)]
    if kind == "pairs":
        return pairs + dots
    cubes = [
        times(scalars[c], times(scalars[a], scalars[b]))
        for a, b, c in itertools.combinations_with_replacement(range(len(scalars)), 3)
    ]
    return cubes + [times(a, b) for a, b in itertools.product(scalars, dots)]


def columns_of(frame, extension):
    """Return the design of an extension, (terms, 1 + 3 n + 6), as ``frame_rows`` orders it."""
    n, rows = len(frame), []
    for center, neighbours, kind in extension:
        for value, slope in invariants(moments(frame, center, neighbours), kind):
            total = slope.sum(axis=0)
            stress = total[3 * n :] / frame.get_volume()
            rows.append(np.concatenate([[value.sum() / n], -total[: 3 * n], stress]))
    return np.array(rows).reshape(-1, 1 + 3 * n + 6)


def cost(frame, extension):
    """Return moment components times pairs, and products, per atom."""
    symbols = np.array(frame.get_chemical_symbols())
    components, products = 0.0, 0
    for center, neighbours, kind in extension:
        atoms = np.flatnonzero(symbols == center)
        for element, _, cutoff, _, highest in neighbours:
            _, index, _, _ = neighbor_list(
                frame.positions, frame.cell.array, frame.pbc.tolist(), cutoff, atoms.tolist()
            )
            pairs = int((symbols[index] == element).sum())
            components += pairs * 4 * sum(len(monomials(order)[0]) for order in range(highest + 1))
        products += len(invariants(moments(frame, center, neighbours), kind)) * len(atoms)
    return {"components_per_atom": components / len(frame), "products_per_atom": products / len(frame)}


def evaluate(frames, base, columns, layout, extension, run_weights):
    """Fit with cross-validation for every width; return the force errors by run."""
    extra = [columns_of(f, extension) for f in frames]
    scale = np.sqrt(np.mean([(e[:, 1:-6] ** 2).mean(axis=1) for e in extra], axis=0))
    extra = [e[scale > 1e-8] / scale[scale > 1e-8, None] for e in extra]
    n, terms = len(columns), len(extra[0])
    rows = [
        FrameRows(np.concatenate([r.design[:n], e, r.design[n:]]), r.target, r.kind)
        for r, e in zip(base, extra, strict=True)
    ]
    fold = np.zeros(len(frames), dtype=int)
    for k, (_, held_out) in enumerate(split_blocks(blocks_by_run(frames, 400), 5)):
        fold[held_out] = k
    sums = [NormalEquations(n + terms + 3) for _ in range(5)]
    for r, f, k in zip(rows, frames, fold, strict=True):
        weight = row_weights(r.kind, WeightSettings(), weight_of(f, run_weights))
        sums[k].add(r.design * weight, r.target * weight)
    energy = float(np.mean([f.get_potential_energy() / len(f) for f in frames]))
    full = penalty(layout, PRIOR)[columns][:, columns]
    mean = np.concatenate([prior_mean(layout)[columns], np.zeros(terms), np.full(3, energy)])
    out = {}
    for width in WIDTHS if terms else WIDTHS[:1]:
        matrix = sp.block_diag([full, sp.identity(terms) / width**2, sp.identity(3) / 100.0], format="csr")
        errors, fitted = [None] * len(frames), None
        for left_out in [*range(5), None]:
            total = NormalEquations(n + terms + 3)
            for k, s in enumerate(sums):
                if k != left_out:
                    total += s
            c, _ = solve(total, Prior(matrix, mean))
            if left_out is None:
                fitted = [c @ r.design - r.target for r in rows]
            for k in np.flatnonzero(fold == left_out) if left_out is not None else ():
                errors[k] = c @ rows[k].design - rows[k].target
        plain = [FrameRows(np.empty((0, 0)), r.target, r.kind) for r in rows]
        names, none = [run_name(f) for f in frames], [None] * len(frames)
        out[str(width)] = {
            "held_out": {r.run: r.as_dict() for r in error_table(plain, errors, names, none)},
            "fit": {r.run: r.as_dict() for r in error_table(plain, fitted, names, none)},
        }
    return {"terms": terms, **cost(frames[0], extension), "widths": out}


def main():
    """Evaluate every extension; the file is written after each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("json", type=Path)
    parser.add_argument("--data", nargs="*", default=[], help="frames besides the shipped ones")
    parser.add_argument("--melts", type=float, default=1.0, help="weight of melts and quench")
    args = parser.parse_args()
    path = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"
    frames = read_reference([str(path), *args.data])
    layout = Layout.from_settings(shipped())
    columns = touched_columns(layout, frames)
    base = [frame_rows(layout, f, columns) for f in frames]
    weights = tuple((pattern, args.melts) for pattern, _ in MELT)
    records = {}
    for name, extension in EXTENSIONS.items():
        records[name] = evaluate(frames, base, columns, layout, extension, weights)
        args.json.write_text(json.dumps({"frames": len(frames), "forms": records}, indent=1) + "\n")
        for width, result in records[name]["widths"].items():
            percent = [result["held_out"][run]["force_percent_of_rms"] for run in RUNS]
            fit = result["fit"]["b32_900"]["force_percent_of_rms"]
            shape = {k: round(v, 1) for k, v in records[name].items() if k != "widths"}
            print(
                name,
                shape,
                "width",
                width,
                " ".join(f"{p:.1f}" for p in percent),
                f"fit {fit:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
