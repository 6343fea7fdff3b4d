"""Quadrupolar nuclides: spin, quadrupole moment and magnetogyric ratio, from a table or as given.

The table is ``data/nuclides.csv``, which names its sources: P. Pyykkö, Mol. Phys. 116, 1328 (2018),
doi:10.1080/00268976.2018.1426131, for the moments.
"""

import csv
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from lpsnmr.errors import InputError

__all__ = ["Nuclide", "known_nuclides", "larmor_mhz_at", "nuclide", "usual_nuclide", "with_own"]

OWN: Final = {"Q": "quadrupole_barn", "I": "spin", "gamma": "gamma_mhz_per_t"}
"""What may follow the name of a nuclide, as ``Q=-0.04``: the attribute it stands for."""
_NAME = re.compile(r"\d{1,3}[A-Z][a-z]?")


@dataclass(frozen=True)
class Nuclide:
    """A nucleus with a quadrupole moment.

    Attributes
    ----------
    name
        Such as ``"7Li"``.
    spin
        I, a multiple of ½, at least 1.
    quadrupole_barn
        Q, barn.
    gamma_mhz_per_t
        γ/2π of the bare nucleus, MHz/T; NaN where unknown.
    usual
        Whether it is the isotope that NMR looks at in its element.
    """

    name: str
    spin: float
    quadrupole_barn: float
    gamma_mhz_per_t: float
    usual: bool = False

    def __post_init__(self) -> None:
        """Refuse a spin that has no quadrupole moment."""
        if not (self.spin >= 1.0 and float(2.0 * self.spin).is_integer()):
            raise InputError(f"nucleus {self.name}: expected a spin of 1, 3/2, 2, …, got {self.spin:g}")

    @property
    def element(self) -> str:
        """Element symbol."""
        return self.name.lstrip("0123456789")

    @property
    def half_integer(self) -> bool:
        """Whether there is a central transition ½ ↔ −½."""
        return int(2.0 * self.spin) % 2 == 1

    @property
    def satellites(self) -> tuple[tuple[float, float], ...]:
        """Offset, in units of the innermost one, and intensity of each pair of satellites.

        The transitions m ↔ m − 1 and 1 − m ↔ −m lie at ±(2m − 1) from the Larmor frequency, m > ½, with the
        intensity I(I + 1) − m(m − 1) each; with the central line all intensities sum to 1.
        """
        whole = 2.0 * self.spin * (self.spin + 1.0) * (2.0 * self.spin + 1.0) / 3.0
        first = 1.5 if self.half_integer else 1.0
        pairs = []
        m = first
        while m <= self.spin:
            strength = self.spin * (self.spin + 1.0) - m * (m - 1.0)
            pairs.append(((2.0 * m - 1.0) / (2.0 * first - 1.0), 2.0 * strength / whole))
            m += 1.0
        return tuple(pairs)

    @property
    def central_share(self) -> float:
        """Intensity of the central transition after a short pulse, 0 for integer spin.

        Examples
        --------
        >>> nuclide("7Li").central_share, nuclide("6Li").central_share
        (0.4, 0.0)
        """
        if not self.half_integer:
            return 0.0
        return (self.spin + 0.5) ** 2 / (2.0 * self.spin * (self.spin + 1.0) * (2.0 * self.spin + 1.0) / 3.0)


@lru_cache(maxsize=1)
def _table() -> dict[str, Nuclide]:
    text = (files("lpsnmr.data") / "nuclides.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["nuclide"]: Nuclide(
            row["nuclide"],
            float(row["spin"]),
            float(row["quadrupole_barn"]),
            float(row["gamma_mhz_per_t"]),
            row["usual"] == "yes",
        )
        for row in rows
    }


def known_nuclides() -> dict[str, Nuclide]:
    """Return every nuclide of the table by its name; a copy."""
    return dict(_table())


@lru_cache(maxsize=64)
def nuclide(name: str) -> Nuclide:
    """Return a nuclide of the table, or one whose numbers the name tells.

    Parameters
    ----------
    name
        Such as ``"23Na"``. Behind it may stand own values of Q (barn), spin and γ/2π (MHz/T):
        ``"23Na Q=0.1045"``; all that the table does not know must be given.

    Raises
    ------
    InputError
        For a nuclide that is not in the table and lacks Q or I, or a word that is none of these.

    Examples
    --------
    >>> nuclide("7Li").spin, nuclide("7Li Q=-0.04").quadrupole_barn
    (1.5, -0.04)
    """
    first, *words = name.split() or [""]
    known = _table().get(first)
    if not words:
        if known is None:
            raise InputError(f"unknown nucleus {name!r}; expected one of {', '.join(_table())}")
        return known
    values: dict[str, Any] = {}
    for word in words:
        key, _, text = word.partition("=")
        try:
            values[OWN[key]] = float(text)
        except (KeyError, ValueError):
            expected = "expected Q=, I= or gamma= and a number"
            raise InputError(f"nucleus {name!r}: {expected}, got {word!r}") from None
    if known is not None:
        return replace(known, **values)
    if not _NAME.fullmatch(first) or not {"spin", "quadrupole_barn"} <= values.keys():
        raise InputError(f"nucleus {name!r}: not in the table; expected a name such as 8Li with Q= and I=")
    return Nuclide(first, **{"gamma_mhz_per_t": float("nan"), **values})


def with_own(
    name: str, quadrupole_barn: float | None, spin: float | None, gamma_mhz_per_t: float | None = None
) -> str:
    """Return the name of a nuclide with own values behind it, as ``nuclide`` reads them.

    Examples
    --------
    >>> with_own("7Li", None, None), with_own("8Li", 0.0326, 2.0)
    ('7Li', '8Li Q=0.0326 I=2.0')
    """
    given = {"Q": quadrupole_barn, "I": spin, "gamma": gamma_mhz_per_t}
    return " ".join([name, *(f"{key}={value!r}" for key, value in given.items() if value is not None)])


def usual_nuclide(element: str) -> Nuclide:
    """Return the isotope that NMR looks at in an element.

    Raises
    ------
    InputError
        When no isotope of the element is in the table.

    Examples
    --------
    >>> usual_nuclide("Cl").name
    '35Cl'
    """
    for found in _table().values():
        if found.usual and found.element == element:
            return found
    usual = ", ".join(found.element for found in _table().values() if found.usual)
    raise InputError(f"no quadrupole moment on record for {element}; expected one of {usual}")


def larmor_mhz_at(field_t: float, name: str) -> float:
    """Return |γ|B/2π of a nuclide in MHz, to four digits, as spectrometers are spoken of.

    Raises
    ------
    InputError
        For a nuclide without γ, or a field that is not positive.

    Examples
    --------
    >>> larmor_mhz_at(9.395, "7Li")
    155.5
    """
    gamma = nuclide(name).gamma_mhz_per_t
    if not gamma * gamma > 0:
        raise InputError(
            f"nucleus {name!r}: its magnetogyric ratio is unknown; give gamma= or the frequencies"
        )
    if not field_t > 0:
        raise InputError(f"field: expected a positive number (T), got {field_t:g}")
    return float(f"{abs(gamma) * field_t:.4g}")
