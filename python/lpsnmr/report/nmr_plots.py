"""Plots of echoes, single-crystal correlations and spectra."""

from collections.abc import Sequence
from math import pi
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from lpsnmr.analysis import Analysis
from lpsnmr.analysis.nmr import EchoDecay, NmrDecay, SingleCrystalDecay, Spectrum
from lpsnmr.report.plots import save_figure
from lpsnmr.report.text import format_interval

__all__ = ["plot_echoes", "plot_narrowing", "plot_single_crystals", "plot_spectra"]


def _plot_decays(
    path: Path, curves: Sequence[tuple[NmrDecay, str]], scale: float, xlabel: str, ylabel: str, title: str
) -> Path:
    """Draw decays with their errors and fits, times a factor, one colour each."""
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for (decay, label), color in zip(curves, _colors(len(curves)), strict=True):
        shown = decay.lag_ps > 0
        axes.errorbar(
            decay.lag_ps[shown], decay.correlation[shown] * scale, decay.standard_error[shown] * scale,
            fmt=".", ms=4, lw=0.8, color=color, label=label,
        )  # fmt: skip
        axes.plot(decay.lag_ps, decay.fitted * scale, color=color, lw=1.4)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if len(curves[0][0].lag_ps) > 1:
        axes.set(xscale="log")
    axes.legend(fontsize=7)
    return save_figure(figure, path)


def plot_echoes(path: Path, echoes: Sequence[EchoDecay], title: str) -> Path:
    """Draw sine echoes against the mixing time with their fits."""
    curves = []
    for echo in echoes:
        mean = echo.decay.tau_mean_ps
        tau = "not resolved" if mean is None else f"{format_interval(mean)} ps"
        curves.append((echo.decay, f"t_p = {echo.evolution_time_us:g} μs: τ_SAE = {tau}"))
    return _plot_decays(path, curves, 1.0, "mixing time t_m (ps)", "S(t_p, t_m)", title)


def plot_single_crystals(path: Path, crystals: Sequence[SingleCrystalDecay], title: str) -> Path:
    """Draw C(t) for each field direction with its fit."""
    to_khz2 = 1.0 / (2.0 * pi * 1e3) ** 2
    curves = [
        (crystal.decay, f"field along [{' '.join(f'{x:g}' for x in crystal.direction)}]")
        for crystal in crystals
    ]
    return _plot_decays(path, curves, to_khz2, "lag t (ps)", "C(t)/(2π)²  (kHz²)", title)


def plot_spectra(path: Path, spectra: Sequence[Spectrum], title: str) -> Path:
    """Draw powder spectra, one curve per averaging time, shifted upwards."""
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.subplots()
    span = spectra[0].frequency_khz[-1]
    height = max(float(s.satellites.max()) for s in spectra)
    for k, (spectrum, color) in enumerate(zip(spectra, _colors(len(spectra)), strict=True)):
        label = f"averaged over {spectrum.averaging_time_ps:.3g} ps"
        line = np.minimum(spectrum.line(0.01 * span), 1.2 * height)  # the central line is cut
        axes.plot(spectrum.frequency_khz, line + 0.5 * k * height, color=color, lw=1.2, label=label)
    axes.set(
        xlabel="offset from the Larmor frequency (kHz)", ylabel="intensity (1/kHz), shifted", title=title
    )
    if any(float(s.line(0.01 * span).max()) > 1.2 * height for s in spectra):
        axes.text(0.02, 0.97, "central lines are cut off\nat 1.2 times the satellites", fontsize=7, va="top",
                  transform=axes.transAxes)  # fmt: skip
    axes.legend(fontsize=7)
    return save_figure(figure, path)


def plot_narrowing(path: Path, analyses: Sequence[Analysis]) -> Path:
    """Draw the width √M2 of the satellites against temperature, for each averaging time."""
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    times = sorted({s.averaging_time_ps for a in analyses if a.nmr for s in a.nmr.spectra})
    for time_ps, color in zip(times, _colors(len(times)), strict=True):
        points = sorted(
            (a.results.best_temperature_k, s.second_moment_khz2)
            for a in analyses
            if a.nmr
            for s in a.nmr.spectra
            if s.averaging_time_ps == time_ps and s.second_moment_khz2 is not None
        )
        if not points:
            continue
        temperature = [t for t, _ in points]
        width = np.sqrt(np.maximum([[m.value, m.low, m.high] for _, m in points], 0.0))
        error = np.abs(width[:, 1:] - width[:, :1]).T
        axes.errorbar(temperature, width[:, 0], error, fmt="o-", ms=4, lw=1, capsize=2, color=color,
                      label=f"averaged over {time_ps:.3g} ps")  # fmt: skip
    axes.set(xlabel="T (K)", ylabel="√M2 of the satellites (kHz)", ylim=(0, None))
    axes.legend(fontsize=7)
    return save_figure(figure, path)


def _colors(n: int) -> list[tuple[float, float, float, float]]:
    return [matplotlib.colormaps["viridis"](x) for x in np.linspace(0.0, 0.85, max(n, 1))]
