"""What the network needs to know of a nucleus: spin, transitions, coupling."""

from math import pi

from lpsnmr.errors import InputError
from lpsnmr.nuclides import nuclide
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

__all__ = ["coupling_rad_s_per_efg", "spin_of", "transitions"]


def spin_of(nucleus: str) -> float:
    """Return the spin.

    Raises
    ------
    InputError
        For a nucleus that is not in the table of ``lpsnmr.nuclides``, or of a spin below 1.

    Examples
    --------
    >>> spin_of("7Li")
    1.5
    """
    spin = nuclide(nucleus).spin
    if spin < 1:
        raise InputError(f"nucleus: expected a spin of 1 or more, got {nucleus} with {spin:g}")
    return float(spin)


def coupling_rad_s_per_efg(nucleus: str) -> float:
    """Return eQ/ħ in rad/s per V/Å²."""
    return 2.0 * pi * quadrupolar_coupling_hz_per_efg(nucleus)


def transitions(nucleus: str) -> tuple[tuple[float, float], ...]:
    """Return (frequency in units of the innermost satellite's, share of the intensity) of each pair ±.

    The transition m ↔ m − 1 lies at (2m − 1) times a unit and has the intensity I(I + 1) − m(m − 1) after a
    short pulse; the central one is a pair at zero.

    Examples
    --------
    >>> [(round(f, 3), round(share, 3)) for f, share in transitions("7Li")]
    [(0.0, 0.4), (1.0, 0.6)]
    >>> [(round(f, 3), round(share, 3)) for f, share in transitions("27Al")]
    [(0.0, 0.257), (1.0, 0.457), (2.0, 0.286)]
    """
    spin = spin_of(nucleus)
    m = 0.5 if spin % 1 else 1.0
    unit = 1.0 if m == 1.0 else 2.0
    found = []
    while m <= spin:
        pair = 1.0 if m == 0.5 else 2.0
        found.append(((2.0 * m - 1.0) / unit, pair * (spin * (spin + 1.0) - m * (m - 1.0))))
        m += 1.0
    total = sum(intensity for _, intensity in found)
    return tuple((frequency, intensity / total) for frequency, intensity in found)
