"""Exceptions of lpsnmr. A message says what was wrong, what was expected, what was found and where."""

__all__ = ["ComputeError", "FileFormatError", "InputError", "LpsnmrError", "MissingPackageError"]


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
