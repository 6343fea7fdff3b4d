"""Labels in parts: what a functional gives and, in columns of its own, what is added to it.

A frame carries the functional's own labels as ``energy``, ``forces`` and ``stress``. Of each correction
NAME (``d4``, ``d3bj``, …) it may carry, besides, ``NAME_energy`` (eV), ``NAME_stress`` (eV/Å³, nine numbers,
ASE's sign) and ``NAME_label`` (package, version and functional) in its header and ``NAME_forces`` (eV/Å,
three columns). A sum is made only when it is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ase
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress, voigt_6_to_full_3x3_stress

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.labelling.gpaw_settings import FUNCTIONALS
from lpsnmr.labelling.term_engine import TERMS
from lpsnmr.typing import Array

__all__ = [
    "LabelChoice",
    "Term",
    "chosen_labels",
    "copy_terms",
    "drop_terms",
    "functional_of",
    "put_term",
    "term_of",
]


@dataclass(frozen=True, eq=False)
class Term:
    """A correction of one frame.

    Attributes
    ----------
    energy
        eV.
    forces
        (n, 3) float64, eV/Å.
    stress
        (6,) float64, eV/Å³, Voigt, ASE's sign.
    label
        Package, version and functional, such as ``dftd4-4.3.1:PBE``.
    """

    energy: float
    forces: Array
    stress: Array
    label: str


def functional_of(frame: ase.Atoms) -> str:
    """Return the functional of a frame's labels: ``functional`` of its header, ``PBE`` without one."""
    return str(frame.info.get("functional", "PBE"))


def _keys(name: str) -> tuple[str, str, str]:
    """Return the entries of the header that a correction has."""
    return f"{name}_energy", f"{name}_stress", f"{name}_label"


def term_of(frame: ase.Atoms, name: str) -> Term | None:
    """Return a correction of a frame; None when it has nothing of it.

    Raises
    ------
    FileFormatError
        When a part is missing, of another shape or not a finite number.
    """
    energy_key, stress_key, label_key = _keys(name)
    parts = {key: frame.info.get(key) for key in _keys(name)}
    parts[f"{name}_forces"] = frame.arrays.get(f"{name}_forces")
    missing = [key for key, value in parts.items() if value is None]
    if len(missing) == len(parts):
        return None
    where = frame.info.get("source", "frame")
    if missing:
        raise FileFormatError(f"{where}: no {missing[0]!r}; expected it beside the other parts of {name}")
    shapes = {energy_key: ((),), stress_key: ((9,), (3, 3)), f"{name}_forces": ((len(frame), 3),)}
    for key, allowed in shapes.items():
        array = np.asarray(parts[key])
        if array.shape not in allowed or array.dtype.kind not in "fi" or not np.isfinite(array).all():
            raise FileFormatError(f"{where}: {key}: expected finite numbers of the shape {allowed[-1]}")
    stress = full_3x3_to_voigt_6_stress(np.asarray(parts[stress_key], dtype=float).reshape(3, 3))
    forces = np.asarray(parts[f"{name}_forces"], dtype=float)
    return Term(float(np.asarray(parts[energy_key])), forces, stress, str(parts[label_key]))


def put_term(frame: ase.Atoms, name: str, term: Term) -> None:
    """Write a correction into header and columns of a frame, in place of one that is there."""
    drop_terms(frame, (name,))
    energy_key, stress_key, label_key = _keys(name)
    frame.info[energy_key] = float(term.energy)
    stress = voigt_6_to_full_3x3_stress(np.asarray(term.stress, dtype=float))
    frame.info[stress_key] = stress.ravel()  # ASE writes nine numbers as such, a matrix as JSON
    frame.info[label_key] = term.label
    frame.new_array(f"{name}_forces", np.array(term.forces, dtype=float))


def copy_terms(source: ase.Atoms, target: ase.Atoms) -> None:
    """Write the corrections of a frame into another of the same atoms."""
    for name in TERMS:
        term = term_of(source, name)
        if term is not None:
            put_term(target, name, term)


def drop_terms(frame: ase.Atoms, names: Iterable[str] = tuple(TERMS)) -> None:
    """Take corrections off a frame."""
    for name in names:
        for key in _keys(name):
            frame.info.pop(key, None)
        frame.arrays.pop(f"{name}_forces", None)


@dataclass(frozen=True)
class LabelChoice:
    """Which sum of labels is meant: a functional and at most one correction.

    Attributes
    ----------
    functional
        A value of ``FUNCTIONALS``.
    term
        A name of ``TERMS``, or None.
    """

    functional: str = "PBE"
    term: str | None = None

    @classmethod
    def parse(cls, text: str) -> "LabelChoice":
        """Read ``pbe``, ``pbe+d4`` and the like.

        Examples
        --------
        >>> LabelChoice.parse("pbe+d4")
        LabelChoice(functional='PBE', term='d4')

        Raises
        ------
        InputError
            For what is not known.
        """
        functional, plus, term = text.partition("+")
        if functional not in FUNCTIONALS or (plus and term not in TERMS):
            known = [f"{f}{d}" for f in FUNCTIONALS for d in ("", *(f"+{name}" for name in TERMS))]
            raise InputError(f"labels: expected one of {', '.join(known)}, got {text!r}")
        return cls(FUNCTIONALS[functional], term if plus else None)


def _sum(frame: ase.Atoms, choice: LabelChoice, where: str) -> ase.Atoms:
    """Return a frame whose labels are the sum that is meant."""
    if functional_of(frame) != choice.functional:
        raise InputError(f"{where}: labelled with {functional_of(frame)}; expected {choice.functional}")
    if choice.term is None:
        return frame
    term = term_of(frame, choice.term)
    if term is None:
        raise InputError(
            f"{where}: no {choice.term} correction; expected its columns, which 'lpsnmr add-terms' adds"
        )
    if term.label.rpartition(":")[2] != choice.functional:
        raise InputError(
            f"{where}: {choice.term}_label: expected a correction made for {choice.functional}, got "
            f"{term.label!r}"
        )
    own = frame.calc.results if frame.calc is not None else {}
    parts = {"energy": term.energy, "forces": term.forces, "stress": term.stress}
    out: ase.Atoms = frame.copy()
    summed = {key: np.asarray(own[key]) + value for key, value in parts.items() if key in own}
    if "energy" in summed:
        summed["energy"] = float(summed["energy"])
    out.calc = SinglePointCalculator(out, **summed)
    return out


def chosen_labels(frames: Sequence[ase.Atoms], labels: str) -> list[ase.Atoms]:
    """Return frames whose energies, forces and stresses are the sum that is meant.

    Frames are handed back as they are when nothing is to be added; else they are copied.

    Parameters
    ----------
    frames
        What ``read_reference`` returned.
    labels
        As ``LabelChoice.parse`` takes it: ``pbe``, ``pbe+d4``, ….

    Raises
    ------
    InputError
        Names a frame of another functional, or one that lacks the correction.
    """
    choice = LabelChoice.parse(labels)
    return [_sum(f, choice, str(f.info.get("source", f"frame {n}"))) for n, f in enumerate(frames)]
