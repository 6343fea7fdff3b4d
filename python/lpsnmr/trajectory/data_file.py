"""Write LAMMPS data files of ``atom_style atomic``, the same atoms always to the same bytes."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lpsnmr.elements import atomic_number, masses_of, symbol_of
from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.trajectory.data_file_reader import read_data_file

__all__ = ["read_data_file", "to_lammps_frame", "write_data_file"]

SMALL_TILT_ANGSTROM = 1e-6


def to_lammps_frame(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate a cell so that a lies along x and b in the xy plane with y > 0, as LAMMPS wants it.

    Parameters
    ----------
    cell
        (3, 3) float64, rows are the cell vectors, Å; right-handed.

    Returns
    -------
    (3, 3) float64
        Lower triangular. Fractional coordinates are the same in both frames.

    Raises
    ------
    InputError
        For a left-handed or flat cell.
    """
    cell = np.asarray(cell, dtype=np.float64)
    a, b, c = cell
    volume = float(np.dot(np.cross(a, b), c))
    if not volume > 1e-6:
        raise InputError(f"expected a right-handed cell, got the volume {volume:.6g} Å³")
    length_a = np.linalg.norm(a)
    a_hat = a / length_a
    xy = b @ a_hat
    ly = np.linalg.norm(np.cross(a_hat, b))
    xz = c @ a_hat
    yz = (b @ c - xy * xz) / ly
    lz = volume / (length_a * ly)
    tilts = [0.0 if abs(t) < SMALL_TILT_ANGSTROM else float(t) for t in (xy, xz, yz)]
    return np.array([[length_a, 0.0, 0.0], [tilts[0], ly, 0.0], [tilts[1], tilts[2], lz]])


def write_data_file(
    path: str | os.PathLike[str],
    atoms: Atoms,
    elements: Sequence[str] | None = None,
    charges: Mapping[str, float] | None = None,
) -> list[str]:
    """Write ``atoms`` as a LAMMPS data file: metal units, ``atom_style atomic``, or ``charge`` with charges.

    The cell is rotated into the LAMMPS frame; atom ids follow the order of ``atoms``; positions are
    wrapped into the cell.

    Parameters
    ----------
    path
        File to write; replaced as a whole.
    atoms
        Positions and cell in Å.
    elements
        Element of LAMMPS type 1, 2, …; by default those present, in order of atomic number.
    charges
        Charge of every element, e; None for ``atom_style atomic``.

    Returns
    -------
    list of str
        The elements in type order.

    Raises
    ------
    InputError
        For an element that is not in ``elements``, one without a charge, or a cell that is not right-handed.
    """
    numbers = np.asarray(atoms.numbers)
    if elements is None:
        elements = [symbol_of(int(z)) for z in np.unique(numbers)]
    type_of = {atomic_number(symbol): t + 1 for t, symbol in enumerate(elements)}
    missing = sorted({symbol_of(int(z)) for z in numbers if int(z) not in type_of})
    if missing:
        raise InputError(
            f"elements {', '.join(missing)} of the structure are not among the types {list(elements)}"
        )
    style, charge_of = "atomic", dict.fromkeys(type_of, "")
    if charges is not None:
        uncharged = [symbol for symbol in elements if symbol not in charges]
        if uncharged:
            raise InputError(f"charges: expected one for every element, got none for {', '.join(uncharged)}")
        style = "charge"
        charge_of = {atomic_number(symbol): f" {charges[symbol]:.15g}" for symbol in elements}
    cell = to_lammps_frame(atoms.cell[:])
    fractional = np.linalg.solve(np.asarray(atoms.cell[:]).T, atoms.positions.T).T
    fractional -= np.floor(fractional)
    positions = fractional @ cell
    masses = masses_of([atomic_number(symbol) for symbol in elements])
    lines = [
        f"LAMMPS data file, units metal, atom_style {style}: {atoms.symbols.get_chemical_formula()}",
        "",
        f"{len(atoms)} atoms",
        f"{len(elements)} atom types",
        "",
        *(f"0.0 {cell[k, k]:.15g} {'xyz'[k]}lo {'xyz'[k]}hi" for k in range(3)),
    ]
    if np.any(cell[[1, 2, 2], [0, 0, 1]]):
        lines.append(f"{cell[1, 0]:.15g} {cell[2, 0]:.15g} {cell[2, 1]:.15g} xy xz yz")
    lines += ["", "Masses", ""]
    lines += [f"{t + 1} {masses[t]:.6f}  # {symbol}" for t, symbol in enumerate(elements)]
    lines += ["", f"Atoms  # {style}", ""]
    lines += [
        f"{i + 1} {type_of[int(z)]}{charge_of[int(z)]} {x[0]:.15g} {x[1]:.15g} {x[2]:.15g}"
        for i, (z, x) in enumerate(zip(numbers, positions, strict=True))
    ]
    with written_aside(path) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(elements)
