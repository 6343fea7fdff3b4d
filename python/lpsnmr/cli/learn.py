"""``lpsnmr learn``: rounds of sampling, selection, labelling and fitting."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lpsnmr.active_learning import (
    LearnSettings,
    default_plan_text,
    format_rounds,
    learn,
    load_plan,
)
from lpsnmr.cli.options import ENGINE_OPTIONS, SEED, number_option
from lpsnmr.data import shipped_reference
from lpsnmr.errors import InputError
from lpsnmr.labelling import EngineChoice
from lpsnmr.runs.prepare import potential_path

EPILOG = """
\b
Examples:
  lpsnmr learn -o learn --rounds 3 --frames 20 --jobs 2
  lpsnmr learn --example > plan.toml
  lpsnmr learn -o learn --plan plan.toml --reference mine.extxyz --potential mine.uf3

The same command goes on where it stopped; with more --rounds it goes further.
"""


def _show_example(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        click.echo(default_plan_text(), nl=False)
        ctx.exit()


def _reference(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the files given, or the shipped set."""
    return given or shipped_reference()


@click.command("learn", epilog=EPILOG)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the rounds.")
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_example,
    help="Print the shipped plan and end.",
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    help="What to sample, TOML; the shipped plan by default. Also shipped: hot.toml, melt.toml.",
)
@click.option(
    "--reference",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Labelled frames to begin with; may be repeated; the shipped set by default.",
)
@click.option(
    "--potential",
    default="default",
    show_default=True,
    help="Potential to begin with (.uf3 with its .json beside it); later ones are fitted in the same way.",
)
@number_option("--rounds", 1, "Rounds in all.")
@number_option("--frames", 10, "Frames to label in each round.")
@click.option("--engine", default="gpaw", show_default=True, help="What labels; as in lpsnmr label.")
@ENGINE_OPTIONS
@click.option(
    "--mix-labels",
    is_flag=True,
    help="Allow labels of another recipe (label_id) than the reference has; their energies may not agree.",
)
@click.option("--gpaw-python", help="Python interpreter that has GPAW.")
@number_option("--jobs", 1, "Labels computed side by side.")
@number_option("--folds", 5, "Folds of the refits; 0: none.")
@click.option("--steps-per-block", type=int, help="Blocks of the folds, MD steps; whole runs by default.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of trajectories and folds.")
def command(
    output: Path,
    plan: Path | None,
    reference: tuple[Path, ...],
    potential: str,
    engine: str,
    options: dict[str, Any],
    gpaw_python: str | None,
    **o: Any,
) -> None:
    """Improve a potential by active learning.

    Each round runs MD with the present potential over the phases and temperatures of the plan, chooses the
    frames whose labels would teach it most, labels them, fits again, and reports the errors on the new
    frames before and after the fit and the held-out errors.
    """
    if not output.parent.is_dir():
        raise InputError(f"--output: the folder {output.parent} does not exist")
    settings = LearnSettings(
        folder=output,
        reference=_reference(reference),
        potential=potential_path(potential),
        plan=load_plan(plan),
        engine=EngineChoice(engine, options, gpaw_python=gpaw_python),
        **o,
    )
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)
            if not console.is_terminal and (done == total or stage == "labelling"):
                console.print(f"{stage}: {done}/{total}", soft_wrap=True)

        reports = learn(settings, progress)
    click.echo(format_rounds(reports))
    click.echo(f"written: {output}/round-01 to round-{len(reports):02d}: potential, labels, report of each")
