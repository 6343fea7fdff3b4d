"""Shipped crystals, structure files and supercells."""

import os
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import numpy as np
from ase import Atoms

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.structures.origin import with_step
from lpsnmr.trajectory.data_file_reader import is_data_file, read_data_file

__all__ = ["CRYSTALS", "load_structure", "refuse_partial_sites", "supercell"]

CRYSTALS: Final[dict[str, str]] = {
    "beta-Li3PS4": "β-Li3PS4, Pnma at 637 K, one ordered choice of the partially occupied Li sites, 32 atoms",
    "gamma-Li3PS4": "γ-Li3PS4, Pmn2₁ at 297 K, 16 atoms",
}
"""Shipped crystals, as published: K. Homma et al., Solid State Ionics 182, 53 (2011),
doi:10.1016/j.ssi.2010.10.001."""


SOURCE: Final = "doi:10.1016/j.ssi.2010.10.001"

NOT_SHIPPED: Final[dict[str, str]] = {
    "alpha-Li3PS4": "no coordinates of α-Li3PS4 are shipped: its lithium sites are disordered, and no "
    "ordered model could be justified from the data at hand",
}
"""Crystals that a user may look for, and why they are not there."""

FULL = 0.99
"""A site of at least this occupancy is taken as whole."""
MAX_ATOMS = 20_000_000
"""Largest supercell: more would not fit into the memory of one rank."""


def load_structure(name: str | os.PathLike[str], elements: Sequence[str] | None = None) -> Atoms:
    """Return a shipped crystal by name, or the structure in a file.

    Parameters
    ----------
    name
        Key of ``CRYSTALS``, a LAMMPS data file or any file that ASE can read (CIF, extended XYZ, POSCAR, …);
        of several structures in it the last one.
    elements
        Element of LAMMPS type 1, 2, … of a data file; by default what the file tells.

    Returns
    -------
    ase.Atoms
        Positions and cell in Å, a new object.

    Raises
    ------
    FileFormatError
        When the file is missing or cannot be read.
    InputError
        When it holds no atoms, partly occupied sites, or no three-dimensional periodic cell.

    Examples
    --------
    >>> len(load_structure("beta-Li3PS4"))
    32
    """
    if str(name) in NOT_SHIPPED:
        raise InputError(f"{name}: {NOT_SHIPPED[str(name)]}; give a structure file instead")
    if str(name) in CRYSTALS:
        with as_file(files("lpsnmr.data") / "structures" / f"{name}.cif") as path:
            return with_step(_read_with_ase(path)[0], Atoms(), f"{name} crystal, {SOURCE}")
    path = Path(name)
    if not path.is_file():
        raise FileFormatError(
            f"{path}: no such file; expected a structure file or one of {', '.join(CRYSTALS)}"
        )
    origin = f"file {path.name}"
    if is_data_file(path):
        atoms = read_data_file(path, elements)
    else:
        atoms, several = _read_with_ase(path)
        origin += ", the last of several structures" if several else ""
    if len(atoms) == 0:
        raise InputError(f"{path}: holds no atoms")
    if not all(atoms.pbc) or abs(atoms.cell.volume) < 1e-6:
        raise InputError(f"{path}: expected a cell periodic in three directions")
    return with_step(atoms, Atoms(), origin)


def _read_with_ase(path: Path) -> tuple[Atoms, bool]:
    """Return the last structure of a file, and whether there are others."""
    import ase.io  # here, because it is slow to import

    try:
        try:
            found = ase.io.read(path, index="-2:")
        except AssertionError:  # how ASE says that files of this kind hold one structure
            found = ase.io.read(path)
    except Exception as error:  # ASE readers raise anything
        reason = str(error) or type(error).__name__
        raise FileFormatError(f"{path}: not a structure file that ASE can read: {reason}") from error
    found = found if isinstance(found, list) else [found]
    if not found:
        raise FileFormatError(f"{path}: holds no structure")
    atoms = found[-1]
    refuse_partial_sites(path, atoms)
    plain = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell[:], pbc=atoms.pbc)
    return plain, len(found) > 1


def refuse_partial_sites(path: Path, atoms: Atoms) -> None:
    """Raise InputError, with counts, where ASE read sites of a CIF that are not wholly of one element."""
    occupancy = atoms.info.get("occupancy", {})
    kinds = atoms.arrays.get("spacegroup_kinds", np.arange(len(atoms)))
    lines = []
    for kind in dict.fromkeys(np.asarray(kinds).tolist()):
        share = {str(symbol): float(x) for symbol, x in occupancy.get(str(kind), {}).items()}
        if share and (len(share) > 1 or min(share.values()) < FULL):
            count = int(np.sum(np.asarray(kinds) == kind))
            told = " + ".join(f"{x:g} {symbol} ({count * x:.3g} atoms)" for symbol, x in share.items())
            lines.append(f"{count} sites of {told}")
    if lines:
        raise InputError(
            f"{path}: partly occupied sites: {'; '.join(lines)}; expected every site whole: order "
            "them first, for instance with supercell or pymatgen, and give the ordered file"
        )


def supercell(atoms: Atoms, repeats: tuple[int, int, int]) -> Atoms:
    """Repeat a cell along its vectors.

    The copies follow each other, each with the atoms in their original order.

    Raises
    ------
    InputError
        For repeats that are not three positive integers, or give more than ``MAX_ATOMS`` atoms.

    Examples
    --------
    >>> len(supercell(load_structure("gamma-Li3PS4"), (2, 2, 2)))
    128
    """
    if len(repeats) != 3 or any(int(r) != r or r < 1 for r in repeats):
        raise InputError(f"supercell: expected three positive integers, got {tuple(repeats)}")
    n_atoms = len(atoms) * int(repeats[0]) * int(repeats[1]) * int(repeats[2])
    if n_atoms > MAX_ATOMS:
        raise InputError(f"supercell: expected at most {MAX_ATOMS} atoms, got {n_atoms}")
    result = atoms.repeat(np.asarray(repeats, dtype=int))
    large = Atoms(numbers=result.numbers, positions=result.positions, cell=result.cell[:], pbc=True)
    if n_atoms == len(atoms):
        large.info = dict(atoms.info)
        return large
    return with_step(large, atoms, f"supercell {' '.join(str(int(r)) for r in repeats)}")
