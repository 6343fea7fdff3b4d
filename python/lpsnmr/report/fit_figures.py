"""Figures of a fitted potential: parity, errors by run, V2 over the distances of the data, learning curve."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from scipy.interpolate import BSpline

from lpsnmr._core import neighbor_list
from lpsnmr.potential import ErrorRow, FitResult, FrameErrors, Layout, LearningPoint
from lpsnmr.typing import Array
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

__all__ = [
    "draw_errors",
    "draw_learning",
    "draw_pair_energies",
    "draw_parity",
    "pair_distances",
]

DATA, ACCENT, PALE = "#1f5a99", "#c0392b", "#9aa7b4"
PARITY = ((0, 1e3, "energy per atom, relative (meV)"), (1, 1.0, "force (eV/Å)"), (2, None, "stress (GPa)"))
MAX_POINTS = 20_000


def draw_parity(axes: Sequence[Any], frames: Sequence[FrameErrors]) -> None:
    """Draw predicted against reference energies, forces and stresses: held out where there are folds."""
    held_out = all(f.held_out is not None for f in frames)
    runs = sorted({f.run for f in frames})
    for ax, (kind, factor, label) in zip(axes, PARITY, strict=True):
        scale = EV_PER_ANGSTROM3_GPA if factor is None else factor
        for number, run in enumerate(runs):
            chosen = [f for f in frames if f.run == run]
            x = np.concatenate([f.target[f.kind == kind] for f in chosen]) * scale
            e = np.concatenate([_errors(f)[f.kind == kind] for f in chosen]) * scale
            step = max(1, len(x) // (MAX_POINTS // len(runs)))
            shift = _mean(frames) * scale if kind == 0 else 0.0
            ax.plot((x - shift)[::step], (x - shift + e)[::step], ".", ms=2 if kind == 1 else 4,
                    color=_color(number, len(runs)), label=run)  # fmt: skip
        low, high = ax.get_xlim()
        ax.plot([low, high], [low, high], color="k", lw=0.6)
        ax.set(xlabel=f"reference {label}", ylabel="held out" if held_out else "fitted")
    axes[0].legend(fontsize=5, markerscale=1.5)


def _errors(frame: FrameErrors) -> Array:
    return frame.fitted if frame.held_out is None else frame.held_out


def _mean(frames: Sequence[FrameErrors]) -> float:
    return float(np.mean([f.target[0] for f in frames]))


def _color(number: int, count: int) -> Any:
    from matplotlib import colormaps

    return colormaps["turbo"]((number + 0.5) / max(count, 1))


def draw_errors(axes: Any, held_out: Sequence[ErrorRow], training: Sequence[ErrorRow]) -> None:
    """Draw force errors by run with their intervals, in order of temperature."""
    rows = sorted((r for r in held_out or training if r.run != "all"), key=_temperature)
    fitted = {r.run: r for r in training}
    y = np.arange(len(rows))
    value = np.array([r.force_percent_of_rms for r in rows])
    ends = np.array([r.force_percent_interval or (v, v) for r, v in zip(rows, value, strict=True)])
    errors = np.abs(ends.reshape(-1, 2) - value[:, None]).T
    axes.barh(y, value, xerr=errors, color=DATA, height=0.6, capsize=2, label="held out, 95 %")
    axes.plot([fitted[r.run].force_percent_of_rms for r in rows], y, "d", color=ACCENT, ms=4, label="fit")
    for limit in (15, 25):
        axes.axvline(limit, color=PALE, lw=0.8, ls=":")
    axes.set_yticks(y, [r.run for r in rows], fontsize=min(7.0, 110.0 / max(len(rows), 1)))
    axes.set(xlabel="force error (% of the run's force RMS)")
    axes.legend(fontsize=6)


def _temperature(row: ErrorRow) -> tuple[float, str]:
    return (float("inf") if row.temperature_K is None else row.temperature_K, row.run)


def pair_distances(layout: Layout, frames: Sequence[Atoms], bins: Array) -> Array:
    """Return the histogram of distances of each pair, (pairs, bins - 1), counting each pair twice."""
    counts = np.zeros((len(layout.pairs), len(bins) - 1))
    for frame in frames:
        species = np.array(layout.species(frame.get_chemical_symbols()))
        first, index, _, distance = neighbor_list(
            frame.positions, frame.cell.array, frame.pbc.tolist(), float(bins[-1])
        )
        one = species[np.repeat(np.arange(len(frame)), np.diff(first))]
        other = species[index]
        for n, (a, b) in enumerate(layout.pairs):
            counts[n] += np.histogram(distance[(one == a) & (other == b)], bins)[0] * (1.0 if a == b else 2.0)
    return counts


def draw_pair_energies(axes: Sequence[Any], result: FitResult, histogram: Array, bins: Array) -> None:
    """Draw the pair energy 2 V2(r) of each pair over the histogram of its distances in the data."""
    layout = result.layout
    names = layout.settings.elements
    knots = layout.pair_knots
    for n, (ax, (a, b)) in enumerate(zip(axes, layout.pairs, strict=False)):
        twin = ax.twinx()
        twin.stairs(histogram[n], bins, fill=True, color=PALE, alpha=0.5)
        twin.set_yticks([])
        first, count = layout.basis.pair_columns(n)
        r = np.linspace(knots[0], knots[-1], 400)
        for coefficients in [*(result.bootstrap or result.committee), result.coefficients]:
            final = coefficients is result.coefficients
            values = np.zeros(len(knots) - 4)
            values[:count] = 2.0 * coefficients[first : first + count]
            style = {"color": DATA, "lw": 1.4} if final else {"color": PALE, "lw": 0.6}
            ax.plot(r, BSpline(knots, values, 3)(r), **style)
        ax.set_zorder(twin.get_zorder() + 1)
        ax.patch.set_visible(False)
        if np.isfinite(result.shortest[n]):
            ax.axvline(result.shortest[n], color=ACCENT, lw=0.7, ls="--")
        ax.set_ylim(-1.5, 3.0)
        ax.set_title(f"{names[a]}–{names[b]}", fontsize=8)
        ax.tick_params(labelsize=6)


def draw_learning(axes: Any, learning: Sequence[LearningPoint]) -> None:
    """Draw held-out force errors against the number of training frames."""
    if not learning:
        axes.text(0.5, 0.5, "no learning curve:\nneeds 3 folds", ha="center", transform=axes.transAxes)
        return
    x = [p.training_frames for p in learning]
    runs = [r.run for r in learning[-1].rows]
    for number, run in enumerate(runs):
        y = [next(r.force_percent_of_rms for r in p.rows if r.run == run) for p in learning]
        whole = run == "all"
        axes.plot(x, y, "o-", ms=3, lw=2 if whole else 0.8, label=run,
                  color="k" if whole else _color(number, len(runs)))  # fmt: skip
    axes.set(xscale="log", xlabel="frames in the fit", ylabel="held-out force error (% of RMS)")
    axes.set_ylim(bottom=0.0)
    axes.set_xticks(x, [f"{v:.0f}" for v in x], fontsize=7)
    axes.minorticks_off()
    axes.legend(fontsize=5, ncols=3, loc="lower left")
