"""Slow oracle of the multi-tau accumulator: direct sums over all pairs, level by level."""

import numpy as np


def coarse_series(series, width, mode):
    """Values a level of ``width`` samples sees: means, or the last of each block; (blocks, n, d)."""
    blocks = len(series) // width
    shaped = np.asarray(series)[: blocks * width].reshape(blocks, width, *np.shape(series)[1:])
    return shaped.mean(axis=1) if mode == "average" else shaped[:, -1]


def direct_sum(series, lag, kernel="product"):
    """Mean over all time origins of Σ_d a_d(t) a_d(t + lag) or of the squared difference; (n,)."""
    early, late = series[: len(series) - lag], series[lag:]
    pair = early * late if kernel == "product" else (late - early) ** 2
    return pair.sum(axis=2).mean(axis=0)


def level_width(lag, points, ratio):
    """Samples per value of the level that owns ``lag`` (samples)."""
    width = 1
    while lag >= points * width:
        width *= ratio
    return width


def multi_tau_direct(series, lag, points, ratio, mode, kernel="product"):
    """What the accumulator must give at ``lag``: (values (n,), pairs)."""
    width = level_width(lag, points, ratio)
    seen = coarse_series(series, width, mode)
    return direct_sum(seen, lag // width, kernel), len(seen) - lag // width
