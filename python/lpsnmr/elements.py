"""Atomic numbers and masses of element symbols."""

from collections.abc import Iterable

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from lpsnmr.errors import InputError

__all__ = ["atomic_number", "masses_of", "symbol_of"]


def atomic_number(symbol: str) -> int:
    """Return the atomic number of ``symbol``.

    Raises
    ------
    InputError
        For a string that is no element symbol.

    Examples
    --------
    >>> atomic_number("Li")
    3
    """
    number = int(atomic_numbers.get(symbol, 0))
    if number == 0:
        raise InputError(f"{symbol!r} is not an element symbol")
    return number


def symbol_of(number: int) -> str:
    """Return the element symbol of an atomic number."""
    return str(chemical_symbols[number])


def masses_of(numbers: Iterable[int] | NDArray[np.int32]) -> NDArray[np.float64]:
    """Return standard atomic masses, (n,) float64, g/mol, for (n,) atomic numbers."""
    return np.asarray(atomic_masses[np.asarray(numbers, dtype=np.intp)], dtype=np.float64)
