"""Frames of extended XYZ, ASE trajectories and XDATCAR, read by ASE."""

import itertools
import os
import re
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ase
import numpy as np
from ase.data import chemical_symbols

from lpsnmr.errors import FileFormatError
from lpsnmr.files.text_of import opened_text
from lpsnmr.trajectory.frames import Frame, FrameSequence

__all__ = ["ASE_FORMATS", "AseReader"]

ASE_FORMATS = {"extxyz": "extended XYZ", "traj": "ASE trajectory", "vasp-xdatcar": "XDATCAR"}
_STEP = re.compile(r"(?:^|\s)(?:md_?)?step=\"?(\d{1,18})\"?(?:\s|$)", re.IGNORECASE)
_LETTER = re.compile(r"[^\s\d.+\-eE]")


def _is_float(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _is_header(before: Sequence[str], line: str) -> bool:
    """Whether a line of an XDATCAR names elements: it follows the scale and the rows of a cell."""
    found = [words.split() for words in (*before, line)]
    numbers = [all(map(_is_float, words)) * len(words) for words in found]
    return numbers == [1, 3, 3, 3, 0]


class AseReader:
    """Iterate over the frames of a finished file.

    Steps are those of the header (``step=N``) of every frame of an extended XYZ file, else the number of the
    frame in the file, from 0. Times are not taken from the files: ASE's formats have no unit for them.

    Parameters
    ----------
    path
        The file.
    file_format
        Key of ``ASE_FORMATS``.
    elements
        Elements that the file is expected to be of; None for any.
    ascending
        Whether steps must ascend.

    Raises
    ------
    FileFormatError
        While iterating: a file that cannot be read, a frame without a cell, a change of the atoms.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        file_format: str,
        *,
        elements: Sequence[str] | None = None,
        ascending: bool = True,
    ) -> None:
        self.path = Path(path)
        self.reason = ""
        self._format, self._elements = file_format, None if elements is None else set(elements)
        self._number = 0
        self._sequence = FrameSequence(self._fail, ascending)
        self._steps = self._header_steps() if file_format == "extxyz" else None
        self.has_steps = self._steps is not None

    def _fail(self, message: str) -> FileFormatError:
        return FileFormatError(f"{self.path}: frame {self._number}: {message}")

    def _header_steps(self) -> list[int] | None:
        """Return the steps of the headers; None where a frame has none, or they are the same throughout."""
        found = []
        try:
            with opened_text(self.path) as file:
                while (head := file.readline()).strip():
                    count = int(head) if head.strip().isdecimal() and len(head) < 12 else -1
                    step = _STEP.search(file.readline())
                    if step is None or count < 0:
                        return None
                    found.append(int(step[1]))
                    for _ in range(count):
                        file.readline()
        except (OSError, EOFError, ValueError):
            return None
        return found if len(set(found)) > 1 else None

    def steps(self) -> list[int] | None:
        """Return the step of each frame; None where only reading tells how many there are."""
        return self._steps

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        images = self._images()
        for number in itertools.count():
            self._number = number
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    atoms = next(images, None)
            except FileFormatError:
                raise
            except Exception as error:  # ASE readers raise anything
                told = " ".join(str(error).split()) or type(error).__name__
                raise self._fail(f"not readable as {ASE_FORMATS[self._format]}: {told}") from error
            if atoms is None:
                break
            yield self._sequence.checked(self._to_frame(atoms))
        if self._steps is not None and self._number < len(self._steps):
            raise self._fail(f"the file ends before it, with {len(self._steps)} frames announced")
        self.reason = "end of file"

    def _images(self) -> Iterator[ase.Atoms]:
        if not self.path.is_file():
            raise FileFormatError(f"{self.path}: cannot open: no such file")
        import ase.io  # heavy: a stream of dumps does without

        if self._format == "vasp-xdatcar":
            self._check_counts()
        found: Any = ase.io.iread(self.path, index=":", format=self._format)
        yield from found

    def _check_counts(self) -> None:
        """Refuse headers of an XDATCAR with more atoms than the file has lines: ASE makes them first."""
        before: deque[str] = deque(maxlen=4)
        headers: list[tuple[list[str], list[str]]] = []  # elements and what follows them
        n_lines, awaited = 0, False
        with opened_text(self.path) as file:
            for line in file:
                n_lines += 1
                if awaited:
                    headers[-1][1].extend(line.split())
                    awaited = False
                elif _LETTER.search(line) and _is_header(before, line):
                    headers.append((line.split(), []))
                    awaited = True
                before.append(line)
        for symbols, counts in headers:
            if strange := [word for word in symbols if word not in chemical_symbols[1:]]:
                raise self._fail(f"expected elements in its header, got {strange[0][:20]!r}")
            if not all(word.isdecimal() and len(word) < 10 for word in counts) or len(counts) != len(symbols):
                raise self._fail(f"expected a number of atoms for each of {' '.join(symbols)} in its header")
            if sum(map(int, counts)) > n_lines:
                raise self._fail(f"{' + '.join(counts)} atoms in its header, but {n_lines} lines")

    def _to_frame(self, atoms: ase.Atoms) -> Frame:
        cell = np.array(atoms.cell.array, dtype=np.float64)
        positions = np.array(atoms.positions, dtype=np.float64)
        if not (np.isfinite(cell).all() and abs(np.linalg.det(cell)) > 1e-6):
            raise self._fail("no three-dimensional cell; expected a Lattice in every frame")
        if not (len(atoms) and np.isfinite(positions).all()):
            raise self._fail("expected at least one atom, all positions finite")
        if not (atoms.numbers.min() > 0 and atoms.numbers.max() < len(chemical_symbols)):
            raise self._fail("an atom of no known element")
        strange = set(atoms.symbols) - self._elements if self._elements is not None else None
        if strange:
            raise self._fail(
                f"element {sorted(strange)[0]}, but --elements says {sorted(self._elements or ())}"
            )
        step = self._number
        if self._steps is not None and self._number < len(self._steps):
            step = self._steps[self._number]
        ids = np.arange(1, len(atoms) + 1, dtype=np.int64)
        numbers = np.asarray(atoms.numbers, dtype=np.int32)
        pbc = tuple(bool(p) for p in atoms.pbc)
        given = atoms.arrays.get("id")
        if given is not None and given.shape == ids.shape and given.dtype.kind in "iu":
            if len(np.unique(given)) < len(given):
                raise self._fail("an atom id occurs twice")
            order = np.argsort(given, kind="stable")
            ids, numbers, positions = given[order].astype(np.int64), numbers[order], positions[order]
        return Frame(step, None, cell, (pbc[0], pbc[1], pbc[2]), ids, numbers, positions)
