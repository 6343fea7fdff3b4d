"""A function of lag time with what its errors are estimated from."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError
from lpsnmr.typing import Array

__all__ = ["LagStatistics"]

ARRAYS = ("lag_ps", "values", "counts", "block_means", "block_counts")


@dataclass
class LagStatistics:
    """A function of lag time, per series (Li) and per block of time.

    Attributes
    ----------
    lag_ps
        (L,) float64, ps, ascending from 0.
    values
        (L, n_series) float64; mean over time origins. Unit V²/Å⁴ for Tr V(0)V(t), Å² for a mean
        squared displacement.
    counts
        (L,) int64; pairs of time origins behind each row of ``values``, the same for every series.
    block_means
        (n_blocks, L) float64; mean over series and over the pairs that end in a block of time; NaN
        where a block holds no pair.
    block_counts
        (n_blocks, L) int64; pairs of each series in the block.
    block_length_ps
        Length of a block, ps; the last one may be shorter.
    coarse_graining
        ``"average"`` or ``"subsample"``: how the correlator made its coarse levels.
    """

    lag_ps: Array
    values: Array
    counts: NDArray[np.int64]
    block_means: Array
    block_counts: NDArray[np.int64]
    block_length_ps: float
    coarse_graining: str

    def validate(self, name: str, n_series: int) -> None:
        """Raise InputError when shapes or values do not fit together; ``name`` goes in the message."""
        lags = len(self.lag_ps)
        blocks = len(self.block_means)
        expected = {
            "lag_ps": (lags,),
            "values": (lags, n_series),
            "counts": (lags,),
            "block_means": (blocks, lags),
            "block_counts": (blocks, lags),
        }
        for key, shape in expected.items():
            got = np.shape(getattr(self, key))
            if got != shape:
                raise InputError(f"{name}/{key}: expected shape {shape}, got {got}")
        if lags and (not np.all(np.isfinite(self.lag_ps)) or np.any(np.diff(self.lag_ps) <= 0)):
            raise InputError(f"{name}/lag_ps: lags must be finite and ascending")
        if not np.all(np.isfinite(self.values)):
            raise InputError(f"{name}/values: values must be finite")
        if np.any(self.counts < 1):
            raise InputError(f"{name}/counts: every lag needs at least one pair")

    def write(self, group: Any, unit: str) -> None:
        """Write a group of compressed datasets with the unit of the values and the blocks as attributes."""
        group.attrs.update(
            {"unit": unit, "block_length_ps": self.block_length_ps, "coarse_graining": self.coarse_graining}
        )
        for key in ARRAYS:
            array = np.asarray(getattr(self, key))
            group.create_dataset(key, data=array, compression="gzip" if array.size else None)

    @classmethod
    def read(cls, group: Any) -> "LagStatistics":
        """Read a group that ``write`` made."""
        return cls(
            lag_ps=group["lag_ps"][()].astype(np.float64),
            values=group["values"][()].astype(np.float64),
            counts=group["counts"][()].astype(np.int64),
            block_means=group["block_means"][()].astype(np.float64),
            block_counts=group["block_counts"][()].astype(np.int64),
            block_length_ps=float(group.attrs["block_length_ps"]),
            coarse_graining=str(group.attrs["coarse_graining"]),
        )

    def write_datasets(self, group: MutableMapping[str, Any]) -> None:
        """Write everything but the coarse graining as plain datasets, as groups under ``/extra`` hold it."""
        for key in (*ARRAYS, "block_length_ps"):
            group[key] = np.asarray(getattr(self, key))

    @classmethod
    def read_datasets(cls, group: Mapping[str, Any], name: str, coarse_graining: str) -> "LagStatistics":
        """Read what ``write_datasets`` made.

        Raises
        ------
        InputError
            When something is missing.
        """
        missing = [key for key in (*ARRAYS, "block_length_ps") if key not in group]
        if missing:
            raise InputError(f"{name}: incomplete: no {', '.join(missing)}")
        arrays = {key: np.asarray(group[key][()]) for key in ARRAYS}
        return cls(
            **arrays, block_length_ps=float(group["block_length_ps"][()]), coarse_graining=coarse_graining
        )
