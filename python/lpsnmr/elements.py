"""Atomic numbers and masses of element symbols, and elements of labels and masses."""

import re
from collections.abc import Iterable

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from lpsnmr.errors import InputError

__all__ = ["atomic_number", "element_of_label", "element_of_mass", "masses_of", "symbol_of"]

ISOTOPES = {2.014: "H", 6.015: "Li", 7.016: "Li", 10.013: "B", 11.009: "B"}
"""Masses of isotopes that simulations use in place of the standard mass, g/mol."""
LARGEST_MASS_ERROR = 0.25
"""How far a rounded mass may be off, g/mol."""


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


def element_of_label(label: str) -> str | None:
    """Return the element symbol that a label begins with, None where it begins with none.

    Labels are what people number or decorate: ``Li``, ``Li1``, ``Li_01``, ``P_3``, ``S2-``. All letters up to
    the first other character must be the symbol.

    Examples
    --------
    >>> element_of_label("Li_01"), element_of_label("S2-"), element_of_label("Ob")
    ('Li', 'S', None)
    """
    found = re.match(r"[A-Za-z]+", label)
    return found[0] if found and found[0] in atomic_numbers and found[0] != "X" else None


def element_of_mass(mass: float) -> str | None:
    """Return the element of a mass in g/mol, standard or rounded; None where none or more than one fits.

    Examples
    --------
    >>> element_of_mass(6.94), element_of_mass(32.0), element_of_mass(7.016), element_of_mass(8.0)
    ('Li', 'S', 'Li', None)
    """
    for isotope, symbol in ISOTOPES.items():
        if abs(mass - isotope) < 0.002:
            return symbol
    distance = np.abs(np.asarray(atomic_masses[1:95]) - mass)
    first, second = np.argsort(distance)[:2]
    sure = distance[first] <= LARGEST_MASS_ERROR and distance[second] >= 3.0 * distance[first] + 0.02
    return symbol_of(int(first) + 1) if sure else None
