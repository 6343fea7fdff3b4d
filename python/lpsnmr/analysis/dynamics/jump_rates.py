"""Jump rates, lengths and survival functions from booked jumps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from lpsnmr.analysis.statistics.least_squares import chi2_quantile
from lpsnmr.analysis.statistics.resampling import MIN_UNITS, Interval
from lpsnmr.results.jumps import LENGTH_BIN, Jumps
from lpsnmr.typing import Array
from lpsnmr.units import SECONDS_PER_PS

__all__ = ["JumpRates", "analyze_jumps", "early_return_factor", "poisson_interval", "survival"]

MIN_JUMPS = 10
CORRECTION_STEPS = 3
SIGNIFICANT = 0.9
"""Level at which a dispersion above 1 is taken as one; below it jumps count as independent."""


@dataclass(frozen=True)
class JumpRates:
    """What the jumps of one run say.

    Attributes
    ----------
    n_jumps, n_recrossings, n_particles
        Jumps that count, excursions that do not, and particles.
    duration_ps
        Time watched, ps.
    dispersion
        Variance of the numbers of jumps over their mean: the larger of those over particles and over
        blocks of time where significantly above 1 (then widened as Student's t is), else 1.
    backward_fraction
        Jumps back to the place before over all jumps.
    resolved, reason
        Whether there is a rate; if not, why, in words.
    rate_per_s
        Γ, jumps per particle and second, with interval; ``correction`` is in it.
    counted_per_s
        The same as counted; None when not resolved.
    correction
        By what Γ was multiplied for true jumps that returned too soon to be told from recrossings; NaN
        where it is unknown.
    residence_ps
        1/Γ, ps.
    mean_length, mean_square_length
        ⟨a⟩ and ⟨a²⟩ of the jumps (Å and Å²; degrees for rotations); NaN without jumps.
    length_edges, length_counts
        Histogram of the lengths.
    survival_ps, survival
        Fraction of residences longer than a time, from all but the first of each particle, the
        unfinished ones counted as censored.
    """

    n_jumps: int
    n_recrossings: int
    n_particles: int
    duration_ps: float
    dispersion: float
    backward_fraction: float
    resolved: bool
    reason: str
    rate_per_s: Interval | None
    counted_per_s: Interval | None
    correction: float
    residence_ps: Interval | None
    mean_length: float
    mean_square_length: float
    length_edges: Array
    length_counts: NDArray[np.int64]
    survival_ps: Array
    survival: Array


def poisson_interval(count: float, dispersion: float = 1.0, level: float = 0.95) -> Interval:
    """Return the interval of the mean of a Poisson count whose variance is ``dispersion`` times the mean.

    Exact (F. Garwood, Biometrika 28, 437 (1936), doi:10.1093/biomet/28.3-4.437) for a dispersion of
    1; for others that of the count divided by it, scaled back.

    Examples
    --------
    >>> i = poisson_interval(10)
    >>> round(i.low, 2), round(i.high, 2)
    (4.8, 18.39)
    """
    effective = count / dispersion
    tail = 0.5 - 0.5 * level
    low = 0.5 * chi2_quantile(tail, 2 * effective) if effective > 0 else 0.0
    high = 0.5 * chi2_quantile(1 - tail, 2 * effective + 2)
    return Interval(float(count), low * dispersion, high * dispersion)


def survival(
    edges: NDArray[np.int64], stays: NDArray[np.int64], running: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Array]:
    """Return the survival function of residences from histograms of finished and unfinished ones.

    The product-limit estimate, E. L. Kaplan, P. Meier, J. Am. Stat. Assoc. 53, 457 (1958),
    doi:10.1080/01621459.1958.10501452; an unfinished residence counts as watched to the end of its bin.

    Parameters
    ----------
    edges
        (k,) or (k + 1,) lower edges of the bins.
    stays, running
        (k,) residences that ended, and that had not yet ended, in each bin.

    Returns
    -------
    times : (k + 1,)
        0 and the upper ends of the bins, in the unit of ``edges``.
    values : (k + 1,) float64
        Fraction that lasts longer; 1 at 0.
    """
    k = len(stays)
    upper = np.append(edges[1 : k + 1] - 1, 2 * edges[-1])[:k] if len(edges) <= k else edges[1 : k + 1] - 1
    total = stays + running
    at_risk = np.cumsum(total[::-1])[::-1].astype(np.float64)
    factors = 1.0 - stays / np.maximum(at_risk, 1.0)
    return np.concatenate([[0], upper]), np.concatenate([[1.0], np.cumprod(factors)])


def analyze_jumps(booked: Jumps, level: float = 0.95) -> JumpRates:
    """Return rate, lengths and survival function of a group of booked jumps.

    The rate is the number of jumps over the time watched; its interval is that of a Poisson count
    widened by the dispersion. True jumps that returned within the least stay are added to first order
    (``early_return_factor``). Fewer than ten jumps are not resolved: the upper limit is then said in
    words.

    Parameters
    ----------
    booked
        Jumps or rotations of a results file.
    level
        Confidence.

    Raises
    ------
    InputError
        When the arrays do not fit together.
    """
    booked.validate("booked jumps", len(booked.jumps))
    duration_ps, n = booked.windows * booked.window_ps, len(booked.jumps)
    jumps = int(booked.jumps.sum())
    whole = booked.block_jumps[: booked.windows // max(booked.block_windows, 1)]  # the last may be shorter
    dispersion = _dispersion(booked.jumps, whole)
    interval = poisson_interval(jumps, dispersion, level)
    watched_s = max(n, 1) * duration_ps * SECONDS_PER_PS
    reason = ""
    if jumps < MIN_JUMPS:
        reason = f"not resolved: {jumps} jumps of {n} particles in {duration_ps:g} ps"
        if watched_s > 0:
            reason += f"; the rate is below {interval.high / watched_s:.2g} 1/s"
    counted = None if reason or watched_s == 0 else interval.scaled(1.0 / watched_s)
    correction = early_return_factor(booked)
    rate = counted if counted is None or np.isnan(correction) else counted.scaled(correction)
    count, total, squares = booked.length_sums
    unit, bins = booked.LENGTH_UNIT, len(booked.length_counts)
    times, values = survival(booked.stay_edges, booked.stays, booked.stays_running)
    return JumpRates(
        n_jumps=jumps,
        n_recrossings=booked.recrossings,
        n_particles=n,
        duration_ps=duration_ps,
        dispersion=dispersion,
        backward_fraction=booked.backward / jumps if jumps else float("nan"),
        resolved=not reason,
        reason=reason,
        rate_per_s=rate,
        counted_per_s=counted,
        correction=correction,
        residence_ps=None if rate is None else rate.inverse(1.0 / SECONDS_PER_PS),
        mean_length=float(total / count) * unit if count else float("nan"),
        mean_square_length=float(squares / count) * unit**2 if count else float("nan"),
        length_edges=np.linspace(0.0, bins * LENGTH_BIN * unit, bins + 1, dtype=np.float64),
        length_counts=booked.length_counts,
        survival_ps=np.asarray(times * booked.window_ps, dtype=np.float64),
        survival=values,
    )


def early_return_factor(booked: Jumps) -> float:
    """Return true jumps over counted ones: returns within the least stay count as recrossings, and took two.

    To first order the share β of an ion's jumps that go back is the same at short stays as at long ones, and
    stays end at the rate Γ = γ F. Of N true jumps, N β (1 − e^(−Γ m)) are undone within m, the least
    stay and half a window; each takes its return along, so F = 1/(1 − 2 β (1 − e^(−Γ m))). No more jumps
    are added than recrossings were seen. NaN where the least stay is unknown or nothing was counted.

    Parameters
    ----------
    booked
        Jumps or rotations of a results file.
    """
    jumps = int(booked.jumps.sum())
    watched = booked.windows * len(booked.jumps)
    if booked.min_stay < 1 or jumps == 0 or watched == 0:
        return float("nan")
    back, factor = booked.backward / jumps, 1.0
    for _ in range(CORRECTION_STEPS):  # Γ in the exponent is the corrected one
        undone = back * (1.0 - np.exp(-jumps * factor / watched * (booked.min_stay + 0.5)))
        factor = 1.0 / max(1.0 - 2.0 * undone, 0.1)
    most = 1.0 + 2.0 * booked.recrossings / jumps
    return float(min(factor, most))


def _dispersion(per_particle: NDArray[np.int64], blocks: NDArray[np.int64]) -> float:
    """Return variance over mean of the counts where it is significantly above 1, else 1."""
    found = [1.0]
    for counts in (per_particle, blocks):
        mean = float(counts.mean()) if len(counts) else 0.0
        freedom = len(counts) - 1
        if freedom + 1 < MIN_UNITS or mean == 0:
            continue
        ratio = float(counts.var(ddof=1)) / mean
        if ratio * freedom > chi2_quantile(SIGNIFICANT, freedom):
            found.append(ratio * float((stdtrit(freedom, 0.975) / ndtri(0.975)) ** 2))
    return max(found)
