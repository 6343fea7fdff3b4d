"""Read LAMMPS data files of the common atom styles, with elements, whoever wrote them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lpsnmr.elements import atomic_number, element_of_label, element_of_mass
from lpsnmr.errors import FileFormatError, InputError

__all__ = ["is_data_file", "read_data_file"]

ATOM_STYLES = {
    "atomic": "id type x y z",
    "charge": "id type q x y z",
    "molecular": "id molecule type x y z",
    "bond": "id molecule type x y z",
    "angle": "id molecule type x y z",
    "full": "id molecule type q x y z",
    "sphere": "id type diameter density x y z",
    "dipole": "id type q x y z mux muy muz",
    "spin": "id type x y z spx spy spz sp",
}
"""Columns of the section Atoms by atom style; ``ix iy iz`` may follow. LAMMPS manual, command read_data."""
UNNAMED_STYLES = ("atomic", "charge", "molecular", "full")
"""Styles that are tried where the file does not name its own."""
TOPOLOGY = ("bond", "angle", "dihedral", "improper")
SECTIONS = {
    *("Masses", "Atoms", "Velocities", "Bonds", "Angles", "Dihedrals", "Impropers", "CMAP"),
    *("Ellipsoids", "Lines", "Triangles", "Bodies", "Pair Coeffs", "PairIJ Coeffs"),
    *(f"{kind.capitalize()} Coeffs" for kind in TOPOLOGY),
    *(f"{kind.capitalize()} Type Labels" for kind in ("atom", *TOPOLOGY)),
    *("BondBond Coeffs", "BondAngle Coeffs", "BondBond13 Coeffs", "AngleAngle Coeffs", "AngleTorsion Coeffs"),
    *("MiddleBondTorsion Coeffs", "EndBondTorsion Coeffs", "AngleAngleTorsion Coeffs"),
}
COUNTS = {
    *("atom types", "ellipsoids", "lines", "triangles", "bodies", "crossterms"),
    *(f"{kind}s" for kind in TOPOLOGY),
    *(f"{kind} types" for kind in TOPOLOGY),
    *(f"extra {kind} per atom" for kind in (*TOPOLOGY, "special")),
}
"""Header lines that say nothing of positions."""
LENGTHS_IN_ANGSTROM = ("metal", "real")
_COUNT_LINE = re.compile(rb"^[ \t]*\d+[ \t]+atoms[ \t]*(#.*)?\r?$", re.MULTILINE)
_UNITS = re.compile(r"\bunits\s*=?\s*(\w+)")
_STYLES_UNITS = {"lj", "real", "metal", "si", "cgs", "electron", "micro", "nano"}

Row = tuple[int, list[str], str]
"""Line number, words, comment."""


def is_data_file(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a LAMMPS data file, by its name or else by a line ``N atoms`` at its head."""
    name = Path(path)
    if name.suffix in {".data", ".lmp"} or name.name.startswith("data."):
        return True
    try:
        with name.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return _COUNT_LINE.search(head) is not None and (b"xlo xhi" in head or b"avec" in head)


class _DataFile:
    """Lines of a data file by section, with what is needed to name the place of an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: list[tuple[int, list[str]]] = []
        self.sections: dict[str, list[Row]] = {}
        self.style = ""
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise FileFormatError(f"{path}: cannot read: {error.strerror}") from error
        lines = text.splitlines()
        self._check_units(lines[0] if lines else "")
        current: list[Row] | None = None
        for number, raw in enumerate(lines[1:], start=2):
            body, _, comment = raw.partition("#")
            words = body.split()
            if not words:
                continue
            if words[0][0].isalpha() and (current is None or " ".join(words) in SECTIONS):
                current = self._begin(number, " ".join(words), comment.strip())
            elif current is None:
                self.header.append((number, words))
            else:
                current.append((number, words, comment.strip()))

    def _check_units(self, title: str) -> None:
        found = _UNITS.search(title)
        if found and found[1] in _STYLES_UNITS and found[1] not in LENGTHS_IN_ANGSTROM:
            expected = " or ".join(LENGTHS_IN_ANGSTROM)
            raise self.error(1, f"units {found[1]}; expected {expected}, lengths in Å")

    def _begin(self, number: int, name: str, comment: str) -> list[Row]:
        if name not in SECTIONS:
            raise self.error(number, f"section {name!r}; expected {', '.join(sorted(SECTIONS))}")
        if name in self.sections:
            raise self.error(number, f"a second section {name}")
        if name == "Atoms":
            self.style = comment.split()[0] if comment else ""
            if self.style and self.style not in ATOM_STYLES:
                raise self.error(number, f"atom style {comment!r}; expected {', '.join(ATOM_STYLES)}")
        return self.sections.setdefault(name, [])

    def error(self, line: int, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}:{line}: {message}")

    def values(self, line: int, words: Sequence[str]) -> list[float]:
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            raise self.error(line, f"expected numbers, got {' '.join(words)[:60]!r}") from None
        if not np.all(np.isfinite(numbers)):
            raise self.error(line, f"expected finite numbers, got {' '.join(words)[:60]!r}")
        return numbers

    def integer(self, line: int, word: str, what: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", word):
            raise self.error(line, f"expected {what}, an integer, got {word[:60]!r}")
        return int(word)

    def named(self) -> str:
        """Return the sections that are there, as words."""
        return ", ".join(f"section {name!r}" for name in self.sections) or "no section"


def read_data_file(path: str | os.PathLike[str], elements: Sequence[str] | None = None) -> Atoms:
    """Read a LAMMPS data file.

    Any of the usual atom styles, with or without Atom Type Labels, coefficients, topology and velocities
    (all skipped); orthogonal, restricted triclinic (``xy xz yz``) or general triclinic (``avec bvec cvec``)
    cells; lengths in Å (units metal or real).

    Parameters
    ----------
    path
        Data file.
    elements
        Element of type 1, 2, …; by default what the Atom Type Labels, the comments of the Masses section
        (``1 6.94 # Li``) or else the masses themselves tell.

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
    n_atoms, n_types, cell, origin = _read_header(data)
    labels = _read_labels(data)
    numbers = _numbers_of_types(data, n_types, labels, elements)
    rows = data.sections.get("Atoms")
    if rows is None:
        raise FileFormatError(f"{data.path}: no section Atoms; got {data.named()}")
    if len(rows) != n_atoms:
        raise FileFormatError(f"{data.path}: expected {n_atoms} atoms, got {len(rows)} lines in Atoms")
    ids, types, values = _read_atoms(data, rows, len(numbers), labels)
    _check_elements(data, numbers, set(types.tolist()))
    order = np.argsort(ids, kind="stable")
    if np.any(np.diff(ids[order]) == 0):
        raise FileFormatError(f"{data.path}: an atom id occurs twice in Atoms")
    positions = values[:, :3] - origin + values[:, 3:] @ cell
    return Atoms(
        numbers=np.asarray(numbers)[types - 1][order], positions=positions[order], cell=cell, pbc=True
    )


def _read_header(data: _DataFile) -> tuple[int, int, NDArray[np.float64], NDArray[np.float64]]:
    n_atoms, n_types = -1, 0
    cell = np.zeros((3, 3))
    origin = np.zeros(3)
    for line, words in data.header:
        keyword = " ".join(word for word in words if word[0].isalpha())
        values = data.values(line, [word for word in words if not word[0].isalpha()])
        if keyword in {"atoms", "atom types"} and len(values) == 1:
            count = data.integer(line, words[0], f"the number of {keyword}")
            n_atoms, n_types = (count, n_types) if keyword == "atoms" else (n_atoms, count)
        elif keyword in {"xlo xhi", "ylo yhi", "zlo zhi"} and len(values) == 2:
            k = "xyz".index(keyword[0])
            origin[k] = values[0]
            cell[k, k] = values[1] - values[0]
        elif keyword == "xy xz yz" and len(values) == 3:
            cell[[1, 2, 2], [0, 0, 1]] = values
        elif keyword in {"avec", "bvec", "cvec"} and len(values) == 3:
            cell["abc".index(keyword[0])] = values
        elif keyword == "abc origin" and len(values) == 3:
            origin[:] = values
        elif keyword not in COUNTS:
            raise data.error(line, f"unknown header line {' '.join(words)[:60]!r}")
    with np.errstate(over="ignore", invalid="ignore"):
        volume = np.linalg.det(cell)
    if n_atoms < 0 or not (np.isfinite(volume) and volume > 0):
        told = n_atoms if n_atoms >= 0 else "no"
        raise FileFormatError(
            f"{data.path}: expected a header with atoms, xlo xhi, ylo yhi and zlo zhi (or avec, bvec, cvec) "
            f"of a right-handed cell, got {told} atoms and the volume {volume:.6g} Å³"
        )
    return n_atoms, n_types, cell, origin


def _read_labels(data: _DataFile) -> dict[str, int]:
    """Return the type of each label."""
    labels: dict[str, int] = {}
    for line, words, _ in data.sections.get("Atom Type Labels", []):
        if len(words) != 2:
            raise data.error(line, f"expected a type and its label, got {' '.join(words)[:60]!r}")
        if words[1] in labels:
            raise data.error(line, f"the label {words[1]} names two types")
        labels[words[1]] = data.integer(line, words[0], "an atom type")
    return labels


def _type_of(data: _DataFile, line: int, word: str, n_types: int, labels: dict[str, int]) -> int:
    kind = labels[word] if word in labels else data.integer(line, word, "an atom type")
    if not 1 <= kind <= n_types:
        raise data.error(line, f"atom type {word}, expected 1 to {n_types}")
    return kind


def _numbers_of_types(
    data: _DataFile, n_types: int, labels: dict[str, int], elements: Sequence[str] | None
) -> list[int]:
    """Return the atomic number of type 1, 2, …: as asked for, by label, comment or mass; 0 where unknown."""
    if elements is not None:
        if n_types > len(elements):
            raise InputError(
                f"{data.path}: {n_types} atom types, but {len(elements)} elements are given: "
                f"{', '.join(elements)}"
            )
        return [atomic_number(symbol) for symbol in elements]
    masses = data.sections.get("Masses", [])
    n_types = max(n_types, len(masses), *labels.values(), 0)
    numbers: dict[int, int] = {}
    for label, kind in labels.items():
        symbol = element_of_label(label)
        if symbol is not None and 1 <= kind <= n_types:
            numbers[kind] = atomic_number(symbol)
    seen: set[int] = set()
    for line, words, comment in masses:
        if len(words) != 2:
            raise data.error(line, f"expected a type and its mass, got {' '.join(words)[:60]!r}")
        kind = _type_of(data, line, words[0], n_types, labels)
        if kind in seen:
            raise data.error(line, f"a second mass of type {kind}")
        mass = data.values(line, words[1:])[0]
        seen.add(kind)
        symbol = element_of_label(comment.split()[0]) if comment else None
        symbol = symbol or element_of_mass(mass)
        if kind not in numbers and symbol is not None:
            numbers[kind] = atomic_number(symbol)
    return [numbers.get(kind, 0) for kind in range(1, n_types + 1)]


def _check_elements(data: _DataFile, numbers: list[int], used: set[int]) -> None:
    """Raise when a type that atoms have is of no known element."""
    missing = sorted(kind for kind in used if numbers[kind - 1] == 0)
    if not missing:
        return
    hint = "name the elements of the types, or write them as a comment after the masses: 1 6.94 # Li"
    for line, words, _ in data.sections.get("Masses", []):
        if words[0] == str(missing[0]):
            raise data.error(line, f"no element for type {missing[0]} of mass {words[1]}; {hint}")
    raise FileFormatError(
        f"{data.path}: no element for type {missing[0]}: neither Atom Type Labels nor Masses tell it "
        f"({data.named()}); {hint}"
    )


def _read_atoms(
    data: _DataFile, rows: list[Row], n_types: int, labels: dict[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return ids (n,), types (n,), and positions and images (n, 6)."""
    style = data.style or _guess_style(data, rows, n_types, labels)
    columns = ATOM_STYLES[style].split()
    kind, x = columns.index("type"), columns.index("x")
    n = len(columns)
    ids, types, table = [], [], []
    for line, words, _ in rows:
        if len(words) not in {n, n + 3}:
            raise data.error(
                line,
                f"expected {ATOM_STYLES[style]} [ix iy iz] of atom style {style!r}, got {len(words)} columns",
            )
        ids.append(data.integer(line, words[0], "an atom id"))
        types.append(_type_of(data, line, words[kind], n_types, labels))
        table.append(data.values(line, words[x : x + 3] + (words[n:] or ["0"] * 3)))
    return (
        np.asarray(ids, dtype=np.int64),
        np.asarray(types, dtype=np.int64),
        np.asarray(table, dtype=np.float64).reshape(-1, 6),
    )


def _guess_style(data: _DataFile, rows: list[Row], n_types: int, labels: dict[str, int]) -> str:
    """Return the one style whose columns fit every line, ``atomic`` where none does."""
    fitting = []
    for style in UNNAMED_STYLES:
        columns = ATOM_STYLES[style].split()
        widths = {len(columns), len(columns) + 3}
        where = [k for k, name in enumerate(columns) if name in {"id", "type", "molecule"}]
        kind = columns.index("type")
        known = {str(k) for k in range(1, n_types + 1)} | labels.keys()
        if all(
            len(words) in widths
            and words[kind] in known
            and all(k == kind or words[k].lstrip("+-").isdecimal() for k in where)
            for _, words, _ in rows
        ):
            fitting.append(style)
    if len(fitting) > 1 and rows:
        line, words, _ = rows[0]
        raise data.error(
            line,
            f"{len(words)} columns fit the atom styles {' and '.join(fitting)}; write the style after the "
            f"word Atoms: Atoms # {fitting[0]}",
        )
    return fitting[0] if fitting else "atomic"
