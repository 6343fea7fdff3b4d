"""Relaxation by fluctuating field gradients for any spin, from the spectral density of a network."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lpsnmr.network.exchange import Modes
from lpsnmr.network.nucleus import coupling_rad_s_per_efg
from lpsnmr.nuclides import nuclide
from lpsnmr.typing import Array

__all__ = [
    "RelaxationRates",
    "quadrupolar_rates",
    "quadrupolar_tensors",
    "trace_density",
]


@dataclass(frozen=True)
class RelaxationRates:
    """Initial rates, 1/s, each of the shape of the Larmor frequencies: 1/T1, 1/T1ρ, 1/T2."""

    r1: Array
    r1rho: Array
    r2: Array


def trace_density(modes: Modes, tensors: Array, angular_rad_s: ArrayLike) -> Array:
    """Return J(ω) = ∫₀^∞ [⟨Tr V(0)V(t)⟩ − its limit] cos ωt dt = Σ_k |a_k|² |λ_k|/(λ_k² + ω²), V² s/Å⁴.

    a_k = Σ_i Q_ik √p_i V_i. Any shape of ω, rad/s; 0 is allowed.
    """
    amplitude = modes.vectors.T @ (np.sqrt(modes.occupations)[:, None] * tensors)
    strength = (amplitude**2).sum(axis=1)
    moving = ~modes.resting()
    rate = -modes.rates[moving]
    omega = np.asarray(angular_rad_s, dtype=np.float64)[..., None]
    return np.asarray((strength[moving] * rate / (rate**2 + omega**2)).sum(axis=-1))


def spin_operators(spin: float) -> tuple[Array, Array, Array]:
    """Return I_z, I_+ and I_x, (2I + 1, 2I + 1) real, m descending."""
    m = spin - np.arange(round(2 * spin) + 1)
    plus = np.diag(np.sqrt(spin * (spin + 1) - m[1:] * (m[1:] + 1)), 1)
    return np.diag(m), plus, 0.5 * (plus + plus.T)


def quadrupolar_tensors(spin: float) -> dict[int, Array]:
    """Return A_q, q = −2 … 2, with H_Q = (eQ/ħ) Σ_q c_q A_q† for spherical components, Σ_q |c_q|² = Tr V².

    A_0 = √(3/2) [I_z² − I(I + 1)/3] /(2I(2I − 1)) and so on, orthonormal in the components of the gradient.
    """
    z, plus, _ = spin_operators(spin)
    minus = plus.T
    unit = 1.0 / (2.0 * spin * (2.0 * spin - 1.0))
    identity = np.eye(len(z))
    zero = np.sqrt(1.5) * (z @ z - spin * (spin + 1.0) / 3.0 * identity)
    up = 0.5 * (z @ plus + plus @ z)
    down = 0.5 * (z @ minus + minus @ z)
    return {
        0: unit * zero, 1: -unit * up, -1: unit * down, 2: 0.5 * unit * plus @ plus,
        -2: 0.5 * unit * minus @ minus,
    }  # fmt: skip


def quadrupolar_rates(
    modes: Modes,
    tensors: Array,
    larmor_rad_s: ArrayLike,
    *,
    nucleus: str = "7Li",
    spin_lock_rad_s: float = 0.0,
) -> RelaxationRates:
    """Return initial relaxation rates of a powder whose motion is fast against the coupling.

    Second-order (Redfield) theory with isotropic averages, ⟨c_q c_q'*⟩ = δ Tr V²/5: the magnetisation M
    relaxes by (2/5)(eQ/ħ)² Σ_q J(qω0) ½ Tr([A_q, M]† [A_q, M])/Tr M². For I = 3/2 and M = I_z this is
    (1/50)(1 + η²/3)(e²qQ/ħ)²[J(ω0) + 4J(2ω0)] with J normalised. In the frame of a spin lock on resonance
    J(0) is J(2ω1). A. Abragam, The Principles of Nuclear Magnetism, chapter VIII (1961). T2 and T1ρ are only
    meant where (ω_Q τ)² ≪ 1: slower motion splits the line and needs ``exchange``.

    Parameters
    ----------
    modes, tensors
        Motion, and (n, 5) tensors, V/Å².
    larmor_rad_s
        ω0, any shape.
    nucleus
        Of any spin from 1.
    spin_lock_rad_s
        ω1 of the spin lock.
    """
    spin = nuclide(nucleus).spin
    z, _, x = spin_operators(spin)
    parts = quadrupolar_tensors(spin)
    omega = np.abs(np.asarray(larmor_rad_s, dtype=np.float64))
    scale = coupling_rad_s_per_efg(nucleus) ** 2 / 5.0
    density = {q: scale * trace_density(modes, tensors, abs(q) * omega) for q in (0, 1, 2)}
    locked = scale * trace_density(modes, tensors, np.full(omega.shape, 2.0 * spin_lock_rad_s))

    def rate(operator: Array, secular: Array) -> Array:
        total = np.zeros(omega.shape)
        for q, part in parts.items():
            commutator = part @ operator - operator @ part
            strength = float((commutator**2).sum() / (operator**2).sum())
            total = total + strength * (secular if q == 0 else density[abs(q)])
        return total

    return RelaxationRates(rate(z, density[0]), rate(x, locked), rate(x, density[0]))
