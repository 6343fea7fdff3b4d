"""Does a potential keep the crystal? NVT (or NVE) MD in LAMMPS; every PS4 unit and every S is followed.

    python benchmarks/studies/stability.py POTENTIAL.uf3 STRUCTURE OUT.json --temperature 600 --ns 1

STRUCTURE is a file or the name of a shipped crystal. The state is kept beside OUT.json and the same command
goes on where it stopped. Quantities: fraction of P with exactly four S within 2.8 Å and the fraction whose
four S are the first ones, total-energy drift (--ensemble nve), mean pressure, cell volume (npt), D of Li
(framework drift removed), and the strongest reflection of P at the end, beside that of P at random (is a
glass still one?). `lpsnmr validate-ufp` does this and more; here one run can be shaped freely.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from lpsnmr.md.follow import ROW, MdPlan, follow
from lpsnmr.structures import load_structure, supercell
from lpsnmr.structures.disorder import crystal_peak
from lpsnmr.validation.dynamic import diffusion_of


def parse_arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("potential", type=Path)
    parser.add_argument("structure")
    parser.add_argument("out", type=Path)
    parser.add_argument("--repeat", type=int, nargs=3, default=(1, 1, 2), help="supercell")
    parser.add_argument("--temperature", type=float, default=600.0, help="K")
    parser.add_argument("--ns", type=float, default=0.05, help="length, ns")
    parser.add_argument("--timestep", type=float, default=2.0, help="fs")
    parser.add_argument("--block", type=float, default=2.0, help="ps between samples")
    parser.add_argument("--ensemble", choices=("nvt", "nve", "npt"), default="nvt")
    parser.add_argument("--style", default="ufp 3", help="pair style with its arguments")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the cell lengths")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    """Run to the end and write the summary and the samples."""
    args = parse_arguments()
    atoms = supercell(load_structure(args.structure), tuple(args.repeat))
    atoms.set_cell(atoms.cell * args.scale, scale_atoms=True)
    plan = MdPlan(
        args.temperature, 1e3 * args.ns, ensemble=args.ensemble, timestep_fs=args.timestep,
        sample_ps=args.block, seed=args.seed, style=args.style,
    )  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    seen = follow(plan, atoms, args.potential, args.out.parent, args.out.stem)
    late = seen.rows[len(seen.rows) // 5 :].mean(axis=0)
    diffusion = diffusion_of(seen)
    d = diffusion.diffusion_cm2_s
    phosphorus = seen.last.positions[seen.last.numbers == 15]
    reflections = crystal_peak(phosphorus, seen.last.cell.array) if len(phosphorus) else (None, None)
    summary = {
        "ns": seen.rows[-1, 0] * 1e-3,
        "ps4_intact_min": seen.column("intact").min(),
        "ps4_intact_mean": seen.column("intact").mean(),
        "own_sulfur_end": seen.column("own_sulfur")[-1],
        "temperature_K": late[ROW.index("Temp")],
        "pressure_GPa": late[ROW.index("Press")] * 1e-4,
        "volume_A3": late[ROW.index("Volume")],
        "d_li_cm2_per_s": None if d is None else [d.value, d.low, d.high],
        "d_li_remark": diffusion.reason,
        "p_reflection_end": reflections[0],
        "p_reflection_random": reflections[1],
    }
    if args.ensemble == "nve" and len(seen.rows) > 3:
        slope = np.polyfit(seen.column("time_ps") * 1e-3, seen.column("TotEng"), 1)[0]
        summary["drift_meV_per_atom_ns"] = float(slope / len(atoms) * 1e3)
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()}
    record = {"settings": settings, "summary": summary, "columns": ROW, "samples": seen.rows.tolist()}
    args.out.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
