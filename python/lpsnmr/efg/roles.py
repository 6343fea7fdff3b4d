"""Which elements of the data play which part in a model, where nobody says: from their electronegativity."""

import csv
from collections.abc import Collection
from functools import lru_cache
from importlib.resources import files
from typing import Final

from lpsnmr.errors import InputError

__all__ = ["default_bridges", "default_sources", "default_target"]

ANION: Final = 2.5
"""Electronegativity from which an element is taken as an anion, through which the environment is felt."""
BARE_CATION: Final = 1.0
"""Up to this electronegativity an element is a cation whose charge hardly depends on its neighbours."""


@lru_cache(maxsize=1)
def _table() -> dict[str, float]:
    text = (files("lpsnmr.data") / "electronegativities.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["element"]: float(row["value"]) for row in rows}


def _of(symbol: str, option: str) -> float:
    if symbol not in _table():
        raise InputError(f"the electronegativity of {symbol} is not on record; expected {option} to be given")
    return _table()[symbol]


def default_target(symbols: Collection[str]) -> str:
    """Return the element whose tensors are learnt: the most electropositive one.

    Examples
    --------
    >>> default_target(["P", "S", "Li"]), default_target(["Na", "P", "S"])
    ('Li', 'Na')
    """
    return min(sorted(symbols), key=lambda symbol: _of(symbol, "--target"))


def default_bridges(symbols: Collection[str]) -> tuple[str, ...]:
    """Return the elements that a chain runs through: the anions, else the most electronegative one.

    Examples
    --------
    >>> default_bridges(["Li", "P", "S"]), default_bridges(["Li", "P", "S", "Cl"])
    (('S',), ('Cl', 'S'))
    """
    values = {symbol: _of(symbol, "--bridge-species") for symbol in sorted(symbols)}
    anions = tuple(symbol for symbol, value in values.items() if value >= ANION)
    return anions or (max(values, key=lambda symbol: values[symbol]),)


def default_sources(symbols: Collection[str]) -> tuple[str, ...]:
    """Return the elements with charges and dipoles that depend on their neighbours: all but bare cations.

    Examples
    --------
    >>> default_sources(["Li", "P", "S"]), default_sources(["Li", "Cl"])
    (('P', 'S'), ('Cl',))
    """
    return tuple(symbol for symbol in symbols if _of(symbol, "--source-species") > BARE_CATION)
