"""States of accumulators: join those of several ranks, cut one for another number of ranks.

A state is a dict of arrays. Keys that begin with ``series_`` have one row per series as first axis;
all others are the same on every rank that saw the same samples.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError

__all__ = ["State", "join_states", "slice_state"]

State = dict[str, NDArray[Any]]


def join_states(states: Sequence[State]) -> State:
    """Return one state of all series, the series in the order of ``states``.

    Every number is as if one accumulator had seen all series: nothing is added up, so the result
    does not depend on how the series were spread.

    Parameters
    ----------
    states
        States of accumulators of the same kind that saw the same number of samples; some may have no
        series.

    Raises
    ------
    InputError
        When the states are not of the same kind or have seen different numbers of samples.

    Examples
    --------
    >>> from lpsnmr.sampling import MultiTauCorrelator
    >>> whole = MultiTauCorrelator(3, 1, sample_interval_ps=0.1)
    >>> whole.add(np.ones((3, 1)))
    >>> parts = [slice_state(whole.state(), 0, 1), slice_state(whole.state(), 1, 3)]
    >>> MultiTauCorrelator.from_state(join_states(parts)).n_series
    3
    """
    if not states:
        raise InputError("join_states needs at least one state, got none")
    first = states[0]
    for index, state in enumerate(states):
        if state.keys() != first.keys():
            raise InputError(f"state {index} has other keys than state 0: they are of different kinds")
        for key, value in state.items():
            if not key.startswith("series_") and not np.array_equal(value, first[key]):
                raise InputError(
                    f"state {index} differs from state 0 in {key!r}: expected the same settings and "
                    f"number of samples, got n_samples {state['n_samples']} and {first['n_samples']}"
                )
    return {
        key: np.concatenate([s[key] for s in states]) if key.startswith("series_") else first[key].copy()
        for key in first
    }


def slice_state(state: State, low: int, high: int) -> State:
    """Return the state of the series ``low`` ≤ i < ``high``; copies.

    Raises
    ------
    InputError
        When the range does not lie within the series of ``state``.
    """
    n_series = next(len(value) for key, value in state.items() if key.startswith("series_"))
    if not 0 <= low <= high <= n_series:
        raise InputError(f"slice {low}:{high} does not lie within the {n_series} series of the state")
    return {
        key: value[low:high].copy() if key.startswith("series_") else value.copy()
        for key, value in state.items()
    }
