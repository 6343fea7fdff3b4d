"""``lpsnmr analyze``: NMR decay, diffusion and jump rates from results files."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from lpsnmr.analysis import AnalysisSettings, analyze_file, analyze_series
from lpsnmr.analysis.committee import combine_members
from lpsnmr.analysis.dynamics import DiffusionSettings
from lpsnmr.analysis.nmr import DecaySettings, ObservableSettings
from lpsnmr.analysis.nmr.kohlrausch import BASELINES
from lpsnmr.cli.options import SEED
from lpsnmr.report.analysis_files import write_analysis, write_series
from lpsnmr.report.files import write_model_intervals
from lpsnmr.report.plots import FORMATS, drawn_as
from lpsnmr.report.text import build_model_table, build_rates_table, build_table, wrote

DEFAULTS = DecaySettings()


@click.command(
    name="analyze",
    epilog="Examples:\n\n"
    "  lpsnmr analyze run-600K.h5 -o analysis\n\n"
    "  lpsnmr analyze 500K.h5 600K.h5 700K.h5 -o arrhenius --jump-distance 3.2",
)
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("analysis"),
    show_default=True, help="Folder for analysis.json, CSV files and plots.",
)  # fmt: skip
@click.option(
    "--jump-distance", type=float, metavar="Å",
    help="Jump distance a of the jump rate 6D/a²; default: the root mean square length of the "
    "jumps found, else the mean distance between neighbouring Li sites of the starting crystal.",
)  # fmt: skip
@click.option(
    "--fit-start", type=float, default=DEFAULTS.fit_start_ps, show_default=True, metavar="PS",
    help="Lags below belong to vibrations and are left out of the Kohlrausch fit.",
)  # fmt: skip
@click.option(
    "--max-lag-fraction", type=float, default=DEFAULTS.max_lag_fraction, show_default=True,
    help="Longest lag used, as a fraction of the run.",
)  # fmt: skip
@click.option(
    "--baseline", type=click.Choice(BASELINES), default=DEFAULTS.baseline, show_default=True,
    help="Fit the plateau C∞ of C(t), or hold it at zero.",
)  # fmt: skip
@click.option(
    "--msd-start", type=float, default=DiffusionSettings().min_lag_ps, show_default=True, metavar="PS",
    help="Shortest lag at which the linear regime of the MSD may begin.",
)  # fmt: skip
@click.option(
    "--bootstrap", type=int, default=DEFAULTS.n_bootstrap, show_default=True,
    help="Curves resampled over Li, and as many over blocks of time, for the intervals.",
)  # fmt: skip
@click.option(
    "--level", type=float, default=DEFAULTS.level, show_default=True, help="Confidence of the intervals."
)
@click.option(
    "--larmor-mhz", type=float, multiple=True, metavar="MHZ",
    help="Larmor frequency of the nucleus for T1; may be given several times.  [default: at the fields]",
)  # fmt: skip
@click.option(
    "--field-t", type=float, multiple=True, default=ObservableSettings().field_t, show_default=True,
    metavar="T", help="Magnetic field for T1 and second-order shifts, which gives the Larmor frequency; "
    "may be given several times.",
)  # fmt: skip
@click.option(
    "--committee", is_flag=True,
    help="The files are one run by three or more members of a committee: add model intervals.",
)  # fmt: skip
@click.option("--seed", type=SEED, default=DEFAULTS.seed, show_default=True, help="Of the resampling.")
@click.option("--plots/--no-plots", default=True, show_default=True, help="Draw figures.")
@click.option(
    "--format", "figure_format", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True,
    help="Of the figures.",
)  # fmt: skip
@click.option(
    "--style", metavar="NAME", default="default", show_default=True,
    help="Matplotlib style of the figures: a name such as grayscale, or a .mplstyle file.",
)  # fmt: skip
def command(
    results: tuple[Path, ...],
    output: Path,
    jump_distance: float | None,
    fit_start: float,
    max_lag_fraction: float,
    baseline: Literal["fit", "zero"],
    msd_start: float,
    bootstrap: int,
    level: float,
    larmor_mhz: tuple[float, ...],
    field_t: tuple[float, ...],
    committee: bool,
    seed: int,
    plots: bool,
    figure_format: str,
    style: str,
) -> None:
    """Print decay constants and jump rates of RESULTS files and write plots and numbers.

    A results file comes from `lpsnmr run` or `lpsnmr stream`; their output folder may be given
    instead. C(t) of the quadrupolar frequency is
    fitted with C∞ + ΔC exp[−(t/τ)^γ]; the rate Γ_NMR = 1/τ_mean stands beside the jump rate 6D/a² from the
    mean squared displacement, each with its confidence interval. Spin-alignment echoes, field
    directions and tensors sampled by the run give τ_SAE and the number of sites visited, single-crystal
    decays, powder spectra and second moments; the decay gives T1. What the run is too short to say
    is called not resolved. Files at several temperatures also give activation energies.
    """
    decay = DecaySettings(
        fit_start_ps=fit_start, max_lag_fraction=max_lag_fraction, baseline=baseline,
        n_bootstrap=bootstrap, level=level, seed=seed,
    )  # fmt: skip
    diffusion = DiffusionSettings(
        min_lag_ps=msd_start, max_lag_fraction=max_lag_fraction, jump_distance_angstrom=jump_distance,
        n_bootstrap=bootstrap, level=level, seed=seed,
    )  # fmt: skip
    settings = AnalysisSettings(decay, diffusion, ObservableSettings(tuple(larmor_mhz), tuple(field_t)))
    console = Console(highlight=False, soft_wrap=True)
    with Console(stderr=True).status("Fitting and resampling"):
        series = analyze_series([analyze_file(path, settings) for path in results])
        models = combine_members(series.analyses) if committee else []
        if committee:  # one temperature
            series = replace(series, arrhenius={}, notes=[])
        with drawn_as(figure_format, style):
            if len(results) == 1:
                written = write_analysis(series.analyses[0], output, make_plots=plots)
            else:
                written = write_series(series, output, make_plots=plots)
    console.print(build_table(series))
    if committee:
        written.append(write_model_intervals(output / "model_intervals.csv", models))
        console.print(build_model_table(models, level))
    rates = build_rates_table(series)
    if rates is not None:
        console.print(rates)
    for analysis in series.analyses:
        for note in analysis.notes:
            console.print(f"{analysis.path}: {note}", markup=False)
    for note in series.notes:
        console.print(str(note), markup=False)
    console.print(wrote(written), markup=False)
