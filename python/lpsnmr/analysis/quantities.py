"""Named numbers with intervals: what tables, files and programs take from an analysis."""

from dataclasses import dataclass

from lpsnmr.analysis.statistics.resampling import Interval

__all__ = ["Quantity"]


@dataclass(frozen=True)
class Quantity:
    """One number of an analysis.

    Attributes
    ----------
    key
        Stable ASCII name with the unit, such as ``"tau_mean_ps"``; a column of ``summary.csv``.
    symbol
        For display, such as ``"τ_mean"``.
    unit
        For display; empty for a pure number.
    interval
        Estimate with its confidence interval; None where there is none.
    why_not
        Why it is not resolved, in words; empty when it is. With an interval: why the estimate should not be
        trusted.

    Examples
    --------
    >>> tau = Quantity("tau_ps", "τ", "ps", Interval(12.34, 11.0, 14.0))
    >>> print(tau)
    τ = 12.3 [11, 14] ps
    >>> tau.value, tau.resolved
    (12.34, True)
    >>> print(Quantity("tau_ps", "τ", "ps", None, "no EFG was sampled"))
    τ: no EFG was sampled
    """

    key: str
    symbol: str
    unit: str
    interval: Interval | None
    why_not: str = ""

    @property
    def resolved(self) -> bool:
        """Whether there is a number, and nothing against it."""
        return self.interval is not None and not self.why_not

    @property
    def value(self) -> float:
        """The estimate, also where it is in doubt; NaN where there is none."""
        return float("nan") if self.interval is None else self.interval.value

    @property
    def low(self) -> float:
        """Lower end of the interval; NaN where there is none."""
        return float("nan") if self.interval is None else self.interval.low

    @property
    def high(self) -> float:
        """Upper end of the interval; NaN where there is none."""
        return float("nan") if self.interval is None else self.interval.high

    def __str__(self) -> str:
        """Return symbol, value, interval and unit, or why there is none."""
        if self.interval is None:
            return f"{self.symbol}: {self.why_not or 'not resolved'}"
        said = f"{self.symbol} = {self.interval} {self.unit}".rstrip()
        return f"{said} ({self.why_not})" if self.why_not else said
