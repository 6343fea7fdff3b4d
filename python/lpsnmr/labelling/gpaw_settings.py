"""The recipe of the GPAW engine: every number that a label depends on."""

import dataclasses
import json
from typing import Any, Final

from lpsnmr.errors import InputError
from lpsnmr.strict_model import AtLeastOne, Positive, checked_dataclass

__all__ = ["FUNCTIONALS", "GpawSettings", "lithium_dataset", "stock_dataset"]

FUNCTIONALS: Final = {"pbe": "PBE", "pbesol": "PBEsol"}
"""Name of a functional on the command line: GPAW's name. Each has datasets made with that very functional:
PBE (doi:10.1103/PhysRevLett.77.3865) stock ones, PBEsol (doi:10.1103/PhysRevLett.100.136406) made ones."""

WITH_STOCK_DATASETS: Final = ("PBE",)


def lithium_dataset(xc: str) -> tuple[str, ...]:
    """Return the arguments of ``gpaw dataset`` that make lithium with 1s in the valence and d projectors.

    The stock setup freezes 1s and gives gradients about 30 % too large.
    """
    return ("Li", "-f", xc, "-s", "-P", "1s,2s,0.0s,2p,0.0p,-1.9d,0.0d", "-r", "1.3", "-w", "-t", "A")


def stock_dataset(xc: str, element: str) -> tuple[str, ...] | None:
    """Return the arguments of ``gpaw-setup`` that make an element's dataset as the stock ones were made.

    None for a functional whose datasets come with GPAW.
    """
    return None if xc in WITH_STOCK_DATASETS else ("-f", xc, element)


@checked_dataclass
class GpawSettings:
    """Settings of a GPAW label.

    Attributes
    ----------
    xc
        Exchange-correlation functional, one of the values of ``FUNCTIONALS``.
    cutoff_hartree
        Plane-wave cutoff, Hartree.
    kpoint_length_angstrom
        Each axis gets ceil(this / cell length) k-points.
    smearing_ev
        Fermi–Dirac width, eV.
    setups
        (element, setup name) where it is not the stock one; Li named ``A`` is made on first use.
    bands, max_iterations, mixer
        GPAW's own: bands, SCF limit, Pulay mixing (share, history, metric weight).
    converged_energy_ev, converged_density, converged_eigenstates
        SCF criteria in GPAW's units: eV per valence electron, electrons per valence electron, eV² per
        valence electron.
    """

    xc: str = "PBE"
    cutoff_hartree: Positive = 18.0
    kpoint_length_angstrom: Positive = 11.0
    smearing_ev: Positive = 0.01
    setups: tuple[tuple[str, str], ...] = (("Li", "A"),)
    bands: str = "102%"
    max_iterations: AtLeastOne = 90
    mixer: tuple[float, int, float] = (0.25, 5, 1.0)
    converged_energy_ev: Positive = 1e-5
    converged_density: Positive = 1e-5
    converged_eigenstates: Positive = 1e-7

    def __post_init__(self) -> None:
        """Refuse a functional without datasets."""
        if self.xc not in FUNCTIONALS.values():
            raise InputError(
                f"functional: expected one of {', '.join(FUNCTIONALS.values())}, got {self.xc!r}"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON knows them: lists instead of tuples."""
        result: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return result
