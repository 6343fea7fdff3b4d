"""Options that several commands have."""

import json
from collections.abc import Callable
from typing import Any

import click

from lpsnmr.errors import InputError

__all__ = ["CONFIG_OVERRIDES", "ENGINE_OPTIONS", "MEMORY_OPTION", "SEED", "number_option"]

SEED = click.IntRange(min=0)
"""What NumPy takes to begin its random numbers with."""


def number_option(name: str, default: float, text: str) -> Callable[[Any], Any]:
    """Return an option that takes a number of the kind of its default, which ``--help`` shows."""
    return click.option(name, type=type(default), default=default, show_default=True, help=text)


CONFIG_OVERRIDES = click.option(
    "--set",
    "overrides",
    metavar="SECTION.KEY=VALUE",
    multiple=True,
    help="Change one key of the configuration; may be given more than once.",
)


def _options(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` with values in JSON."""
    options = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"--option: expected NAME=VALUE, got {text!r}")
        try:
            options[name] = json.loads(value)
        except ValueError:
            raise InputError(
                f"--option {name}: expected a value in JSON (text in quotes), got {value}"
            ) from None
    return options


ENGINE_OPTIONS = click.option(
    "--option",
    "options",
    multiple=True,
    callback=_options,
    metavar="NAME=JSON",
    help="Argument of an ASE calculator; may be repeated.",
)


def _bytes(ctx: click.Context, param: click.Parameter, value: float | None) -> int | None:
    """Turn GB into bytes."""
    if value is None:
        return None
    if not 0 < value < 1e9:
        raise InputError(f"--memory: expected GB above 0, got {value:g}")
    return int(value * 1e9)


MEMORY_OPTION = click.option(
    "--memory",
    type=float,
    metavar="GB",
    callback=_bytes,
    help="Memory for matrices and features, of all ranks of a machine.  [default: half of what the machine "
    "or the job has left beside the matrices]",
)
