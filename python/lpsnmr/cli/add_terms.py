"""``lpsnmr add-terms``: dispersion and other corrections of labelled frames, in columns of their own."""

from pathlib import Path

import click

from lpsnmr.cli.label import labelling_progress
from lpsnmr.cli.options import number_option
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import check_targets
from lpsnmr.labelling.term_engine import TERMS
from lpsnmr.reference.add_terms import add_terms, terms_folder
from lpsnmr.reference.data_card import write_data_card
from lpsnmr.reference.reader import read_reference

EPILOG = """
\b
Examples:
  lpsnmr add-terms set.extxyz                            # D4 and D3(BJ)
  lpsnmr add-terms set.extxyz --term d4 --jobs 2
  lpsnmr add-terms set.extxyz --card set.md              # and the data card anew

The same command goes on where it stopped. Exit status 1 when a frame failed.
"""


@click.command("add-terms", epilog=EPILOG)
@click.argument("labelled", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--term",
    "names",
    type=click.Choice(list(TERMS)),
    multiple=True,
    default=("d4", "d3bj"),
    show_default=True,
    help="Which correction; may be repeated.",
)
@number_option("--jobs", 1, "Frames side by side, one core each.")
@click.option("--again", is_flag=True, help="Compute corrections anew that are there.")
@click.option(
    "--card", type=click.Path(path_type=Path), help="Data card (Markdown) of the one file to write."
)
def command(
    labelled: tuple[Path, ...], names: tuple[str, ...], jobs: int, again: bool, card: Path | None
) -> None:
    """Add corrections to LABELLED frames (extended XYZ); each file is replaced as a whole.

    Energies, forces and stresses of the functional itself stay as they are; those of the correction go into
    entries of their own (d4_energy, d4_stress, d4_label, the columns d4_forces; d3bj_… likewise), and
    fit-ufp --labels pbe+d4 adds them up. The damping is that of the functional of a frame's header, PBE
    without one.
    """
    if card is not None and len(labelled) != 1:
        raise InputError(f"--card: expected one file with it, got {len(labelled)}")
    if card is not None and card.resolve() == labelled[0].resolve():
        raise InputError(f"--card: {card} is the set itself; expected another name")
    check_targets(*labelled, *([card] if card else []))
    failures = 0
    for path in labelled:
        for name in dict.fromkeys(names):
            with labelling_progress(f"{path.name} {name}") as show:
                report = add_terms(path, name, jobs=jobs, again=again, progress=show)
            for number, reason in report.failed:
                click.echo(f"{path}: frame {number} FAILED: {reason}")
            click.echo(
                f"{path}: {name} of {report.added} frames added, {report.kept} had it, "
                f"{len(report.failed)} failed"
                + (f"; done ones stay in {terms_folder(path)}" if report.failed else "")
            )
            failures += len(report.failed)
    if card is not None:
        write_data_card(card, labelled[0].name, read_reference(labelled[0]))
        click.echo(f"card: {card}")
    if failures:
        raise SystemExit(1)
