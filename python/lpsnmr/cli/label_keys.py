"""Options that say where the labels of a file are, and the notes on sets that look odd."""

from collections.abc import Callable, Sequence
from typing import Any

import ase
import click

from lpsnmr.reference.label_keys import UNITS, LabelKeys

__all__ = ["label_key_options", "take_label_keys", "tell_suspicions"]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_KEYS = {
    "energy": "energy (default: energy)",
    "forces": "forces (default: forces)",
    "stress": "stress (default: stress; 6 or 9 numbers, positive under tension)",
    "virial": "virial, −V·stress in eV, read in place of a stress (default: virial)",
    "efg": "EFG tensors (default: efg; nine columns)",
}


def label_key_options(labels: Sequence[str]) -> Decorator:
    """Return a decorator that adds ``--LABEL-key`` and, but for virial and efg, ``--LABEL-unit``."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for label in reversed(labels):
            if label in UNITS and label != "efg":
                function = click.option(
                    f"--{label}-unit",
                    type=click.Choice(list(UNITS[label])),
                    help=f"Unit of the {label} in files whose header has no {label}_unit.",
                )(function)
            function = click.option(
                f"--{label}-key", metavar="KEY", help=f"Name in the files of the {_KEYS[label]}."
            )(function)
        return function

    return add


def take_label_keys(options: dict[str, Any], efg_unit: str = "au") -> LabelKeys:
    """Take the options of ``label_key_options`` out of a command's arguments."""
    keys = {label: options.pop(f"{label}_key", None) for label in _KEYS}
    units = {f"{label}_unit": options.pop(f"{label}_unit", None) for label in UNITS if label != "efg"}
    return LabelKeys(**keys, **units, efg_unit=efg_unit)


def tell_suspicions(frames: Sequence[ase.Atoms], labels: Sequence[str], efg_unit: str = "au") -> None:
    """Print what looks wrong with a set to standard error."""
    from lpsnmr.reference.suspicions import suspicions

    for line in suspicions(frames, efg_unit, labels):
        click.echo(f"lpsnmr: note: {line}", err=True)
