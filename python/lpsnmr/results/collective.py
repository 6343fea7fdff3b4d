"""The displacement of all Li together."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from lpsnmr.results.lag_statistics import LagStatistics

__all__ = ["CollectiveDisplacement"]

AXES = 3


@dataclass(frozen=True)
class CollectiveDisplacement:
    """Mean squared displacement of the sum over all Li.

    Attributes
    ----------
    lags
        (ΣΔx)²/N, (ΣΔy)²/N and (ΣΔz)²/N, Å²: three series.
    """

    lags: LagStatistics

    @classmethod
    def read(cls, group: Mapping[str, Any], name: str) -> "CollectiveDisplacement":
        """Return what the datasets of a group, or arrays by name, say.

        Raises
        ------
        InputError
            When one is missing.
        """
        return cls(LagStatistics.read_datasets(group, name, "subsample"))

    def write(self, group: MutableMapping[str, Any]) -> None:
        """Put every dataset into a group, or every array into a dict."""
        self.lags.write_datasets(group)

    def validate(self, name: str, n_li: int) -> None:
        """Raise InputError when shapes or values do not fit together; ``name`` goes in the message."""
        self.lags.validate(name, AXES)
