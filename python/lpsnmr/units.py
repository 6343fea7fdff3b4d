"""Physical constants and unit conversions; the only module that holds numbers of this kind.

Inside the code units are LAMMPS ``metal``: Å, eV, ps, e, K; EFG tensors are in V/Å². Constants are
CODATA 2018; those of nuclei are in ``lpsnmr.nuclides``.
"""

from math import pi
from typing import Final

from lpsnmr.nuclides import nuclide

BOLTZMANN_EV_PER_K: Final = 8.617333262e-5
HBAR_EV_S: Final = 6.582119569e-16
PLANCK_EV_S: Final = 2.0 * pi * HBAR_EV_S
BOHR_ANGSTROM: Final = 0.529177210903
HARTREE_EV: Final = 27.211386245988
EV_PER_ANGSTROM3_GPA: Final = 160.21766208
"""Pressure: 1 eV/Å³ in GPa."""
EFG_AU_V_PER_ANGSTROM2: Final = HARTREE_EV / BOHR_ANGSTROM**2
"""Electric field gradient: 1 atomic unit in V/Å² (97.17362)."""
EFG_UNITS: Final[dict[str, float]] = {"au": EFG_AU_V_PER_ANGSTROM2, "V/A^2": 1.0, "1e21V/m^2": 10.0}
"""Units of EFG tensors in files: how many V/Å² each is."""
KCAL_PER_MOL_EV: Final = 0.0433641043
"""Energy: 1 kcal/mol (4184 J) in eV."""
SECONDS_PER_PS: Final = 1.0e-12
BARN_ANGSTROM2: Final = 1.0e-8
ANGSTROM2_PER_PS_CM2_PER_S: Final = 1.0e-4
"""Diffusion coefficient: 1 Å²/ps in cm²/s."""
CONDUCTIVITY_S_PER_CM: Final = 16.02176634
"""Conductivity: 1 e/(V Å ps), the unit of n e D/(kT/e) in Å, eV and ps, in S/cm."""


def quadrupolar_coupling_hz_per_efg(nucleus: str = "7Li") -> float:
    """Return C_Q/V_zz = eQ/h in Hz per V/Å².

    Parameters
    ----------
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it, such as ``"7Li"``.

    Raises
    ------
    InputError
        For a nucleus that is not in the table.

    Examples
    --------
    >>> round(quadrupolar_coupling_hz_per_efg("7Li") * 1e-3, 2)
    -96.96
    """
    return nuclide(nucleus).quadrupole_barn * BARN_ANGSTROM2 / PLANCK_EV_S
