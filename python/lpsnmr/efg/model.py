"""The fitted EFG model: prediction, saving and loading."""

import copy
import hashlib
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import ase
import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from lpsnmr._core import EfgPredictor
from lpsnmr.efg.files import TargetPart, parse_model, render_model
from lpsnmr.efg.settings import EfgSettings
from lpsnmr.efg.tensors import components_to_tensor
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.typing import Array
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2

__all__ = ["FAR_SIGMA", "EfgModel"]

FAR_SIGMA = 16
"""Bit of a flag: σ is more than ``FAR_TIMES`` that of the typical environment of training."""
FAR_TIMES = 3.0

Indices = NDArray[np.int32]


class EfgModel:
    """Electric field gradients of chosen nuclei from positions; exact under rotation and inversion.

    Parameters
    ----------
    settings
        What the features are made of.
    targets
        Weights and training ranges by chemical symbol of the target.
    provenance
        Where the model comes from; written to the file as it is.

    Attributes
    ----------
    n_predicted, n_flagged : int
        Tensors predicted so far, and how many of them were outside the range of the training data.
    last_flags : (m,) uint8 array
        Reasons for the latest call: bits 1 a neighbour nearer than in training, 2 coordination outside
        the range of training, 4 and 8 the same at a bridge that reaches the target. ``FAR_SIGMA``, 16, is
        added where σ is asked for (``annotate``, ``lpsnmr efg``).

    Examples
    --------
    >>> from ase.build import bulk
    >>> model = EfgModel.default()
    >>> tensors = model.predict(bulk("LiS", "rocksalt", a=5.0))
    >>> tensors.shape, bool(abs(tensors).max() < 1e-10)  # zero at a site of cubic symmetry
    ((1, 3, 3), True)
    """

    def __init__(
        self, settings: EfgSettings, targets: dict[str, TargetPart], provenance: dict[str, Any]
    ) -> None:
        if not targets:
            raise InputError("an EFG model needs at least one target species")
        self.settings = settings
        self.targets = dict(targets)
        self.provenance = dict(provenance)
        basis = settings.basis()
        self._predictors = {
            chemical_symbols.index(symbol): EfgPredictor(
                basis, part.weights, part.target_range, part.bridge_ranges
            )
            for symbol, part in targets.items()
        }
        self._committees: dict[int, list[EfgPredictor]] | None = None
        self._sha256: str | None = None
        self.n_predicted = 0
        self.n_flagged = 0
        self.last_flags: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "EfgModel":
        """Read a model file; FileFormatError tells what is wrong with it and where."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise FileFormatError(f"{path}: cannot be read: {error.strerror}") from error
        try:
            parsed = parse_model(content, str(path))
        except InputError as error:
            raise FileFormatError(str(error)) from error
        try:
            model = cls(*parsed)
        except InputError as error:
            raise FileFormatError(f"{path}: {error}") from error
        model._sha256 = hashlib.sha256(content).hexdigest()
        return model

    @classmethod
    def default(cls) -> "EfgModel":
        """Load the shipped model of ⁷Li in Li–P–S solids."""
        return cls.load(str(files("lpsnmr.data") / "models" / "li3ps4_pbe.efg"))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file, aside and renamed."""
        content = self._content()
        with written_aside(path) as aside:
            aside.write_bytes(content)
        self._sha256 = hashlib.sha256(content).hexdigest()

    @property
    def sha256(self) -> str:
        """Hash of the file the model was loaded from or would be saved to."""
        if self._sha256 is None:
            self._sha256 = hashlib.sha256(self._content()).hexdigest()
        return self._sha256

    def predict_components(
        self,
        positions: Array,
        cell: Array,
        pbc: Sequence[bool],
        numbers: NDArray[Any],
        targets: NDArray[Any],
        threads: int = 1,
    ) -> Array:
        """Return the five components of the tensors of chosen atoms; the hot path, no ASE inside.

        Parameters
        ----------
        positions
            (n, 3) float64, Å; need not be wrapped.
        cell
            (3, 3) float64, rows are the cell vectors, Å.
        pbc
            Three bools.
        numbers
            (n,) int, atomic numbers.
        targets
            (m,) int, atom indices.
        threads
            Threads that share the work.

        Returns
        -------
        Array
            (m, 5) float64, V/Å², in the order of ``lpsnmr.efg.tensors``.

        Raises
        ------
        InputError
            For a target or a neighbour of an element the model does not know, atoms in one place, an
            index or cell that is not usable.
        """
        wanted = numbers[targets]
        first = int(wanted[0]) if len(wanted) else next(iter(self._predictors))
        if first in self._predictors and bool((wanted == first).all()):
            components, flags = self._predictors[first].predict(
                positions, cell, (bool(pbc[0]), bool(pbc[1]), bool(pbc[2])), numbers, targets, threads
            )
        else:
            components, flags = self._predict_mixed(positions, cell, pbc, numbers, targets, threads)
        self.last_flags = flags
        self.n_predicted += len(flags)
        self.n_flagged += int(np.count_nonzero(flags))
        return components

    def predict(self, atoms: ase.Atoms, targets: NDArray[Any] | None = None, threads: int = 1) -> Array:
        """Return tensors of atoms of a structure.

        Parameters
        ----------
        atoms
            Structure; open directions are taken from ``atoms.pbc``.
        targets
            (m,) int, atom indices; by default every atom of a species the model has weights for.

        Returns
        -------
        Array
            (m, 3, 3) float64, V/Å², symmetric and traceless.

        Raises
        ------
        InputError
            As ``predict_components``; also when the structure holds no target.
        """
        chosen = self.find_targets(atoms.numbers) if targets is None else np.asarray(targets)
        if not len(chosen):
            raise InputError(
                f"no atom to predict in {atoms.symbols}; the model has weights for " + ", ".join(self.targets)
            )
        return components_to_tensor(
            self.predict_components(
                atoms.positions, atoms.cell.array, atoms.pbc.tolist(), atoms.numbers, chosen, threads
            )
        )

    @property
    def has_uncertainty(self) -> bool:
        """Whether the model can tell the uncertainty of all its targets."""
        return all(part.members is not None for part in self.targets.values())

    def predict_uncertainty(
        self, atoms: ase.Atoms, targets: NDArray[Any] | None = None, threads: int = 1
    ) -> Array:
        """Return the standard deviation of the predicted tensors, per component.

        σ² = floor² + mean of the squared components that the members of the committee predict; it does
        not depend on the axes. It is calibrated on held-out runs (``docs/howto/fit-efg.md`` states the
        coverage) and takes as long as one prediction per member.

        Parameters
        ----------
        atoms, targets, threads
            As ``predict``.

        Returns
        -------
        Array
            (m,) float64, V/Å².

        Raises
        ------
        InputError
            As ``predict``; also for a model without a committee.
        """
        if not self.has_uncertainty:
            raise InputError("this EFG model has no committee to tell its uncertainty; fit it again")
        if self._committees is None:
            basis = self.settings.basis()
            self._committees = {
                chemical_symbols.index(symbol): [EfgPredictor(basis, member) for member in part.members]
                for symbol, part in self.targets.items()
                if part.members is not None
            }
        chosen = self.find_targets(atoms.numbers) if targets is None else np.asarray(targets)
        wanted = atoms.numbers[chosen]
        pbc = (bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2]))
        sigma = np.empty(len(chosen))
        for z in np.unique(wanted).tolist():
            if z not in self._committees:
                raise InputError(f"no weights for {chemical_symbols[z]}")
            rows = np.flatnonzero(wanted == z)
            system = (atoms.positions, atoms.cell.array, pbc, atoms.numbers, chosen[rows], threads)
            square = [np.mean(member.predict(*system)[0] ** 2, axis=1) for member in self._committees[z]]
            floor = self.targets[chemical_symbols[z]].floor
            sigma[rows] = np.sqrt(floor**2 + np.mean(square, axis=0))
        return sigma

    def far_flags(self, numbers: NDArray[Any], targets: NDArray[Any], sigma: Array) -> NDArray[np.uint8]:
        """Return ``FAR_SIGMA`` for targets whose σ is far above those of training, else 0.

        Parameters
        ----------
        numbers, targets
            (n,) atomic numbers and (m,) indices.
        sigma
            (m,) V/Å², from ``predict_uncertainty``.

        Returns
        -------
        NDArray
            (m,) uint8; zeros for a model that does not tell the median of σ in training.
        """
        told = self.provenance.get("targets", {})
        told = told if isinstance(told, dict) else {}
        limits = np.full(len(targets), np.inf)
        for symbol in self.targets:
            entry = told.get(symbol)
            median = entry.get("sigma_median") if isinstance(entry, dict) else None
            if isinstance(median, int | float) and median > 0:
                limits[np.asarray(numbers)[targets] == chemical_symbols.index(symbol)] = FAR_TIMES * median
        return np.where(sigma > limits, FAR_SIGMA, 0).astype(np.uint8)

    def annotate(self, atoms: ase.Atoms, threads: int = 1) -> ase.Atoms:
        """Return a copy with an ``efg`` array, nine columns row-major in atomic units (soprano's convention).

        ``efg_flag`` tells why a tensor is out of range (0: it is not), and −1 for atoms that are no target;
        these have zero tensors, because soprano diagonalises all. ``efg_sigma`` (atomic units, NaN where
        there is no target) comes with it when the model has a committee.
        """
        chosen = self.find_targets(atoms.numbers)
        tensors = self.predict(atoms, chosen, threads)
        flags = self.last_flags
        sigma = self.predict_uncertainty(atoms, chosen, threads) if self.has_uncertainty else None
        if sigma is not None:
            flags = flags | self.far_flags(atoms.numbers, chosen, sigma)
        return self.attach(atoms, chosen, tensors, flags, sigma)

    @staticmethod
    def attach(
        atoms: ase.Atoms,
        targets: NDArray[Any],
        tensors: Array,
        flags: NDArray[np.uint8],
        sigma: Array | None = None,
    ) -> ase.Atoms:
        """Return a copy with given tensors (m, 3, 3) and σ (m,), V/Å², as arrays; see ``annotate``."""
        copied = copy.deepcopy(atoms)
        values = np.zeros((len(atoms), 9))
        values[targets] = tensors.reshape(-1, 9) / EFG_AU_V_PER_ANGSTROM2
        copied.arrays["efg"] = values
        copied.arrays["efg_flag"] = np.full(len(atoms), -1)
        copied.arrays["efg_flag"][targets] = flags
        if sigma is not None:
            copied.arrays["efg_sigma"] = np.full(len(atoms), np.nan)
            copied.arrays["efg_sigma"][targets] = sigma / EFG_AU_V_PER_ANGSTROM2
        return copied

    def find_targets(self, numbers: NDArray[Any]) -> Indices:
        """Return the indices of the atoms the model has weights for: (m,) int32."""
        return np.flatnonzero(np.isin(numbers, list(self._predictors))).astype(np.int32)

    def _predict_mixed(
        self,
        positions: Array,
        cell: Array,
        pbc: Sequence[bool],
        numbers: NDArray[Any],
        targets: NDArray[Any],
        threads: int,
    ) -> tuple[Array, NDArray[np.uint8]]:
        """Predict targets of several species, one species after the other."""
        wanted = np.asarray(numbers)[targets]
        components = np.empty((len(targets), 5))
        flags = np.empty(len(targets), dtype=np.uint8)
        for z in np.unique(wanted).tolist():
            if z not in self._predictors:
                raise InputError(
                    f"no weights for {chemical_symbols[z]}; the model predicts {', '.join(self.targets)}"
                )
            rows = np.flatnonzero(wanted == z)
            components[rows], flags[rows] = self._predictors[z].predict(
                positions,
                cell,
                (bool(pbc[0]), bool(pbc[1]), bool(pbc[2])),
                numbers,
                np.asarray(targets)[rows],
                threads,
            )
        return components, flags

    def _content(self) -> bytes:
        return render_model(self.settings, self.targets, self.provenance)

    def __repr__(self) -> str:
        """Name the targets, the species and the number of features."""
        species = "".join(chemical_symbols[z] for z in self.settings.species)
        size = len(next(iter(self.targets.values())).weights)
        return f"<EfgModel of {', '.join(self.targets)} in {species}, {size} features>"
