"""Plots of echoes, single-crystal correlations and spectra."""

from collections.abc import Sequence
from math import pi
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from lpsnmr.analysis import Analysis
from lpsnmr.analysis.nmr import EchoDecay, SingleCrystalDecay, Spectrum
from lpsnmr.report.plots import save_figure
from lpsnmr.report.text import format_interval

__all__ = ["plot_echoes", "plot_narrowing", "plot_single_crystals", "plot_spectra"]


def plot_echoes(path: Path, echoes: Sequence[EchoDecay], title: str) -> Path:
    """Draw sine echoes against the mixing time with their fits."""
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for echo, color in zip(echoes, _colors(len(echoes)), strict=True):
        decay, shown = echo.decay, echo.decay.lag_ps > 0
        tau = "not resolved" if decay.tau_mean_ps is None else f"{format_interval(decay.tau_mean_ps)} ps"
        label = f"t_p = {echo.evolution_time_us:g} μs: τ_SAE = {tau}"
        axes.errorbar(
            decay.lag_ps[shown], decay.correlation[shown], decay.standard_error[shown],
            fmt=".", ms=4, lw=0.8, color=color, label=label,
        )  # fmt: skip
        axes.plot(decay.lag_ps, decay.fitted, color=color, lw=1.4)
    axes.set(xlabel="mixing time t_m (ps)", ylabel="S(t_p, t_m)", title=title)
    if len(echoes[0].decay.lag_ps) > 1:
        axes.set(xscale="log")
    axes.legend(fontsize=7)
    return save_figure(figure, path)


def plot_single_crystals(path: Path, crystals: Sequence[SingleCrystalDecay], title: str) -> Path:
    """Draw C(t) for each field direction with its fit."""
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    to_khz2 = 1.0 / (2.0 * pi * 1e3) ** 2
    for crystal, color in zip(crystals, _colors(len(crystals)), strict=True):
        decay, shown = crystal.decay, crystal.decay.lag_ps > 0
        direction = " ".join(f"{x:g}" for x in crystal.direction)
        axes.errorbar(
            decay.lag_ps[shown], decay.correlation[shown] * to_khz2, decay.standard_error[shown] * to_khz2,
            fmt=".", ms=4, lw=0.8, color=color, label=f"field along [{direction}]",
        )  # fmt: skip
        axes.plot(decay.lag_ps, decay.fitted * to_khz2, color=color, lw=1.4)
    axes.set(xlabel="lag t (ps)", ylabel="C(t)/(2π)²  (kHz²)", title=title)
    if len(crystals[0].decay.lag_ps) > 1:
        axes.set(xscale="log")
    axes.legend(fontsize=7)
    return save_figure(figure, path)


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
