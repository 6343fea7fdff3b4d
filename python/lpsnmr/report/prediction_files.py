"""Files and plots of a prediction."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure

from lpsnmr.files.tables import as_cell, write_columns, write_rows
from lpsnmr.network.predict import Prediction
from lpsnmr.report.files import make_folder
from lpsnmr.report.plots import save_figure

__all__ = ["write_prediction"]


def write_prediction(found: Prediction, folder: Path, *, make_plots: bool = True) -> list[Path]:
    """Write every table as CSV, and plots; return the paths in the order of writing.

    Raises
    ------
    InputError
        When the folder cannot be made.
    """
    folder = make_folder(folder)
    tables = {
        "rates": found.rates, "relaxation": found.relaxation, "echo": found.echo_decays,
        "echo_summary": found.echo_summary, "width": found.widths,
    }  # fmt: skip
    paths = [write_columns(folder / f"{name}.csv", table) for name, table in tables.items()]
    flanks = [list(map(as_cell, asdict(flank).values())) for flank in found.flanks]
    if flanks:
        paths.append(write_rows(folder / "flanks.csv", list(asdict(found.flanks[0])), flanks))
    for temperature, spectrum in found.spectra.items():
        columns = {"frequency_hz": spectrum.frequency_hz, "intensity_per_hz": spectrum.intensity}
        paths.append(write_columns(folder / f"spectrum_{temperature:g}K.csv", columns))
    if make_plots:
        paths += [
            _plot_relaxation(folder / "relaxation.png", found),
            _plot_width(folder / "width.png", found),
        ]
        if len(found.echo_summary["temperature_k"]):
            paths.append(_plot_echoes(folder / "echo.png", found))
    return paths


def _plot_relaxation(path: Path, found: Prediction) -> Path:
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    x = 1000.0 / found.relaxation["temperature_k"]
    for name in [n for n in found.relaxation if "mhz" in n and not n.endswith(("_low", "_high"))]:
        kind, field = name.split("_s_")
        style = {"t1": "-", "t1rho": "--", "t2": ":"}[kind]
        (line,) = axes.plot(x, 1.0 / found.relaxation[name], style, lw=1.3, label=f"{kind}, {field[:-3]} MHz")
        if f"{name}_low" in found.relaxation:
            low, high = found.relaxation[f"{name}_low"], found.relaxation[f"{name}_high"]
            axes.fill_between(x, 1.0 / high, 1.0 / low, alpha=0.2, color=line.get_color(), lw=0)
    axes.set(xlabel="1000 K/T", ylabel="rate (1/s)", yscale="log", title="Relaxation rates")
    axes.legend(fontsize=7)
    return save_figure(figure, path)


def _plot_width(path: Path, found: Prediction) -> Path:
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(found.widths["temperature_k"], found.widths["centre_fwhm_hz"] * 1e-3)
    axes.set(
        xlabel="T (K)", ylabel="full width at half height (kHz)", title="Dipolar width of the central line"
    )
    return save_figure(figure, path)


def _plot_echoes(path: Path, found: Prediction) -> Path:
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    table = found.echo_decays
    times = sorted(set(table["evolution_time_us"].tolist()))
    shown = _some(sorted(set(table["temperature_k"].tolist())), 8)
    for k, temperature in enumerate(shown):
        mine = (table["temperature_k"] == temperature) & (table["evolution_time_us"] == times[-1])
        mine &= table["mixing_time_s"] > 0
        axes.plot(
            table["mixing_time_s"][mine], table["sine"][mine], color=f"C{k}", label=f"{temperature:g} K"
        )
    title = f"Spin-alignment echo, t_p = {times[-1]:g} μs"
    axes.set(xlabel="mixing time (s)", ylabel="S(t_p, t_m)", xscale="log", title=title)
    axes.legend(fontsize=7)
    return save_figure(figure, path)


def _some(values: Sequence[float], n: int) -> list[float]:
    """Return at most n of the values, evenly."""
    step = max(1, -(-len(values) // n))
    return list(values[::step])
