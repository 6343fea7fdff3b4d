"""Spin-alignment echo of a powder as a function of evolution and mixing time, with units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lpsnmr import _core
from lpsnmr.errors import InputError
from lpsnmr.results.results import LagStatistics
from lpsnmr.sampling.orientations import lebedev_half_sphere, projections
from lpsnmr.sampling.states import State

__all__ = ["EchoCorrelator", "EchoStatistics"]

Array = NDArray[np.float64]
KINDS = ("sine", "cosine")


@dataclass(frozen=True)
class EchoStatistics:
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

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything by name, as kept in the results file."""
        return {name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "EchoStatistics":
        """Read what ``to_arrays`` made.

        Raises
        ------
        InputError
            When something is missing or shapes do not fit together.
        """
        missing = [name for name in cls.__dataclass_fields__ if name not in arrays]
        if missing:
            raise InputError(f"extra/echo: no {', '.join(missing)}")
        values: dict[str, Any] = {name: np.asarray(arrays[name]) for name in cls.__dataclass_fields__}
        values["degree"] = int(values["degree"])
        values["block_length_ps"] = float(values["block_length_ps"])
        self = cls(**values)
        times, lags, blocks = len(self.evolution_times_us), len(self.lag_ps), len(self.block_counts)
        if self.values.shape[:3] != (times, 2, lags) or self.block_means.shape != (times, 2, blocks, lags):
            raise InputError("extra/echo: the shapes of its arrays do not fit together")
        for index in range(times):
            self.lags(index).validate("extra/echo", self.values.shape[3])
        return self


class EchoCorrelator:
    """Accumulate powder spin-alignment echoes, in memory that does not grow with the orientations.

    For every Li, evolution time t_p and mixing time t_m

        S_sin = Σ_b w_b ⟨sin[ω_b(t0) t_p] sin[ω_b(t0 + t_m) t_p]⟩,  S_cos the same with cosines,

    ω_b = factor · b·V·b for the directions b of a Lebedev set. The mixing times are on the grid of
    ``MultiTauCorrelator`` with subsampled levels: every value is the direct sum over its time origins,
    which are m^l samples apart at level l. There is no coarse-graining error; feed means over windows to
    remove vibrations.

    H. W. Spiess, J. Chem. Phys. 72, 6755 (1980), doi:10.1063/1.439165.

    Parameters
    ----------
    n_series
        Number of Li; 0 is allowed.
    evolution_times_us
        t_p, μs, positive.
    frequency_rad_s_per_efg
        ω_Q/(b·V·b), rad/s per V/Å².
    sample_interval_ps
        Time between samples, ps.
    degree
        Of the Lebedev set, see ``lebedev_half_sphere``.
    points_per_level, ratio, max_levels, max_blocks
        As for ``MultiTauCorrelator``.

    Raises
    ------
    InputError
        For settings that do not fit together.
    """

    def __init__(
        self,
        n_series: int,
        *,
        evolution_times_us: Sequence[float],
        frequency_rad_s_per_efg: float,
        sample_interval_ps: float,
        degree: int = 35,
        points_per_level: int = 8,
        ratio: int = 2,
        max_levels: int = 24,
        max_blocks: int = 32,
    ) -> None:
        times = np.asarray(evolution_times_us, dtype=np.float64)
        if times.ndim != 1 or len(times) == 0 or not np.all(np.isfinite(times)) or np.any(times <= 0):
            raise InputError(f"evolution times: expected positive numbers (μs), got {evolution_times_us}")
        if not (np.isfinite(sample_interval_ps) and sample_interval_ps > 0):
            raise InputError(f"sample_interval_ps must be positive, got {sample_interval_ps}")
        directions, weights = lebedev_half_sphere(degree)
        self._core = _core.EchoCorrelator(
            n_series,
            projections=projections(directions) * frequency_rad_s_per_efg * 1e-6,
            weights=weights,
            times=times,
            points_per_level=points_per_level,
            ratio=ratio,
            max_levels=max_levels,
            max_blocks=max_blocks,
        )
        self.sample_interval_ps = float(sample_interval_ps)
        self.degree = degree
        self.evolution_times_us = times

    @property
    def n_samples(self) -> int:
        """Samples added so far."""
        return self._core.n_samples

    def add(self, values: ArrayLike) -> None:
        """Add one sample, (n_series, 5) float64, V/Å².

        Raises
        ------
        InputError
            For another shape or a value that is not finite; the accumulator is then unchanged.
        """
        self._core.add(np.asarray(values, dtype=np.float64))

    def statistics(self) -> EchoStatistics:
        """Return means, counts and time blocks; copies. In a parallel run: of the joined state."""
        core = self._core
        return EchoStatistics(
            evolution_times_us=self.evolution_times_us,
            degree=self.degree,
            lag_ps=np.asarray(core.lags() * self.sample_interval_ps, dtype=np.float64),
            values=core.means(),
            counts=core.counts(),
            block_means=core.block_means(),
            block_counts=core.block_counts(),
            block_length_ps=core.block_length * self.sample_interval_ps,
        )

    def state(self) -> State:
        """Return all that is known as a dict of arrays (see ``lpsnmr.sampling.states``)."""
        return {
            **self._core.state(),
            "sample_interval_ps": np.array(self.sample_interval_ps),
            "degree": np.array(self.degree),
        }

    @classmethod
    def from_state(cls, state: State) -> "EchoCorrelator":
        """Continue from a state, bit for bit.

        Raises
        ------
        InputError
            When the state is incomplete or inconsistent.
        """
        for key in ("sample_interval_ps", "degree", "times"):
            if key not in state:
                raise InputError(f"state of a correlator: no {key!r}")
        self = cls.__new__(cls)
        self._core = _core.EchoCorrelator.from_state(state)
        self.sample_interval_ps = float(state["sample_interval_ps"])
        self.degree = int(state["degree"])
        self.evolution_times_us = np.asarray(state["times"], dtype=np.float64)
        return self
