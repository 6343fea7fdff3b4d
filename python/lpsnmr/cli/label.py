"""``lpsnmr label``: structures in, structures with energies, forces, stresses and EFG tensors out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lpsnmr.cli.options import ENGINE_OPTIONS, number_option
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import check_targets
from lpsnmr.labelling import (
    EngineChoice,
    LabelReport,
    LabelStatus,
    label_frames,
)
from lpsnmr.labelling.gpaw_settings import FUNCTIONALS, GpawSettings
from lpsnmr.labelling.term_engine import TERMS, TermEngine
from lpsnmr.reference import read_reference
from lpsnmr.reference.add_terms import add_terms

EPILOG = """
\b
Examples:
  lpsnmr label pool.extxyz -o labelled.extxyz                    # GPAW: energy, forces, stress, EFG
  lpsnmr label pool.extxyz -o labelled.extxyz --jobs 2           # two frames at a time
  lpsnmr label pool.extxyz -o labelled.extxyz --part 0/4         # every fourth frame; 1/4, 2/4, 3/4 elsewhere
  lpsnmr label pool.extxyz -o teacher.extxyz --engine ufp --option potential='"lps.uf3"'
  lpsnmr label metal.extxyz -o emt.extxyz --engine emt

The same command goes on where it stopped. Exit status 1 when a frame failed.
"""


def _part(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    """Read ``I/N``."""
    try:
        first, step = (int(word) for word in value.split("/"))
    except ValueError:
        raise InputError(f"--part: expected I/N such as 0/4, got {value!r}") from None
    return first, step


def _settings(o: dict[str, Any]) -> GpawSettings:
    return GpawSettings(
        xc=FUNCTIONALS[o["functional"]],
        cutoff_hartree=o["cutoff_hartree"],
        kpoint_length_angstrom=o["kpoint_length"],
        max_iterations=o["max_iterations"],
    )


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@contextmanager
def labelling_progress(what: str = "labelling") -> Iterator[Callable[[LabelStatus], None]]:
    """Yield what shows a status on standard error: a bar on a terminal, a line per frame elsewhere."""
    done = "labelled" if what == "labelling" else what
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None, note="")

        def show(status: LabelStatus) -> None:
            note = f"ETA {_clock(status.eta_s)}" + (f"  {status.failed} failed" if status.failed else "")
            bar.update(task, total=status.total, completed=status.done + status.failed, note=note)
            if not console.is_terminal:
                console.print(f"{done} {status.done}/{status.total}  {note}", soft_wrap=True)

        yield show


def describe(report: LabelReport) -> str:
    """Return what a user wants to read at the end."""
    lines = [f"frame {n} FAILED: {reason}" for n, reason in report.failed]
    lines.append(
        f"{report.labelled} frames labelled in {_clock(report.seconds)}, {report.kept} kept from before, "
        f"{len(report.failed)} failed"
        + (f", {report.waiting} waiting (other parts)" if report.waiting else "")
    )
    if report.labelled + report.kept:
        lines.append(f"written: {report.output} {report.output}.json")
    return "\n".join(lines)


@click.command("label", epilog=EPILOG)
@click.argument("structures", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Target, extended XYZ; OUTPUT.json (settings) and the folder OUTPUT.frames go beside it.",
)
@click.option(
    "--engine",
    default="gpaw",
    show_default=True,
    help="gpaw; ufp; the name of an ASE calculator such as emt or lj; or module:Class.",
)
@ENGINE_OPTIONS
@click.option(
    "--dispersion",
    type=click.Choice(["none", *(name for name, model in TERMS.items() if model.dispersion)]),
    default="none",
    show_default=True,
    help="Also this correction, in columns of its own (as lpsnmr add-terms does).",
)
@number_option("--jobs", 1, "Frames side by side, one core each.")
@click.option(
    "--part", default="0/1", callback=_part, metavar="I/N", help="Label frames I, I+N, I+2N, … only."
)
@click.option("--retry-failed", is_flag=True, help="Try frames again that failed before.")
@click.option(
    "--gpaw-python",
    help="Python interpreter that has GPAW; also LPSNMR_GPAW_PYTHON. Found by itself when this Python, the "
    "gpaw command or the system has it.",
)
@click.option(
    "--functional",
    type=click.Choice(list(FUNCTIONALS)),
    default="pbe",
    show_default=True,
    help="GPAW: exchange-correlation functional.",
)
@number_option("--cutoff-hartree", 18.0, "GPAW: plane-wave cutoff, Hartree.")
@number_option("--kpoint-length", 11.0, "GPAW: each axis gets ceil(this / its length) k-points, Å.")
@number_option("--max-iterations", 90, "GPAW: SCF steps before a frame fails.")
def command(
    structures: tuple[Path, ...],
    output: Path,
    engine: str,
    options: dict[str, Any],
    dispersion: str,
    jobs: int,
    part: tuple[int, int],
    retry_failed: bool,
    gpaw_python: str | None,
    **recipe: Any,
) -> None:
    """Label STRUCTURES (extended XYZ): energy, forces, stress and, with GPAW, the EFG tensor of every atom.

    Headers of the input (run, run_step, run_T, …) are kept; labels in it are ignored. A frame whose SCF
    does not converge is reported and skipped, never written.
    """
    if output.resolve() in {path.resolve() for path in structures}:
        raise InputError(f"--output: {output} is also an input; expected another name")
    if not output.parent.is_dir():
        raise InputError(f"--output: the folder {output.parent} does not exist")
    check_targets(output, f"{output}.json")
    store = output.with_name(f"{output.name}.frames")
    if store.exists() and not store.is_dir():
        raise InputError(f"{store}: expected a folder or no file of that name, got a file")
    frames = read_reference(structures, require=(), ignore_labels=True)
    if dispersion != "none":
        if engine != "gpaw":
            raise InputError(f"--dispersion: expected --engine gpaw with it, got {engine}")
        TermEngine(dispersion, FUNCTIONALS[recipe["functional"]])
    choice = EngineChoice(engine, options, _settings(recipe), gpaw_python)
    with labelling_progress() as show:
        report = label_frames(
            frames, output, choice, jobs=jobs, part=part, retry_failed=retry_failed, progress=show
        )
    click.echo(describe(report))
    if dispersion != "none" and report.labelled + report.kept:
        with labelling_progress(dispersion) as show:
            terms = add_terms(output, dispersion, jobs=jobs, keep=True, progress=show)
        lines = [f"{dispersion}: frame {n} of {output} FAILED: {reason}" for n, reason in terms.failed]
        click.echo("\n".join([*lines, f"{dispersion} of {terms.added} frames added to {output}"]))
        report.failed.extend(terms.failed)
    if report.failed:
        raise SystemExit(1)
