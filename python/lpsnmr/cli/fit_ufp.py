"""``lpsnmr fit-ufp``: reference frames in, a .uf3 potential and its sidecar out."""

import glob
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lpsnmr.cli.fit_ufp_options import add_options, check_runs, parse_second, parse_settings, refuse_idle
from lpsnmr.cli.label_keys import label_key_options, take_label_keys, tell_suspicions
from lpsnmr.elements import symbol_of
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import check_targets, remove_stale
from lpsnmr.parallel import MpiRanks, OneRank
from lpsnmr.parallel.together import abort_together, communicator
from lpsnmr.potential import (
    DataSet,
    Execution,
    FitResult,
    fit_targets,
    fit_ufp,
    format_table,
    save_fit,
)
from lpsnmr.reference import read_reference
from lpsnmr.report.fit_page import write_fit_report

EPILOG = """
\b
Examples:
  lpsnmr fit-ufp reference.extxyz -o lps.uf3
  lpsnmr fit-ufp reference.extxyz -o lps.uf3 --triple Li-Li=0 --triple S-P-S=3.0,5.0
  lpsnmr fit-ufp reference.extxyz -o lps.uf3 --prior-3b-ridge 0.3,1 --prior-3b-curvature 0.1,0.3
  lpsnmr fit-ufp reference.extxyz -o lps.uf3 --search 20 --bootstrap 8
  lpsnmr fit-ufp reference.extxyz -o lps.uf3 --weigh '*quench=0.1'
  lpsnmr fit-ufp reference.extxyz -o lps.uf3 --second teacher.extxyz,0.05,1.22
  mpirun -np 4 lpsnmr fit-ufp big.extxyz -o lps.uf3 --threads 2
"""


def _report(result: FitResult) -> str:
    """Return what a user wants to read after the fit."""
    parts = []
    if len(result.candidates) > 1:
        parts.append(
            "priors (2b ridge, curvature; 3b ridge, curvature; density, anchor), held-out weighted residual:"
        )
        parts += [f"  {tuple(vars(p).values())}  {loss:.4g}" for p, loss in result.candidates]
    if result.held_out:
        parts += ["held-out errors (root mean square, each frame predicted without its block):"]
        parts += [format_table(result.held_out)]
    if result.spread:
        ratio = result.spread[-1].force_error_over_spread
        parts.append(
            f"committee: forces spread by {result.spread[-1].force_spread_eV_per_angstrom:.3f} eV/Å"
            + ("" if ratio is None else f"; held-out errors are {ratio:.1f} times that")
        )
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
@label_key_options(("energy", "forces", "stress", "virial"))
@add_options
def command(
    reference: tuple[Path, ...], output: Path, second: tuple[str, ...], committee: bool, **options: Any
) -> None:
    """Fit an ultra-fast potential to REFERENCE frames with energy, forces, stress (.extxyz, OUTCAR, .castep).

    The potential is linear in its spline coefficients; they are found by least squares with priors that
    keep them small and smooth, and V2 close to the ZBL repulsion where there are no data. Errors are
    measured on blocks of frames (whole MD runs) that the fit has not seen; then all frames are fitted.
    A fit that was stopped goes on where its last checkpoint was when the same command is given again.
    """
    keys = take_label_keys(options)
    if options["elements"]:
        parse_settings(options)  # complains before anything is read
    if output.suffix != ".uf3":
        raise InputError(f"--output: expected a name that ends in .uf3, got {output.name}")
    if not output.parent.is_dir():
        raise InputError(f"--output: the folder {output.parent} does not exist")
    refuse_idle(options)
    if committee and not (options["folds"] or options["bootstrap"]):
        raise InputError(
            "--committee: the members are the folds of the cross-validation or bootstrap fits, so --folds "
            "must be >= 2 or --bootstrap > 0"
        )
    comm = communicator()
    part = output.with_suffix(".part.npz")
    execution = Execution(
        threads=options["threads"],
        ranks=MpiRanks(comm) if comm else OneRank(),
        checkpoint=part,
        checkpoint_s=options["checkpoint_s"],
        memory=options["memory"],
    )
    members = (options["folds"], options["bootstrap"]) if committee else (0, 0)
    targets = [*fit_targets(output, *members), part]
    if options["report"]:
        targets += [output.with_name(f"{output.stem}.report.{kind}") for kind in ("png", "html")]
    with abort_together(comm):
        check_targets(*targets)
        if execution.ranks.rank == 0:
            _clean(targets)
        first = read_reference(reference, require=("energy", "forces"), keys=keys)
        data = [DataSet(first), *map(parse_second, second)]
        settings = parse_settings({**options, "elements": options["elements"] or elements_of(data)})
        remarks = check_runs(data, settings)
        if execution.ranks.rank == 0:
            tell_suspicions(first, ("energy", "forces", "stress"))
            for remark in remarks:
                click.echo(f"lpsnmr: note: {remark}", err=True)
        with _progress(execution.ranks.rank == 0) as progress:
            result = fit_ufp(data, settings, progress, execution)
        if execution.ranks.rank == 0:
            files: list[list[Path]] = [list(reference), *([Path(s.split(",")[0])] for s in second)]
            frames = [f for d in data for f in d.frames]

            def report(folder: Path) -> list[Path]:
                return write_fit_report(folder, output.stem, result, settings, frames)

            written = save_fit(
                output, result, settings, data, files, committee, options["extrapolation"],
                report if options["report"] else None,
            )  # fmt: skip
            for old in [part, *output.parent.glob(f"{glob.escape(part.name)}.*")]:
                old.unlink(missing_ok=True)
            _clean(targets)
            click.echo(_report(result))
            click.echo("written: " + " ".join(map(str, written)))


def elements_of(data: Sequence[DataSet]) -> str:
    """Return the elements of all frames, by atomic number, with spaces between."""
    numbers = {int(z) for part in data for frame in part.frames for z in np.unique(frame.numbers)}
    return " ".join(symbol_of(z) for z in sorted(numbers))


def _clean(paths: Sequence[Path]) -> None:
    """Remove what fits that were killed left aside."""
    for path in paths:
        remove_stale(path)


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that draws one bar per stage on standard error."""
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done)

        yield show
