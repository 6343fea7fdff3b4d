"""Plots as PNG, PDF or SVG files, drawn without any window system."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import pi
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import style as matplotlib_style
from matplotlib.figure import Figure

from lpsnmr.analysis import Analysis
from lpsnmr.analysis.dynamics import ArrheniusFit, Diffusion
from lpsnmr.analysis.motion import GROUPS, Motion, is_rotation
from lpsnmr.analysis.nmr import NmrDecay
from lpsnmr.analysis.series import ACTIVATED
from lpsnmr.errors import InputError, did_you_mean
from lpsnmr.files.atomic import written_aside
from lpsnmr.report.text import format_interval

__all__ = [
    "FORMATS",
    "draw_decay",
    "draw_displacement",
    "drawn_as",
    "plot_arrhenius",
    "plot_decay",
    "plot_displacement",
    "plot_motion",
    "save_figure",
]

FORMATS = ("png", "pdf", "svg")
# told apart by colour-blind readers too: https://doi.org/10.1038/nmeth.1618
SERIES_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
DATA, FIT, SKIPPED = "#0072b2", "#d55e00", "#9aa7b4"
LONGEST_JUMP_SHOWN = 8.0  # Å


@contextmanager
def drawn_as(figure_format: str = "png", style: str = "default") -> Iterator[None]:
    """Draw the figures of the block in a format (png, pdf, svg) and a style of Matplotlib.

    Raises
    ------
    InputError
        When Matplotlib has no such style.
    """
    try:
        context = matplotlib_style.context([] if style == "default" else style)
        with context, matplotlib.rc_context({"savefig.format": figure_format, "svg.fonttype": "none"}):
            yield
    except OSError as error:
        if style in str(error) and "style" in str(error):
            guess = did_you_mean(style, matplotlib_style.available)
            raise InputError(f"--style: Matplotlib has no style {style!r}.{guess}") from None
        raise


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
                 decay.used, positive, has_fit=decay.resolved)  # fmt: skip
    if positive.any():
        axes.axhline(decay.correlation[0] * to_khz2, color=SKIPPED, lw=0.8, ls=":", label="C(0)")
    if decay.resolved:
        label = f"Kohlrausch: τ = {format_interval(decay.tau_ps)} ps\nγ = {format_interval(decay.gamma)}"
        axes.plot(decay.lag_ps, decay.fitted * to_khz2, color=FIT, lw=1.8, label=label)
        _mark_parts(axes, decay, to_khz2)
    else:
        axes.text(0.03, 0.05, "decay not resolved", transform=axes.transAxes, color=FIT)
    axes.set(ylabel="C(t)/(2π)²  (kHz²)")
    if positive.any():
        axes.set(xscale="log")
        axes.legend(fontsize=8)


def _mark_parts(axes: Any, decay: NmrDecay, scale: float) -> None:
    """Mark C∞, and the part ΔC above it that hopping takes away."""
    if decay.plateau is None or decay.amplitude is None:
        return
    low, high = decay.plateau.value * scale, (decay.plateau.value + decay.amplitude.value) * scale
    axes.axhline(low, color=SERIES_COLORS[2], lw=0.8, ls="--", label="C∞")
    axes.axhspan(low, high, color=SERIES_COLORS[2], alpha=0.08, lw=0, label="hopping, ΔC")


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
    temperatures = sorted({round(a.results.best_temperature_k) for a in analyses})
    top = axes.secondary_xaxis("top")
    top.set_xticks([1000 / t for t in temperatures], labels=[str(t) for t in temperatures])
    top.minorticks_off()
    top.set_xlabel("T (K)")
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
    bottom.set(xlabel="jump length (Å)", ylabel="jumps", xlim=(0.0, LONGEST_JUMP_SHOWN))
    longer = sum(
        int(found.length_counts[found.length_edges[:-1] >= LONGEST_JUMP_SHOWN].sum())
        for group, found in shown.items()
        if not is_rotation(group)
    )
    if longer:
        bottom.text(0.99, 0.5, f"{longer} longer →", transform=bottom.transAxes, ha="right", fontsize=8)
    if bottom.patches:
        bottom.legend(fontsize=8)
    return [save_figure(figure, folder / "jumps.png")]


def _draw_points(
    axes: Any, lag: Any, value: Any, error: Any, used: Any, shown: Any, *, has_fit: bool = True
) -> None:
    """Draw points with errors: what entered the fit, and what did not; all alike where nothing was fitted."""
    kinds = [(shown & ~used, SKIPPED, "not fitted"), (shown & used, DATA, "fitted")]
    if not has_fit:
        kinds = [(shown, DATA, "not fitted")]
    for mask, color, label in kinds:
        if mask.any():
            axes.errorbar(
                lag[mask], value[mask], error[mask], fmt=".", ms=4, lw=0.8, color=color, label=label
            )


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure, whole or not at all, as ``drawn_as`` says; return its path with that ending."""
    chosen = matplotlib.rcParams["savefig.format"]
    target = path.with_suffix(f".{chosen if chosen in FORMATS else FORMATS[0]}")
    with written_aside(target) as aside:
        figure.savefig(aside, format=target.suffix[1:], dpi=150)
    return target
