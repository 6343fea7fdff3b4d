"""``lpsnmr fit-ufp``: reference frames in, a .uf3 potential and its sidecar out."""

import itertools
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lpsnmr.errors import InputError
from lpsnmr.potential import (
    BasisSettings,
    DataSet,
    FitResult,
    FitSettings,
    PriorSettings,
    WeightSettings,
    fit_ufp,
    format_table,
    save_fit,
)
from lpsnmr.reference import read_reference

EPILOG = """
\b
Examples:
  lpsnmr fit-ufp reference.extxyz -o lps.uf3
  lpsnmr fit-ufp reference.extxyz -o lps.uf3 --triple Li-Li=0 --triple S-P-S=3.0,5.0
  lpsnmr fit-ufp reference.extxyz -o lps.uf3 --prior-3b-ridge 0.3,1 --prior-3b-curvature 0.1,0.3
  lpsnmr fit-ufp reference.extxyz -o lps.uf3 --second teacher.extxyz,0.05,1.22
"""


def _floats(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, ...]:
    """Turn numbers separated by commas into a tuple."""
    try:
        return tuple(float(word) for word in value.split(","))
    except ValueError:
        raise InputError(
            f"--{param.name}: expected numbers separated by commas, got {value!r}".replace("_", "-")
        ) from None


def _parse_triples(texts: tuple[str, ...]) -> dict[str, Any]:
    """Turn ``A-B=4.0`` and ``A-B-C=4.0,3.7`` into the two cutoff lists of BasisSettings."""
    pairs, triples = [], []
    for text in texts:
        names, _, values = text.partition("=")
        elements, words = names.split("-"), values.split(",")
        if "=" not in text or (len(elements), len(words)) not in ((2, 1), (3, 2)):
            raise InputError(
                f"--triple: expected CENTRE-NEIGHBOUR=CUTOFF or CENTRE-J-K=CUTOFF_J,CUTOFF_K, got {text!r}"
            )
        try:
            cutoffs = [float(word) for word in words]
        except ValueError:
            raise InputError(f"--triple: expected cutoffs in Å after '=', got {text!r}") from None
        if len(elements) == 2:
            pairs.append((elements[0], elements[1], cutoffs[0]))
        else:
            triples.append((elements[0], elements[1], elements[2], cutoffs[0], cutoffs[1]))
    return {"three_body_cutoffs": tuple(pairs), "triple_cutoffs": tuple(triples)}


def _parse_second(text: str) -> DataSet:
    """Read ``FILE[,WEIGHT[,SCALE]]``."""
    name, *numbers = text.split(",")
    try:
        weight, scale = (float(n) for n in [*numbers, *["0.05", "1"][len(numbers) :]])
    except ValueError:
        raise InputError(f"--second: expected FILE[,WEIGHT[,SCALE]], got {text!r}") from None
    return DataSet(read_reference(name, require=("energy", "forces")), weight, scale, Path(name).name)


def _settings(o: dict[str, Any]) -> FitSettings:
    """Build the settings from the options."""
    basis = BasisSettings(
        elements=tuple(o["elements"].replace(",", " ").split()),
        body_order=o["body_order"],
        two_body_start=o["two_body_start"],
        two_body_cutoff=o["two_body_cutoff"],
        two_body_spacing=o["two_body_spacing"],
        three_body_start=o["three_body_start"],
        three_body_cutoff=o["three_body_cutoff"],
        three_body_spacing=o["three_body_spacing"],
        **_parse_triples(o["triple"]),
    )
    widths = (o["prior_2b_ridge"], o["prior_2b_curvature"], o["prior_3b_ridge"], o["prior_3b_curvature"])
    return FitSettings(
        basis=basis,
        priors=tuple(PriorSettings(*values) for values in itertools.product(*widths)),
        weights=WeightSettings(o["energy_error"] * 1e-3, o["force_error"], o["stress_error"]),
        folds=o["folds"],
        steps_per_block=o["steps_per_block"],
        seed=o["seed"],
        monotone_core=o["monotone_core"],
    )


def _report(result: FitResult) -> str:
    """Return what a user wants to read after the fit."""
    parts = []
    if len(result.candidates) > 1:
        parts.append("priors (2b ridge, curvature; 3b ridge, curvature) and held-out weighted residual:")
        parts += [f"  {tuple(vars(p).values())}  {loss:.4g}" for p, loss in result.candidates]
    if result.held_out:
        parts += ["held-out errors (root mean square, each frame predicted without its block):"]
        parts += [format_table(result.held_out)]
    parts += ["errors of the fit to all frames:", format_table(result.training)]
    parts.append(f"{result.fitted_columns} coefficients fitted; V2 below the shortest distance of the data:")
    for row in result.core:
        verdict = (
            "repulsive"
            if row.repulsive
            else f"NOT repulsive throughout (slope {row.largest_slope:+.3g} eV/Å)"
        )
        parts.append(
            f"  {row.pair:<6} shortest {row.shortest_distance:.2f} Å, {row.energy_at_first_knot:.3g} eV at "
            f"{row.first_knot:g} Å: {verdict}"
        )
    return "\n".join(parts)


@click.command("fit-ufp", epilog=EPILOG)
@click.argument("reference", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Target .uf3 file; a .json sidecar and a .ufx file go beside it.",
)
@click.option("--elements", default="Li P S", show_default=True, help="Elements of the potential.")
@click.option(
    "--body-order", type=int, default=3, show_default=True, help="2: pairs alone; 3: pairs and triples."
)
@click.option("--two-body-cutoff", type=float, default=6.0, show_default=True, help="Å.")
@click.option("--two-body-start", type=float, default=0.6, show_default=True, help="First two-body knot, Å.")
@click.option(
    "--two-body-spacing", type=float, default=0.2, show_default=True, help="Distance of two-body knots, Å."
)
@click.option(
    "--three-body-cutoff", type=float, default=4.0, show_default=True, help="Cutoff of r_ij and r_ik, Å."
)
@click.option(
    "--three-body-start", type=float, default=1.0, show_default=True, help="First three-body knot, Å."
)
@click.option(
    "--three-body-spacing",
    type=float,
    default=0.5,
    show_default=True,
    help="Distance of three-body knots, Å.",
)
@click.option(
    "--triple",
    multiple=True,
    metavar="A-B=R | A-B-C=R,R",
    help="Cutoff (Å) of neighbours B around centre A, or of j = B and k = C around A; 0: no three-body "
    "term. May be repeated; the second form wins.",
)
@click.option(
    "--energy-error",
    type=float,
    default=3.0,
    show_default=True,
    help="Expected error of energies, meV/atom; sets their weight.",
)
@click.option(
    "--force-error", type=float, default=0.1, show_default=True, help="Expected error of forces, eV/Å."
)
@click.option(
    "--stress-error", type=float, default=0.1, show_default=True, help="Expected error of stress, GPa."
)
@click.option(
    "--prior-2b-ridge",
    callback=_floats,
    default="1",
    show_default=True,
    help="Width of two-body coefficients around ZBL, eV.",
)
@click.option(
    "--prior-2b-curvature",
    callback=_floats,
    default="0.1",
    show_default=True,
    help="Width of their second differences, eV.",
)
@click.option(
    "--prior-3b-ridge",
    callback=_floats,
    default="0.5",
    show_default=True,
    help="Width of three-body coefficients around zero, eV.",
)
@click.option(
    "--prior-3b-curvature",
    callback=_floats,
    default="0.3",
    show_default=True,
    help="Width of their second differences, eV. Several numbers separated by commas in any of the four: "
    "cross-validation chooses.",
)
@click.option(
    "--monotone-core/--free-core",
    default=True,
    show_default=True,
    help="Make V2 fall below the shortest distance of the data.",
)
@click.option(
    "--folds", type=int, default=5, show_default=True, help="Folds of the cross-validation; 0: none."
)
@click.option(
    "--steps-per-block", type=int, help="Cut runs into blocks of so many MD steps; whole runs by default."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the folds.")
@click.option(
    "--second",
    multiple=True,
    metavar="FILE[,WEIGHT[,SCALE]]",
    help="Further frames with energy and forces, their weight (0.05) and a factor on their labels (1). "
    "Left out with the blocks they belong to; no errors are measured on them.",
)
@click.option("--committee", is_flag=True, help="Also write the potential of each fold.")
@click.option(
    "--extrapolation/--no-extrapolation",
    default=True,
    show_default=True,
    help="Write the .ufx file from which compute ufp/extrapolation tells how far atoms are outside the data.",
)
def command(
    reference: tuple[Path, ...],
    output: Path,
    second: tuple[str, ...],
    committee: bool,
    extrapolation: bool,
    **options: Any,
) -> None:
    """Fit an ultra-fast potential to REFERENCE frames (extended XYZ with energy, forces, stress).

    The potential is linear in its spline coefficients; they are found by least squares with priors that
    keep them small and smooth, and V2 close to the ZBL repulsion where there are no data. Errors are
    measured on blocks of frames (whole MD runs) that the fit has not seen; then all frames are fitted.
    """
    settings = _settings(options)
    if output.suffix != ".uf3":
        raise InputError(f"--output: expected a name that ends in .uf3, got {output.name}")
    if not output.parent.is_dir():
        raise InputError(f"--output: the folder {output.parent} does not exist")
    if committee and not settings.folds:
        raise InputError(
            "--committee: the members are the folds of the cross-validation, so --folds must be >= 2"
        )
    data = [DataSet(read_reference(reference, require=("energy", "forces"))), *map(_parse_second, second)]
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done)

        result = fit_ufp(data, settings, progress)
    files: list[list[Path]] = [list(reference), *([Path(s.split(",")[0])] for s in second)]
    written = save_fit(output, result, settings, data, files, committee, extrapolation)
    click.echo(_report(result))
    click.echo("written: " + " ".join(map(str, written)))
