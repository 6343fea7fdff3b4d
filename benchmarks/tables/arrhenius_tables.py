"""The tables of several temperatures as Markdown, from what `lpsnmr analyze` writes.

    python benchmarks/tables/arrhenius_tables.py ANALYSIS.json [--markdown PAGE.md]

With --markdown the tables between the marks of that page are replaced.
"""

import argparse
import json
from pathlib import Path

from marked_tables import show_tables

ECHO_US, LARMOR_MHZ = 10.0, 116.6
LINES = ("Γ_NMR", "D", "Γ_D = 6D/a²", "Γ_jump (sites)", "Γ_jump (displacement)")


def cell(interval, scale=1.0, digits=3):
    """Return a value with its interval, to so many significant digits of the value."""
    if interval is None:
        return "not resolved"
    value, low, high = (interval[k] / scale for k in ("value", "low", "high"))
    places = max(0, digits - 1 - int(f"{value:e}".split("e")[1]))
    return f"{value:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def table(head, rows):
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def kelvin(run):
    """Return the temperature that was set."""
    return f"{run['target_temperature_k']:.0f}"


def rates(record):
    """Return decay of C(t), jump rates and diffusion."""
    head = [
        "T / K", "τ / ps", "γ", "τ_mean / ps", "Γ_NMR / 10⁹ s⁻¹", "Γ_jump, sites", "Γ_jump, displacement",
        "D / 10⁻⁶ cm² s⁻¹", "6D/a² / 10⁹ s⁻¹",
    ]  # fmt: skip
    rows = []
    for run in record["runs"]:
        decay, diffusion, motion = run["nmr_decay"], run["diffusion"], run["motion"]
        rows.append(
            [
                kelvin(run),
                cell(decay["tau_ps"]),
                cell(decay["gamma"], digits=2),
                cell(decay["tau_mean_ps"]),
                cell(decay["rate_per_s"], 1e9),
                cell(motion["jumps_sites"]["rate_per_s"], 1e9),
                cell(motion["jumps_displacement"]["rate_per_s"], 1e9),
                cell(diffusion["diffusion_cm2_s"], 1e-6),
                cell(diffusion["jump_rate_per_s"], 1e9),
            ]
        )
    return table(head, rows)


def transport(record):
    """Return collective diffusion and turns of PS4."""
    head = ["T / K", "Haven ratio", "σ / S cm⁻¹", "PS4 turns / 10⁶ s⁻¹"]
    rows = []
    for run in record["runs"]:
        collective = run["motion"]["collective_diffusion"]
        turns = run["motion"]["rotations_ps4"]
        rows.append(
            [
                kelvin(run),
                cell(collective["haven_ratio"], digits=2),
                cell(collective["conductivity_s_per_cm"]),
                cell(turns["rate_per_s"] if turns["resolved"] else None, 1e6),
            ]
        )
    return table(head, rows)


def energies(record):
    """Return the activation energies."""
    lines = record["arrhenius"]
    names = [name for name in LINES if name in lines]
    return table(
        ["", *names], [["E_a / eV", *(cell(lines[n]["activation_energy_ev"], digits=2) for n in names)]]
    )


def experiment(record):
    """Return what spin-alignment echoes and relaxation would show."""
    head = ["T / K", "τ_SAE(10 μs) / ps", "sites visited, t_p = 10 μs", "T1 at 116.6 MHz / s"]
    rows = []
    for run in record["runs"]:
        echo = next(e for e in run["nmr"]["echoes"] if e["evolution_time_us"] == ECHO_US)
        relaxation = next(r for r in run["nmr"]["relaxation"] if r["larmor_mhz"] == LARMOR_MHZ)
        rows.append(
            [
                kelvin(run),
                cell(echo["sine"]["tau_mean_ps"], digits=2),
                cell(echo["number_of_sites"], digits=2),
                cell(relaxation["t1_s"]),
            ]
        )
    return table(head, rows)


TABLES = {"rates": rates, "transport": transport, "energies": energies, "experiment": experiment}


def main():
    """Print the tables, or put them into the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("analysis", type=Path, help="analysis.json of several results")
    parser.add_argument("--markdown", type=Path, help="page whose tables are replaced")
    args = parser.parse_args()
    record = json.loads(args.analysis.read_text(encoding="utf-8"))
    made = {name: make(record) for name, make in TABLES.items()}
    show_tables(args.markdown, "arrhenius_tables", made)


if __name__ == "__main__":
    main()
