"""``lpsnmr predict``: what a spectrometer sees of a jump network at any temperature."""

import re
from math import pi
from pathlib import Path
from typing import Any

import click
import numpy as np

from lpsnmr.analysis.nmr import ObservableSettings
from lpsnmr.errors import InputError
from lpsnmr.network.predict import PredictSettings, SecondMoments, predict
from lpsnmr.network.toml_file import read_network
from lpsnmr.report.prediction_files import write_prediction
from lpsnmr.report.text import wrote

MOST_TEMPERATURES = 1000


def _temperatures(ctx: click.Context, param: click.Parameter, text: str) -> list[float]:
    """Read ``200:500``, ``200:500:10`` or ``250,300,350``."""
    expected = f"expected such as 200:500, 200:500:10 or 250,300 (K), got {text!r}"
    try:
        numbers = [float(part) for part in re.split("[:,]", text)]
    except ValueError:
        raise InputError(f"--temperature: {expected}") from None
    if any(not (np.isfinite(x) and x > 0) for x in numbers):
        raise InputError(f"--temperature: {expected}")
    if ":" not in text:
        return sorted(set(numbers))
    if "," in text or len(numbers) > 3 or numbers[1] < numbers[0]:
        raise InputError(f"--temperature: {expected}")
    step = numbers[2] if len(numbers) == 3 else 10.0
    if (numbers[1] - numbers[0]) / step > MOST_TEMPERATURES:
        raise InputError(f"--temperature: expected at most {MOST_TEMPERATURES} temperatures, got {text!r}")
    return [float(t) for t in np.arange(numbers[0], numbers[1] + 1e-9 * step, step)]


def _microseconds(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> tuple[float, ...]:
    """Read ``10us``, ``10`` (μs) or ``0.05ms``."""
    found = []
    for text in texts:
        match = re.fullmatch(r"([\d.eE+-]+)\s*(us|µs|μs|ms|)", text.strip())
        try:
            value = float(match[1]) * (1e3 if match[2] == "ms" else 1.0) if match else 0.0
        except ValueError:
            value = 0.0
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"--evolution-time: expected such as 10us or 0.05ms, got {text!r}")
        found.append(value)
    return tuple(sorted(set(found)))


@click.command(
    name="predict",
    epilog="Examples:\n\n"
    "  lpsnmr predict --rates two-sites.toml --temperature 200:500 -o two-sites\n\n"
    "  lpsnmr predict --rates chain.toml --temperature 250:450:5 --larmor-mhz 116.6 --evolution-time 10us\n\n"
    "  lpsnmr predict 550K.h5 600K.h5 650K.h5 700K.h5 --temperature 300",
)
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--rates", type=click.Path(path_type=Path, dir_okay=False), help="Network written by hand (TOML)."
)  # fmt: skip
@click.option(
    "--temperature", "temperatures", default="200:500", show_default=True, callback=_temperatures,
    metavar="K",
    help="FIRST:LAST, FIRST:LAST:STEP (10 K by default), or a list with commas.",
)  # fmt: skip
@click.option(
    "--larmor-mhz", type=click.FloatRange(min=0, min_open=True), multiple=True, metavar="MHZ",
    help="Larmor frequency of the nucleus; may be given several times.  [default: at the fields]",
)  # fmt: skip
@click.option(
    "--field-t", type=click.FloatRange(min=0, min_open=True), multiple=True,
    default=ObservableSettings().field_t, show_default=True, metavar="T",
    help="Magnetic field, which gives the Larmor frequency of the nucleus; may be given several times.",
)  # fmt: skip
@click.option(
    "--evolution-time", "evolution_us", multiple=True, default=("10us",), show_default=True,
    callback=_microseconds, metavar="TIME",
    help="Evolution time t_p of the echoes, such as 10us; may be given several times.",
)  # fmt: skip
@click.option(
    "--spin-lock-khz", type=click.FloatRange(min=0), default=20.0, show_default=True, metavar="KHZ",
    help="Strength of the spin lock of T1ρ, ω1/2π.",
)  # fmt: skip
@click.option(
    "--spectrum", "spectra", type=click.FloatRange(min=0, min_open=True), multiple=True, metavar="K",
    help="Also the whole spectrum at this temperature; may be given several times.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("prediction"),
    show_default=True, help="Folder for CSV files and plots.",
)  # fmt: skip
@click.option("--plots/--no-plots", default=True, show_default=True, help="Draw PNG files.")
def command(
    results: tuple[Path, ...],
    rates: Path | None,
    temperatures: list[float],
    larmor_mhz: tuple[float, ...],
    field_t: tuple[float, ...],
    evolution_us: tuple[float, ...],
    spin_lock_khz: float,
    spectra: tuple[float, ...],
    output: Path,
    plots: bool,
) -> None:
    """Predict echoes, T1, T1ρ, T2 and line widths of RESULTS, or of a network written by hand.

    A network is a set of sites, each with a tensor and an energy, and of jumps between them with a barrier
    and a prefactor. It knows the rates at every temperature, so it leads from the nanoseconds of MD to the
    milliseconds of a spectrometer. RESULTS files of runs at two temperatures or more that followed sites are
    fitted by a network first; then rates and T1 have intervals. With --rates the network comes from a file.

    Echoes are exact for jumps during the evolution time: compare amplitude_left in echo_summary.csv with
    1 to see what these destroy. flanks.csv says which barrier an experimenter reads from the two flanks of
    1/T1.
    """
    if (rates is None) == (not results):
        raise InputError("predict: expected either results files or --rates FILE")
    fit: Any = None
    if rates is not None:
        network, dipolar = read_network(rates)
        moments = SecondMoments(dipolar.like_khz2 * (2e3 * pi) ** 2, dipolar.unlike_khz2 * (2e3 * pi) ** 2)
        lines: list[str] = []
    else:
        from lpsnmr.network.from_results import fit_results

        found = fit_results(results)
        fit, network, moments, lines = found.fit, found.fit.network, SecondMoments(), list(found.notes)
    settings = PredictSettings(
        temperatures,
        ObservableSettings(larmor_mhz, field_t).frequencies_mhz(network.nucleus),
        spin_lock_khz,
        evolution_us,
        spectra_k=tuple(sorted(set(spectra))),
    )
    prediction = predict(network, settings, moments, fit)
    written = write_prediction(prediction, output, make_plots=plots)
    for flank in prediction.flanks:
        where = (
            f"at {flank.maximum_k:.4g} K" if np.isfinite(flank.maximum_k) else "outside these temperatures"
        )
        click.echo(
            f"{flank.larmor_mhz:g} MHz: the largest 1/T1 is {where}; flanks read "
            f"{flank.cold_ev:.3f} eV (cold) and {flank.hot_ev:.3f} eV (hot)"
        )
    if np.isfinite(prediction.narrowing_k):
        click.echo(f"the central line has half its width at rest at {prediction.narrowing_k:.4g} K")
    for line in [*lines, *prediction.notes]:
        click.echo(line)
    click.echo(wrote(written))
