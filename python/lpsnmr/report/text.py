"""Numbers with intervals as text, and the table of the results."""

from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table
from rich.text import Text

from lpsnmr.analysis.statistics.resampling import Interval

if TYPE_CHECKING:
    from lpsnmr.analysis.analyze import SeriesAnalysis

__all__ = ["build_rates_table", "build_table", "format_interval"]

RATES = ("Γ_NMR", "Γ_jump (sites)", "Γ_jump (displacement)", "Γ_D = 6D/a²")


def format_interval(interval: Interval | None) -> str:
    """Return ``value [low, high]`` with three digits, or ``not resolved`` for None.

    Examples
    --------
    >>> format_interval(Interval(1.234e10, 1.0e10, 1.5e10))
    '1.23e+10 [1e+10, 1.5e+10]'
    """
    if interval is None:
        return "not resolved"
    return f"{interval.value:.3g} [{interval.low:.3g}, {interval.high:.3g}]"


def build_table(series: "SeriesAnalysis") -> Table:
    """Return a rich table: one section per run, then the activation energies."""
    settings = next((a.decay.settings for a in series.analyses if a.decay), None)
    level = f"{100 * settings.level:g} %" if settings else "95 %"
    table = Table(title="Decay and jump rates")
    for heading, justify in (("run", "left"), ("quantity", "left"), ("value", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    table.add_column(f"{level} interval")
    table.add_column("unit")
    for analysis in series.analyses:
        temperature = analysis.results.best_temperature_k
        run = Text(analysis.path.stem if np.isnan(temperature) else f"{temperature:.0f} K")
        for name, unit, interval in analysis.quantities():
            unknown = name.startswith("Γ_D") and analysis.jump_distance_angstrom is None
            table.add_row(run, name, *(("a unknown", "") if unknown else _cells(interval)), unit)
            run = Text("")
        for name, unit, interval in analysis.more_quantities():
            table.add_row("", name, *_cells(interval), unit)
        table.add_section()
    for name, fit in series.arrhenius.items():
        table.add_row("", f"E_a of {name}", *_cells(fit.activation_energy_ev), "eV")
    return table


def build_rates_table(series: "SeriesAnalysis") -> Table | None:
    """Return the rates of NMR, jumps and diffusion side by side, in 1/s; None when no jumps were followed."""
    if not any(analysis.motion for analysis in series.analyses):
        return None
    table = Table(title="Rates side by side, 1/s")
    table.add_column("run")
    for name in RATES:
        table.add_column(name, justify="right")
    table.add_column("a (Å)", justify="right")
    for analysis in series.analyses:
        temperature = analysis.results.best_temperature_k
        run = analysis.path.stem if np.isnan(temperature) else f"{temperature:.0f} K"
        found = {name: interval for name, _, interval in analysis.quantities()}
        a = analysis.jump_distance_angstrom
        cells = [format_interval(found.get(name)).replace("not resolved", "–") for name in RATES]
        table.add_row(Text(run), *cells, "–" if a is None else f"{a:.2f}")
    return table


def _cells(interval: Interval | None) -> tuple[str, str]:
    if interval is None:
        return "not resolved", ""
    return f"{interval.value:.3g}", f"{interval.low:.3g} to {interval.high:.3g}"
