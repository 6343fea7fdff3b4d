"""The one-page report of a fit, as PNG and as HTML with its tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from matplotlib.figure import Figure

from lpsnmr.potential import ErrorRow, FitResult, FitSettings
from lpsnmr.report.fit_figures import (
    draw_errors,
    draw_learning,
    draw_pair_energies,
    draw_parity,
    pair_distances,
)
from lpsnmr.report.fit_phases import anchor_rows, phase_rows
from lpsnmr.report.pages import write_page

__all__ = ["fit_figure", "write_fit_report"]


def fit_figure(result: FitResult, frames: Sequence[Atoms], title: str) -> Figure:
    """Draw parity plots, errors by run, V2 with the distances of the data, and the learning curve."""
    pairs = len(result.layout.pairs)
    rows = 2 + -(-pairs // 3)
    figure = Figure(figsize=(11.0, 3.0 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, 3)
    figure.suptitle(title, fontsize=11)
    draw_parity(grid[0], result.frames)
    draw_errors(grid[1, 0], result.held_out, result.training)
    draw_learning(grid[1, 1], result.learning)
    _draw_spread(grid[1, 2], result)
    bins = np.linspace(result.layout.pair_knots[0], result.layout.pair_knots[-1], 120)
    axes = grid[2:].ravel()
    draw_pair_energies(axes, result, pair_distances(result.layout, frames, bins), bins)
    for ax in axes[:pairs]:
        ax.set_xlabel("r (Å)", fontsize=7)
        ax.set_ylabel("pair energy (eV)", fontsize=7)
    for ax in axes[pairs:]:
        ax.set_visible(False)
    return figure


def _draw_spread(ax: Any, result: FitResult) -> None:
    """Draw held-out force errors against the spread of the committee, one point per frame."""
    used = [f for f in result.frames if f.spread is not None and f.held_out is not None]
    if not used:
        ax.text(0.5, 0.5, "no committee", ha="center", transform=ax.transAxes)
        return
    x = [float(np.sqrt(np.mean(f.spread[f.kind == 1] ** 2))) for f in used if f.spread is not None]
    y = [float(np.sqrt(np.mean(f.held_out[f.kind == 1] ** 2))) for f in used if f.held_out is not None]
    ax.plot(x, y, ".", color="#1f5a99")
    ends = [0.0, max(x)]
    ax.plot(ends, ends, color="k", lw=0.6)
    ax.set(xlabel="committee spread of forces (eV/Å)", ylabel="held-out error (eV/Å), by frame")


def _cell(value: float | None, digits: int) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def _ends(interval: tuple[float, float] | None, digits: int) -> str:
    return "–" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def _error_rows(rows: Sequence[ErrorRow]) -> list[list[str]]:
    """Return the cells of an error table: run, frames, T, energy, force, stress and their intervals."""
    return [
        [
            r.run,
            str(r.frames),
            _cell(r.temperature_K, 0),
            _cell(r.energy_meV_per_atom, 1),
            _ends(r.energy_interval_meV_per_atom, 1),
            _cell(r.force_eV_per_angstrom, 3),
            _cell(r.force_percent_of_rms, 1),
            _ends(r.force_percent_interval, 1),
            _cell(r.stress_GPa, 2),
            _ends(r.stress_interval_GPa, 2),
        ]
        for r in rows
    ]


def _pair_rows(result: FitResult) -> list[list[str]]:
    """Return how near the data come for each pair, and what V2 does below that."""
    layout = result.layout
    names = layout.settings.elements
    reports = {r.pair: r for r in result.core}
    rows = []
    for n, (a, b) in enumerate(layout.pairs):
        core = reports[f"{names[a]} {names[b]}"]
        repels = "repulsive" if core.repulsive else f"slope {core.largest_slope:+.2g} eV/Å"
        rows.append([f"{names[a]}–{names[b]}", _cell(float(result.shortest[n]), 2),
                     _cell(float(layout.pair_knots[-1]), 1), repels])  # fmt: skip
    return rows


def _triple_rows(result: FitResult) -> list[list[str]]:
    """Return the cutoffs of each triple, and how many of its coefficients data touch."""
    layout = result.layout
    names = layout.settings.elements
    rows = []
    for n, (a, b, c) in enumerate(layout.triples):
        columns = np.unique(layout.basis.triple_columns(n))
        columns = columns[columns >= 0]
        touched = int(np.count_nonzero(result.coefficients[columns]))
        ij, ik, _ = (k[-1] for k in layout.triple_knots[n])
        rows.append([f"{names[a]}–{names[b]}–{names[c]}", f"{ij:g} / {ik:g}", f"{touched} of {columns.size}"])
    return rows


def write_fit_report(
    folder: Path, stem: str, result: FitResult, settings: FitSettings, frames: Sequence[Atoms]
) -> list[Path]:
    """Write ``STEM.report.png`` and ``STEM.report.html``.

    Parameters
    ----------
    folder, stem
        Where, and the beginning of the names.
    result, settings
        From and for ``fit_ufp``.
    frames
        All frames that were fitted, for the histograms of distances.

    Returns
    -------
    list of Path
        The two files.
    """
    title = f"{stem}: {len(frames)} frames, {result.fitted_columns} coefficients"
    if result.layout.density:
        title += f", {result.layout.density.columns} of density terms"
    return write_page(
        folder,
        f"{stem}.report",
        "fit_report.html",
        fit_figure(result, frames, title),
        dpi=110,
        title=stem,
        heading=title,
        folds=settings.folds,
        held_out=_error_rows(result.held_out),
        phases=_error_rows(phase_rows(result.held_out)) if result.held_out else [],
        training=_error_rows(result.training),
        pairs=_pair_rows(result),
        triples=_triple_rows(result),
        spread=_spread_rows(result),
        anchors=anchor_rows(result.held_out),
    )


def _spread_rows(result: FitResult) -> list[list[str]]:
    return [
        [
            r.run,
            _cell(r.energy_spread_meV_per_atom, 2),
            _cell(r.force_spread_eV_per_angstrom, 3),
            _cell(r.force_error_over_spread, 1),
        ]
        for r in result.spread
    ]
