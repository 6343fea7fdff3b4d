"""Spin-alignment echoes of a run."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError
from lpsnmr.results.groups import ArrayGroup
from lpsnmr.results.lag_statistics import LagStatistics
from lpsnmr.typing import Array

__all__ = ["Echo"]

KINDS = ("sine", "cosine")


@dataclass(frozen=True)
class Echo(ArrayGroup):
    """Echoes of every Li at every evolution time.

    Attributes
    ----------
    evolution_times_us
        (T,) float64, μs.
    degree
        Polynomial degree to which the set of orientations is exact.
    lag_ps
        (L,) float64, mixing times, ps.
    values
        (T, 2, L, n_li) float64: powder mean of sin·sin and of cos·cos, over time origins.
    counts
        (L,) int64, pairs of time origins per Li.
    block_means, block_counts, block_length_ps
        (T, 2, B, L), (B, L) and ps: the same per block of time, over Li.
    """

    SHAPES: ClassVar = {
        "evolution_times_us": ("T",),
        "degree": (),
        "lag_ps": ("L",),
        "values": ("T", 2, "L", "n_li"),
        "counts": ("L",),
        "block_means": ("T", 2, "B", "L"),
        "block_counts": ("B", "L"),
        "block_length_ps": (),
    }
    MAY_BE_NAN: ClassVar = frozenset({"block_means"})

    evolution_times_us: Array
    degree: int
    lag_ps: Array
    values: Array
    counts: NDArray[np.int64]
    block_means: Array
    block_counts: NDArray[np.int64]
    block_length_ps: float

    def lags(self, index: int, kind: str = "sine") -> LagStatistics:
        """Return the echo of one evolution time as a function of the mixing time.

        ``kind`` is ``"sine"``, ``"cosine"``, or ``"sum"``, ⟨cos[(ω − ω') t_p]⟩.
        """
        if kind == "sum":
            values, blocks = self.values[index].sum(axis=0), self.block_means[index].sum(axis=0)
        elif kind in KINDS:
            part = KINDS.index(kind)
            values, blocks = self.values[index, part], self.block_means[index, part]
        else:
            raise InputError(f"kind of an echo: expected sine, cosine or sum, got {kind!r}")
        return LagStatistics(
            self.lag_ps, values, self.counts, blocks, self.block_counts, self.block_length_ps, "subsample"
        )

    def validate(self, name: str, n_li: int) -> None:
        """Raise InputError when shapes or values do not fit together; ``name`` goes in the message."""
        super().validate(name, n_li)
        for index in range(len(self.evolution_times_us)):
            self.lags(index).validate(name, n_li)
