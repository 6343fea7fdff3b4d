"""The one-page report of a fit, as PNG and as HTML with its tables."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from matplotlib.figure import Figure

from lpsnmr.files.atomic import written_aside
from lpsnmr.potential import ErrorRow, FitResult, FitSettings
from lpsnmr.report.fit_figures import (
    draw_errors,
    draw_learning,
    draw_pair_energies,
    draw_parity,
    pair_distances,
)
from lpsnmr.report.fit_phases import anchor_rows, phase_rows

__all__ = ["fit_figure", "write_fit_report"]

STYLE = (
    "body{font:14px sans-serif;max-width:1100px;margin:2em auto;color:#222}table{border-collapse:collapse;"
    "margin:1em 0}td,th{border:1px solid #ccc;padding:2px 8px;text-align:right}td:first-child,th:first-child"
    "{text-align:left}img{max-width:100%}"
)


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


def _error_table(rows: Sequence[ErrorRow]) -> str:
    head = "run|frames|T/K|energy meV/atom|95 %|force eV/Å|force %|95 %|stress GPa|95 %".split("|")
    body = []
    for r in rows:
        body.append(
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
        )
    return _table(head, body)


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

    return "<table>" + row(head, "th") + "".join(row(cells, "td") for cells in body) + "</table>"


def _ranges(result: FitResult) -> str:
    """Return the table of what the data reach: distances of pairs, touched coefficients of triples."""
    layout = result.layout
    names = layout.settings.elements
    reports = {r.pair: r for r in result.core}
    pairs = []
    for n, (a, b) in enumerate(layout.pairs):
        core = reports[f"{names[a]} {names[b]}"]
        repels = "repulsive" if core.repulsive else f"slope {core.largest_slope:+.2g} eV/Å"
        pairs.append([f"{names[a]}–{names[b]}", _cell(float(result.shortest[n]), 2),
                      _cell(float(layout.pair_knots[-1]), 1), repels])  # fmt: skip
    triples = []
    for n, (a, b, c) in enumerate(layout.triples):
        columns = np.unique(layout.basis.triple_columns(n))
        columns = columns[columns >= 0]
        touched = int(np.count_nonzero(result.coefficients[columns]))
        ij, ik, _ = (k[-1] for k in layout.triple_knots[n])
        triples.append(
            [f"{names[a]}–{names[b]}–{names[c]}", f"{ij:g} / {ik:g}", f"{touched} of {columns.size}"]
        )
    return _table(["pair", "shortest distance in the data (Å)", "cutoff (Å)", "V2 below it"], pairs) + (
        _table(["triple (centre first)", "cutoffs (Å)", "coefficients that data touch"], triples)
    )


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
    figure = fit_figure(result, frames, title)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    picture = buffer.getvalue()
    png, page = folder / f"{stem}.report.png", folder / f"{stem}.report.html"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f'<img alt="figures" src="data:image/png;base64,{base64.b64encode(picture).decode()}">',
        f"<h2>Held-out errors ({settings.folds} folds of whole blocks)</h2>" if result.held_out else "",
        _error_table(result.held_out) if result.held_out else "",
        "<h2>By phase</h2>" + _error_table(phase_rows(result.held_out)) if result.held_out else "",
        "<p>Root mean squares; the interval of the force error is a bootstrap over blocks.</p>",
        "<h2>Errors of the fit to all frames</h2>",
        _error_table(result.training),
        "<h2>Where the data end</h2>",
        _ranges(result),
        "<h2>Committee</h2>" + _spread_table(result) if result.spread else "",
        "<h2>Figures to compare with</h2>",
        _table(["what", "error", "remark", "DOI"], anchor_rows(result.held_out)),
    ]
    text = f'<!doctype html><meta charset="utf-8"><title>{html.escape(stem)}</title><style>{STYLE}</style>'
    with written_aside(png) as aside:
        aside.write_bytes(picture)
    with written_aside(page) as aside:
        aside.write_text(text + "\n".join(parts) + "\n", encoding="utf-8")
    return [png, page]


def _spread_table(result: FitResult) -> str:
    rows = [
        [
            r.run,
            _cell(r.energy_spread_meV_per_atom, 2),
            _cell(r.force_spread_eV_per_angstrom, 3),
            _cell(r.force_error_over_spread, 1),
        ]
        for r in result.spread
    ]
    return _table(["run", "energy spread meV/atom", "force spread eV/Å", "held-out error / spread"], rows)
