"""The report of a validation: text for the terminal, PNG, HTML."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lpsnmr.reference.phases import order_of, phase_of_run
from lpsnmr.report.pages import write_page

__all__ = ["summary_rows", "write_validation_report"]

CRYSTAL_LIMIT_K = 1000.0
"""Runs up to here count as crystals for the aims below, unless their name says otherwise."""
AIMS = {
    "crystal": 15.0, "hot": 25.0, "energy": 3.0, "stress": 0.3, "four": 0.95, "volume": 2.0, "axis": 3.0
}  # fmt: skip
"""Force errors in %, meV/atom, GPa, fraction of P with four S in the quenched melt, cells in %."""
COLORS = ("#1f5a99", "#c0392b")


def summary_rows(results: dict[str, dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Return (what, value, aim, verdict) for every figure that has an aim, and the others without."""
    rows: list[tuple[str, str, str, str]] = []
    for name, stage in ((n, s) for s in results for n in results[s]):
        result = results[stage][name]
        if "failed" in result:
            rows.append((name, str(result["failed"]), "to run", "FAILED"))
        elif stage == "errors":
            rows += _error_rows(result)
        elif stage == "crystal":
            rows += [
                (f"{c['name']}: volume against published", f"{c['volume_error_percent']:+.1f} %", "", "")
                for c in result["crystals"]
            ]
            rows += [row for curve in result["deformations"] for row in _curve_rows(curve)]
        elif stage == "cells":
            rows += _cell_rows(result)
        elif stage == "rdf":
            rows += [
                (f"{name}: g(r) of {pair}, difference (noise)", f"{v['difference']:.2f} ({v['noise']:.2f})",
                 "", "")
                for pair, v in result["pairs"].items() if pair in ("P-S", "Li-S")
            ]  # fmt: skip
        elif stage == "stability":
            whole = result["ps4_whole_least"]
            rows.append(
                (f"{result['temperature_k']:g} K, {result['ns']:g} ns: PS4 whole, least",
                 f"{100 * whole:.1f} %", "100 %", _verdict(whole == 1.0))
            )  # fmt: skip
            d = result["diffusion_cm2_per_s"]
            text = "not resolved" if d is None else f"{d[0]:.2g} [{d[1]:.2g}, {d[2]:.2g}] cm²/s"
            rows.append((f"{result['temperature_k']:g} K: D(Li)", text, "", ""))
        elif stage == "nve":
            rows.append(
                (f"{result['temperature_k']:g} K: drift in NVE",
                 f"{result['drift_meV_per_atom_ns']:+.2f} meV/atom/ns", "", "")
            )  # fmt: skip
        elif stage == "amorphous":
            four = result["p_with_four_sulfur"]
            peak, random = result["crystal_peak_of_p"], result["crystal_peak_at_random"]
            grown = "still a crystal" if result["melt_from"] == "crystal" else "crystallised"
            crystal = peak > 0.5 * (1.0 + random)
            rows.append(("quenched melt: P with four S", f"{100 * four:.0f} %", "≥ 95 %",
                         grown if crystal else _verdict(four >= AIMS["four"])))  # fmt: skip
            rows.append((f"quenched melt: P with the S of the {result['melt_from']} start",
                         f"{100 * result['p_with_sulfur_of_the_start']:.0f} %", "", ""))  # fmt: skip
            rows.append(("quenched melt: strongest reflection of P", f"{peak:.2f}",
                         f"random {random:.2f}, crystal 1", ""))  # fmt: skip
            rows.append(("quenched melt: S bridging two P, bonded to none; S on S per S",
                         f"{result['bridging_sulfur']}, {result['free_sulfur']}; "
                         f"{result['s_s_closer_than_2.4_A']:.2f}", "", ""))  # fmt: skip
            rows.append(("quenched melt: density", f"{result['density_g_per_cm3']:.2f} g/cm³",
                         f"crystal {result['crystal_density_g_per_cm3']:.2f}", ""))  # fmt: skip
        elif "activation_energy_eV" in result:
            e = result["activation_energy_eV"]
            rows.append(("activation energy of D", f"{e[0]:.2f} [{e[1]:.2f}, {e[2]:.2f}] eV", "", ""))
    return rows


def _cell_rows(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the rows of a cell at zero pressure against the published one."""
    where = f"{result['crystal']} {result['temperature_k']:g} K, {result['ps']:g} ps at zero pressure"
    value, low, high = result["volume_error_percent"]
    axes = [axis[0] for axis in result["length_error_percent"]]
    return [
        (f"{where}: volume against published", f"{value:+.2f} [{low:+.2f}, {high:+.2f}] %",
         f"within {AIMS['volume']:g} %", _verdict(abs(value) <= AIMS["volume"])),
        (f"{where}: axes against published", " ".join(f"{x:+.2f}" for x in axes) + " %",
         f"within {AIMS['axis']:g} %", _verdict(max(map(abs, axes)) <= AIMS["axis"])),
    ]  # fmt: skip


def _curve_rows(curve: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the rows of one equation of state against labelled cells."""
    run, error = curve["run"], curve["energy_error_meV_per_atom"]
    rows = [(f"{run}: energy curve, error", f"{error:.1f} meV/atom", "", "")]
    if "pressure_error_GPa" in curve:
        rows.append((f"{run}: pressure, error", f"{curve['pressure_error_GPa']:.2f} GPa", "", ""))
    ours, theirs = curve.get("potential"), curve.get("reference")
    if not ours or not theirs:
        return rows
    if ours["volume_A3"] is None or theirs["volume_A3"] is None:
        return [*rows, (f"{run}: minimum of both curves", "not within the volumes", "", "")]
    for what, key, unit in (("volume", "volume_A3", "Å³/atom"), ("bulk modulus", "bulk_modulus_GPa", "GPa")):
        off = 100 * (ours[key] / theirs[key] - 1)
        value = f"{ours[key]:.2f} {unit} ({off:+.1f} %)"
        rows.append((f"{run}: {what}", value, f"reference {theirs[key]:.2f}", ""))
    lengths = [" ".join(f"{x:.2f}" for x in side["lengths_A"]) for side in (ours, theirs)]
    return [*rows, (f"{run}: lattice constants", f"{lengths[0]} Å", f"reference {lengths[1]}", "")]


def _verdict(good: bool) -> str:
    return "met" if good else "NOT met"


def _error_rows(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the rows of the errors: held-out ones for frames of the fit, and those of the others."""
    if not (result["files_in_the_fit"] and result["held_out_errors"]):
        return _judged(result["errors"], "frames as given")
    held_out = _judged(result["held_out_errors"], "held out, by cross-validation of the fit")
    return held_out + _judged(result.get("unseen_errors", []), "frames that the fit has not seen")


def _judged(table: list[dict[str, Any]], kind: str) -> list[tuple[str, str, str, str]]:
    """Return the rows of one error table against the aims."""
    rows: list[tuple[str, str, str, str]] = []
    for r in table:
        if r["run"] == "all":
            continue
        if r["temperature_K"] == 0.0:  # strained cells at rest: forces too small to be measured against
            continue
        phase = r.get("phase") or phase_of_run(r["run"], r["temperature_K"])
        cold = (r["temperature_K"] or 0.0) <= CRYSTAL_LIMIT_K and order_of(phase) == "crystal"
        aim = AIMS["crystal"] if cold else AIMS["hot"]
        percent = r["force_percent_of_rms"]
        rows.append((f"{r['run']} forces ({kind})", f"{percent:.1f} %", f"≤ {aim:g} %",
                     _verdict(percent <= aim)))  # fmt: skip
        if cold:
            energy, stress = r["energy_meV_per_atom"], r["stress_GPa"]
            rows.append((f"{r['run']} energy", f"{energy:.1f} meV/atom", f"≤ {AIMS['energy']:g} meV/atom",
                         _verdict(energy <= AIMS["energy"])))  # fmt: skip
            if stress is not None:
                rows.append((f"{r['run']} stress", f"{stress:.2f} GPa", f"≤ {AIMS['stress']:g} GPa",
                             _verdict(stress <= AIMS["stress"])))  # fmt: skip
    return rows


def _draw(results: dict[str, dict[str, Any]]) -> Figure:
    """Draw g(r) of P–S and Li–S, the equations of state and D against 1/T."""
    rdf = [r for r in results.get("rdf", {}).values() if "failed" not in r]
    figure = Figure(figsize=(11.0, 3.0 * (1 + max(1, len(rdf)))), layout="constrained")
    axes: Any = figure.subplots(1 + max(1, len(rdf)), 2, squeeze=False)
    _draw_curves(axes[0, 0], results.get("crystal", {}).get("crystal", {}))
    _draw_diffusion(axes[0, 1], [r for r in results.get("stability", {}).values() if "failed" not in r])
    for row, result in zip(axes[1:], rdf, strict=False):
        for ax, pair in zip(row, ("P-S", "Li-S"), strict=True):
            if pair not in result["pairs"]:
                continue
            for key, color, label in (
                ("g_reference", COLORS[1], "reference"),
                ("g_potential", COLORS[0], "MD"),
            ):
                ax.plot(result["r_A"], result["pairs"][pair][key], color=color, lw=1.2, label=label)
            ax.set(title=f"{result['run']}, {pair}", xlabel="r (Å)", ylabel="g(r)")
            ax.legend(fontsize=7)
    for ax in axes[1 + len(rdf) :].ravel():
        ax.set_visible(False)
    return figure


def _draw_curves(ax: Any, crystal: dict[str, Any]) -> None:
    for entry in crystal.get("crystals", []):
        volume = np.array(entry["volumes_A3"]) / entry["atoms"]
        energy = np.array(entry["energies_eV"]) / entry["atoms"]
        ax.plot(volume, 1e3 * (energy - energy.min()), "o-", label=Path(entry["name"]).stem)
    for n, curve in enumerate(crystal.get("deformations", [])):
        for key, style in (("reference", "s:"), ("potential", "^--")):
            energy = np.array(curve[f"{key}_eV_per_atom"])
            ax.plot(curve["volumes_A3_per_atom"], 1e3 * (energy - energy.min()), style, color=f"C{n + 5}",
                    ms=4, lw=0.8, label=f"{curve['run']}, {key}")  # fmt: skip
    ax.set(xlabel="volume (Å³/atom)", ylabel="energy above minimum (meV/atom)", title="volume scan")
    if crystal.get("crystals") or crystal.get("deformations"):
        ax.legend(fontsize=7)


def _draw_diffusion(ax: Any, runs: Sequence[dict[str, Any]]) -> None:
    points = [(r["temperature_k"], *r["diffusion_cm2_per_s"]) for r in runs if r["diffusion_cm2_per_s"]]
    for t, value, low, high in points:
        ax.errorbar(1000 / t, value, [[value - low], [high - value]], fmt="o", color=COLORS[0], capsize=3)
    ax.set(xlabel="1000/T (1/K)", ylabel="D(Li) (cm²/s)", title="diffusion")
    if points:
        ax.set_yscale("log")
    else:
        ax.text(0.5, 0.5, "no D resolved", ha="center", transform=ax.transAxes)


def write_validation_report(folder: Path, title: str, results: dict[str, dict[str, Any]]) -> list[Path]:
    """Write ``report.png`` and ``report.html`` into ``folder``; return their paths."""
    return write_page(
        folder,
        "report",
        "validation_report.html",
        _draw(results),
        dpi=100,
        title=title,
        heading=title,
        rows=summary_rows(results),
    )
