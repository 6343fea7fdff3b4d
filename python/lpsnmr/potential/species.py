"""Which element of a potential each atom is."""

from collections.abc import Sequence

from lpsnmr.errors import InputError

__all__ = ["species_of"]


def species_of(symbols: Sequence[str], elements: Sequence[str], where: object) -> list[int]:
    """Return the position in ``elements`` of every symbol.

    Raises
    ------
    InputError
        For an element that is not there; ``where`` names the file or structure.
    """
    unknown = sorted(set(symbols) - set(elements))
    if unknown:
        raise InputError(
            f"{where}: element {unknown[0]} is not in the potential; it has: {' '.join(elements)}"
        )
    return [elements.index(s) for s in symbols]
