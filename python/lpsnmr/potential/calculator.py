"""Evaluate a .uf3 file, and the density terms beside it, on ASE structures, through the core."""

import os
from dataclasses import dataclass
from typing import Any

import ase
from ase.calculators.calculator import Calculator, all_changes

from lpsnmr._core import DensityPotential, UfpPotential
from lpsnmr.errors import InputError
from lpsnmr.potential.species import species_of
from lpsnmr.potential.uf3_file import read_uf3
from lpsnmr.potential.ufd_file import check_companion, companion
from lpsnmr.typing import Array

__all__ = ["Ufp", "UfpCalculator", "UfpPrediction"]


@dataclass(frozen=True, eq=False)
class UfpPrediction:
    """Energy (eV), energy of each atom (n,), forces (n, 3; eV/Å), stress (6,; eV/Å³, Voigt, ASE's sign).

    ``stress`` is None for a structure without volume. ``short_range_pairs`` counts ordered pairs below
    the first knot, where the continuation of V2 acts; ``triplets`` counts three-body terms in their cutoffs.
    """

    energy: float
    atom_energy: Array
    forces: Array
    stress: Array | None
    short_range_pairs: int
    triplets: int


class Ufp:
    """A UF2 or UF2+3 potential, with density terms where there are some.

    Parameters
    ----------
    path
        ``NAME.uf3`` file. Density terms in ``NAME.ufd`` beside it belong to it.
    body_order
        2 or 3; the highest the file has by default. 2: V2 alone, without density terms.

    Raises
    ------
    InputError
        For a file that is not a complete potential, and density terms of another one.
    """

    def __init__(self, path: str | os.PathLike[str], body_order: int | None = None) -> None:
        blocks = read_uf3(path)
        self.path = os.fspath(path)
        self.elements = blocks.elements
        self.body_order = (3 if blocks.triples else 2) if body_order is None else body_order
        self._core = UfpPotential(self.path, list(self.elements), self.body_order)
        self.density_path = companion(path) if body_order != 2 else None
        self._density: DensityPotential | None = None
        if self.density_path:
            check_companion(path, self.density_path)
            self._density = DensityPotential(os.fspath(self.density_path), list(self.elements))

    @property
    def cutoff(self) -> float:
        """Largest distance at which atoms interact, Å."""
        own = self._core.max_cutoff
        return max(own, self._density.max_cutoff) if self._density else own

    def predict(self, atoms: ase.Atoms) -> UfpPrediction:
        """Evaluate a structure; it is not changed.

        Raises
        ------
        InputError
            For an element that the potential does not have.
        """
        species = species_of(atoms.get_chemical_symbols(), self.elements, self.path)
        system = (atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species)
        out = self._core.compute(*system)
        if self._density:
            more = self._density.compute(*system)
            out.update({k: out[k] + v for k, v in more.items()})
        stress = None
        if atoms.cell.rank == 3:
            stress = -out["virial"][[0, 1, 2, 5, 4, 3]] / atoms.get_volume()
        return UfpPrediction(
            out["energy"],
            out["atom_energy"],
            out["forces"],
            stress,
            out["short_range_pairs"],
            out["triplets"],
        )


class UfpCalculator(Calculator):
    """ASE calculator of a ``Ufp``: energy, forces, stress, energies of the atoms."""

    def __init__(self, potential: Ufp | str | os.PathLike[str], **kwargs: Any) -> None:
        """Take a potential or the path of one."""
        self.implemented_properties = ["energy", "energies", "free_energy", "forces", "stress"]
        Calculator.__init__(self, **kwargs)
        self.potential = potential if isinstance(potential, Ufp) else Ufp(potential)

    def calculate(
        self,
        atoms: ase.Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill ``results``; called by ASE."""
        Calculator.calculate(self, atoms, properties, system_changes)
        if self.atoms is None:
            raise InputError("no structure given to the calculator; expected ASE atoms")
        prediction = self.potential.predict(self.atoms)
        self.results = {
            "energy": prediction.energy,
            "free_energy": prediction.energy,
            "energies": prediction.atom_energy,
            "forces": prediction.forces,
        }
        if prediction.stress is not None:
            self.results["stress"] = prediction.stress
