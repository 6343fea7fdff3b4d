"""What computes labels: GPAW in a Python of its own, or any calculator of ASE in this one."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import ase
import numpy as np
from ase.calculators.calculator import PropertyNotImplementedError, get_calculator_class

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.files.hashing import sha256_of
from lpsnmr.typing import Array

__all__ = ["AseEngine", "Engine", "Labels", "calculator_class"]


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of one frame.

    Attributes
    ----------
    energy
        eV.
    forces
        (n, 3) float64, eV/Å.
    stress
        (6,) float64, eV/Å³, Voigt, ASE's sign; None where the engine has none.
    efg
        (n, 9) float64, row-major, atomic units; None where the engine has none.
    details
        What goes into the header of the frame besides.
    """

    energy: float
    forces: Array
    stress: Array | None
    efg: Array | None
    details: Mapping[str, str | int | float]


class Engine(Protocol):
    """Computes labels; used from one thread."""

    name: str
    """Short name with version, for headers."""

    def provenance(self) -> dict[str, Any]:
        """Return everything a label depends on, as JSON knows it."""

    def label(self, atoms: ase.Atoms, log: str) -> Labels:
        """Label a frame; ``log`` is a path for the engine's own text.

        Raises
        ------
        ComputeError
            When there is no label; the engine can go on with the next frame.
        """

    def close(self) -> None:
        """Give back what the engine holds."""


def calculator_class(name: str) -> Any:
    """Return a calculator class by ASE's name for it, or by ``module:Class``.

    ``ufp`` is the calculator of this package.

    Raises
    ------
    InputError
        For an unknown name.
    """
    full = "lpsnmr.potential.calculator:UfpCalculator" if name == "ufp" else name
    try:
        if ":" in full:
            module, _, attribute = full.partition(":")
            return getattr(importlib.import_module(module), attribute)
        return get_calculator_class(full)
    except (ImportError, AttributeError, KeyError, ValueError) as error:
        raise InputError(
            f"engine: expected 'gpaw', 'ufp', the name of an ASE calculator (emt, lj, …) or module:Class, "
            f"got {name!r} ({error})"
        ) from error


def _hashes(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each file named by an option; of a .uf3 file with its .ufd, as one."""
    found = {}
    for name, value in options.items():
        if isinstance(value, str) and Path(value).is_file():
            beside = Path(value).with_suffix(".ufd")
            both = value.endswith(".uf3") and beside.is_file()
            found[name] = sha256_of(value, beside) if both else sha256_of(value)
    return found


class AseEngine:
    """Energy, forces and, where it has it, stress of an ASE calculator.

    Parameters
    ----------
    name
        As ``calculator_class`` takes it.
    options
        Keyword arguments of the calculator.

    Raises
    ------
    InputError
        For an unknown calculator or options it does not take.
    """

    def __init__(self, name: str, options: Mapping[str, Any] | None = None) -> None:
        self._options = dict(options or {})
        made = calculator_class(name)
        try:
            self._calculator = made(**self._options)
        except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
            raise InputError(f"engine {name}: options {self._options or '{}'} refused: {error}") from error
        self._engine = name
        self._files = _hashes(self._options)
        self.name = f"ase-{ase.__version__}:{name}"

    def provenance(self) -> dict[str, Any]:
        """Return the calculator, its options and the hashes of files that these name."""
        record = {"engine": self._engine, "ase": ase.__version__, "options": self._options}
        return {**record, "sha256": self._files} if self._files else record

    def label(self, atoms: ase.Atoms, log: str) -> Labels:
        """Label a frame; nothing is written to ``log``."""
        work = ase.Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        work.calc = self._calculator
        try:
            energy = float(work.get_potential_energy())
            forces = np.array(work.get_forces(), dtype=float)
        except Exception as error:  # calculators raise anything
            raise ComputeError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error
        stress = None
        if work.cell.rank == 3:
            try:
                stress = np.array(work.get_stress(), dtype=float)
            except (PropertyNotImplementedError, NotImplementedError):
                stress = None
        values = [np.array([energy]), forces.ravel(), *([stress] if stress is not None else [])]
        if not np.isfinite(np.concatenate(values)).all():
            raise ComputeError("energy, forces or stress came out as something that is not a finite number")
        return Labels(energy, forces, stress, None, {})

    def close(self) -> None:
        """Nothing to give back."""
