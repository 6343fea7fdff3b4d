"""Analysis of spin-alignment echoes: decay, plateau and the number of sites visited."""

from dataclasses import dataclass, replace

from lpsnmr.analysis.nmr.decay import DecaySettings, NmrDecay, analyze_curve
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.results import Echo
from lpsnmr.typing import Array

__all__ = ["EchoDecay", "analyze_echo", "analyze_evolution_time", "converged_phase_rad"]


@dataclass(frozen=True)
class EchoDecay:
    """S(t_p, t_m) at one evolution time.

    Attributes
    ----------
    evolution_time_us
        t_p, μs.
    decay
        The fit of the sine echo against the mixing time; its "correlation" has no unit. ``tau_ps`` and
        ``tau_mean_ps`` of it are τ_SAE(t_p).
    cosine
        (L,) float64, the cosine partner.
    number_of_sites
        1/plateau, the plateau relative to the fit at t_m = 0; ``high`` is infinite when the plateau may
        be zero. None when not resolved.
    largest_phase_rad
        t_p times twice the largest frequency of a tensor of root mean square size.
    converged
        Whether the set of orientations averages such phases to 1e-3.
    """

    evolution_time_us: float
    decay: NmrDecay
    cosine: Array
    number_of_sites: Interval | None
    largest_phase_rad: float
    converged: bool


def converged_phase_rad(degree: int) -> float:
    """Return up to which amplitude phases are averaged to better than 1e-3 by a Lebedev set.

    cos(A (3z² − 1)/2 …) averaged over 20 random tensors per degree deviates from the average with
    degree 131 by at most 1e-3 for A = (degree − 9)/2.
    """
    return 0.5 * (degree - 9.0)


def analyze_echo(
    echo: Echo,
    duration_ps: float,
    largest_frequency_rad_s: float,
    settings: DecaySettings | None = None,
) -> list[EchoDecay]:
    """Fit the sine echo of every evolution time with a Kohlrausch function of the mixing time.

    S(t_m) = S∞ + ΔS exp[−(t_m/τ_SAE)^γ] from the first mixing time on; the intervals are made as those of
    C(t). S at t_m = 0 contains what vibrations are left in a window and is not fitted; the echo is
    normalised to S∞ + ΔS instead. S∞/(S∞ + ΔS) falls to 1/n when a Li visits n sites equally often and t_p is
    long enough for their frequencies to differ by more than a turn.

    Parameters
    ----------
    echo
        From ``EchoCorrelator.statistics``.
    duration_ps
        Length of the run, ps.
    largest_frequency_rad_s
        Largest ω_Q of a typical tensor, rad/s, for the check of the orientations.
    settings
        See ``DecaySettings``; fitting starts at the first mixing time at the earliest.
    """
    return [
        analyze_evolution_time(echo, index, duration_ps, largest_frequency_rad_s, settings)
        for index in range(len(echo.evolution_times_us))
    ]


def analyze_evolution_time(
    echo: Echo,
    index: int,
    duration_ps: float,
    largest_frequency_rad_s: float,
    settings: DecaySettings | None = None,
) -> EchoDecay:
    """Fit the sine echo of the evolution time ``index``; see ``analyze_echo``."""
    settings = settings or DecaySettings()
    if len(echo.lag_ps) > 1:
        settings = replace(settings, fit_start_ps=max(settings.fit_start_ps, float(echo.lag_ps[1])))
    time_us = float(echo.evolution_times_us[index])
    decay = analyze_curve(echo.lags(index, "sine"), duration_ps, settings, "S(t_m)")
    phase = 2.0 * time_us * 1e-6 * largest_frequency_rad_s
    return EchoDecay(
        evolution_time_us=time_us,
        decay=decay,
        cosine=echo.values[index, 1].mean(axis=1),
        number_of_sites=_number_of_sites(decay.plateau_fraction),
        largest_phase_rad=phase,
        converged=phase <= converged_phase_rad(echo.degree),
    )


def _number_of_sites(plateau: Interval | None) -> Interval | None:
    if plateau is None:
        return None

    def inverse(x: float) -> float:
        return 1.0 / x if x > 0 else float("inf")

    return Interval(inverse(plateau.value), inverse(plateau.high), inverse(plateau.low))
