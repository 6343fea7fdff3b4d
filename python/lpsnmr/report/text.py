"""Numbers with intervals as text, and the tables of the results."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from lpsnmr.analysis import Analysis, Interval, SeriesAnalysis
from lpsnmr.analysis.committee import ModelInterval
from lpsnmr.analysis.series import ACTIVATED

__all__ = [
    "build_model_table",
    "build_rates_table",
    "build_table",
    "format_interval",
    "summary_lines",
    "wrote",
]

RATES = {
    "rate_nmr_per_s": "Γ_NMR",
    "rate_jump_sites_per_s": "Γ_jump (sites)",
    "rate_jump_displacement_per_s": "Γ_jump (displacement)",
    "rate_jump_per_s": "Γ_D = 6D/a²",
}


def format_interval(interval: Interval | None) -> str:
    """Return ``value [low, high]`` with three digits, or ``not resolved`` for None.

    Examples
    --------
    >>> format_interval(Interval(1.234e10, 1.0e10, 1.5e10))
    '1.23e+10 [1e+10, 1.5e+10]'
    """
    return "not resolved" if interval is None else str(interval)


def summary_lines(analysis: Analysis, written: Sequence[Path] = ()) -> list[str]:
    """Return the result in a few lines of plain text: decay constant, jump rate, files ``written``."""
    found = {quantity.key: quantity.interval for quantity in analysis.quantities}
    lines = [analysis.title]
    if analysis.decay is not None and found["tau_mean_ps"] is not None:
        percent = f"{100 * analysis.decay.settings.level:g} %"
        lines.append(f"  NMR decay constant τ_mean = {found['tau_mean_ps']} ps ({percent})")
        lines.append(f"  Kohlrausch τ = {format_interval(found['tau_ps'])} ps, "
                     f"γ = {format_interval(found['gamma'])}")  # fmt: skip
        lines.append(f"  NMR rate Γ_NMR = 1/τ_mean = {format_interval(found['rate_nmr_per_s'])} 1/s")
    if found["diffusion_cm2_per_s"] is not None:
        lines.append(f"  diffusion D = {found['diffusion_cm2_per_s']} cm²/s")
    if found["rate_jump_per_s"] is not None:
        lines.append(
            f"  jump rate Γ_D = 6D/a² = {found['rate_jump_per_s']} 1/s "
            f"(a = {analysis.jump_distance_angstrom:.3g} Å)"
        )
    if found.get("rate_jump_sites_per_s") is not None:
        lines.append(f"  jump rate Γ_jump (sites) = {found['rate_jump_sites_per_s']} 1/s")
    lines += [f"  {note}" for note in analysis.notes]
    if written:
        lines.append(f"  {wrote(written)}")
    return lines


def wrote(paths: Sequence[Path]) -> str:
    """Return one line on files: the one with the numbers (JSON), and how many more lie where."""
    first = next((path for path in paths if path.suffix == ".json"), paths[0])
    others = len(paths) - 1
    if others == 0:
        return f"wrote {first}"
    folder = os.path.commonpath([path.parent for path in paths]) or "."
    return f"wrote {first} and {others} more file{'s' if others > 1 else ''} in {folder}"


def build_table(series: SeriesAnalysis) -> Table:
    """Return a rich table: one section per run, then the activation energies."""
    settings = next((a.decay.settings for a in series.analyses if a.decay), None)
    level = f"{100 * settings.level:g} %" if settings else "95 %"
    table = Table(title="Decay and jump rates")
    for heading, justify in (("run", "left"), ("quantity", "left"), ("value", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    table.add_column(f"{level} interval")
    table.add_column("unit")
    for analysis in series.analyses:
        run = Text(analysis.label)
        for quantity in analysis.quantities:
            unknown = quantity.key == "rate_jump_per_s" and analysis.jump_distance_angstrom is None
            cells = ("a unknown", "") if unknown else _cells(quantity.interval, quantity.why_not)
            table.add_row(run, quantity.symbol, *cells, quantity.unit)
            run = Text("")
        table.add_section()
    for key, fit in series.arrhenius.items():
        table.add_row("", f"E_a of {ACTIVATED[key]}", *_cells(fit.activation_energy_ev), "eV")
    return table


def build_rates_table(series: SeriesAnalysis) -> Table | None:
    """Return the rates of NMR, jumps and diffusion side by side, in 1/s; None when no jumps were followed."""
    if not any(analysis.motion for analysis in series.analyses):
        return None
    table = Table(title="Rates side by side, 1/s")
    table.add_column("run")
    for name in RATES.values():
        table.add_column(name, justify="right")
    table.add_column("a (Å)", justify="right")
    for analysis in series.analyses:
        found = {quantity.key: quantity.interval for quantity in analysis.quantities}
        a = analysis.jump_distance_angstrom
        cells = [format_interval(found.get(key)).replace("not resolved", "–") for key in RATES]
        table.add_row(Text(analysis.label), *cells, "–" if a is None else f"{a:.2f}")
    return table


def build_model_table(models: Sequence[ModelInterval], level: float) -> Table:
    """Return the numbers of a committee: mean over members, sampling error, spread of the models."""
    table = Table(title="Committee: sampling and models")
    for heading in (
        "quantity",
        "members",
        "mean",
        f"{100 * level:g} % sampling",
        f"{100 * level:g} % models",
    ):
        table.add_column(heading)
    table.add_column("unit")
    for m in models:
        ends = (f"{i.low:.3g} to {i.high:.3g}" for i in (m.statistical, m.model))
        table.add_row(m.symbol, str(m.n_members), f"{m.statistical.value:.3g}", *ends, m.unit)
    return table


def _cells(interval: Interval | None, doubt: str = "") -> tuple[str, str]:
    if interval is None:
        return "not resolved", ""
    return f"{'? ' if doubt else ''}{interval.value:.3g}", f"{interval.low:.3g} to {interval.high:.3g}"
