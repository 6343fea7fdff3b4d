"""Notes of an analysis: why a part says nothing, or should be doubted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from lpsnmr.errors import LpsnmrError

__all__ = ["Note", "Notes"]

T = TypeVar("T")


@dataclass(frozen=True)
class Note:
    """What is said about one part of an analysis.

    Attributes
    ----------
    part
        Which, such as ``"NMR decay"``.
    text
        What there is to say.

    Examples
    --------
    >>> print(Note("diffusion", "no displacement was sampled"))
    diffusion: no displacement was sampled
    """

    part: str
    text: str

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.part}: {self.text}"


class Notes:
    """Notes in the order in which they were taken.

    ``attempt`` is the one place where an error of a part becomes a note, so that the other parts stay.
    """

    def __init__(self) -> None:
        self._notes: list[Note] = []

    def __iter__(self) -> Iterator[Note]:
        """Yield every note."""
        return iter(self._notes)

    def add(self, part: str, text: str) -> None:
        """Take a note."""
        self._notes.append(Note(part, text))

    def attempt(self, part: str, compute: Callable[[], T]) -> T | None:
        """Return what ``compute`` returns; None, with a note, when it raises an error of lpsnmr.

        Any other exception is a fault of the program and passes.

        Examples
        --------
        >>> from lpsnmr.errors import InputError
        >>> def refuse():
        ...     raise InputError("spin 5/2")
        >>> notes = Notes()
        >>> notes.attempt("T1", refuse), notes.attempt("M2", lambda: 4.0)
        (None, 4.0)
        >>> [str(note) for note in notes]
        ['T1: not computed: spin 5/2']
        """
        try:
            return compute()
        except LpsnmrError as error:
            self.add(part, f"not computed: {error}")
            return None

    def about(self, part: str) -> str:
        """Return what was said last about a part, or nothing."""
        return next((note.text for note in reversed(self._notes) if note.part == part), "")
