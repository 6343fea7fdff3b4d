"""Do normal equations lose digits? The same fit by QR of the stacked rows, and the difference it makes.

    python benchmarks/studies/normal_equations.py [POTENTIAL.uf3] [--reference FILE] [--output OUT.json]

The potential's sidecar says how it was fitted. QR works on the weighted rows with the root of the penalty
below them, whose condition number is the root of that of the normal equations. No monotone core, which is
imposed on the solution of either. Memory is that of the whole design matrix.
"""

import argparse
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import scipy.linalg

from lpsnmr.active_learning import settings_of_potential
from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.ridge import solve
from lpsnmr.potential import Layout
from lpsnmr.potential.prior import build_prior
from lpsnmr.potential.rows import frame_rows, row_weights, touched_columns
from lpsnmr.reference import read_reference

DATA = files("lpsnmr.data")


def rms(values):
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def main():
    """Fit twice and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "potential", nargs="?", type=Path, default=Path(str(DATA / "models" / "lps_23body.uf3"))
    )
    parser.add_argument("--reference", default=str(DATA / "reference" / "lps_gpaw_pbe.extxyz"))
    parser.add_argument("--output", type=Path, default=Path("normal_equations.json"))
    args = parser.parse_args()
    settings = settings_of_potential(args.potential)
    basis, weights, prior_settings = settings.basis, settings.weights, settings.priors[0]
    layout = Layout.from_settings(basis)
    frames = read_reference(args.reference)
    columns = touched_columns(layout, frames)
    sums = NormalEquations(len(columns) + len(basis.elements))
    plain, weighted, target = [], [], []
    for frame in frames:
        rows = frame_rows(layout, frame, columns)
        weight = row_weights(rows.kind, weights)
        sums.add(rows.design * weight, rows.target * weight)
        plain.append(rows)
        weighted.append(rows.design * weight)
        target.append(rows.target * weight)
    energy = float(np.mean([f.get_potential_energy() / len(f) for f in frames]))
    prior = build_prior(layout, prior_settings, columns, [energy])
    by_sums, _ = solve(sums, prior)
    root = scipy.linalg.cholesky(prior.matrix.toarray())  # upper: root.T @ root is the penalty
    stacked = np.concatenate([np.concatenate(weighted, axis=1).T, root])
    right = np.concatenate([*target, root @ prior.mean])
    q, r = scipy.linalg.qr(stacked, mode="economic", overwrite_a=True)
    by_qr = scipy.linalg.solve_triangular(r, q.T @ right)
    difference = [(by_sums - by_qr) @ p.design for p in plain]
    record = {
        "frames": len(frames),
        "coefficients": len(columns),
        "condition_of_rows": float(np.linalg.cond(r)),
        "largest_coefficient_difference_eV": float(np.abs(by_sums - by_qr).max()),
        "energy_difference_meV_per_atom": 1e3
        * rms(np.concatenate([d[p.kind == 0] for d, p in zip(difference, plain, strict=True)])),
        "force_difference_eV_per_angstrom": rms(
            np.concatenate([d[p.kind == 1] for d, p in zip(difference, plain, strict=True)])
        ),
    }
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
