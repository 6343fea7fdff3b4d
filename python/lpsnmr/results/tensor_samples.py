"""Tensors averaged over ever longer times, for spectra."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.typing import Array

__all__ = ["TensorSamples"]


@dataclass(frozen=True)
class TensorSamples:
    """EFG tensors averaged over several times, evenly spaced over the run.

    Attributes
    ----------
    averaging_time_ps
        (levels,) float64, ps.
    means
        Per level (kept, n_li, 5) float64, V/Å².
    """

    averaging_time_ps: Array
    means: tuple[Array, ...]

    @classmethod
    def read(cls, group: Mapping[str, Any], name: str) -> "TensorSamples":
        """Return what the datasets of a group, or arrays by name, say.

        Raises
        ------
        InputError
            When one is missing.
        """
        if "averaging_time_ps" not in group:
            raise InputError(f"{name}: no averaging_time_ps")
        times = np.atleast_1d(group["averaging_time_ps"][()])
        for level in range(len(times)):
            if f"means_{level}" not in group:
                raise InputError(f"{name}/means_{level}: expected shape (n, n_li, 5), got no such dataset")
        return cls(times, tuple(np.asarray(group[f"means_{level}"][()]) for level in range(len(times))))

    def write(self, group: MutableMapping[str, Any]) -> None:
        """Put every dataset into a group, or every array into a dict."""
        group["averaging_time_ps"] = self.averaging_time_ps
        for level, means in enumerate(self.means):
            group[f"means_{level}"] = means

    def validate(self, name: str, n_li: int) -> None:
        """Raise InputError when shapes or values do not fit together; ``name`` goes in the message."""
        if np.shape(self.averaging_time_ps) != (len(self.means),):
            raise InputError(
                f"{name}/averaging_time_ps: expected shape ({len(self.means)},), "
                f"got {np.shape(self.averaging_time_ps)}"
            )
        for level, means in enumerate(self.means):
            if means.ndim != 3 or means.shape[1:] != (n_li, 5):
                raise InputError(f"{name}/means_{level}: expected shape (n, {n_li}, 5), got {means.shape}")
            if not np.all(np.isfinite(means)):
                raise InputError(f"{name}/means_{level}: values must be finite")
