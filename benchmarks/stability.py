"""Does a potential keep the crystal? NVT (or NVE, NPT) MD in LAMMPS; every PS4 unit and every S is followed.

    python benchmarks/stability.py POTENTIAL.uf3 STRUCTURE.extxyz OUT.json --temperature 600 --ns 10

Writes OUT.json after every --save ps (whole or not at all) with a restart file beside it; the same
command, with a longer --ns too, goes on where it stopped. Each sample has: the fraction of P with exactly
four S within 2.8 Å, the fraction whose four S are the first ones, the longest of the bonds that are meant
to be, the mean square displacement of Li (framework drift removed), temperature, energies, pressure,
volume, and, when POTENTIAL.ufx is there, how far the atoms are outside of the training data. The summary
condenses the series and says when a unit was first broken.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase.geometry import get_distances
from long_runs import BAR_PER_GPA, grades, load, open_lammps, read_state, save, watch_extrapolation

BOND = 2.8  # Å, longest P-S bond


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("potential", type=Path)
    parser.add_argument("structure", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--repeat", type=int, nargs=3, default=[1, 1, 2], help="supercell")
    parser.add_argument("--temperature", type=float, default=600.0, help="K")
    parser.add_argument("--ns", type=float, default=0.05, help="length, ns")
    parser.add_argument("--timestep", type=float, default=2.0, help="fs")
    parser.add_argument("--block", type=float, default=2.0, help="ps between samples")
    parser.add_argument("--save", type=float, default=20.0, help="ps between writes")
    parser.add_argument("--ensemble", choices=("nvt", "nve", "npt"), default="nvt")
    parser.add_argument("--style", choices=("ufp", "uf3"), default="ufp")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the cell lengths")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def set_up(args: argparse.Namespace, lmp: Any, done: int) -> None:
    """Set velocities of a new run, thermostat and integrator."""
    t = args.temperature
    if args.ensemble == "npt":
        shape = "tri" if np.any(np.abs(lmp.extract_box()[2:5]) > 0) else "aniso"
        lmp.command(f"fix move all npt temp {t} {t} 0.1 {shape} 0.0 0.0 1.0")
    else:
        lmp.command("fix move all nve")
        if args.ensemble == "nvt":
            # another seed after each restart: the same noise again would not be noise
            lmp.command(f"fix bath all langevin {t} {t} 0.5 {args.seed + 7 + done} zero yes")
    if not done:
        # twice the temperature: half of it goes into the relaxed lattice's potential energy
        lmp.command(f"velocity all create {2 * t} {args.seed} mom yes rot no dist gaussian")


def bonds(positions: np.ndarray, cell: np.ndarray, p: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Return the (P, S) distances, Å."""
    return np.asarray(get_distances(positions[p], positions[s], cell=cell, pbc=True)[1])


def own_sulfur(distances: np.ndarray) -> list[list[int]]:
    """Return for each P the S within the bond length, as positions among the S."""
    return [np.flatnonzero(row < BOND).tolist() for row in distances]


class Watcher:
    """Turns the state of a run into samples."""

    def __init__(self, atoms: ase.Atoms) -> None:
        symbols = np.array(atoms.get_chemical_symbols())
        self.p, self.s, self.li = (np.flatnonzero(symbols == e) for e in ("P", "S", "Li"))
        self.frame = np.flatnonzero(symbols != "Li")

    def distances(self, lmp: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return unwrapped positions and (P, S) distances."""
        _, x, cell = read_state(lmp)
        return x, bonds(x, cell, self.p, self.s)

    def sample(self, lmp: Any, state: dict[str, Any], graded: bool) -> dict[str, Any]:
        """Return one sample."""
        x, distances = self.distances(lmp)
        now, own = own_sulfur(distances), state["own"]
        moved = x - np.array(state["start"])
        moved -= moved[self.frame].mean(axis=0)
        sample = {
            "ps": round((len(state["samples"]) + 1) * state["settings"]["block"], 9),
            "ps4_intact": float(np.mean([len(b) == 4 for b in now])),
            "own_sulfur": float(np.mean([b == o for b, o in zip(now, own, strict=True)])),
            "longest_own_bond": float(max(distances[k, o].max() for k, o in enumerate(own) if o)),
            "msd_li": float((moved[self.li] ** 2).sum(axis=1).mean()),
            "temperature": lmp.get_thermo("temp"),
            "pe": lmp.get_thermo("pe"),
            "etotal": lmp.get_thermo("etotal"),
            "pressure_GPa": lmp.get_thermo("press") / BAR_PER_GPA,
            "volume": lmp.get_thermo("vol"),
        }
        return sample | (grades(lmp) if graded else {})


def diffusion(times: list[float], msd: list[float]) -> float | None:
    """Return D in cm²/s from the slope of the second half of the MSD, one time origin."""
    if len(times) < 10:
        return None
    half = len(times) // 2
    return float(np.polyfit(times[half:], msd[half:], 1)[0] / 6 * 1e-4)


def summary(state: dict[str, Any]) -> dict[str, Any]:
    """Condense the samples."""
    rows = state["samples"]
    late = rows[len(rows) // 5 :]

    def mean(key: str) -> float:
        return float(np.mean([r[key] for r in late]))

    first_broken = next((r["ps"] for r in rows if r["ps4_intact"] < 1), None)
    first_exchange = next((r["ps"] for r in rows if r["own_sulfur"] < r["ps4_intact"]), None)
    out = {
        "ns": rows[-1]["ps"] * 1e-3,
        "steps_per_s": round(rows[-1]["ps"] * 1e3 / state["settings"]["timestep"] / state["seconds"], 1),
        "ps4_intact_min": min(r["ps4_intact"] for r in rows),
        "ps4_intact_mean": float(np.mean([r["ps4_intact"] for r in rows])),
        "own_sulfur_end": rows[-1]["own_sulfur"],
        "first_broken_ps": first_broken,
        "first_exchange_ps": first_exchange,
        "longest_own_bond_A": max(r["longest_own_bond"] for r in rows),
        "temperature_K": mean("temperature"),
        "pressure_GPa": mean("pressure_GPa"),
        "volume_A3": mean("volume"),
        "d_li_cm2_per_s": diffusion([r["ps"] for r in rows], [r["msd_li"] for r in rows]),
    }
    if "grade" in rows[0]:
        out["largest_grade"] = max(r["grade"] for r in rows)
        out["samples_beyond_training"] = sum(r["grade"] > 1 or r["excess_A"] > 0 for r in rows)
    if state["settings"]["ensemble"] == "nve" and len(late) > 3:
        slope = np.polyfit([r["ps"] * 1e-3 for r in late], [r["etotal"] for r in late], 1)[0]
        out["drift_meV_per_atom_ns"] = float(slope / state["atoms"] * 1e3)
    return out


def run(args: argparse.Namespace) -> None:
    """Run to the end, writing now and then."""
    atoms = ase.io.read(args.structure) * tuple(args.repeat)
    atoms.set_cell(atoms.cell * args.scale, scale_atoms=True)
    settings = {
        k: str(v) if isinstance(v, Path) else v
        for k, v in vars(args).items()
        if k not in ("out", "ns", "save")
    }
    state = load(args.out, settings)
    restart = args.out.with_name(state["restart"]) if state else None
    lmp = open_lammps(
        atoms, args.potential, args.out.with_suffix(".data"), restart, args.timestep, args.style
    )
    set_up(args, lmp, len(state["samples"]) if state else 0)
    graded = watch_extrapolation(lmp, args.potential, sorted(set(atoms.get_chemical_symbols())))
    watcher = Watcher(atoms)
    if state is None:
        lmp.command("run 0")
        x, distances = watcher.distances(lmp)
        state = {
            "settings": settings,
            "atoms": len(atoms),
            "start": x.tolist(),
            "own": own_sulfur(distances),
            "samples": [],
            "seconds": 0.0,
        }
    steps = round(args.block * 1e3 / args.timestep)
    per_save = max(1, round(args.save / args.block))
    blocks = round(args.ns * 1e3 / args.block)
    while len(state["samples"]) < blocks:
        for _ in range(min(per_save, blocks - len(state["samples"]))):
            clock = time.perf_counter()
            lmp.command(f"run {steps} post no")
            state["seconds"] += time.perf_counter() - clock
            state["samples"].append(watcher.sample(lmp, state, graded))
        state["summary"] = summary(state)
        save(lmp, args.out, state)
        if not np.isfinite(state["samples"][-1]["pe"]):
            break
    print(json.dumps(state["summary"]))


if __name__ == "__main__":
    run(parse_arguments())
