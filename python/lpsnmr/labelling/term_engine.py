"""What is added to the labels of a functional: dispersion by a package, or what a fit to differences says."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any, Final

import ase
from threadpoolctl import threadpool_limits

from lpsnmr.errors import InputError
from lpsnmr.labelling.engines import AseEngine, Labels

__all__ = ["TERMS", "TermEngine", "TermModel"]


@dataclass(frozen=True)
class TermModel:
    """One way of computing a term.

    Attributes
    ----------
    title, doi
        What the literature calls it, and where it is described.
    package, calculator
        Package of PyPI, none when empty, and the calculator as ``calculator_class`` takes it.
    options
        Arguments of the calculator besides the damping.
    damping
        Functional -> parameters of the damping function (a2 in Bohr), as published.
    dispersion
        Whether it is a dispersion correction.
    """

    title: str
    doi: str
    package: str
    calculator: str
    options: Mapping[str, str]
    damping: Mapping[str, Mapping[str, float]]
    dispersion: bool = True


def _fitted(name: str) -> str:
    """Return the path of a potential that was fitted to differences of labels."""
    return str(files("lpsnmr.data") / "terms" / name)


TERMS: Final[Mapping[str, TermModel]] = {
    "d4": TermModel(
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
    "d3bj": TermModel(
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
    "d4smooth": TermModel(
        "D4 without its steps at Li: pairs and triples fitted to D4 where no Li is past a step",
        "10.1063/1.5090222",
        "",
        "ufp",
        {"potential": _fitted("d4smooth.uf3")},
        {"PBE": {}},
    ),
    "topbesol": TermModel(
        "PBEsol minus PBE: pairs and triples fitted to frames labelled with both",
        "10.1103/PhysRevLett.100.136406",
        "",
        "ufp",
        {"potential": _fitted("topbesol.uf3")},
        {"PBE": {}},
        dispersion=False,
    ),
}
"""Name of the term: how it is computed. Damping of D3 with PBEsol: doi:10.1039/c0cp02984j."""


class TermEngine(AseEngine):
    """Energy, forces and stress of a term alone.

    Parameters
    ----------
    name
        One of ``TERMS``.
    functional
        GPAW's name of the functional it is made for.

    Raises
    ------
    InputError
        When the package is not installed, or has no parameters for the functional here.
    """

    def __init__(self, name: str, functional: str = "PBE") -> None:
        model = TERMS[name]
        if functional not in model.damping:
            raise InputError(
                f"{name}: expected a functional with damping parameters ({', '.join(model.damping)}), got "
                f"{functional!r}"
            )
        found = _version(name, model.package) if model.package else ""
        damping = dict(model.damping[functional])
        super().__init__(
            model.calculator, {**model.options, **({"params_tweaks": damping} if damping else {})}
        )
        if model.package:
            made = f"{model.package}-{found}"
        else:
            made = f"{name}-{next(iter(self._files.values()))[:8]}"
        self._record = {"engine": name, "functional": functional, "doi": model.doi}
        self._record |= {model.package: found} if model.package else {}
        self.name = f"{made}:{functional}"

    def provenance(self) -> dict[str, Any]:
        """Return the version of the package, the functional and the damping parameters."""
        return {**super().provenance(), **self._record}

    def label(self, atoms: ase.Atoms, log: str) -> Labels:
        """Return the correction of a frame, on one core; nothing is written to ``log``."""
        with threadpool_limits(1, user_api="openmp"):  # threads add up in another order each time
            labels = super().label(atoms, log)
        return Labels(float(labels.energy), labels.forces, labels.stress, None, {})


def _version(name: str, package: str) -> str:
    """Return the version of the package that a term needs."""
    try:
        importlib.import_module(package)
        return version(package)
    except (ImportError, PackageNotFoundError) as error:
        raise InputError(
            f"{name}: the package {package} is not installed; expected it after 'pip install {package}' or "
            "\"pip install 'lpsnmr[dispersion]'\""
        ) from error
