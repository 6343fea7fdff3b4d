"""Exceptions of lpsnmr. A message says what was wrong, what was expected, what was found and where."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ComputeError",
    "FileFormatError",
    "InputError",
    "LpsnmrError",
    "MissingPackageError",
    "did_you_mean",
]


class LpsnmrError(Exception):
    """Base of every error that lpsnmr raises on purpose; the command line prints it as one line."""


class InputError(LpsnmrError, ValueError):
    """A value given by the user does not fit: option, configuration key or argument."""


class FileFormatError(InputError):
    """A file is missing, unreadable or malformed; the message starts with ``file:line`` where known."""


class ComputeError(LpsnmrError, RuntimeError):
    """A computation could not be carried out or gave no usable number."""


class MissingPackageError(LpsnmrError, ImportError):
    """An optional package that the task needs is not installed; the message says how to install it."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean …?`` for what is spelled alike, with a space before; empty without such a word.

    Examples
    --------
    >>> did_you_mean("temperature", ["temperature_k", "seed"])
    ' Did you mean temperature_k?'
    >>> did_you_mean("colour", ["temperature_k", "seed"])
    ''
    """
    found = get_close_matches(word, list(known), n=1)
    return f" Did you mean {found[0]}?" if found else ""
