"""Where the labels of a frame are: under which keys, in which units, as stress or as virial."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import ase
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.units import BOHR_ANGSTROM, EFG_UNITS, EV_PER_ANGSTROM3_GPA, HARTREE_EV, KCAL_PER_MOL_EV

__all__ = ["UNITS", "LabelKeys", "gather_labels"]

_ENERGIES = {"eV": 1.0, "Ha": HARTREE_EV, "Ry": HARTREE_EV / 2, "kcal/mol": KCAL_PER_MOL_EV}
_LENGTHS = {"A": 1.0, "bohr": BOHR_ANGSTROM}
_STRESSES = {
    "eV/A^3": 1.0,
    "GPa": 1.0 / EV_PER_ANGSTROM3_GPA,
    "kbar": 0.1 / EV_PER_ANGSTROM3_GPA,
    "Ha/bohr^3": HARTREE_EV / BOHR_ANGSTROM**3,
    "Ry/bohr^3": HARTREE_EV / 2 / BOHR_ANGSTROM**3,
}
UNITS: Final[dict[str, dict[str, float]]] = {
    "energy": _ENERGIES,
    "forces": {
        f"{e}/{length}": _ENERGIES[e] / _LENGTHS[length]
        for e, length in itertools.product(_ENERGIES, _LENGTHS)
    },
    "stress": {**_STRESSES, **{f"-{name}": -value for name, value in _STRESSES.items()}},
    "efg": EFG_UNITS,
}
"""Units of each label and their size in eV, eV/Å, eV/Å³ and V/Å². A minus: positive under compression."""
DEFAULT_UNITS = {"energy": "eV", "forces": "eV/A", "stress": "eV/A^3", "efg": "au"}
_DISAGREEMENT = 1e-2


@dataclass(frozen=True)
class LabelKeys:
    """Keys and units of labels; None for the usual ones.

    Attributes
    ----------
    energy, forces, stress, efg
        Entry of the header, or column, in place of the name of the label itself.
    virial
        Entry that holds −V·stress (eV), read where there is no stress; ``virial`` by default.
    energy_unit, forces_unit, stress_unit
        Key of ``UNITS`` for files whose header does not say (``energy_unit=Ha``); eV, eV/Å and eV/Å³ by
        default. Labels are converted to these defaults.
    efg_unit
        Key of ``EFG_UNITS``: of files whose header does not say, and in which frames come back.
    """

    energy: str | None = None
    forces: str | None = None
    stress: str | None = None
    virial: str | None = None
    efg: str | None = None
    energy_unit: str | None = None
    forces_unit: str | None = None
    stress_unit: str | None = None
    efg_unit: str = "au"

    def __post_init__(self) -> None:
        """Check the units."""
        for label in UNITS:
            unit = getattr(self, f"{label}_unit")
            if unit is not None and unit not in UNITS[label]:
                raise InputError(f"{label} unit {unit!r}; expected one of {', '.join(UNITS[label])}")
        if self.stress is not None and self.virial is not None:
            raise InputError("expected a key of the stress or of the virial, got both")


def gather_labels(frame: ase.Atoms, keys: LabelKeys) -> None:
    """Put labels where ``read_reference`` promises them: ``calc.results`` and ``arrays["efg"]``; mutates.

    Raises
    ------
    FileFormatError
        For a key that is not there, an unknown unit, or a virial that contradicts the stress.
    """
    results: dict[str, Any] = dict(frame.calc.results) if frame.calc is not None else {}
    for label in ("energy", "forces"):
        value = _found(frame, results, getattr(keys, label) or label, getattr(keys, label) is not None)
        if value is not None:
            results[label] = _scaled(value, _factor(frame, label, getattr(keys, f"{label}_unit")))
    stress = _stress(frame, results, keys)
    if stress is not None:
        results["stress"] = stress
    efg = _found(frame, results, keys.efg or "efg", keys.efg is not None)
    if efg is not None:
        factor = _factor(frame, "efg", keys.efg_unit) / EFG_UNITS[keys.efg_unit]
        frame.arrays["efg"] = _scaled(_flat_tensors(efg, len(frame)), factor)
    if results and frame.calc is None:
        frame.calc = SinglePointCalculator(frame)
    if results:
        frame.calc.results.update(results)


def _found(frame: ase.Atoms, results: Mapping[str, Any], key: str, named: bool) -> Any:
    """Return what stands under a key, None where nothing does; FileFormatError when the key was asked for."""
    for place in (results, frame.arrays, frame.info):
        if place.get(key) is not None:
            return place[key]
    if named:
        raise FileFormatError(f"{frame.info['source']}: no {key!r}; there are {keys_there(frame, results)}")
    return None


def keys_there(frame: ase.Atoms, results: Mapping[str, Any]) -> str:
    """Return the names of everything numeric that a frame carries, for messages."""
    skipped = {"numbers", "positions", "source", "initial_magmoms", "initial_charges"}
    names = [*results, *frame.arrays, *frame.info]
    kept = [name for name in dict.fromkeys(names) if isinstance(name, str) and name not in skipped]
    return ", ".join(kept[:20]) or "no labels at all"


def _factor(frame: ase.Atoms, label: str, asked: str | None) -> float:
    """Return the size of a label's unit: of the header, else as asked, else the default."""
    told = frame.info.get(f"{label}_unit")
    if told is None:
        return UNITS[label][asked or DEFAULT_UNITS[label]]
    if str(told) not in UNITS[label]:
        raise FileFormatError(
            f"{frame.info['source']}: {label}_unit {str(told)[:40]!r} in the header; expected one of "
            f"{', '.join(UNITS[label])}"
        )
    if label != "efg" and asked is not None and asked != str(told):
        raise FileFormatError(
            f"{frame.info['source']}: {label}_unit is {told} in the header, but {asked} was asked for"
        )
    return UNITS[label][str(told)]


def _scaled(value: Any, factor: float) -> Any:
    """Return a value in other units; untouched, whatever it is, when they are the same."""
    if factor == 1.0:
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        return value  # refused later, with its source
    scaled = array * factor
    return float(scaled) if scaled.ndim == 0 else scaled


def _stress(frame: ase.Atoms, results: Mapping[str, Any], keys: LabelKeys) -> Any:
    """Return the stress as six Voigt numbers, from the virial where there is no stress."""
    stress = None
    if keys.virial is None:
        stress = _found(frame, results, keys.stress or "stress", keys.stress is not None)
    if stress is not None:
        stress = _scaled(_voigt(stress), _factor(frame, "stress", keys.stress_unit))
        if keys.stress is not None:
            return stress
    virial = _found(frame, results, keys.virial or "virial", keys.virial is not None)
    if virial is None:
        return stress
    source = frame.info["source"]
    volume = abs(float(np.linalg.det(frame.cell.array)))
    six = _voigt(virial)
    if not volume > 0:
        raise FileFormatError(f"{source}: a virial, but the cell has no volume to make a stress of it")
    if np.shape(six) != (6,) or np.asarray(six).dtype.kind not in "fi":
        raise FileFormatError(
            f"{source}: virial must have the shape (3, 3), (9,) or (6,), got {np.shape(virial)}"
        )
    made = np.asarray(six) * (-_factor(frame, "energy", keys.energy_unit) / volume)
    if stress is None:
        return made
    if np.shape(stress) == (6,) and np.asarray(stress).dtype.kind in "fi":
        size = max(float(np.abs(stress).max()), float(np.abs(made).max()), 1e-6)
        if float(np.abs(stress - made).max()) > _DISAGREEMENT * size:
            raise FileFormatError(
                f"{source}: stress and virial disagree: expected virial = −V·stress; name the one to use "
                "(--stress-key or --virial-key)"
            )
    return stress


def _voigt(value: Any) -> Any:
    """Return six numbers for a stress of six, nine or three by three; untouched for anything else."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return value
    if array.shape == (9,):
        array = array.reshape(3, 3)
    return full_3x3_to_voigt_6_stress(array) if array.shape == (3, 3) else array


def _flat_tensors(value: Any, n: int) -> Any:
    """Return (n, 9) for tensors of (n, 3, 3), NaN where an atom has none; untouched for anything else."""
    array = np.asarray(value)
    if array.dtype == object and array.ndim == 1 and len(array) == n:
        full = np.full((n, 9), np.nan)
        for k, entry in enumerate(array):
            if entry is not None and np.shape(entry) == (3, 3):
                full[k] = np.ravel(entry)
        return full
    return array.reshape(n, 9) if array.shape == (n, 3, 3) else array
