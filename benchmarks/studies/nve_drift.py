"""How well NVE runs keep their energy: drift in meV per atom and ns over temperatures and time steps.

    python benchmarks/studies/nve_drift.py OUT [--ns 1] [--temperatures 300 600 900] [--timesteps 2 3]

Written are OUT.T.dt.json for each case, and OUT.json and OUT.md for all. The state is kept beside them
after every block, and the same command goes on where it stopped; --only 600 2 runs one case, so that
several can run side by side. Start: twice the temperature, half of which goes into the relaxed lattice;
then Langevin at the temperature for --equilibrate-ps; then NVE. Drift: slope of the total energy over
time, its standard error from how the means of ten stretches scatter about the line.
"""

import argparse
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lpsnmr.files.atomic import written_aside
from lpsnmr.md.follow import ROW, Followed, MdPlan, follow
from lpsnmr.structures import load_structure

STRETCHES = 10


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="path without suffix")
    parser.add_argument("--potential", type=Path, help="default: the shipped one")
    parser.add_argument("--repeat", type=int, nargs=3, default=[1, 2, 2], help="supercell of 32 atoms")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[300.0, 600.0, 900.0], help="K")
    parser.add_argument("--timesteps", type=float, nargs="+", default=[2.0, 3.0], help="fs")
    parser.add_argument("--ns", type=float, default=1.0, help="length of NVE, ns")
    parser.add_argument("--equilibrate-ps", type=float, default=20.0)
    parser.add_argument("--sample-ps", type=float, default=0.3, help="between samples of the energy")
    parser.add_argument("--block-ps", type=float, default=15.0, help="between writes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=float, nargs=2, metavar=("K", "FS"), help="run this case alone")
    return parser.parse_args()


def drift(ps: np.ndarray, mev_per_atom: np.ndarray) -> tuple[float, float, float]:
    """Return slope and its standard error (meV/atom/ns), and the rms about the line (meV/atom)."""
    ns = ps * 1e-3
    line = np.polyfit(ns, mev_per_atom, 1)
    rms = float(np.std(mev_per_atom - np.polyval(line, ns)))
    means = [
        (t.mean(), e.mean())
        for t, e in zip(np.array_split(ns, STRETCHES), np.array_split(mev_per_atom, STRETCHES), strict=True)
    ]
    t, e = np.array(means).T
    residual = e - np.polyval(np.polyfit(t, e, 1), t)
    error = np.sqrt((residual**2).sum() / (STRETCHES - 2) / ((t - t.mean()) ** 2).sum())
    return float(line[0]), float(error), rms


def summary(seen: Followed, settings: dict[str, Any]) -> dict[str, float]:
    """Condense the samples of one case."""
    ps, atoms = seen.column("time_ps"), len(seen.numbers)
    out = {
        "temperature_K": settings["temperature"],
        "timestep_fs": settings["timestep"],
        "atoms": atoms,
        "ns": float(ps[-1] * 1e-3),
        "mean_temperature_K": float(seen.column("Temp").mean()),
    }
    if len(ps) >= 3 * STRETCHES:
        slope, error, rms = drift(ps, seen.column("TotEng") / atoms * 1e3)
        out |= {
            "drift_meV_per_atom_ns": slope,
            "standard_error": error,
            "rms_meV_per_atom": rms,
            "drift_K_per_ns": slope / (3 * 8.617333e-2),  # kinetic and potential part alike
        }
    return out


def run_case(args: argparse.Namespace, potential: Path, temperature: float, timestep: float) -> None:
    """Run one case to its end and write its file."""
    path = args.out.with_name(f"{args.out.name}.{temperature:g}.{timestep:g}.json")
    settings = {
        "temperature": temperature,
        "timestep": timestep,
        "potential": potential.name,
        "repeat": list(args.repeat),
        "equilibrate_ps": args.equilibrate_ps,
        "sample_ps": args.sample_ps,
        "seed": args.seed,
    }
    plan = MdPlan(
        temperature, 1e3 * args.ns, ensemble="nve", equilibration_ps=args.equilibrate_ps,
        timestep_fs=timestep, sample_ps=args.sample_ps, seed=args.seed,
    )  # fmt: skip
    atoms = load_structure("beta-Li3PS4").repeat(args.repeat)
    per_block = max(1, round(args.block_ps / args.sample_ps))
    seen = follow(plan, atoms, potential, path.parent, path.stem, save_every=per_block)
    samples = seen.rows[:, [ROW.index(name) for name in ("time_ps", "Temp", "TotEng")]].tolist()
    write_json(path, {"settings": settings, "samples": samples, "summary": summary(seen, settings)})


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def write_all(args: argparse.Namespace) -> None:
    """Gather the cases that are there into OUT.json and OUT.md."""
    found = []
    for temperature in args.temperatures:
        for timestep in args.timesteps:
            path = args.out.with_name(f"{args.out.name}.{temperature:g}.{timestep:g}.json")
            if path.exists():
                found.append(json.loads(path.read_text())["summary"])
    write_json(args.out.with_name(args.out.name + ".json"), {"cases": found})
    heads = ["T / K", "step / fs", "atoms", "ns", "mean T / K", "drift / meV/atom/ns", "rms / meV/atom"]
    rows = []
    for c in found:
        slope = "–"
        if "drift_meV_per_atom_ns" in c:
            slope = f"{c['drift_meV_per_atom_ns']:+.3f} ± {c['standard_error']:.3f}"
        rms = f"{c['rms_meV_per_atom']:.3f}" if "rms_meV_per_atom" in c else "–"
        rows.append(
            [f"{c['temperature_K']:g}", f"{c['timestep_fs']:g}", str(c["atoms"]), f"{c['ns']:.3g}",
             f"{c['mean_temperature_K']:.0f}", slope, rms]
        )  # fmt: skip
    text = markdown_table(heads, rows)
    args.out.with_name(args.out.name + ".md").write_text(text)
    print(text)


def main() -> None:
    """Run what is asked for."""
    args = parse_arguments()
    shipped = Path(importlib.util.find_spec("lpsnmr").origin).parent / "data" / "models" / "lps.uf3"
    potential = (args.potential or shipped).resolve()
    cases = [(t, dt) for t in args.temperatures for dt in args.timesteps]
    for temperature, timestep in [tuple(args.only)] if args.only else cases:
        run_case(args, potential, temperature, timestep)
        write_all(args)


if __name__ == "__main__":
    main()
