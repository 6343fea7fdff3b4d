"""The correlation of a single crystal in a field of one direction."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.results.lag_statistics import LagStatistics

__all__ = ["SingleCrystal"]


@dataclass(frozen=True)
class SingleCrystal:
    """⟨(b·V·b)(0) (b·V·b)(t)⟩ per Li.

    Attributes
    ----------
    direction
        Field direction b in the axes of the cell.
    lags
        The correlation, V²/Å⁴.
    """

    direction: tuple[float, float, float]
    lags: LagStatistics

    @classmethod
    def read(cls, group: Mapping[str, Any], name: str) -> "SingleCrystal":
        """Return what the datasets of a group, or arrays by name, say.

        Raises
        ------
        InputError
            When one is missing.
        """
        if "direction" not in group or np.shape(group["direction"]) != (3,):
            raise InputError(f"{name}: incomplete or damaged: no direction of three numbers")
        x, y, z = (float(b) for b in group["direction"][()])
        return cls((x, y, z), LagStatistics.read_datasets(group, name, "average"))

    def write(self, group: MutableMapping[str, Any]) -> None:
        """Put every dataset into a group, or every array into a dict."""
        group["direction"] = np.asarray(self.direction, dtype=np.float64)
        self.lags.write_datasets(group)

    def validate(self, name: str, n_li: int) -> None:
        """Raise InputError when shapes or values do not fit together; ``name`` goes in the message."""
        if np.shape(self.direction) != (3,) or not np.all(np.isfinite(self.direction)):
            raise InputError(f"{name}/direction: expected three finite numbers, got {self.direction}")
        self.lags.validate(name, n_li)
