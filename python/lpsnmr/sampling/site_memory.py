"""What a jump network needs beside counts: time and mean tensor at each site, waits and returns by pair."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.results import SiteNetwork
from lpsnmr.sampling.states import State
from lpsnmr.typing import Array

__all__ = ["SiteMemory"]


class SiteMemory:
    """Sums by site and by pair of sites; memory grows with the pairs seen, not with time.

    Parameters
    ----------
    n
        Number of ions.
    """

    _ARRAYS = (
        "waiting",
        "tensor_windows",
        "tensor_sum",
        "arrived",
        "arrived_before",
        "last_wait",
        "last_back",
    )

    def __init__(self, n: int) -> None:
        self._waiting = np.zeros(0)  # ion-windows
        self._tensor_windows = np.zeros(0)
        self._tensor_sum = np.zeros((0, 5))
        self._arrived = np.full(n, -1, dtype=np.int64)  # window, −1 when the stay began before the first core
        self._arrived_before = np.full(n, -1, dtype=np.int64)
        self._last_wait = np.zeros(n, dtype=np.int64)
        self._last_back = np.zeros(n, dtype=np.int64)
        self._pairs: dict[tuple[int, int], list[int]] = {}  # jumps back, jumps with a wait, windows waited

    def arrive(self, i: int, origin: int, target: int, now: int, backward: bool) -> None:
        """Ion ``i`` has gone from one site to another in window ``now``."""
        known = self._arrived[i] >= 0
        self._last_wait[i] = now - self._arrived[i] if known else -1
        self._last_back[i] = backward
        self._book(i, origin, target, 1)
        self._arrived_before[i], self._arrived[i] = self._arrived[i], now

    def retract(self, i: int, origin: int, target: int) -> None:
        """Take back the last jump of ion ``i``, from ``origin`` to ``target``."""
        self._book(i, origin, target, -1)
        self._arrived[i] = self._arrived_before[i]

    def _book(self, i: int, origin: int, target: int, sign: int) -> None:
        entry = self._pairs.setdefault((origin, target), [0, 0, 0])
        entry[0] += sign * int(self._last_back[i])
        if self._last_wait[i] >= 0:
            entry[1] += sign
            entry[2] += sign * int(self._last_wait[i])

    def window(
        self, here: NDArray[np.int64], inside: NDArray[np.bool_], n_sites: int, tensors: Array | None
    ) -> None:
        """Count one window: site of each ion (−1 for none), whether in its core, (n, 5) tensors if known."""
        grown = n_sites - len(self._waiting)
        if grown > 0:
            self._waiting = np.append(self._waiting, np.zeros(grown))
            self._tensor_windows = np.append(self._tensor_windows, np.zeros(grown))
            self._tensor_sum = np.vstack([self._tensor_sum, np.zeros((grown, 5))])
        self._waiting += np.bincount(here[here >= 0], minlength=n_sites)
        if tensors is not None:
            self._tensor_windows += np.bincount(here[inside], minlength=n_sites)
            np.add.at(self._tensor_sum, here[inside], tensors[inside])

    def state(self) -> State:
        """Return everything known as arrays; what ``restore`` takes."""
        pairs = np.array([(*key, *entry) for key, entry in sorted(self._pairs.items())], dtype=np.int64)
        arrays = {name: np.array(getattr(self, f"_{name}")) for name in self._ARRAYS}
        return {**arrays, "pairs": pairs.reshape(-1, 5)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state; nothing of a checkpoint that has none."""
        if "pairs" not in state:
            return
        for name in self._ARRAYS:
            setattr(self, f"_{name}", np.array(state[name]))
        self._pairs = {(int(a), int(b)): [int(x) for x in entry] for a, b, *entry in state["pairs"]}

    def summary(self, window_ps: float, n_sites: int) -> SiteNetwork:
        """Return the group of the results file."""
        pairs = np.array([(*key, *e) for key, e in sorted(self._pairs.items())], dtype=np.int64).reshape(
            -1, 5
        )
        missing = n_sites - len(self._waiting)
        windows = np.append(self._tensor_windows, np.zeros(missing))
        sums = np.vstack([self._tensor_sum, np.zeros((missing, 5))])
        return SiteNetwork(
            window_ps=window_ps,
            waiting_windows=np.append(self._waiting, np.zeros(missing)),
            tensor_windows=windows,
            tensor_mean=sums / np.maximum(windows, 1.0)[:, None],
            pairs=pairs[:, :2].copy(),
            pair_backward=pairs[:, 2].copy(),
            pair_waits=pairs[:, 3].copy(),
            pair_wait_windows=pairs[:, 4].copy(),
        )
