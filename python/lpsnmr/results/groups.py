"""What a group of the results file is: a dataclass that reads, writes and checks itself."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from typing_extensions import Self

from lpsnmr.errors import InputError

__all__ = ["ArrayGroup", "Group", "Shape"]

Shape = tuple[str | int, ...]


class Group(Protocol):
    """One group under ``/extra``."""

    @classmethod
    def read(cls, group: Mapping[str, Any], name: str) -> Self:
        """Return what the datasets of a group say; ``name`` goes in messages."""

    def write(self, group: MutableMapping[str, Any]) -> None:
        """Put every dataset into an empty group."""

    def validate(self, name: str, n_li: int) -> None:
        """Raise InputError when shapes or values do not fit together."""


@dataclass(frozen=True)
class ArrayGroup:
    """A group whose datasets are the fields of the dataclass.

    ``SHAPES`` gives the shape of every field in the order of writing; a name stands for a length that is the
    same wherever it appears, ``"n_li"`` for the number of Li. ``MAY_BE_NAN`` names the fields whose
    numbers need not be finite. ``OPTIONAL`` has the values of fields that older files lack.
    """

    SHAPES: ClassVar[Mapping[str, Shape]] = {}
    MAY_BE_NAN: ClassVar[frozenset[str]] = frozenset()
    OPTIONAL: ClassVar[Mapping[str, float]] = {}

    @classmethod
    def read(cls, group: Mapping[str, Any], name: str) -> Self:
        """Return what the datasets of a group, or arrays by name, say.

        Raises
        ------
        InputError
            When one is missing.
        """
        shapes, optional = cls.SHAPES, cls.OPTIONAL
        missing = [key for key in shapes if key not in group and key not in optional]
        if missing:
            raise InputError(f"{name}: no {', '.join(missing)}")
        found = {key: np.asarray(group[key][()] if key in group else optional[key]) for key in shapes}
        return cls(**{key: array.item() if array.ndim == 0 else array for key, array in found.items()})

    def write(self, group: MutableMapping[str, Any]) -> None:
        """Put every dataset into a group, or every array into a dict."""
        for key in self.SHAPES:
            group[key] = np.asarray(getattr(self, key))

    def validate(self, name: str, n_li: int) -> None:
        """Raise InputError when shapes or values do not fit together; ``name`` goes in the message."""
        lengths = {"n_li": n_li}
        for key, shape in self.SHAPES.items():
            value = np.asarray(getattr(self, key))
            known = [n if isinstance(n, int) else lengths.get(n, n) for n in shape]
            if value.ndim != len(known) or any(
                isinstance(n, int) and n != got for n, got in zip(known, value.shape, strict=True)
            ):
                expected = f"({', '.join(map(str, known))}{',' if len(known) == 1 else ''})"
                raise InputError(
                    f"{name}: the shapes of its arrays do not fit together: expected {key} {expected}, "
                    f"got {value.shape}"
                )
            lengths |= {n: got for n, got in zip(known, value.shape, strict=True) if isinstance(n, str)}
            if value.dtype.kind == "f" and key not in self.MAY_BE_NAN and not np.all(np.isfinite(value)):
                raise InputError(f"{name}/{key}: values must be finite")
