"""First-order quadrupolar frequency and its powder-averaged correlation."""

from math import pi

import numpy as np
from numpy.typing import ArrayLike

from lpsnmr.nuclides import nuclide
from lpsnmr.typing import Array
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

__all__ = ["frequency_correlation", "frequency_rad_s_per_efg", "quadrupolar_frequency"]


POWDER_FACTOR = 2.0 / 15.0
"""⟨(b·V·b)(b·W·b)⟩ over directions b = (2/15) Tr(V W), exact for symmetric traceless V and W."""


def frequency_rad_s_per_efg(nucleus: str = "7Li") -> float:
    """Return ω_Q/(b·V·b) in rad/s per V/Å² for the innermost satellite.

    The transition m → m − 1 lies 3 (2m − 1)/(4 I (2I − 1)) · (eQ/ħ) (b·V·b) from the Larmor frequency,
    m = 3/2 for half-integer spin and m = 1 for integer spin. For I = 3/2 this is eQ/2ħ.

    Raises
    ------
    InputError
        For a nucleus that is not in the table.

    Examples
    --------
    >>> round(frequency_rad_s_per_efg("7Li") / (3.141592653589793 * 1e3), 2)
    -96.96
    """
    coupling = quadrupolar_coupling_hz_per_efg(nucleus)
    spin = nuclide(nucleus).spin
    m = 1.0 if spin == round(spin) else 1.5
    return 2.0 * pi * coupling * 3.0 * (2.0 * m - 1.0) / (4.0 * spin * (2.0 * spin - 1.0))


def quadrupolar_frequency(tensor: ArrayLike, direction: ArrayLike, nucleus: str = "7Li") -> Array:
    """Return ω_Q for a field along ``direction``.

    Parameters
    ----------
    tensor
        (..., 3, 3) float64, V/Å².
    direction
        (..., 3) float64 unit vectors, broadcast against ``tensor``.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.

    Returns
    -------
    Array
        (...,) float64, rad/s.
    """
    v, b = np.asarray(tensor, dtype=np.float64), np.asarray(direction, dtype=np.float64)
    projected: Array = np.einsum("...a,...ab,...b->...", b, v, b)
    return projected * frequency_rad_s_per_efg(nucleus)


def frequency_correlation(trace_correlation: ArrayLike, nucleus: str = "7Li") -> Array:
    """Return C(t) = ⟨ω_Q(0) ω_Q(t)⟩ of a powder from ⟨Tr V(0)V(t)⟩.

    C(t) = (eQ/2ħ)² (2/15) ⟨Tr V(0)V(t)⟩ for I = 3/2: no grid of orientations is needed.

    Parameters
    ----------
    trace_correlation
        Any shape, V²/Å⁴.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.

    Returns
    -------
    Array
        Same shape, (rad/s)².
    """
    factor = POWDER_FACTOR * frequency_rad_s_per_efg(nucleus) ** 2
    return np.asarray(np.asarray(trace_correlation, dtype=np.float64) * factor)
