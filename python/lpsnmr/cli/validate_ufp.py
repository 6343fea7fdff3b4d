"""``lpsnmr validate-ufp``: a potential in, figures that say whether to use it out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lpsnmr.cli.options import SEED, number_option
from lpsnmr.data import shipped_reference
from lpsnmr.errors import InputError
from lpsnmr.parallel.together import abort_together, communicator
from lpsnmr.report.files import make_folder
from lpsnmr.report.validation_page import summary_rows, write_validation_report
from lpsnmr.validation import MELT_FROM, STAGES, ValidateSettings, validate
from lpsnmr.validation.dynamic import check_md

PIPED_COLUMNS = 120  # of the table in a file or pipe, which has no width of its own
EPILOG = """
\b
Examples:
  lpsnmr validate-ufp lps.uf3                        the shipped reference set, 1 ns at 300, 600, 900 K
  lpsnmr validate-ufp lps.uf3 --stages errors,crystal
  lpsnmr validate-ufp lps.uf3 --stages cells         volume and axes of β and γ by MD, beside the published
  lpsnmr validate-ufp lps.uf3 --ns 10 --temperatures 300,600,900 --stages stability
  lpsnmr validate-ufp lps.uf3 --stages amorphous --melt-from crystal --melt-k 2000 --quench-ps 40
  lpsnmr validate-ufp lps.uf3 --quick                every stage for a minute, to see that it works
  mpirun -np 4 lpsnmr validate-ufp lps.uf3           runs are shared out over the ranks
"""


def _numbers(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, ...]:
    """Turn numbers separated by commas into a tuple."""
    try:
        return tuple(float(word) for word in value.split(","))
    except ValueError:
        raise InputError(f"--{param.name}: expected numbers separated by commas, got {value!r}") from None


@click.command("validate-ufp", epilog=EPILOG)
@click.argument("potential", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the results; POTENTIAL.validate."
)
@click.option(
    "--reference",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Labelled frames (extended XYZ) for errors and g(r); the shipped set by default.",
)
@click.option(
    "--static",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Labelled frames along a deformation, for the equation of state.",
)
@click.option("--structure", default="beta-Li3PS4", show_default=True, help="Crystal of the MD stages.")
@click.option("--repeat", type=int, nargs=3, default=(1, 1, 2), show_default=True, help="Its supercell.")
@click.option(
    "--stages", default=",".join(STAGES), show_default=True, help="What to do, separated by commas."
)
@click.option("--temperatures", callback=_numbers, default="300,600,900", show_default=True,
              help="Of the stability and diffusion runs, K.")  # fmt: skip
@number_option("--ns", 1.0, "Length of each of them, ns.")
@number_option("--nve-ps", 200.0, "Length of the NVE runs, ps.")
@number_option("--cells-ps", 500.0, "Length of the runs at zero pressure that give the cells, ps.")
@number_option("--rdf-ps", 40.0, "Length of the g(r) runs, ps.")
@click.option("--melt-from", type=click.Choice(MELT_FROM), default="packed", show_default=True,
              help="Units packed at random, a liquid at once; or the crystal, which must melt.")  # fmt: skip
@number_option("--melt-density", 1.7, "Of the packing, g/cm³.")
@number_option("--melt-k", 600.0, "Temperature of the melt, K.")
@number_option("--melt-ps", 5.0, "Its length, ps.")
@number_option("--anneal-ps", 0.0, "Annealing from 1100 to 1000 K, ps.")
@number_option("--quench-ps", 50.0, "Length of the quench, ps.")
@number_option("--timestep-fs", 2.0, "MD time step, fs.")
@click.option("--seed", type=SEED, default=1, show_default=True, help="Seed of the velocities.")
@click.option("--style", default="ufp 3", show_default=True, help="Pair style and its arguments.")
@click.option("--quick", is_flag=True, help="Try every stage in about a minute; the figures mean nothing.")
def command(potential: Path, output: Path | None, quick: bool, **options: Any) -> None:
    """Validate POTENTIAL (.uf3): errors, crystals and cells, g(r), stability, drift, a quenched melt.

    Every task writes one JSON file into the output folder and is not done again; MD that was stopped goes on
    from its last state. The same command therefore finishes what an earlier one began. At the end a table
    says which aims are met; validation.json, report.html and report.png hold everything.
    """
    comm = communicator()
    rank, size = (comm.rank, comm.size) if comm else (0, 1)
    with abort_together(comm):
        settings = ValidateSettings(
            potential=potential,
            reference=options["reference"] or shipped_reference(),
            static=options["static"],
            structure=options["structure"],
            repeat=options["repeat"],
            temperatures_k=options["temperatures"],
            stability_ns=options["ns"],
            nve_ps=options["nve_ps"],
            rdf_ps=options["rdf_ps"],
            cells_ps=options["cells_ps"],
            melt_from=options["melt_from"],
            melt_density=options["melt_density"],
            melt_k=options["melt_k"],
            melt_ps=options["melt_ps"],
            anneal_ps=options["anneal_ps"],
            quench_ps=options["quench_ps"],
            timestep_fs=options["timestep_fs"],
            seed=options["seed"],
            style=options["style"],
            stages=tuple(word.strip() for word in options["stages"].split(",")),
        )
        settings = settings.quick() if quick else settings
        check_md(settings)
        folder = make_folder(output or potential.with_suffix(".validate"))
        with _progress(rank == 0) as tick:
            validate(settings, folder, tick, rank, size)
            if comm:
                comm.Barrier()
            results = validate(settings, folder, tick) if rank == 0 else {}
        if rank == 0:
            written = [folder / "validation.json", *write_validation_report(folder, potential.name, results)]
            table = Table(title=potential.name)
            for heading in ("what", "value", "aim", ""):
                table.add_column(heading, overflow="fold")
            for row in summary_rows(results):
                table.add_row(*row)
            console = Console()
            if not console.is_terminal:
                console.width = max(console.width, PIPED_COLUMNS)
            console.print(table)
            click.echo("written: " + " ".join(map(str, written)))


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that draws one bar per task on standard error."""
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        tasks: dict[str, Any] = {}

        def show(task: str, done: int, total: int) -> None:
            if task not in tasks:
                tasks[task] = bar.add_task(task, total=total)
            bar.update(tasks[task], completed=done)

        yield show
