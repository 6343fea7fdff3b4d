"""Does it pay to evaluate triplets less often than pairs? Speed and energy drift of r-RESPA against Verlet.

    python benchmarks/studies/bench_respa.py [--ns 0.1] [--temperature 600] > respa.md

The potential of two and three bodies, lps_23body.uf3, is split into its pairs and its triplets (a copy with
V2 = 0), joined again by `pair_style hybrid/overlay` and integrated with `run_style respa 2 2 hybrid 1 2`:
pairs every step, triplets every other.
β-Li3PS4, 128 atoms, one rank; 5 ps Langevin, then NVE.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from lpsnmr.structures import load_structure, supercell
from lpsnmr.trajectory.data_file import write_data_file

LMP = Path(sys.executable).parent / "lmp"
POTENTIAL = Path(importlib.util.find_spec("lpsnmr").origin).parent / "data" / "models" / "lps_23body.uf3"
WHOLE = f"pair_style ufp 3\npair_coeff * * {POTENTIAL} Li P S\n"
SPLIT = (
    "pair_style hybrid/overlay ufp 2 ufp 3\n"
    f"pair_coeff * * ufp 1 {POTENTIAL} Li P S\npair_coeff * * ufp 2 triplets.uf3 Li P S\n"
)
RESPA = "run_style respa 2 2 hybrid 1 2\n"
CASES = {
    "2 fs": (WHOLE, "", 2.0),
    "3 fs": (WHOLE, "", 3.0),
    "split, 2 fs": (SPLIT, "", 2.0),
    "pairs 2 fs, triplets 4 fs": (SPLIT, RESPA, 4.0),
    "pairs 3 fs, triplets 6 fs": (SPLIT, RESPA, 6.0),
}
DECK = """units metal
atom_style atomic
atom_modify map yes
read_data data.beta
{pair}neighbor 1.0 bin
neigh_modify every {every} delay 0 check yes
velocity all create {start} 4711
{style}timestep {step}
fix bath all langevin {temperature} {temperature} 0.2 5
fix move all nve
run {equilibration}
unfix bath
thermo_style custom step etotal temp
thermo {interval}
run {steps}
"""


def triplets_only(text: str) -> str:
    """Return the potential with all coefficients of V2 set to zero."""
    lines = text.splitlines()
    for k, line in enumerate(lines):
        if line.startswith("2B"):
            lines[k + 4] = " ".join("0" for _ in lines[k + 4].split())
    return "\n".join(lines) + "\n"


def run(folder: Path, case: tuple[str, str, float], temperature: float, ns: float) -> tuple[float, ...]:
    """Return drift (meV/atom/ns), scatter about the line (meV/atom), mean temperature (K) and ns per hour."""
    pair, style, femtoseconds = case
    step = femtoseconds * 1e-3
    deck = DECK.format(
        pair=pair, style=style, step=step, every=round(10.0 / femtoseconds), start=2 * temperature,
        temperature=temperature, equilibration=round(5.0 / step), interval=round(0.2 / step),
        steps=round(1000.0 * ns / step),
    )  # fmt: skip
    (folder / "in.respa").write_text(deck)
    done = subprocess.run(
        [str(LMP), "-in", "in.respa", "-log", "none", "-nocite"], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    table = done.stdout.split("TotEng")[-1].split("Loop time")[0].splitlines()[1:]
    rows = np.array([line.split() for line in table if len(line.split()) == 3], dtype=float)
    seconds, steps = re.findall(r"Loop time of (\S+) on .* for (\d+) steps", done.stdout)[-1]
    time_ns, energy = rows[:, 0] * step * 1e-3, 1e3 * rows[:, 1] / 128
    line = np.polyfit(time_ns, energy, 1)
    scatter = float(np.std(energy - np.polyval(line, time_ns)))
    return float(line[0]), scatter, float(rows[:, 2].mean()), int(steps) * step * 3.6 / float(seconds)


def main() -> None:
    """Run the cases and print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ns", type=float, default=0.1, help="length of NVE")
    parser.add_argument("--temperature", type=float, default=600.0, help="K")
    args = parser.parse_args()
    print("| integration | ns per hour | drift, meV/atom/ns | rms, meV/atom | mean T, K |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data_file(folder / "data.beta", supercell(load_structure("beta-Li3PS4"), (1, 2, 2)))
        (folder / "triplets.uf3").write_text(triplets_only(POTENTIAL.read_text()))
        for label, case in CASES.items():
            drift, scatter, kelvin, speed = run(folder, case, args.temperature, args.ns)
            print(f"| {label} | {speed:.0f} | {drift:+.2f} | {scatter:.3f} | {kelvin:.0f} |", flush=True)


if __name__ == "__main__":
    main()
