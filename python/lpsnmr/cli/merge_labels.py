"""``lpsnmr merge-labels``: grow a reference set by labelled frames and write its data card anew."""

from pathlib import Path
from typing import Any

import click

from lpsnmr.cli.label_keys import label_key_options, take_label_keys
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import check_targets, written_together
from lpsnmr.reference.data_card import write_data_card
from lpsnmr.reference.merge import merge_frames, write_set
from lpsnmr.reference.reader import read_reference

EPILOG = """
\b
Examples:
  lpsnmr merge-labels labelled.extxyz --into set.extxyz --card set.md
  lpsnmr merge-labels --into set.extxyz --card set.md      # the card alone
"""


@click.command("merge-labels", epilog=EPILOG)
@click.argument("labelled", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--into", "target", required=True, type=click.Path(path_type=Path), help="The set; made when absent."
)
@click.option("--card", type=click.Path(path_type=Path), help="Data card (Markdown) to write.")
@label_key_options(("energy", "forces", "stress", "virial", "efg"))
def command(labelled: tuple[Path, ...], target: Path, card: Path | None, **options: Any) -> None:
    """Add LABELLED frames to a reference set, each structure once, sorted by run and step.

    Every frame needs energy, forces, stress and efg, and run and run_step in its header. Header entries that
    are not part of the set (energies of a teacher, say) are dropped. The set and its card are replaced as a
    whole; fits should be made again afterwards.
    """
    targets = [*([target] if labelled else []), *([card] if card else [])]
    if card is not None and card.resolve() == target.resolve():
        raise InputError(f"--card: {card} is the set itself; expected another name")
    check_targets(*targets)
    present = read_reference(target) if target.exists() else []
    if not present and not labelled:
        raise InputError(f"{target}: no such set, and no labelled frames given")
    new = read_reference(labelled, keys=take_label_keys(options)) if labelled else []
    frames, report = merge_frames(present, new)
    with written_together(target.name) as files:
        if labelled:
            write_set(files.aside(target), frames)
        if card is not None:
            write_data_card(files.aside(card), target.name, frames)
    click.echo(
        f"{target}: {report.before} frames before, {report.added} added, {report.duplicates} there already, "
        f"{len(frames)} now" + (f"; card: {card}" if card else "")
    )
