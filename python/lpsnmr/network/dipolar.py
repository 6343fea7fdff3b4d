"""Dipolar couplings as the approximation they are: a Gaussian second moment that jumps narrow."""

from math import pi
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lpsnmr.errors import InputError
from lpsnmr.network.nucleus import dipole_of
from lpsnmr.network.redfield import RelaxationRates
from lpsnmr.typing import Array

__all__ = ["bpp_rates", "fwhm_hz", "narrowed_decay", "van_vleck"]

MU0_HBAR: Final = 1e-7 * 1.054571817e-34
"""μ0ħ/4π in SI."""


def van_vleck(
    positions: Array,
    cell: Array,
    observed: NDArray[np.intp],
    partners: NDArray[np.intp],
    nucleus: str,
    partner: str,
    *,
    occupation: ArrayLike = 1.0,
    reach_angstrom: float = 25.0,
) -> float:
    """Return the second moment of a powder from the dipoles of one kind of partner, (rad/s)².

    M2 = (3/5)(μ0/4π)² γ⁴ħ² I(I + 1) Σ r⁻⁶ of like spins and (4/15)(μ0/4π)² γ_I²γ_S² ħ² S(S + 1) Σ r⁻⁶ of
    unlike ones, the mean over the observed atoms (J. H. Van Vleck, Phys. Rev. 74, 1168 (1948),
    doi:10.1103/PhysRev.74.1168). What lies beyond the reach is added as a continuum.

    Parameters
    ----------
    positions, cell
        (n, 3) Å and (3, 3) rows of cell vectors, Å.
    observed, partners
        Indices of the observed atoms and of their partners.
    nucleus, partner
        The two isotopes, such as 7Li and 31P.
    occupation
        Probability that a partner is there, and its isotope's abundance; one number or one each.
    reach_angstrom
        Partners are summed one by one up to this distance.
    """
    if reach_angstrom <= 0 or len(observed) == 0:
        raise InputError("second moment: expected observed atoms and a positive reach")
    filled = np.broadcast_to(np.asarray(occupation, dtype=np.float64), (len(partners),))
    heights = abs(np.linalg.det(cell)) / np.linalg.norm(np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]]), axis=1)
    counts = np.ceil(reach_angstrom / heights).astype(int) + 1
    grid = np.stack(np.meshgrid(*(np.arange(-c, c + 1) for c in counts), indexing="ij"), -1).reshape(-1, 3)
    shifts = grid @ cell
    total = 0.0
    for i in observed:
        for j, share in zip(partners, filled, strict=True):
            step = positions[j] - positions[i]
            step = step - np.round(step @ np.linalg.inv(cell)) @ cell
            square = ((step + shifts) ** 2).sum(axis=1)
            near = (square > 1e-6) & (square < reach_angstrom**2)
            total += share * float((square[near] ** -3.0).sum())
    density = float(filled.sum()) / abs(np.linalg.det(cell))
    lattice = total / len(observed) + 4.0 * pi * density / (3.0 * reach_angstrom**3)
    return second_moment_of_sum(lattice, nucleus, partner)


def second_moment_of_sum(sum_per_angstrom6: float, nucleus: str, partner: str) -> float:
    """Return M2 in (rad/s)² from Σ r⁻⁶ in Å⁻⁶."""
    (_, gamma), (spin, gamma_of_partner) = dipole_of(nucleus), dipole_of(partner)
    couplings = (MU0_HBAR * gamma * gamma_of_partner) ** 2 * spin * (spin + 1.0)
    return (3.0 / 5.0 if nucleus == partner else 4.0 / 15.0) * couplings * sum_per_angstrom6 * 1e60


def narrowed_decay(times_s: ArrayLike, second_moment: float, rate_per_s: float) -> Array:
    """Return exp{−M2 τ² [e^(−t/τ) − 1 + t/τ]}, τ = 1/rate: Gaussian at rest, exponential in fast motion.

    P. W. Anderson, P. R. Weiss, Rev. Mod. Phys. 25, 269 (1953), doi:10.1103/RevModPhys.25.269.
    """
    t = np.asarray(times_s, dtype=np.float64)
    x = t * rate_per_s
    small = x < 1e-3
    safe = np.where(small, 1.0, x)
    shape = np.where(small, 0.5 - x / 6.0 + x**2 / 24.0, (np.expm1(-safe) + safe) / safe**2)
    return np.asarray(np.exp(-second_moment * t**2 * shape))


def fwhm_hz(second_moments: ArrayLike, rates_per_s: ArrayLike) -> float:
    """Return the full width at half height, Hz, of the line that dipoles leave to a centre without splitting.

    Parameters
    ----------
    second_moments
        M2 of each kind of partner, (rad/s)².
    rates_per_s
        How fast the coupling to each kind fluctuates, 1/s.
    """
    m2 = np.atleast_1d(np.asarray(second_moments, dtype=np.float64))
    rates = np.broadcast_to(np.asarray(rates_per_s, dtype=np.float64), m2.shape)
    if not np.any(m2 > 0):
        return 0.0
    slowest = 1.0 / float(sum(m / (r + np.sqrt(m)) for m, r in zip(m2, rates, strict=True) if m > 0))
    t = np.linspace(0.0, 40.0 * slowest, 40001)
    decay = np.prod([narrowed_decay(t, m, r) for m, r in zip(m2, rates, strict=True)], axis=0)

    def height(omega: float) -> float:
        return float(np.trapezoid(decay * np.cos(omega * t), t))

    peak, low, high = height(0.0), 0.0, 6.0 / slowest
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if height(middle) > 0.5 * peak else (low, middle)
    return low / pi


def bpp_rates(
    second_moment: float, correlation_time_s: float, larmor_rad_s: ArrayLike, spin_lock_rad_s: float = 0.0
) -> RelaxationRates:
    """Return 1/T1, 1/T1ρ and 1/T2 of like spins with one correlation time.

    1/T1 = (2/3) M2 [J(ω) + 4J(2ω)], 1/T2 = M2 [J(0) + (5/3) J(ω) + (2/3) J(2ω)], J = τ/(1 + ω²τ²), and J(2ω1)
    for J(0) in 1/T1ρ. N. Bloembergen, E. M. Purcell, R. V. Pound, Phys. Rev. 73, 679 (1948),
    doi:10.1103/PhysRev.73.679. Sites and structure are in M2 alone.
    """
    omega, tau = np.asarray(larmor_rad_s, dtype=np.float64), correlation_time_s

    def density(w: Array) -> Array:
        return np.asarray(tau / (1.0 + (w * tau) ** 2))

    one, two = density(omega), density(2.0 * omega)
    locked = density(np.full(omega.shape, 2.0 * spin_lock_rad_s))
    rest = 5.0 / 3.0 * one + 2.0 / 3.0 * two
    r1 = 2.0 / 3.0 * second_moment * (one + 4.0 * two)
    return RelaxationRates(r1, second_moment * (locked + rest), second_moment * (tau + rest))
