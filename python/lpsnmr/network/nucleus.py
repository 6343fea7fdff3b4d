"""What the network needs to know of a nucleus: coupling, transitions, magnetogyric ratio."""

from math import pi
from typing import Final

from lpsnmr.errors import InputError
from lpsnmr.nuclides import nuclide
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

__all__ = ["coupling_rad_s_per_efg", "dipole_of", "transitions"]

SPIN_HALF: Final = {"1H": 26.7522128e7, "19F": 25.18148e7, "31P": 10.8394e7}
"""Partners without a quadrupole moment: γ, rad/(s T), of R. K. Harris et al., Pure Appl. Chem. 73, 1795
(2001), doi:10.1351/pac200173111795."""


def coupling_rad_s_per_efg(nucleus: str) -> float:
    """Return eQ/ħ in rad/s per V/Å²."""
    return 2.0 * pi * quadrupolar_coupling_hz_per_efg(nucleus)


def dipole_of(nucleus: str) -> tuple[float, float]:
    """Return spin and |γ|, rad/(s T), of a quadrupolar nucleus or of 1H, 19F or 31P.

    Raises
    ------
    InputError
        For a nucleus that is unknown, or whose γ is.

    Examples
    --------
    >>> spin, gamma = dipole_of("7Li")
    >>> spin, round(gamma * 1e-7, 3)
    (1.5, 10.398)
    """
    if nucleus in SPIN_HALF:
        return 0.5, SPIN_HALF[nucleus]
    found = nuclide(nucleus)
    if not abs(found.gamma_mhz_per_t) > 0:
        raise InputError(f"nucleus {nucleus!r}: its magnetogyric ratio is unknown; give gamma=")
    return found.spin, 2e6 * pi * abs(found.gamma_mhz_per_t)


def transitions(nucleus: str) -> tuple[tuple[float, float], ...]:
    """Return (frequency in units of the innermost satellite's, share of the intensity) of each pair ±.

    The central transition, where there is one, is a pair at zero.

    Examples
    --------
    >>> [(round(f, 3), round(share, 3)) for f, share in transitions("7Li")]
    [(0.0, 0.4), (1.0, 0.6)]
    >>> [(round(f, 3), round(share, 3)) for f, share in transitions("27Al")]
    [(0.0, 0.257), (1.0, 0.457), (2.0, 0.286)]
    """
    found = nuclide(nucleus)
    central = ((0.0, found.central_share),) if found.half_integer else ()
    return (*central, *found.satellites)
