"""Accumulators with units, over the multi-tau core."""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from lpsnmr._core import MultiTau
from lpsnmr.errors import InputError
from lpsnmr.results import LagStatistics
from lpsnmr.sampling.states import State
from lpsnmr.typing import Array

__all__ = ["DisplacementCorrelator", "MultiTauCorrelator"]

Self = TypeVar("Self", bound="_Accumulator")


class _Accumulator:
    """What both accumulators share: one ``MultiTau`` of the core and the time between samples."""

    _kernel = "product"

    def __init__(self, core: MultiTau, sample_interval_ps: float, coarse_graining: str) -> None:
        if not (np.isfinite(sample_interval_ps) and sample_interval_ps > 0):
            raise InputError(f"sample_interval_ps must be positive, got {sample_interval_ps}")
        self._core = core
        self.sample_interval_ps = float(sample_interval_ps)
        self.coarse_graining = coarse_graining

    @property
    def n_series(self) -> int:
        """Number of series."""
        return self._core.n_series

    @property
    def n_samples(self) -> int:
        """Samples added so far."""
        return self._core.n_samples

    @property
    def lag_ps(self) -> Array:
        """Lags with at least one pair, (L,) float64, ps."""
        return np.asarray(self._core.lags() * self.sample_interval_ps, dtype=np.float64)

    def statistics(self) -> LagStatistics:
        """Return means, counts and time blocks at every lag; copies.

        In a parallel run call it on the accumulator of the joined state: the block means are over
        the series of this accumulator.
        """
        core = self._core
        return LagStatistics(
            lag_ps=self.lag_ps,
            values=core.means(),
            counts=core.counts(),
            block_means=core.block_means(),
            block_counts=core.block_counts(),
            block_length_ps=core.block_length * self.sample_interval_ps,
            coarse_graining=self.coarse_graining,
        )

    def state(self) -> State:
        """Return all that is known as a dict of arrays (see ``lpsnmr.sampling.states``)."""
        return {**self._core.state(), "sample_interval_ps": np.array(self.sample_interval_ps)}

    @classmethod
    def from_state(cls: type[Self], state: State) -> Self:
        """Continue from a state: adding then gives, bit for bit, what an uninterrupted one gives.

        Raises
        ------
        InputError
            When the state is of another kind of accumulator, incomplete or inconsistent.
        """
        for key in ("sample_interval_ps", "squared_difference", "subsample"):
            if key not in state:
                raise InputError(f"state of a correlator: no {key!r}")
        kernel = "squared_difference" if state["squared_difference"] else "product"
        if kernel != cls._kernel:
            raise InputError(f"{cls.__name__} expects a state with the kernel {cls._kernel}, got {kernel}")
        self = cls.__new__(cls)
        coarse_graining = "subsample" if state["subsample"] else "average"
        core = MultiTau.from_state(state)
        _Accumulator.__init__(self, core, float(state["sample_interval_ps"]), coarse_graining)
        return self


class MultiTauCorrelator(_Accumulator):
    """Correlate many vector-valued series, Σ_d a_d(t0) a_d(t0 + lag), in bounded memory.

    Level 0 has the lags 0 … p − 1 samples and equals the direct sum over all time origins. Level
    l ≥ 1 has the lags k m^l, p/m ≤ k < p, and sees one value per m^l samples:

    ``"average"`` (default)
        the mean of m^l samples: the level holds exactly the correlation of these block means.
        Its expectation is C smoothed with a triangle of half width w = m^l samples,
        Σ_j (1 − |j|/w)/w C(lag + j). As w ≤ lag m/p, a smooth C is changed by about
        w² C''/12 ≤ (m/p)² lag² C''/12, below 0.07 % of C(0) for an exponential with the default p and m,
        while vibrations faster than w, which only add noise at such lags, are averaged out.
    ``"subsample"``
        every m^l-th sample: unbiased at every lag, vibrations included, with fewer time origins
        and so more noise.

    J. Ramírez, S. K. Sukumaran, B. Vorselaars, A. E. Likhtman, J. Chem. Phys. 133, 154103 (2010),
    doi:10.1063/1.3491098.

    Parameters
    ----------
    n_series
        Number of series (Li); 0 is allowed.
    n_components
        Components of each value, 5 for an EFG tensor.
    sample_interval_ps
        Time between samples, ps.
    points_per_level, ratio
        p and m; p must be a multiple of m.
    max_levels
        Hard limit of memory; the longest lag is (p − 1) m^(max_levels − 1) samples, 1e8 by default.
    max_blocks
        Time blocks kept for error bars; even. When full, neighbours merge.
    coarse_graining
        ``"average"`` or ``"subsample"``.

    Raises
    ------
    InputError
        For settings that do not fit together.

    Examples
    --------
    >>> c = MultiTauCorrelator(1, 1, sample_interval_ps=0.5)
    >>> for x in (1.0, 2.0, 3.0):
    ...     c.add(np.array([[x]]))
    >>> c.lag_ps.tolist(), c.statistics().values[:, 0].tolist()
    ([0.0, 0.5, 1.0], [4.666666666666667, 4.0, 3.0])
    """

    def __init__(
        self,
        n_series: int,
        n_components: int = 5,
        *,
        sample_interval_ps: float,
        points_per_level: int = 16,
        ratio: int = 2,
        max_levels: int = 24,
        max_blocks: int = 32,
        coarse_graining: str = "average",
    ) -> None:
        core = MultiTau(
            n_series,
            n_components,
            kernel=self._kernel,
            coarse_graining=coarse_graining,
            points_per_level=points_per_level,
            ratio=ratio,
            max_levels=max_levels,
            max_blocks=max_blocks,
        )
        super().__init__(core, sample_interval_ps, coarse_graining)

    def add(self, values: ArrayLike) -> None:
        """Add one sample.

        Parameters
        ----------
        values
            (n_series, n_components) float64.

        Raises
        ------
        InputError
            For another shape or a value that is not finite; the accumulator is then unchanged.
        """
        self._core.add(np.asarray(values, dtype=np.float64))

    @property
    def mean(self) -> Array:
        """Mean over samples, (n_series, n_components) float64; NaN before the first sample."""
        return self._core.series_mean()

    @property
    def mean_square(self) -> Array:
        """Mean over samples of Σ_d a_d², (n_series,) float64; NaN before the first sample."""
        return np.asarray(self._core.series_mean_square().sum(axis=1))


class DisplacementCorrelator(_Accumulator):
    """Accumulate the mean squared displacement |r(t0 + lag) − r(t0)|² per particle.

    Coarse levels see every m^l-th position, so every lag is exact, with time origins m^l samples
    apart. For the collective displacement feed the sum of the positions to an accumulator with one
    particle.

    Parameters
    ----------
    n_particles
        Number of particles; 0 is allowed.
    sample_interval_ps
        Time between samples, ps.
    points_per_level, ratio, max_levels, max_blocks
        As for ``MultiTauCorrelator``.

    Raises
    ------
    InputError
        For settings that do not fit together.

    Examples
    --------
    >>> d = DisplacementCorrelator(1, sample_interval_ps=1.0)
    >>> for t in range(4):
    ...     d.add([[2.0 * t, 0.0, 0.0]])
    >>> d.statistics().values[:, 0].tolist()
    [0.0, 4.0, 16.0, 36.0]
    """

    _kernel = "squared_difference"

    def __init__(
        self,
        n_particles: int,
        *,
        sample_interval_ps: float,
        points_per_level: int = 16,
        ratio: int = 2,
        max_levels: int = 24,
        max_blocks: int = 32,
    ) -> None:
        core = MultiTau(
            n_particles,
            3,
            kernel=self._kernel,
            coarse_graining="subsample",
            points_per_level=points_per_level,
            ratio=ratio,
            max_levels=max_levels,
            max_blocks=max_blocks,
        )
        super().__init__(core, sample_interval_ps, "subsample")

    def add(self, positions: ArrayLike) -> None:
        """Add one sample of unwrapped positions, (n_particles, 3) float64, Å.

        Raises
        ------
        InputError
            For another shape or a position that is not finite; the accumulator is then unchanged.
        """
        self._core.add(np.asarray(positions, dtype=np.float64))
