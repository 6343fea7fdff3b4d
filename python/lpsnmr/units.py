"""Physical constants and unit conversions; the only module that holds numbers of this kind.

Inside the code units are LAMMPS ``metal``: Å, eV, ps, e, K; EFG tensors are in V/Å². Constants are
CODATA 2018; nuclear quadrupole moments are those of P. Pyykkö, Mol. Phys. 116, 1328 (2018),
doi:10.1080/00268976.2018.1426131. That of 6Li follows from the measured ratio to 7Li, 0.020161(13),
J. Cederberg et al., Phys. Rev. A 57, 2539 (1998), doi:10.1103/PhysRevA.57.2539.
"""

from math import pi
from typing import Final

from lpsnmr.errors import InputError

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

QUADRUPOLE_MOMENT_BARN: Final[dict[str, float]] = {
    "6Li": -0.000808,
    "7Li": -0.0401,
    "23Na": 0.104,
    "27Al": 0.1466,
    "33S": -0.0694,
}
NUCLEAR_SPIN: Final[dict[str, float]] = {"6Li": 1.0, "7Li": 1.5, "23Na": 1.5, "27Al": 2.5, "33S": 1.5}
USUAL_ISOTOPE: Final[dict[str, str]] = {"Li": "7Li", "Na": "23Na", "Al": "27Al", "S": "33S"}
"""The isotope that NMR looks at in an element."""


def check_lithium(nucleus: str) -> None:
    """Refuse a nucleus that is not an isotope of Li, the element that runs and streams follow.

    Raises
    ------
    InputError
        For a nucleus of another element, or one that is not in the table.

    Examples
    --------
    >>> check_lithium("6Li")
    """
    quadrupolar_coupling_hz_per_efg(nucleus)
    if nucleus.lstrip("0123456789") != "Li":
        raise InputError(f"nucleus: expected an isotope of Li, whose tensors are predicted, got {nucleus!r}")


def quadrupolar_coupling_hz_per_efg(nucleus: str = "7Li") -> float:
    """Return C_Q/V_zz = eQ/h in Hz per V/Å².

    Parameters
    ----------
    nucleus
        Key of ``QUADRUPOLE_MOMENT_BARN``, such as ``"7Li"``.

    Raises
    ------
    InputError
        For a nucleus that is not in the table.

    Examples
    --------
    >>> round(quadrupolar_coupling_hz_per_efg("7Li") * 1e-3, 2)
    -96.96
    """
    if nucleus not in QUADRUPOLE_MOMENT_BARN:
        known = ", ".join(QUADRUPOLE_MOMENT_BARN)
        raise InputError(f"unknown nucleus {nucleus!r}; expected one of {known}")
    return QUADRUPOLE_MOMENT_BARN[nucleus] * BARN_ANGSTROM2 / PLANCK_EV_S
