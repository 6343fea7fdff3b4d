"""LAMMPS data files of ``atom_style atomic``: write deterministically, read back with elements."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lpsnmr.elements import atomic_number, masses_of, symbol_of
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.atomic import written_aside

__all__ = ["read_data_file", "to_lammps_frame", "write_data_file"]

SMALL_TILT_ANGSTROM = 1e-6
SECTIONS = {"Masses", "Atoms", "Velocities"}


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
    path: str | os.PathLike[str], atoms: Atoms, elements: Sequence[str] | None = None
) -> list[str]:
    """Write ``atoms`` as a LAMMPS data file: metal units, ``atom_style atomic``.

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

    Returns
    -------
    list of str
        The elements in type order.

    Raises
    ------
    InputError
        For an element that is not in ``elements`` or a cell that is not right-handed.
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
    cell = to_lammps_frame(atoms.cell[:])
    fractional = np.linalg.solve(np.asarray(atoms.cell[:]).T, atoms.positions.T).T
    fractional -= np.floor(fractional)
    positions = fractional @ cell
    masses = masses_of([atomic_number(symbol) for symbol in elements])
    lines = [
        f"LAMMPS data file, units metal, atom_style atomic: {atoms.symbols.get_chemical_formula()}",
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
    lines += ["", "Atoms  # atomic", ""]
    lines += [
        f"{i + 1} {type_of[int(z)]} {x[0]:.15g} {x[1]:.15g} {x[2]:.15g}"
        for i, (z, x) in enumerate(zip(numbers, positions, strict=True))
    ]
    with written_aside(path) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(elements)


class _DataFile:
    """Lines of a data file by section, with what is needed to name the place of an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: list[tuple[int, list[str]]] = []
        self.sections: dict[str, list[tuple[int, list[str], str]]] = {}
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FileFormatError(f"{path}: cannot read: {error}") from error
        current: list[tuple[int, list[str], str]] | None = None
        for number, raw in enumerate(text.splitlines()[1:], start=2):
            body, _, comment = raw.partition("#")
            words = body.split()
            if not words:
                continue
            if words[0][0].isalpha():
                if " ".join(words) not in SECTIONS:
                    raise self.error(
                        number, f"section {' '.join(words)!r}; expected {', '.join(sorted(SECTIONS))}"
                    )
                current = self.sections.setdefault(words[0], [])
                if words[0] == "Atoms" and comment.strip() not in {"", "atomic"}:
                    raise self.error(number, f"atom style {comment.strip()!r}; expected atomic")
            elif current is None:
                self.header.append((number, words))
            else:
                current.append((number, words, comment.strip()))

    def error(self, line: int, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}:{line}: {message}")

    def values(self, line: int, words: Sequence[str]) -> list[float]:
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            raise self.error(line, f"expected numbers, got {' '.join(words)!r}") from None
        if not np.all(np.isfinite(numbers)):
            raise self.error(line, f"expected finite numbers, got {' '.join(words)!r}")
        return numbers

    def section(self, name: str) -> list[tuple[int, list[str], str]]:
        if name not in self.sections:
            raise FileFormatError(f"{self.path}: no section {name}")
        return self.sections[name]


def read_data_file(path: str | os.PathLike[str], elements: Sequence[str] | None = None) -> Atoms:
    """Read a LAMMPS data file of ``atom_style atomic``.

    Parameters
    ----------
    path
        Data file; sections Masses and Atoms, Velocities are skipped.
    elements
        Element of type 1, 2, …; by default the comments of the Masses section (``1 6.94 # Li``).

    Returns
    -------
    ase.Atoms
        Sorted by id; positions in Å, unwrapped by the image flags when there are any.

    Raises
    ------
    FileFormatError
        For a file that is not such a data file; names the line.
    """
    data = _DataFile(Path(path))
    n_atoms, cell, origin = _read_header(data)
    if elements is None:
        elements = []
        for line, words, comment in data.section("Masses"):
            if not comment:
                raise data.error(line, f"no element in a comment after the mass of type {words[0]}")
            elements.append(comment.split()[0])
    numbers = [atomic_number(symbol) for symbol in elements]
    rows = data.section("Atoms")
    if len(rows) != n_atoms:
        raise FileFormatError(f"{data.path}: expected {n_atoms} atoms, got {len(rows)} lines in Atoms")
    table = []
    for line, words, _ in rows:
        if len(words) not in {5, 8}:
            raise data.error(line, f"expected id type x y z [ix iy iz], got {len(words)} columns")
        values = data.values(line, words)
        if not 1 <= values[1] <= len(numbers):
            raise data.error(line, f"atom type {words[1]}, expected 1 to {len(numbers)}")
        table.append(values + [0.0] * (8 - len(values)))
    values_by_id = np.asarray(sorted(table))
    if np.any(np.diff(values_by_id[:, 0]) == 0):
        raise FileFormatError(f"{data.path}: an atom id occurs twice in Atoms")
    positions = values_by_id[:, 2:5] - origin + values_by_id[:, 5:8] @ cell
    types = values_by_id[:, 1].astype(int) - 1
    return Atoms(numbers=np.asarray(numbers)[types], positions=positions, cell=cell, pbc=True)


def _read_header(data: _DataFile) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    n_atoms = -1
    cell = np.zeros((3, 3))
    origin = np.zeros(3)
    for line, words in data.header:
        keyword = " ".join(word for word in words if word[0].isalpha())
        values = data.values(line, [word for word in words if not word[0].isalpha()])
        if keyword == "atoms":
            n_atoms = int(values[0])
        elif keyword in {"xlo xhi", "ylo yhi", "zlo zhi"} and len(values) == 2:
            k = "xyz".index(keyword[0])
            origin[k] = values[0]
            cell[k, k] = values[1] - values[0]
        elif keyword == "xy xz yz" and len(values) == 3:
            cell[[1, 2, 2], [0, 0, 1]] = values
        elif keyword != "atom types":
            raise data.error(line, f"unknown header line {' '.join(words)!r}")
    if n_atoms < 0 or np.any(np.diag(cell) <= 0):
        raise FileFormatError(f"{data.path}: expected a header with atoms, xlo xhi, ylo yhi and zlo zhi")
    return n_atoms, cell, origin
