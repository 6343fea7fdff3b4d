"""Intervals of what is derived from a function of lag time, by resampling Li and blocks of time.

Values at different lags come from the same trajectory and are strongly correlated, so the scatter of
points about a fitted curve says little. Two one-way bootstraps are made instead: over Li, and over
blocks of time. Whatever is fitted is fitted to each resampled curve; of the two intervals the wider
is reported. The bootstrap over Li sees differences between Li and correlations longer than a block,
the one over blocks sees what all Li do together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from lpsnmr.errors import InputError
from lpsnmr.results import LagStatistics
from lpsnmr.typing import Array

__all__ = [
    "TOO_FEW",
    "Interval",
    "Resampled",
    "merge_blocks",
    "resample",
    "select_lags",
    "standard_error",
    "wider_interval",
]


MIN_UNITS = 5
"""Fewest Li or blocks that are resampled; fewer say too little about their own spread."""

TOO_FEW = (
    f"not resolved: fewer than {MIN_UNITS} Li and {MIN_UNITS} blocks of time, no error estimate possible"
)


@dataclass(frozen=True)
class Interval:
    """An estimate with a confidence interval, ``low`` ≤ ``value`` ≤ ``high``.

    Examples
    --------
    >>> print(Interval(1.234e10, 1.0e10, 1.5e10))
    1.23e+10 [1e+10, 1.5e+10]
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return ``value [low, high]`` with three digits."""
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"

    def scaled(self, factor: float) -> "Interval":
        """Return the interval in another unit; ``factor`` > 0."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)

    def inverse(self, factor: float = 1.0) -> "Interval":
        """Return factor/value; both ends must be positive."""
        return Interval(factor / self.value, factor / self.high, factor / self.low)


@dataclass(frozen=True)
class Resampled:
    """Resampled curves of one kind: ``curves`` (n_bootstrap, L) from ``n_units`` Li or blocks."""

    curves: Array
    n_units: int

    def standard_error(self) -> Array:
        """Return the standard error of the curve at each lag, (L,), corrected for few units."""
        spread: Array = self.curves.std(axis=0) * np.sqrt(self.n_units / (self.n_units - 1))
        return spread


def standard_error(kinds: list[Resampled], n_lags: int) -> Array:
    """Return the larger of the standard errors at each lag, (n_lags,); NaN without any bootstrap."""
    if not kinds:
        return np.full(n_lags, np.nan)
    return np.asarray(np.max([kind.standard_error() for kind in kinds], axis=0))


def select_lags(lags: LagStatistics, keep: NDArray[np.bool_]) -> LagStatistics:
    """Return the lags where ``keep`` (L,) is true."""
    return LagStatistics(
        lag_ps=lags.lag_ps[keep],
        values=lags.values[keep],
        counts=lags.counts[keep],
        block_means=lags.block_means[:, keep],
        block_counts=lags.block_counts[:, keep],
        block_length_ps=lags.block_length_ps,
        coarse_graining=lags.coarse_graining,
    )


def merge_blocks(lags: LagStatistics, length_ps: float, min_blocks: int = 8) -> tuple[Array, Array]:
    """Merge neighbouring blocks of time until they are as long as ``length_ps``.

    Blocks shorter than the correlation time are not independent of each other.

    Parameters
    ----------
    lags
        Function of lag time with its blocks.
    length_ps
        Length wanted, ps.
    min_blocks
        Merging stops before fewer blocks are left.

    Returns
    -------
    sums : (n_blocks, L) float64, means times counts
    counts : (n_blocks, L) float64
    """
    counts = lags.block_counts.astype(np.float64)
    sums = np.where(counts > 0, np.nan_to_num(lags.block_means) * counts, 0.0)
    n_blocks = len(counts)
    wanted = int(np.ceil(length_ps / lags.block_length_ps)) if lags.block_length_ps > 0 else 1
    factor = max(1, min(wanted, n_blocks // min_blocks))
    starts = np.arange(0, n_blocks, factor)
    return np.add.reduceat(sums, starts, axis=0), np.add.reduceat(counts, starts, axis=0)


def resample(lags: LagStatistics, n_bootstrap: int, block_length_ps: float, seed: int = 1) -> list[Resampled]:
    """Resample the mean curve over Li and over blocks of time.

    Parameters
    ----------
    lags
        Function of lag time; every lag is resampled together with the others.
    n_bootstrap
        Curves of each kind.
    block_length_ps
        Shortest useful block, ps: a few correlation times.
    seed
        Of the random numbers; the same seed gives the same curves.

    Returns
    -------
    list[Resampled]
        Up to two kinds; a kind with fewer than five units is left out. Empty when both are: then
        nothing can be said about errors.
    """
    rng = np.random.default_rng(seed)
    kinds = []
    n_series = lags.values.shape[1]
    if n_series >= MIN_UNITS:
        weights = rng.multinomial(n_series, np.full(n_series, 1.0 / n_series), size=n_bootstrap)
        kinds.append(Resampled(weights @ lags.values.T / n_series, n_series))
    sums, counts = merge_blocks(lags, block_length_ps)
    n_blocks = len(sums)
    if n_blocks >= MIN_UNITS:
        weights = rng.multinomial(n_blocks, np.full(n_blocks, 1.0 / n_blocks), size=n_bootstrap)
        pairs = weights @ counts
        mean = lags.values.mean(axis=1)
        curves = np.where(pairs > 0, weights @ sums / np.maximum(pairs, 1.0), mean)
        kinds.append(Resampled(curves, n_blocks))
    return kinds


def wider_interval(
    value: float, samples: list[tuple[Array, int]], level: float = 0.95, *, log: bool = False
) -> Interval:
    """Return the widest of the expanded percentile intervals of several bootstraps.

    The percentiles are widened for the number of resampled units n as Student's t is against the
    normal distribution, T. C. Hesterberg, Am. Stat. 69, 371 (2015), doi:10.1080/00031305.2015.1089789.

    Parameters
    ----------
    value
        The estimate itself, always inside the interval returned.
    samples
        Of each bootstrap the (n_bootstrap,) estimates and the number of units resampled.
    level
        Confidence, 0 < level < 1.
    log
        Compare widths of logarithms: for positive quantities whose error is relative.
    """
    best: tuple[float, float] | None = None
    width = -np.inf
    for values, n_units in samples:
        quantile = stdtrit(n_units - 1, 0.5 + 0.5 * level) * np.sqrt(n_units / (n_units - 1))
        tail = ndtr(-quantile)
        low, high = (float(q) for q in np.quantile(values, [tail, 1.0 - tail]))
        span = np.log(max(high, 1e-300) / max(low, 1e-300)) if log else high - low
        if best is None or span > width:
            best, width = (low, high), span
    if best is None:
        raise InputError("an interval needs at least one bootstrap, got none")
    return Interval(value, min(best[0], value), max(best[1], value))
