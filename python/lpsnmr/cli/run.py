"""``lpsnmr run``: MD with LAMMPS, sampled and correlated on the way."""

import sys
from pathlib import Path
from typing import Any

import click

from lpsnmr.cli.options import CONFIG_OVERRIDES
from lpsnmr.parallel.together import abort_together

__all__ = ["command"]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("config", type=click.Path(path_type=Path), required=False)
@CONFIG_OVERRIDES
@click.option("--fresh", is_flag=True, help="Start over instead of resuming what the folder holds.")
@click.option("--example", is_flag=True, help="Print a configuration with every key and default, and stop.")
@click.option("--no-analysis", is_flag=True, help="Do not analyse at the end.")
def command(
    config: Path | None, overrides: tuple[str, ...], fresh: bool, example: bool, no_analysis: bool
) -> None:
    """Run MD as CONFIG (a TOML file) says and correlate the EFG of every Li on the way.

    Without CONFIG every default is used: β-Li3PS4 with the shipped models. The same command resumes
    a run that was stopped (Ctrl-C, SIGTERM, power cut) from its last checkpoint.

    \b
    lpsnmr run --example > my.toml          a commented configuration to start from
    lpsnmr run my.toml                      one core
    mpirun -np 2 lpsnmr run my.toml         two
    lpsnmr run my.toml --set md.temperature_k=600 --set output.folder=t600
    """  # noqa: D301
    from lpsnmr.runs.config import example_config, load_config

    if example:
        click.echo(example_config(), nl=False)
        return
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    with abort_together(comm):
        _run(comm, load_config(config, overrides), fresh, not no_analysis)


def _run(comm: Any, settings: Any, fresh: bool, analyze: bool) -> None:
    from lpsnmr.cli.display import ProgressDisplay
    from lpsnmr.cli.outcome import EXIT_STOPPED, report_outcome
    from lpsnmr.runs.run import run_md

    with ProgressDisplay(comm.rank == 0) as display:
        outcome = run_md(settings, comm=comm, fresh=fresh, progress=display, notify=display.say)
    if comm.rank == 0:
        report_outcome(outcome, analyze and outcome.finished)  # after a signal time is short
    if not outcome.finished:
        sys.exit(EXIT_STOPPED)
