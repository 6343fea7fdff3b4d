"""``lpsnmr fit-efg``: fit an EFG model to reference tensors and tell its held-out errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lpsnmr.cli.label_keys import label_key_options, take_label_keys, tell_suspicions
from lpsnmr.cli.options import MEMORY_OPTION, SEED
from lpsnmr.efg.regression import FitResult
from lpsnmr.efg.settings import EfgSettings
from lpsnmr.efg.training import TrainingOptions, train_model
from lpsnmr.errors import InputError
from lpsnmr.reference import read_reference
from lpsnmr.units import EFG_UNITS

DEFAULT = EfgSettings()
TABLE_WIDTH = 118
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def radial_option(name: str, text: str) -> Decorator:
    """Return a click option that takes a number of functions and a cutoff."""
    return click.option(
        f"--{name}",
        type=(int, float),
        default=getattr(DEFAULT, name),
        show_default=True,
        metavar="N CUTOFF",
        help=f"{text}: number of radial functions and cutoff in Å.",
    )


def degree_option(name: str, text: str) -> Decorator:
    """Return a click option that takes a degree of spherical harmonics."""
    default = getattr(DEFAULT, name.replace("-", "_"))
    return click.option(f"--{name}", type=int, default=default, show_default=True, metavar="L", help=text)


@click.command("fit-efg", epilog="Example: lpsnmr fit-efg lps_gpaw_pbe.extxyz -o li3ps4.efg")
@click.argument("data", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Model file (.efg).",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Errors and settings as JSON.  [default: OUTPUT with .fit.json]",
)
@click.option(
    "--target",
    help="Elements whose tensors are learnt, as Li or Li,S.  [default: the most electropositive of the data]",
)
@click.option(
    "--nucleus",
    "nuclei",
    multiple=True,
    help="Isotope whose C_Q is reported; once per element.  [default: 7Li for Li, 23Na for Na, …]",
)
@click.option(
    "--unit",
    type=click.Choice(list(EFG_UNITS)),
    default="au",
    show_default=True,
    help="Unit of the efg columns where the header has no efg_unit; au is Hartree/(e bohr²).",
)
@label_key_options(("efg",))
@click.option(
    "--folds",
    type=int,
    help="Number of held-out folds.  [default: one per block, at most 12]",
)
@click.option(
    "--steps-per-block",
    type=int,
    metavar="STEPS",
    help="Hold out stretches of this many MD steps instead of whole runs.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Seed of the sharing of blocks over folds.",
)
@click.option(
    "--bridge-species", help="Elements a chain runs through, as S,P.  [default: the anions of the data]"
)
@click.option(
    "--source-species",
    help="Elements whose charges and dipoles depend on their neighbours.  [default: all but bare cations]",
)
@click.option(
    "--disordered-weight",
    type=float,
    default=TrainingOptions().disordered_weight,
    show_default=True,
    help="Weight of a disordered frame in the fit; a crystal has 1.",
)
@radial_option("pair", "Body order 2, target–neighbour")
@radial_option("chain", "Chain, target–bridge distance")
@radial_option("bridge", "Chain, density around the bridge")
@degree_option("bridge-l-max", "Chain: highest degree of the density around the bridge.")
@radial_option("product", "Chain, density around the bridge that is multiplied by itself (0: off)")
@degree_option("product-l-max", "Chain: highest degree of the factors of the product.")
@degree_option("product-degree-max", "Chain: highest degree of the product.")
@radial_option("triple", "Body order 3, density around the target (0: off)")
@degree_option("triple-l-max", "Body order 3: highest degree of that density.")
@click.option(
    "--field-cutoff",
    type=float,
    default=DEFAULT.field_cutoff,
    show_default=True,
    help="Chain: how far the charges are whose field a bridge feels, Å (0: off).",
)
@radial_option("source", "Chain, density that sets the charge and dipole of a source")
@click.option(
    "--learning-curve", is_flag=True, help="Also report held-out errors by the number of training frames."
)
@click.option(
    "--groups",
    is_flag=True,
    help="Also report errors of fits to one material and phase (or all others) on another.",
)
@MEMORY_OPTION
@click.option("-q", "--quiet", is_flag=True, help="No progress display and no table.")
def command(
    data: tuple[Path, ...],
    output: Path,
    report: Path | None,
    target: str | None,
    nuclei: tuple[str, ...],
    unit: str,
    folds: int | None,
    steps_per_block: int | None,
    seed: int,
    bridge_species: str | None,
    source_species: str | None,
    disordered_weight: float,
    learning_curve: bool,
    groups: bool,
    memory: int | None,
    quiet: bool,
    **terms: Any,
) -> None:
    """Fit an EFG model to the tensors in DATA (extended XYZ with nine efg columns, .magres, OUTCAR).

    Frames need `run` in their header: errors are those of whole MD runs that the fit has not seen. The
    strength of the regularisation of each group of features is chosen on the same held-out runs; the model
    that is written is then fitted to all data.
    """
    if not output.parent.is_dir():
        raise InputError(f"{output}: the folder {output.parent} does not exist")
    frames = read_reference(data, require=("efg",), keys=take_label_keys(terms, unit))
    if not quiet:
        tell_suspicions(frames, ("efg",), unit)
    options = TrainingOptions(
        targets=_given(target),
        nuclei=nuclei,
        unit=unit,
        folds=folds,
        steps_per_block=steps_per_block,
        seed=seed,
        bridge_species=_given(bridge_species),
        source_species=_given(source_species),
        disordered_weight=disordered_weight,
        terms=terms,
        learning_curve=learning_curve,
        groups=groups,
        memory=memory,
    )
    console = Console(stderr=True, quiet=quiet)
    with Progress(console=console, transient=True) as progress:
        featurise = progress.add_task("features", total=len(frames) * len(options.targets or ("one",)))
        search = progress.add_task("regularisation", total=None)

        def on_step(rmse: float) -> None:
            progress.update(search, advance=1, description=f"regularisation, RMSE {rmse:.4f} V/Å²")

        trained = train_model(
            frames, data, options, on_frame=lambda: progress.advance(featurise), on_step=on_step
        )
    trained.model.save(output)
    written = trained.write_report(report or output.with_suffix(".fit.json"))
    if not quiet:
        for symbol, result in trained.results.items():
            print_fit(result, trained.report["targets"][symbol])
        click.echo(f"{trained.report['frames']} frames, {trained.report['features']} features")
        click.echo(f"model:  {output} (sha256 {trained.model.sha256[:12]})")
        click.echo(f"report: {written}")


def _given(text: str | None) -> tuple[str, ...] | None:
    """Return the entries of a list that was given, else None."""
    return None if text is None else _names(text)


def _names(text: str) -> tuple[str, ...]:
    """Return the entries of a list with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def print_fit(result: FitResult, told: dict[str, Any]) -> None:
    """Print what the report tells about one target."""
    console = Console(width=TABLE_WIDTH)
    console.print(error_table(result, str(told["nucleus"])))
    covered = told["coverage"]["all"]
    scalar = told["scalar_baseline"]["all"]
    click.echo(
        f"{told['tensors']} tensors, training error {told['training_rmse_percent']:.1f} % of the component "
        f"RMS; σ covers {100 * covered['within_1_sigma']:.0f} % (1 σ) and "
        f"{100 * covered['within_1.96_sigma']:.0f} % (1.96 σ) of held-out components"
    )
    click.echo(
        f"C_Q alone from invariants: |C_Q| RMSE {scalar['abs_cq_rmse_khz']:.1f} kHz, "
        f"C_Q* {scalar['signed_cq_rmse_khz']:.1f} kHz"
    )
    for run in told["correlation"]:
        click.echo(
            f"C(t) of omega_Q, {run['run']}: C(0) predicted/reference {run['c0_ratio']:.3f}, "
            f"C(t)/C(0) differs by {run['normalized_rmse']:.3f} over {len(run['steps']) - 1} lags"
            + (", evenly spaced" if run["evenly_spaced"] else "")
        )
    for point in told.get("learning_curve", []):
        click.echo(
            f"{point['training_frames']:6.1f} training frames: {point['all']['component_rmse_percent']:.1f} %"
            + "".join(
                f", {name.partition(':')[2]} {part['component_rmse_percent']:.1f} %"
                for name, part in point.items()
                if name.startswith("phase:")
            )
        )
    for pair in told.get("groups", []):
        click.echo(
            f"{pair['trained_on']} ({pair['training_frames']} frames) -> {pair['tested_on']}: "
            f"{pair['component_rmse_percent']:.1f} %, |C_Q| RMSE {pair['abs_cq_rmse_khz']:.1f} kHz"
        )


def error_table(result: FitResult, nucleus: str) -> Table:
    """Return the held-out errors as a table."""
    table = Table(title=f"Held-out errors, {nucleus}", box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("part", no_wrap=True)
    for heading in (
        "tensors",
        "RMSE\nV/Å²",
        "RMSE\n%",
        "MAE\nV/Å²",
        "|C_Q|\nRMSE kHz",
        "|C_Q|\nMAE kHz",
        "C_Q*\nkHz",
        "axis*\n°",
        "η RMSE",
        "C(0)\nratio",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, e in result.errors.items():
        table.add_row(
            name.partition(":")[2] or name,
            str(e["tensors"]),
            f"{e['component_rmse']:.3f}",
            f"{e['component_rmse_percent']:.1f}",
            f"{e['component_mae']:.3f}",
            f"{e['abs_cq_rmse_khz']:.1f}",
            f"{e['abs_cq_mae_khz']:.1f}",
            f"{e['signed_cq_rmse_khz']:.1f}",
            f"{e['axis_angle_mean_deg']:.1f}",
            f"{e['eta_rmse']:.3f}",
            f"{e['mean_square_ratio']:.3f}",
            end_section=name == "all" or name == "phase:disordered",
        )
    table.caption = "* tensors with η < 0.7 in the reference; % of the RMS of the components of that part"
    return table
