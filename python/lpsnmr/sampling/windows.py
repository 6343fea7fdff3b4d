"""Means over windows of time, and a thinned memory of them."""

import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.results import TensorSamples
from lpsnmr.sampling.states import State
from lpsnmr.typing import Array

__all__ = ["TensorSampler", "WindowMean"]


class WindowMean:
    """Average every ``length`` samples into one; vibrations faster than that are gone.

    Parameters
    ----------
    n_series, n_components
        Shape of a sample.
    length
        Samples per window, at least 1.

    Examples
    --------
    >>> window = WindowMean(1, 1, 2)
    >>> [window.add(np.array([[x]])) for x in (1.0, 3.0)]
    [None, array([[2.]])]
    """

    def __init__(self, n_series: int, n_components: int, length: int) -> None:
        if length < 1:
            raise InputError(f"a window holds at least one sample, got {length}")
        self.length = length
        self._sum = np.zeros((n_series, n_components))
        self._count = 0

    def add(self, values: Array) -> Array | None:
        """Take one sample; return the mean of the window it completes, else None."""
        self._sum += values
        self._count += 1
        if self._count < self.length:
            return None
        mean = self._sum / self.length
        self._sum[:] = 0.0
        self._count = 0
        return mean

    def state(self) -> State:
        """Return everything; keys ``series_*`` have the series as first axis."""
        return {
            "series_sum": self._sum.copy(),
            "count": np.array(self._count),
            "length": np.array(self.length),
        }

    @classmethod
    def from_state(cls, state: State) -> "WindowMean":
        """Continue from a state, bit for bit."""
        total = np.array(state["series_sum"], dtype=np.float64)
        self = cls(total.shape[0], total.shape[1], int(state["length"]))
        self._sum, self._count = total, int(state["count"])
        return self


class TensorSampler:
    """Remember window means of growing length, thinned to a bounded number.

    Level l sees the means of ``ratio``^l successive values and keeps at most 2 ``capacity`` of them,
    at equal spacing over the whole run: when the level is full every second is dropped. What is kept is the
    distribution of tensors averaged over 1, ``ratio``, ``ratio``², … values, from static to motionally
    averaged, in memory that grows only with the logarithm of the run's length.

    Parameters
    ----------
    n_series
        Number of Li; 0 is allowed.
    sample_interval_ps
        Time between the values added, ps.
    capacity
        At least this many means are kept per level and series, once there are so many.
    ratio
        Growth of the averaging time from level to level.
    max_levels
        Hard limit of memory.

    Raises
    ------
    InputError
        For settings that make no sense.
    """

    def __init__(
        self,
        n_series: int,
        *,
        sample_interval_ps: float,
        capacity: int = 64,
        ratio: int = 4,
        max_levels: int = 12,
    ) -> None:
        if capacity < 1 or ratio < 2 or max_levels < 1:
            raise InputError(
                f"expected capacity ≥ 1, ratio ≥ 2, max_levels ≥ 1, got {capacity}, {ratio}, {max_levels}"
            )
        if not (np.isfinite(sample_interval_ps) and sample_interval_ps > 0):
            raise InputError(f"sample_interval_ps must be positive, got {sample_interval_ps}")
        self.n_series, self.capacity, self.ratio, self.max_levels = n_series, capacity, ratio, max_levels
        self.sample_interval_ps = float(sample_interval_ps)
        self._kept: list[Array] = []  # per level (2 capacity, n_series, 5)
        self._partial: list[Array] = []
        self._count = np.zeros(0, dtype=np.int64)  # values received
        self._stride = np.zeros(0, dtype=np.int64)

    def add(self, values: Array) -> None:
        """Add one value, (n_series, 5) float64, V/Å²."""
        level = 0
        while level < self.max_levels:
            if level == len(self._kept):
                self._add_level()
            self._keep(level, values)
            self._partial[level] += values
            if self._count[level] % self.ratio:
                return
            values = self._partial[level] / self.ratio
            self._partial[level] = np.zeros((self.n_series, 5))
            level += 1

    def _add_level(self) -> None:
        self._kept.append(np.zeros((2 * self.capacity, self.n_series, 5)))
        self._partial.append(np.zeros((self.n_series, 5)))
        self._count = np.append(self._count, 0)
        self._stride = np.append(self._stride, 1)

    def _keep(self, level: int, values: Array) -> None:
        index, stride = int(self._count[level]), int(self._stride[level])
        self._count[level] += 1
        if index % stride:
            return
        kept = self._kept[level]
        if index // stride == 2 * self.capacity:
            kept[: self.capacity] = kept[::2].copy()
            kept[self.capacity :] = 0.0
            stride = self._stride[level] = 2 * stride
        kept[index // stride] = values

    def averaging_times_ps(self) -> Array:
        """Return the averaging time of each level, ps."""
        growth = [self.ratio**level for level in range(len(self._kept))]
        return self.sample_interval_ps * np.array(growth, dtype=np.float64)

    def means(self, level: int) -> Array:
        """Return the means kept of a level, (n_kept, n_series, 5), V/Å²; a copy."""
        return np.array(self._kept[level][: self._filled(level)])

    def samples(self) -> TensorSamples:
        """Return the means of all levels; copies."""
        times = self.averaging_times_ps()
        return TensorSamples(times, tuple(self.means(level) for level in range(len(times))))

    def _filled(self, level: int) -> int:
        stride = int(self._stride[level])
        return int((self._count[level] + stride - 1) // stride)

    def state(self) -> State:
        """Return everything; keys ``series_*`` have the series as first axis."""
        levels, n, kept = len(self._kept), self.n_series, 2 * self.capacity
        return {
            "series_kept": np.array(self._kept).reshape(levels, kept, n, 5).transpose(2, 0, 1, 3).copy(),
            "series_partial": np.array(self._partial).reshape(levels, n, 5).transpose(1, 0, 2).copy(),
            "count": self._count.copy(),
            "stride": self._stride.copy(),
            "ratio": np.array(self.ratio),
            "max_levels": np.array(self.max_levels),
            "sample_interval_ps": np.array(self.sample_interval_ps),
        }

    @classmethod
    def from_state(cls, state: State) -> "TensorSampler":
        """Continue from a state, bit for bit."""
        kept = np.asarray(state["series_kept"], dtype=np.float64)
        self = cls(
            len(kept),
            sample_interval_ps=float(state["sample_interval_ps"]),
            capacity=max(kept.shape[2] // 2, 1),
            ratio=int(state["ratio"]),
            max_levels=int(state["max_levels"]),
        )
        self._kept = [level.copy() for level in kept.transpose(1, 2, 0, 3)]
        self._partial = [level.copy() for level in np.asarray(state["series_partial"]).transpose(1, 0, 2)]
        self._count = np.array(state["count"], dtype=np.int64)
        self._stride = np.array(state["stride"], dtype=np.int64)
        return self
