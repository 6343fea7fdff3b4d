"""The tables of a fit as Markdown, from its sidecar: errors by run and by phase, learning curve, spread.

    python benchmarks/tables/fit_tables.py NAME.json [--markdown docs/howto/fit-ufp.md]

With --markdown the tables between the marks of that page are replaced.
"""

import argparse
import json
from pathlib import Path

from lpsnmr.potential import ErrorRow
from lpsnmr.report.fit_phases import phase_rows
from marked_tables import show_tables


def error_rows(records):
    """Return the rows of a sidecar, without those it does not have the fields of."""
    names = set(ErrorRow.__dataclass_fields__)
    return [ErrorRow(**{k: v for k, v in r.items() if k in names}) for r in records]


def number(value, digits):
    """Return a number as text, a dash when there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def interval(ends, digits=0):
    """Return an interval as text, a dash when there is none."""
    return "–" if ends is None else f"{ends[0]:.{digits}f}–{ends[1]:.{digits}f}"


def by_run(record):
    """Held-out errors of each run, with the interval over blocks and the error of the fit itself."""
    fitted = {r.run: r for r in error_rows(record["training_errors"])}
    lines = [
        "| run | phase | frames | energy meV/atom | 95 % | force eV/Å | % of force rms | 95 % "
        "| in the fit, % | stress GPa | 95 % |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = [r for r in error_rows(record["held_out_errors"]) if r.run != "all"]
    rows.sort(key=lambda r: (r.phase_of_run, r.temperature_K or 0.0, r.run))
    for r in rows:
        lines.append(
            f"| `{r.run}` | {r.phase_of_run} | {r.frames} "
            f"| {r.energy_meV_per_atom:.1f} | {interval(r.energy_interval_meV_per_atom, 1)} "
            f"| {r.force_eV_per_angstrom:.3f} | {r.force_percent_of_rms:.1f} "
            f"| {interval(r.force_percent_interval)} | {fitted[r.run].force_percent_of_rms:.1f} "
            f"| {number(r.stress_GPa, 2)} | {interval(r.stress_interval_GPa, 2)} |"
        )
    return "\n".join(lines)


def by_phase(record):
    """Held-out errors of each phase, every frame counting the same."""
    lines = [
        "| phase | frames | energy meV/atom | force eV/Å | % of force rms | in the fit, % | stress GPa |",
        "|---|---|---|---|---|---|---|",
    ]
    fitted = {r.run: r for r in phase_rows(error_rows(record["training_errors"]))}
    for r in phase_rows(error_rows(record["held_out_errors"])):
        lines.append(
            f"| {r.run} | {r.frames} | {r.energy_meV_per_atom:.1f} | {r.force_eV_per_angstrom:.3f} "
            f"| {r.force_percent_of_rms:.1f} | {fitted[r.run].force_percent_of_rms:.1f} "
            f"| {number(r.stress_GPa, 2)} |"
        )
    return "\n".join(lines)


def learning(record):
    """Held-out force errors of each phase after fits to fewer frames."""
    points = [(p["training_frames"], phase_rows(error_rows(p["errors"]))) for p in record["learning_curve"]]
    last = phase_rows(error_rows(record["held_out_errors"]))
    folds = record["settings"]["folds"]
    total = record["data"][0]["frames"]
    if not any(abs(n - total * (1 - 1 / folds)) < 0.5 for n, _ in points):
        points.append((total * (1 - 1 / folds), last))
    names = [r.run for r in last]
    lines = ["| frames trained on | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for n, rows in sorted(points, key=lambda p: p[0]):
        values = {r.run: f"{r.force_percent_of_rms:.1f}" for r in rows}
        lines.append(f"| {n:.0f} | " + " | ".join(values.get(name, "–") for name in names) + " |")
    fitted = {r.run: r for r in phase_rows(error_rows(record["training_errors"]))}
    values = [f"{fitted[name].force_percent_of_rms:.1f}" for name in names]
    return "\n".join([*lines, f"| all {total}, in the fit | " + " | ".join(values) + " |"])


def main():
    """Print the tables, or put them into a page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sidecar", type=Path)
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    record = json.loads(args.sidecar.read_text(encoding="utf-8"))
    tables = {"runs": by_run(record), "phases": by_phase(record)}
    if record.get("learning_curve"):
        tables["learning"] = learning(record)
    show_tables(args.markdown, "fit_tables", tables)


if __name__ == "__main__":
    main()
