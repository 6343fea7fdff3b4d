"""``lpsnmr watch``: a live view of the folder of a run or stream."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from lpsnmr.report.watching import FolderWatcher
    from lpsnmr.runs.live import LiveStatus

__all__ = ["command"]

STALE_S = 30.0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--every-s",
    type=click.FloatRange(min=0.05),
    default=1.0,
    show_default=True,
    help="Seconds between looks.",
)
@click.option("--once", is_flag=True, help="Print what there is and end.")
def command(folder: Path, every_s: float, once: bool) -> None:
    """Show how the run or stream that writes into FOLDER is doing.

    Rate, ns/day, time left, temperature, whole PS4 units and EFG predictions outside the training range
    come from status.json, which is written about twice a second; the decay time τ_mean, D and the
    jump rate with their 95 % intervals from results.h5, which is as old as the last checkpoint. It only
    reads: start and stop it as you like, also from another machine. It ends with the run, or on Ctrl-C.

    \b
    lpsnmr run my.toml & lpsnmr watch results
    """  # noqa: D301
    from rich.console import Console
    from rich.live import Live

    from lpsnmr.errors import InputError
    from lpsnmr.report.watching import FolderWatcher

    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected the output folder of a run or stream")
    watcher = FolderWatcher(folder)
    console = Console(highlight=False)
    if once:
        console.print(_view(folder, watcher))
        return
    try:
        with Live(_view(folder, watcher), console=console, auto_refresh=False) as live:
            while True:
                status = watcher.status()
                live.update(_view(folder, watcher), refresh=True)
                if status is not None and not status.running:
                    return
                time.sleep(every_s)
    except KeyboardInterrupt:
        return


def _view(folder: Path, watcher: "FolderWatcher") -> "Table":
    from rich.table import Table

    from lpsnmr.cli.display import duration_text
    from lpsnmr.report.text import format_interval

    table = Table(title=str(folder), show_header=False)
    table.add_column(justify="right")
    table.add_column(min_width=44)
    live = watcher.status()
    table.add_row("state", _state(live))
    status = None if live is None else live.status
    if status is not None:
        share = "" if not status.last_step else f", {100 * min(status.step / status.last_step, 1.0):.1f} %"
        table.add_row("stage", f"{status.stage}, {status.time_ps:.1f} ps{share}, {status.n_samples} samples")
        table.add_row("rate", f"{status.steps_per_s:.0f} steps/s, {status.ns_per_day:.1f} ns/day")
        table.add_row("time left", "unknown" if status.eta_s is None else duration_text(status.eta_s))
        known = status.temperature_k is not None
        table.add_row("temperature", f"{status.temperature_k:.0f} K" if known else "unknown")
        table.add_row(f"whole {status.polyhedra or 'polyhedra'}", f"{status.intact} of {status.n_centers}")
        table.add_row("EFG outside training", str(status.n_flagged))
    found = watcher.estimates()
    if found is None:
        table.add_row("results", "none yet; written with the first checkpoint")
        return table
    table.add_row("results", f"{found.n_samples} samples, {found.duration_ps:.1f} ps")
    table.add_row("outside training", f"{100 * found.flagged_share:.2g} % of the predictions")
    tau = found.reason if found.tau_mean_ps is None else f"{format_interval(found.tau_mean_ps)} ps"
    table.add_row("τ_mean", tau)
    for name, interval, unit in (
        ("D", found.diffusion_cm2_s, "cm²/s"),
        ("Γ_jump", found.jump_rate_per_s, "1/s"),
    ):
        table.add_row(name, format_interval(interval) + (f" {unit}" if interval else ""))
    return table


def _state(live: "LiveStatus | None") -> str:
    if live is None:
        return "nothing written yet"
    if live.state == "running" and not live.running:
        return f"process {live.process} is gone without a word: killed; the same command resumes"
    age = time.time() - live.updated_s
    if live.running and age > STALE_S:
        return f"running, but without news for {age:.0f} s"
    return live.state
