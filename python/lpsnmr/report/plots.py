"""Plots as PNG files, drawn without any window system."""

from collections.abc import Mapping, Sequence
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lpsnmr.analysis import Analysis
from lpsnmr.analysis.dynamics import ArrheniusFit, Diffusion
from lpsnmr.analysis.motion import GROUPS, Motion, is_rotation
from lpsnmr.analysis.nmr import NmrDecay
from lpsnmr.analysis.series import ACTIVATED
from lpsnmr.files.atomic import written_aside
from lpsnmr.report.text import format_interval

__all__ = [
    "draw_decay",
    "draw_displacement",
    "plot_arrhenius",
    "plot_decay",
    "plot_displacement",
    "plot_motion",
    "save_figure",
]

SERIES_COLORS = ("#1f5a99", "#c0392b", "#2e8b57", "#8e6bbf", "#b8860b")
DATA, FIT, SKIPPED = "#1f5a99", "#c0392b", "#9aa7b4"


def plot_decay(path: Path, decay: NmrDecay, title: str) -> Path:
    """Draw C(t) with its fit, and the residuals in units of the error of each lag."""
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    draw_decay(top, decay)
    if decay.resolved:
        error = np.where(decay.standard_error > 0, decay.standard_error, np.nan)
        bottom.plot(decay.lag_ps, (decay.correlation - decay.fitted) / error, ".", color=DATA, ms=4)
        bottom.axhline(0.0, color=FIT, lw=1.0)
    top.set(title=title)
    bottom.set(xlabel="lag t (ps)", ylabel="residual/error")
    return save_figure(figure, path)


def draw_decay(axes: Any, decay: NmrDecay) -> None:
    """Draw C(t)/(2π)² in kHz² with its fit into matplotlib axes."""
    to_khz2 = 1.0 / (2.0 * pi * 1e3) ** 2
    positive = decay.lag_ps > 0
    _draw_points(axes, decay.lag_ps, decay.correlation * to_khz2, decay.standard_error * to_khz2,
                 decay.used, positive)  # fmt: skip
    if positive.any():
        axes.axhline(decay.correlation[0] * to_khz2, color=SKIPPED, lw=0.8, ls=":", label="C(0)")
    if decay.resolved:
        label = f"Kohlrausch: τ = {format_interval(decay.tau_ps)} ps\nγ = {format_interval(decay.gamma)}"
        axes.plot(decay.lag_ps, decay.fitted * to_khz2, color=FIT, lw=1.8, label=label)
    else:
        axes.text(0.03, 0.05, "decay not resolved", transform=axes.transAxes, color=FIT)
    axes.set(ylabel="C(t)/(2π)²  (kHz²)")
    if positive.any():
        axes.set(xscale="log")
        axes.legend(fontsize=8)


def plot_displacement(path: Path, diffusion: Diffusion, title: str) -> Path:
    """Draw the MSD with its fit on logarithmic axes."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    draw_displacement(axes, diffusion)
    axes.set(title=title)
    return save_figure(figure, path)


def draw_displacement(axes: Any, diffusion: Diffusion) -> None:
    """Draw the MSD with its fit into matplotlib axes, logarithmic both."""
    positive = (diffusion.lag_ps > 0) & (diffusion.msd > 0)
    _draw_points(axes, diffusion.lag_ps, diffusion.msd, diffusion.standard_error, diffusion.used, positive)
    label = f"6Dt + offset, D = {format_interval(diffusion.diffusion_cm2_s)} cm²/s"
    if np.any(np.isfinite(diffusion.fitted)):
        axes.plot(diffusion.lag_ps, diffusion.fitted, color=FIT, lw=1.8, label=label)
    axes.set(xlabel="lag t (ps)", ylabel="mean squared displacement (Å²)")
    if positive.any():
        axes.set(xscale="log", yscale="log")
        axes.legend(fontsize=8)


def plot_arrhenius(path: Path, analyses: Sequence[Analysis], fits: Mapping[str, ArrheniusFit]) -> Path:
    """Draw the rates against 1000/T with their fits, which go by the keys of the quantities."""
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    rates = [key for key in fits if key != "diffusion_cm2_per_s"]
    for key, color, marker in zip(rates or list(fits), SERIES_COLORS, "os^vD", strict=False):
        points = [
            (a.results.best_temperature_k, quantity.interval)
            for a in analyses
            for quantity in a.quantities
            if quantity.key == key and quantity.interval is not None
        ]
        temperature = np.array([t for t, _ in points])
        value = np.array([y.value for _, y in points])
        error = np.array([[y.value - y.low for _, y in points], [y.high - y.value for _, y in points]])
        axes.errorbar(1000 / temperature, value, error, fmt=marker, color=color, capsize=3)
        grid = np.linspace(temperature.min(), temperature.max(), 50)
        energy = format_interval(fits[key].activation_energy_ev)
        axes.plot(1000 / grid, fits[key](grid), color=color, label=f"{ACTIVATED[key]}: E_a = {energy} eV")
    label = "rate (1/s)" if rates else "D (cm²/s)"
    axes.set(yscale="log", xlabel="1000/T (1/K)", ylabel=label)
    axes.legend(fontsize=8)
    return save_figure(figure, path)


def plot_motion(folder: Path, motion: Motion, title: str) -> list[Path]:
    """Draw survival functions and jump lengths; nothing without jumps."""
    shown = {group: found for group, found in motion.jumps.items() if found.resolved}
    if not shown:
        return []
    figure = Figure(figsize=(6.4, 6.4), layout="constrained")
    top, bottom = figure.subplots(2, 1)
    for (group, found), color in zip(shown.items(), SERIES_COLORS, strict=False):
        label = f"{GROUPS[group]}: Γ = {format_interval(found.rate_per_s)} 1/s"
        lasting = found.survival > 0
        times, values = found.survival_ps[lasting], found.survival[lasting]
        top.step(times, values, where="post", color=color, label=label)
        if not is_rotation(group):
            bottom.stairs(found.length_counts, found.length_edges, color=color, label=GROUPS[group])
    top.set(yscale="log", xlabel="residence time (ps)", ylabel="fraction that stays longer", title=title)
    top.legend(fontsize=8)
    bottom.set(xlabel="jump length (Å)", ylabel="jumps", xlim=(0.0, 8.0))
    if bottom.patches:
        bottom.legend(fontsize=8)
    return [save_figure(figure, folder / "jumps.png")]


def _draw_points(axes: Any, lag: Any, value: Any, error: Any, used: Any, shown: Any) -> None:
    for mask, color, label in ((shown & ~used, SKIPPED, "not fitted"), (shown & used, DATA, "fitted")):
        if mask.any():
            axes.errorbar(
                lag[mask], value[mask], error[mask], fmt=".", ms=4, lw=0.8, color=color, label=label
            )


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as a PNG file, whole or not at all."""
    with written_aside(path) as aside:
        figure.savefig(aside, format="png", dpi=150)
    return path
