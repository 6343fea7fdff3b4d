"""Dispersion that a functional lacks, by the packages ``dftd4`` and ``dftd3``."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import ase
from threadpoolctl import threadpool_limits

from lpsnmr.errors import InputError
from lpsnmr.labelling.engines import AseEngine, Labels

__all__ = ["DISPERSION", "DispersionEngine", "DispersionModel"]


@dataclass(frozen=True)
class DispersionModel:
    """One way of computing dispersion.

    Attributes
    ----------
    title, doi
        What the literature calls it, and where it is described.
    package, calculator
        Package of PyPI, and its calculator for ASE as ``module:Class``.
    options
        Arguments of the calculator besides the damping.
    damping
        Functional -> parameters of the damping function (a2 in Bohr), as published.
    """

    title: str
    doi: str
    package: str
    calculator: str
    options: Mapping[str, str]
    damping: Mapping[str, Mapping[str, float]]


DISPERSION: Final[Mapping[str, DispersionModel]] = {
    "d4": DispersionModel(
        "D4, pairs and Axilrod–Teller–Muto triples",
        "10.1063/1.5090222",
        "dftd4",
        "dftd4.ase:DFTD4",
        {"model": "d4"},
        {
            "PBE": {"s6": 1.0, "s8": 0.95948085, "s9": 1.0, "a1": 0.38574991, "a2": 4.80688534},
            "PBEsol": {"s6": 1.0, "s8": 1.71885698, "s9": 1.0, "a1": 0.47901421, "a2": 5.96771589},
        },
    ),
    "d3bj": DispersionModel(
        "D3 with Becke–Johnson damping, pairs",
        "10.1002/jcc.21759",
        "dftd3",
        "dftd3.ase:DFTD3",
        {"damping": "d3bj"},
        {
            "PBE": {"s6": 1.0, "s8": 0.7875, "s9": 0.0, "a1": 0.4289, "a2": 4.4407},
            "PBEsol": {"s6": 1.0, "s8": 2.9491, "s9": 0.0, "a1": 0.4466, "a2": 6.1742},
        },
    ),
}
"""Name of the correction: how it is computed. Damping of D3 with PBEsol: doi:10.1039/c0cp02984j."""


class DispersionEngine(AseEngine):
    """Energy, forces and stress of a dispersion correction alone.

    Parameters
    ----------
    name
        One of ``DISPERSION``.
    functional
        GPAW's name of the functional it is made for.

    Raises
    ------
    InputError
        When the package is not installed, or has no parameters for the functional here.
    """

    def __init__(self, name: str, functional: str = "PBE") -> None:
        model = DISPERSION[name]
        if functional not in model.damping:
            raise InputError(
                f"{name}: expected a functional with damping parameters ({', '.join(model.damping)}), got "
                f"{functional!r}"
            )
        try:
            importlib.import_module(model.package)
            found = version(model.package)
        except (ImportError, PackageNotFoundError) as error:
            raise InputError(
                f"{name}: the package {model.package} is not installed; expected it after 'pip install "
                f"{model.package}' or \"pip install 'lpsnmr[dispersion]'\""
            ) from error
        self._record = {"engine": name, model.package: found, "functional": functional, "doi": model.doi}
        damping = dict(model.damping[functional])
        super().__init__(model.calculator, {**model.options, "params_tweaks": damping})
        self.name = f"{model.package}-{found}:{functional}"

    def provenance(self) -> dict[str, Any]:
        """Return the version of the package, the functional and the damping parameters."""
        return {**super().provenance(), **self._record}

    def label(self, atoms: ase.Atoms, log: str) -> Labels:
        """Return the correction of a frame, on one core; nothing is written to ``log``."""
        with threadpool_limits(1, user_api="openmp"):  # threads add up in another order each time
            labels = super().label(atoms, log)
        return Labels(float(labels.energy), labels.forces, labels.stress, None, {})
