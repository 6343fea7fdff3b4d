"""Spin–lattice relaxation from the spectral density of the hopping part of C(t)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import ArrayLike

from lpsnmr.analysis.nmr.decay import NmrDecay
from lpsnmr.analysis.nmr.kohlrausch import KohlrauschFit
from lpsnmr.analysis.nmr.recovery import recovery
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.efg.quadrupolar import POWDER_FACTOR, frequency_rad_s_per_efg
from lpsnmr.errors import InputError
from lpsnmr.nuclides import nuclide
from lpsnmr.typing import Array
from lpsnmr.units import SECONDS_PER_PS, quadrupolar_coupling_hz_per_efg

__all__ = ["Relaxation", "analyze_relaxation", "hopping_part", "relaxation_rate", "spectral_density"]


TAIL_SHARE = 0.1
"""Data are used until the fitted hopping part has fallen to this share of ΔC, then the fit."""
NODES_BEFORE, NODES_AFTER = 40, 120


def relaxation_rate(density: ArrayLike, density_twice: ArrayLike, nucleus: str = "7Li") -> Array:
    """Return 1/T1 from the spectral density of C(t) at ω0 and 2ω0.

    1/T1 = (3/200) (2I + 3)/(I²(2I − 1)) (1 + η²/3)(e²qQ/ħ)² [J(ω0) + 4 J(2ω0)], for I = 3/2 with the
    factor 1/50, J(ω) = ∫₀^∞ g(t) cos ωt dt of the normalised correlation function g. As
    (1 + η²/3) V_zz² = (2/3) Tr V², the product of coupling and density is that of Tr V(0)V(t), and in terms
    of C(t) of the powder 1/T1 = (2/5)[J_C(ω0) + 4 J_C(2ω0)] for I = 3/2. Beyond spin 1 the recovery is the
    sum of several exponentials, see ``recovery``; this is their initial rate. A. Abragam, The Principles of
    Nuclear Magnetism, chapter VIII (1961).

    Parameters
    ----------
    density, density_twice
        ∫₀^∞ C(t) cos ωt dt at ω0 and at 2ω0, rad²/s; ``spectral_density``.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.

    Returns
    -------
    Array
        Broadcast shape, 1/s.

    Examples
    --------
    >>> round(float(relaxation_rate(5.0, 5.0, "7Li")), 12)  # (2/5) · 5 · 5
    10.0
    """
    spin = nuclide(nucleus).spin
    coupling = 2.0 * pi * quadrupolar_coupling_hz_per_efg(nucleus)  # eQ/ħ, rad/s per V/Å²
    trace = 1.0 / (POWDER_FACTOR * frequency_rad_s_per_efg(nucleus) ** 2)  # Tr V(0)V(t) per C(t)
    factor = 3.0 / 200.0 * (2.0 * spin + 3.0) / (spin**2 * (2.0 * spin - 1.0))
    total = np.asarray(density, dtype=np.float64) + 4.0 * np.asarray(density_twice, dtype=np.float64)
    return np.asarray(factor * (2.0 / 3.0) * coupling**2 * trace * total)


def spectral_density(time_ps: ArrayLike, curves: ArrayLike, angular_rad_s: ArrayLike) -> Array:
    """Return ∫ f(t) cos ωt dt of functions given by straight lines between points; exact for these.

    Parameters
    ----------
    time_ps
        (N,) ascending from 0, ps.
    curves
        (n, N) float64, (rad/s)².
    angular_rad_s
        (W,) positive, rad/s.

    Returns
    -------
    Array
        (n, W) float64, rad²/s.

    Examples
    --------
    >>> t = np.linspace(0.0, 40.0, 4001)
    >>> j = spectral_density(t, np.exp(-t)[None, :], [1e12])  # τ/(1 + ω²τ²) with τ = 1 ps
    >>> round(float(j[0, 0]) * 1e12, 4)
    0.5
    """
    t = np.asarray(time_ps, dtype=np.float64) * SECONDS_PER_PS
    f = np.atleast_2d(np.asarray(curves, dtype=np.float64))
    w = np.asarray(angular_rad_s, dtype=np.float64)
    if t.ndim != 1 or f.shape[1] != len(t) or np.any(np.diff(t) <= 0) or np.any(w <= 0):
        raise InputError("spectral density: expected ascending times, one value each, positive frequencies")
    slope = np.diff(f, axis=1) / np.diff(t)
    middle, half = 0.5 * (t[1:] + t[:-1]), 0.5 * np.diff(t)
    # cos b − cos a without cancellation
    steps = -2.0 * np.sin(middle[:, None] * w) * np.sin(half[:, None] * w)
    return np.asarray(f[:, -1:] * np.sin(t[-1] * w) / w + (slope @ steps) / w**2)


def hopping_part(
    lag_ps: Array, curves: Array, fit: KohlrauschFit, best: KohlrauschFit
) -> tuple[Array, Array]:
    """Return times from 0 and C_hop(t) = C(t) − C∞ without vibrations, to where it has vanished.

    Before the first lag, where vibrations add to C, and beyond the lag at which ``best`` has fallen to a
    tenth, the fit stands in for the data.

    Parameters
    ----------
    lag_ps
        (L,) fitted lags.
    curves
        (n, L) curves.
    fit
        Of each curve.
    best
        Of the mean curve: says how far data are used, the same for all curves.

    Returns
    -------
    time_ps : (N,) float64
    values : (n, N) float64
    """
    tau, gamma = float(best.tau[0]), float(best.gamma[0])
    switch = tau * float(-np.log(TAIL_SHARE)) ** (1.0 / gamma)
    used = lag_ps <= max(switch, lag_ps[0])
    before = np.concatenate([[0.0], np.geomspace(1e-4 * min(tau, lag_ps[0]), lag_ps[0], NODES_BEFORE)[:-1]])
    slowest = float(np.max(fit.tau * 25.0 ** (1.0 / fit.gamma)))
    last = float(lag_ps[used][-1])
    end = min(max(slowest, 2.0 * last), 1e6 * last)
    after = np.geomspace(last, end, NODES_AFTER)[1:]
    data = curves[:, used] - fit.plateau[:, None]
    parts = [fit(before) - fit.plateau[:, None], data, fit(after) - fit.plateau[:, None]]
    return np.concatenate([before, lag_ps[used], after]), np.concatenate(parts, axis=1)


def larmor_rad_s(frequencies_mhz: Sequence[float]) -> Array:
    """Return ω0 in rad/s.

    Raises
    ------
    InputError
        For a frequency that is not positive.
    """
    mhz = np.asarray(frequencies_mhz, dtype=np.float64)
    if np.any(~np.isfinite(mhz)) or np.any(mhz <= 0):
        raise InputError(f"Larmor frequencies: expected positive numbers (MHz), got {frequencies_mhz}")
    return np.asarray(2.0 * pi * 1e6 * mhz)


@dataclass(frozen=True)
class Relaxation:
    """Spin–lattice relaxation at one field.

    Attributes
    ----------
    larmor_mhz
        ω0/2π, MHz.
    rate_per_s, t1_s
        1/T1 in 1/s and T1 in s, with intervals; where there are several exponentials, of their begin.
    shares, rates_per_s
        Share and rate, 1/s, of each exponential of the recovery after a pulse that turns all transitions
        alike, the fastest first; one for spin 1, two for 3/2.
    """

    larmor_mhz: float
    rate_per_s: Interval
    t1_s: Interval
    shares: tuple[float, ...] = ()
    rates_per_s: tuple[float, ...] = ()


def analyze_relaxation(
    decay: NmrDecay, larmor_mhz: Sequence[float], nucleus: str = "7Li"
) -> list[Relaxation]:
    """Return T1 at each Larmor frequency from a resolved decay of C(t); empty when it is not resolved.

    Vibrations are left out: their frequencies lie far above ω0, and a sampling interval of 0.1 ps does not
    resolve their spectral density.

    Parameters
    ----------
    decay
        Of C(t) in (rad/s)².
    larmor_mhz
        Larmor frequencies of the nucleus, MHz.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.

    Raises
    ------
    InputError
        For a frequency that is not positive.
    """
    angular = larmor_rad_s(larmor_mhz)
    fit = decay.fit
    if fit is None:
        return []

    def densities(curves: Array, of: KohlrauschFit) -> tuple[Array, Array]:
        time, values = hopping_part(fit.lag_ps, curves, of, fit.best)
        return spectral_density(time, values, angular), spectral_density(time, values, 2.0 * angular)

    first, twice = densities(fit.curve[None, :], fit.best)
    best = relaxation_rate(first, twice, nucleus)[0]
    samples = [
        relaxation_rate(*densities(window, f), nucleus)
        for window, f in zip(fit.windows, fit.fits, strict=True)
    ]
    found = []
    for k, mhz in enumerate(larmor_mhz):
        positive = [np.maximum(s[:, k], 1e-300) for s in samples]
        rate = fit.interval(float(best[k]), positive, log=True)
        shares, rates = recovery(float(first[0, k]), float(twice[0, k]), nucleus)
        found.append(
            Relaxation(float(mhz), rate, rate.inverse(), tuple(shares.tolist()), tuple(rates.tolist()))
        )
    return found
