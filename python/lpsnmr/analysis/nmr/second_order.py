"""Shift of the central transition ½ ↔ −½ by the quadrupolar interaction to second order."""

from dataclasses import dataclass

import numpy as np

from lpsnmr.efg.tensors import components_to_tensor
from lpsnmr.errors import InputError
from lpsnmr.nuclides import nuclide
from lpsnmr.typing import Array
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

__all__ = ["CentralShift", "central_shift", "central_shift_hz", "isotropic_shift_hz"]

LEAST_PPM = 0.1
"""A smaller shift is below what chemical shifts are told to, and is not reported."""


@dataclass(frozen=True)
class CentralShift:
    """Second-order shift of the central line at one field.

    Attributes
    ----------
    larmor_mhz
        ω0/2π, MHz.
    isotropic_ppm
        Mean over all orientations and ions, ppm; what magic-angle spinning leaves.
    width_ppm
        Standard deviation of the shift in a powder at rest, ppm.
    """

    larmor_mhz: float
    isotropic_ppm: float
    width_ppm: float


def _coupling(nucleus: str) -> tuple[float, float]:
    """Return I and eQ/(2I(2I − 1)h) in Hz per V/Å²; refuse integer spin."""
    spin = nuclide(nucleus).spin
    if not nuclide(nucleus).half_integer:
        raise InputError(f"central transition: expected a half-integer spin, got {nucleus} with {spin:g}")
    return spin, quadrupolar_coupling_hz_per_efg(nucleus) / (2.0 * spin * (2.0 * spin - 1.0))


def central_shift_hz(tensor: Array, direction: Array, larmor_hz: float, nucleus: str = "23Na") -> Array:
    """Return the shift of the central transition to second order for a field along ``direction``.

    With H = A Σ V_ab I_a I_b, A = eQ/(2I(2I − 1)ħ), the field along z, |V₁|² = V_xz² + V_yz² and
    |V₂|² = (V_xx − V_yy)²/16 + V_xy²/4, second-order perturbation theory gives the level
    E_m = Σ_n |H_nm|²/(E_m − E_n), and the transition lies off by 2 E_½. A. Abragam, The Principles of Nuclear
    Magnetism, chapter VII (1961).

    Parameters
    ----------
    tensor
        (..., 3, 3) float64, V/Å², symmetric and traceless.
    direction
        (..., 3) float64 unit vectors, broadcast against ``tensor``.
    larmor_hz
        ω0/2π, Hz.
    nucleus
        Of half-integer spin.

    Returns
    -------
    Array
        (...,) float64, Hz.

    Raises
    ------
    InputError
        For an integer spin.
    """
    spin, a = _coupling(nucleus)
    v, b = np.asarray(tensor, dtype=np.float64), np.asarray(direction, dtype=np.float64)
    along = np.einsum("...ab,...b->...a", v, b)
    v_zz = np.einsum("...a,...a->...", along, b)
    one = np.einsum("...a,...a->...", along, along) - v_zz**2
    two = (np.einsum("...ab,...ab->...", v, v) - 1.5 * v_zz**2 - 2.0 * one) / 8.0

    def single(m: float) -> float:  # |⟨m−1|H|m⟩|² per A² |V₁|²
        return (2.0 * m - 1.0) ** 2 * (spin + m) * (spin - m + 1.0) / 4.0

    def double(m: float) -> float:  # |⟨m−2|H|m⟩|² per A² |V₂|²
        return (spin + m) * (spin - m + 1.0) * (spin + m - 1.0) * (spin - m + 2.0)

    level = one * (single(0.5) - single(1.5)) + two * (double(0.5) - double(2.5)) / 2.0
    return np.asarray(2.0 * a**2 * level / larmor_hz)


def isotropic_shift_hz(tensor: Array, larmor_hz: float, nucleus: str = "23Na") -> Array:
    """Return the mean of ``central_shift_hz`` over all directions, in closed form.

    −(1/30) (ν_Q²/ν0) [I(I + 1) − ¾] (1 + η²/3) with ν_Q = 3 C_Q/(2I(2I − 1)).

    Raises
    ------
    InputError
        For an integer spin.
    """
    spin, a = _coupling(nucleus)
    v = np.asarray(tensor, dtype=np.float64)
    invariant = np.einsum("...ab,...ab->...", v, v) * (2.0 / 3.0)  # V_zz² (1 + η²/3)
    return np.asarray(-(9.0 / 30.0) * a**2 * invariant / larmor_hz * (spin * (spin + 1.0) - 0.75))


def central_shift(
    components: Array, directions: Array, weights: Array, larmor_mhz: float, nucleus: str
) -> CentralShift | None:
    """Return shift and width of the central line of a powder of these tensors; None below 0.1 ppm.

    Parameters
    ----------
    components
        (samples, n, 5) float64, V/Å²: tensors averaged over the motion that narrows the line.
    directions, weights
        (b, 3) unit vectors over half a sphere, (b,) weights that sum to 1.
    larmor_mhz
        ω0/2π, MHz.
    nucleus
        Of half-integer spin.
    """
    tensors = components_to_tensor(np.asarray(components, dtype=np.float64).reshape(-1, 5))
    larmor_hz = 1e6 * larmor_mhz
    isotropic = float(isotropic_shift_hz(tensors, larmor_hz, nucleus).mean()) / larmor_mhz
    if abs(isotropic) < LEAST_PPM:
        return None
    powder = np.stack([central_shift_hz(tensors, b, larmor_hz, nucleus).mean() for b in directions])
    squares = np.stack([(central_shift_hz(tensors, b, larmor_hz, nucleus) ** 2).mean() for b in directions])
    variance = float(weights @ squares - (weights @ powder) ** 2)
    return CentralShift(larmor_mhz, isotropic, float(np.sqrt(max(variance, 0.0))) / larmor_mhz)
