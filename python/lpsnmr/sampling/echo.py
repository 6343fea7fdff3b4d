"""Spin-alignment echo of a powder as a function of evolution and mixing time, with units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lpsnmr import _core
from lpsnmr.errors import InputError
from lpsnmr.results import Echo
from lpsnmr.sampling.orientations import lebedev_half_sphere, projections
from lpsnmr.sampling.states import State

__all__ = ["EchoCorrelator"]


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

    def statistics(self) -> Echo:
        """Return means, counts and time blocks; copies. In a parallel run: of the joined state."""
        core = self._core
        return Echo(
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
