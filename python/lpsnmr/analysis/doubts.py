"""When a number that was fitted should not be called resolved, and why, in words."""

from collections.abc import Iterable
from dataclasses import replace

from lpsnmr.analysis.notes import Note
from lpsnmr.analysis.quantities import Quantity
from lpsnmr.analysis.statistics.resampling import Interval

__all__ = ["LEAST_LENGTH", "WIDEST", "doubt", "doubted", "notes_of_doubts"]

WIDEST = 3.0
"""An interval whose ends differ by a larger factor says an order of magnitude, not a number."""
LEAST_LENGTH = 20.0
"""Decay times that a run must last: then a quarter of it holds five."""
TIME_KEYS = ("tau_", "rate_nmr_")


def doubt(quantity: Quantity, duration_ps: float, about_fit: str = "") -> str:
    """Return why a number that is there should not be called resolved, or ''.

    Parameters
    ----------
    quantity
        With an interval; for others the answer is ''.
    duration_ps
        Length of the run, ps.
    about_fit
        What is wrong with the fit that it comes from.

    Examples
    --------
    >>> tau = Quantity("tau_mean_ps", "τ_mean", "ps", Interval(19.4, 1.91, 96.1))
    >>> doubt(tau, 40.0)
    'the ends of its interval differ by a factor of 50; the run lasts 2.1 decay times (20 are needed)'
    >>> doubt(Quantity("tau_mean_ps", "τ_mean", "ps", Interval(19.4, 17.0, 22.0)), 1000.0)
    ''
    """
    interval = quantity.interval
    if interval is None:
        return ""
    said = [about_fit] if about_fit else []
    if interval.low <= 0.0 < interval.high:
        said.append("its interval reaches to zero")
    elif interval.low > 0.0 and interval.high > WIDEST * interval.low:
        said.append(f"the ends of its interval differ by a factor of {interval.high / interval.low:.2g}")
    decay_ps = _decay_time_ps(quantity.key, interval)
    if decay_ps > 0.0 and duration_ps < LEAST_LENGTH * decay_ps:
        said.append(f"the run lasts {duration_ps / decay_ps:.2g} decay times ({LEAST_LENGTH:g} are needed)")
    return "; ".join(said)


def _decay_time_ps(key: str, interval: Interval) -> float:
    """Return the decay time that a quantity is, ps; 0 when it is none."""
    if not key.startswith(TIME_KEYS):
        return 0.0
    return 1e12 / interval.value if key.endswith("_per_s") else interval.value


def doubted(
    quantities: Iterable[Quantity], duration_ps: float, about_decay: str, of_decay: frozenset[str]
) -> list[Quantity]:
    """Return the quantities, those in doubt with the reason; ``about_decay`` is of ``of_decay`` and T1."""
    found = []
    for quantity in quantities:
        if quantity.interval is None or quantity.why_not:
            found.append(quantity)
            continue
        from_decay = quantity.key in of_decay or quantity.key.startswith("t1_")
        reason = doubt(quantity, duration_ps, about_decay if from_decay else "")
        found.append(replace(quantity, why_not=f"doubtful: {reason}") if reason else quantity)
    return found


def notes_of_doubts(quantities: Iterable[Quantity]) -> list[Note]:
    """Return one note for every quantity that is there and in doubt."""
    return [
        Note(quantity.symbol, quantity.why_not)
        for quantity in quantities
        if quantity.interval is not None and quantity.why_not
    ]
