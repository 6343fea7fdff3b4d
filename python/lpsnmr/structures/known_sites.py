"""Sites of the mobile ions that are known beforehand, from a structure file."""

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.geometry import cell_to_cellpar
from numpy.typing import NDArray

from lpsnmr.elements import atomic_number
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.structures.crystals import load_structure
from lpsnmr.structures.species import SpeciesSettings
from lpsnmr.typing import Array

__all__ = ["KnownSites", "read_known_sites"]

logger = logging.getLogger(__name__)

MAX_STRAIN = 0.1
"""Largest relative difference of the lengths of the cell vectors of file and simulation."""
MAX_ANGLE_DEGREES = 5.0


@dataclass(frozen=True)
class KnownSites:
    """Sites in a unit cell, or in a whole simulation cell.

    Attributes
    ----------
    source
        Name of the file.
    fractional
        (s, 3) float64, fractional coordinates.
    cell
        (3, 3) float64, rows are the cell vectors, Å.
    sha256
        Hash of the file.
    """

    source: str
    fractional: Array
    cell: Array
    sha256: str

    def in_cell(self, cell: Array, repeats: tuple[int, int, int], separation_angstrom: float) -> Array:
        """Return the sites in a simulation cell, in its fractional coordinates, (n, 3) float64.

        Parameters
        ----------
        cell
            (3, 3) float64, the simulation cell, Å; the file's cell may be up to 10 % off.
        repeats
            Unit cells along each vector of the simulation cell.
        separation_angstrom
            Sites closer than this become one, at their mean.

        Raises
        ------
        InputError
            When the file's cell is neither the unit cell nor the whole simulation cell.
        """
        unit = cell / np.asarray(repeats, dtype=np.float64)[:, None]
        if _alike(self.cell, unit):
            shifts = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), axis=-1).reshape(-1, 3)
            sites = ((self.fractional + shifts[:, None]) / np.asarray(repeats)).reshape(-1, 3)
        elif _alike(self.cell, cell):
            sites = self.fractional
        else:
            raise InputError(
                f"{self.source}: expected the sites of the unit cell {_describe(unit)} or of the whole cell "
                f"{_describe(cell)}, got a cell {_describe(self.cell)}; are the "
                f"repeats {tuple(repeats)} right?"
            )
        merged = merge_sites(sites % 1.0, cell, separation_angstrom)
        if len(merged) < len(sites):
            logger.warning(
                "%s: %d sites closer than %g Å to another were merged, %d are left",
                self.source, len(sites) - len(merged), separation_angstrom, len(merged),
            )  # fmt: skip
        return merged


def read_known_sites(path: str | os.PathLike[str], element: str | None = None) -> KnownSites:
    """Read the sites of a crystal: every position where the file has the mobile ion, wholly or in part.

    A CIF is expanded by its symmetry; sites that are partly occupied, or that the ion shares with another
    element, count like full ones. Other files are read as structures are: each ion is a site.

    Parameters
    ----------
    path
        Structure file.
    element
        Of the mobile ion; by default that of the default settings.

    Raises
    ------
    FileFormatError
        When the file is missing or no structure.
    InputError
        When it has none.
    """
    element = element or SpeciesSettings().mobile
    name = Path(path)
    content = name.read_bytes() if name.is_file() else os.fspath(path).encode()
    if name.suffix.lower() == ".cif" and name.is_file():
        atoms, is_site = _read_cif(name, element)
    else:
        atoms = load_structure(path)
        is_site = atoms.numbers == atomic_number(element)
    if not is_site.any():
        raise InputError(f"{path}: holds no {element}, so no sites")
    fractional = atoms.get_scaled_positions(wrap=True)[is_site]
    return KnownSites(
        name.name, np.asarray(fractional), np.asarray(atoms.cell[:]), hashlib.sha256(content).hexdigest()
    )


def _read_cif(path: Path, element: str) -> tuple[Atoms, NDArray[np.bool_]]:
    import ase.io  # here, because it is slow to import

    try:
        atoms: Any = ase.io.read(path, format="cif", fractional_occupancies=True)
        occupancy = atoms.info.get("occupancy", {})
        kinds = atoms.arrays.get("spacegroup_kinds", np.arange(len(atoms)))
    except Exception as error:  # ASE readers raise anything
        raise FileFormatError(f"{path}: not a CIF that ASE can read: {error}") from error
    shares = [
        occupancy.get(str(kind), {symbol: 1.0}) for kind, symbol in zip(kinds, atoms.symbols, strict=True)
    ]
    return atoms, np.array([share.get(element, 0.0) > 0 for share in shares], dtype=np.bool_)


def merge_sites(fractional: Array, cell: Array, separation_angstrom: float) -> Array:
    """Replace sites closer than the separation, also by way of others, by their mean; (n, 3) in 0 … 1."""
    left = list(range(len(fractional)))
    merged = []
    while left:
        group, frontier = [left.pop(0)], [0]
        offsets = [np.zeros(3)]  # from the first of the group
        while frontier:
            k = frontier.pop()
            here = fractional[group[0]] + offsets[k]
            step = fractional[left] - here
            step -= np.round(step)
            near = np.flatnonzero(np.linalg.norm(step @ cell, axis=1) < separation_angstrom)
            for position in near[::-1].tolist():
                group.append(left.pop(position))
                offsets.append(offsets[k] + step[position])
                frontier.append(len(group) - 1)
        merged.append(fractional[group[0]] + np.mean(offsets, axis=0))
    return np.array(merged) % 1.0


def _alike(a: Array, b: Array) -> bool:
    first, second = cell_to_cellpar(a), cell_to_cellpar(b)
    return bool(
        np.all(np.abs(first[:3] / second[:3] - 1.0) < MAX_STRAIN)
        and np.all(np.abs(first[3:] - second[3:]) < MAX_ANGLE_DEGREES)
    )


def _describe(cell: Array) -> str:
    lengths, angles = np.split(cell_to_cellpar(cell), 2)
    return " × ".join(f"{a:.2f}" for a in lengths) + " Å, " + ", ".join(f"{a:.0f}" for a in angles) + "°"
