"""Recovery of the magnetisation of one spin by quadrupolar relaxation: rates and their shares.

The populations of the 2I + 1 levels follow a master equation, the diagonal part of Redfield theory; levels
whose m differ by 1 exchange at ω0, by 2 at 2ω0. A. Abragam, The Principles of Nuclear Magnetism, chapter VIII
(1961); P. S. Hubbard, J. Chem. Phys. 53, 985 (1970), doi:10.1063/1.1674167.
"""

from math import pi

import numpy as np

from lpsnmr.efg.quadrupolar import POWDER_FACTOR, frequency_rad_s_per_efg
from lpsnmr.nuclides import nuclide
from lpsnmr.typing import Array
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

__all__ = ["level_rates", "recovery"]

SMALLEST_SHARE = 1e-9
"""Exponentials with a smaller share of the magnetisation are left out."""


def level_rates(density: float, density_twice: float, nucleus: str = "7Li") -> Array:
    """Return the rate matrix R of the populations, dp/dt = R p, of a powder.

    The Hamiltonian is A Σ_ab V_ab I_a I_b with A = eQ/(2I(2I − 1)ħ). Averaged over orientations its elements
    give (A²/10) J (2m − 1)²(I + m)(I − m + 1) between m and m − 1, J at ω0, and
    (A²/10) J (I + m)(I − m + 1)(I + m − 1)(I − m + 2) between m and m − 2, J at 2ω0, where
    J(ω) = ∫₀^∞ ⟨Tr V(0)V(t)⟩ cos ωt dt.

    Parameters
    ----------
    density, density_twice
        ∫₀^∞ C(t) cos ωt dt of the powder at ω0 and 2ω0, rad²/s; see ``spectral_density``.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.

    Returns
    -------
    Array
        (2I + 1, 2I + 1) float64, 1/s, levels from m = I down; symmetric, each column sums to 0.
    """
    spin = nuclide(nucleus).spin
    coupling = 2.0 * pi * quadrupolar_coupling_hz_per_efg(nucleus)
    trace = 1.0 / (POWDER_FACTOR * frequency_rad_s_per_efg(nucleus) ** 2)
    factor = (coupling / (2.0 * spin * (2.0 * spin - 1.0))) ** 2 * trace / 10.0
    n = round(2.0 * spin) + 1
    rates = np.zeros((n, n))
    for k in range(n - 1):
        m = spin - k
        one = (spin + m) * (spin - m + 1.0)
        rates[k, k + 1] = rates[k + 1, k] = factor * density * (2.0 * m - 1.0) ** 2 * one
        if k + 2 < n:
            two = (spin + m - 1.0) * (spin - m + 2.0)
            rates[k, k + 2] = rates[k + 2, k] = factor * density_twice * one * two
    return np.asarray(rates - np.diag(rates.sum(axis=0)))


def recovery(density: float, density_twice: float, nucleus: str = "7Li") -> tuple[Array, Array]:
    """Return the exponentials in which I_z recovers after a pulse that turns all transitions alike.

    M(t) − M(∞) ∝ Σ_k share_k exp(−rate_k t). Spin 1 has one exponential, spin 3/2 two: one fifth with
    the rate of J(ω0), four fifths with that of J(2ω0); in the limit of fast motion all are the same.

    Parameters
    ----------
    density, density_twice, nucleus
        As for ``level_rates``.

    Returns
    -------
    shares, rates : (k,) float64
        Shares sum to 1; rates in 1/s, descending.

    Examples
    --------
    >>> shares, rates = recovery(5.0, 1.0, "7Li")
    >>> np.round(shares, 6).tolist(), np.round(rates, 6).tolist()
    ([0.2, 0.8], [10.0, 2.0])
    """
    spin = nuclide(nucleus).spin
    m = spin - np.arange(round(2.0 * spin) + 1)
    matrix = level_rates(density, density_twice, nucleus)
    scale = float(np.abs(matrix).max()) or 1.0
    values, modes = np.linalg.eigh(matrix / scale)
    shares = (m @ modes) ** 2 / float(m @ m)
    kept = shares > SMALLEST_SHARE
    order = np.argsort(values[kept], kind="stable")
    return shares[kept][order], np.asarray(-values[kept][order] * scale)
