"""Measures of errors that both models share: root mean squares, parts of the data, intervals over blocks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lpsnmr.typing import Array

__all__ = ["draw_blocks", "ends", "mean", "parts_of", "rms"]

BOOTSTRAP = 1000
"""Draws of blocks behind an interval."""


def rms(values: Array) -> float:
    """Return the root mean square; NaN of nothing."""
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else float("nan")


def mean(values: Array) -> float:
    """Return the mean; NaN of nothing."""
    return float(np.mean(values)) if values.size else float("nan")


def parts_of(phases: Sequence[str], runs: Sequence[str] | None = None) -> dict[str, NDArray[np.bool_]]:
    """Return which samples belong to "all", to each "phase:…" and, when they are given, to each "run:…".

    Parameters
    ----------
    phases, runs
        Name of the phase and of the run of each sample.
    """
    parts = {"all": np.ones(len(phases), dtype=bool)}
    for kind, names in (("phase", phases), ("run", runs)):
        if names is not None:
            labels = np.asarray(names)
            parts |= {f"{kind}:{name}": labels == name for name in sorted(set(labels.tolist()))}
    return parts


def draw_blocks(sums: Array, seed: int) -> Array:
    """Return sums over blocks drawn with replacement, again and again: (draws, …).

    Parameters
    ----------
    sums
        (blocks, …) sums over the samples of each block.
    seed
        Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    drawn: Array = sums[rng.integers(len(sums), size=(BOOTSTRAP, len(sums)))].sum(axis=1)
    return drawn


def ends(values: Array) -> tuple[float, float]:
    """Return the ends of the 95 % interval of draws."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
