"""Rows of the least-squares problem, frame by frame, and the normal equations they add up to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import ase
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from lpsnmr.errors import InputError
from lpsnmr.parallel.ranks import Ranks
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.density import frame_features
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

__all__ = [
    "DataSet",
    "FirstLook",
    "FrameRows",
    "NormalEquations",
    "WeightSettings",
    "calibrate",
    "frame_rows",
    "look_at",
    "row_weights",
    "touched_columns",
]

Array = NDArray[np.float64]
VIRIAL_OF_VOIGT = (0, 1, 2, 5, 4, 3)
"""Position in xx yy zz xy xz yz of ASE's xx yy zz yz xz xy."""


@dataclass(frozen=True)
class WeightSettings:
    """Expected errors; a row weighs one over its expected error."""

    energy_ev_per_atom: float = 0.003
    force_ev_per_angstrom: float = 0.1
    stress_gpa: float = 0.1

    def __post_init__(self) -> None:
        """Refuse errors that are not positive; infinity switches a kind of row off."""
        for name, value in vars(self).items():
            if not value > 0:
                raise InputError(f"{name}: expected a positive number, got {value}")


@dataclass(frozen=True)
class DataSet:
    """Frames with labels, a common weight, and a factor on their labels.

    ``weight`` multiplies the squared residuals (0.05: a frame counts a twentieth); ``scale`` multiplies
    energies, forces and stress before use, for labels of a method that is known to be too soft.
    """

    frames: Sequence[ase.Atoms]
    weight: float = 1.0
    scale: float = 1.0
    name: str = "reference"

    def __post_init__(self) -> None:
        """Refuse weights and factors that make no sense."""
        if not (np.isfinite(self.weight) and self.weight > 0):
            raise InputError(f"data set {self.name}: expected a weight > 0, got {self.weight}")
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise InputError(f"data set {self.name}: expected a scale > 0, got {self.scale}")


@dataclass(frozen=True, eq=False)
class FrameRows:
    """Unweighted rows of one frame: energy per atom, forces, stress (eV/Å³, Voigt) as far as labelled.

    ``design`` is (columns, rows); the columns are the coefficients, then for each data set one reference
    energy per element.
    """

    design: Array
    target: Array
    kind: NDArray[np.int8]  # 0 energy, 1 force, 2 stress


def frame_rows(
    layout: Layout,
    frame: ase.Atoms,
    columns: NDArray[np.intp] | None = None,
    scale: float = 1.0,
    data_set: tuple[int, int] = (0, 1),
) -> FrameRows:
    """Evaluate the features of a frame and pair them with its labels.

    Parameters
    ----------
    layout
        Numbering of the coefficients.
    frame
        Atoms with ``calc.results`` energy and forces; stress where there is one.
    columns
        Coefficients to keep; all by default. Reference energies are always kept.
    scale
        Factor on the labels.
    data_set
        Number of the data set and how many there are: each has its own reference energies.

    Raises
    ------
    InputError
        For a missing label, an unknown element or a pair below the first knot.
    """
    where = str(frame.info.get("source", "frame"))
    results = frame.calc.results if frame.calc is not None else {}
    for label in ("energy", "forces"):
        if label not in results:
            raise InputError(f"{where}: no {label!r}; the fit needs energy and forces of every frame")
    species = layout.species(frame.get_chemical_symbols(), where)
    try:
        features = layout.features(frame.positions, frame.cell.array, frame.pbc.tolist(), species)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if columns is not None:
        features = features[columns]
    n = len(frame)
    number, sets = data_set
    elements = len(layout.settings.elements)
    counts = np.zeros(sets * elements)
    counts[number * elements : (number + 1) * elements] = np.bincount(species, minlength=elements) / n
    stress = results.get("stress")
    size = 1 + 3 * n + (6 if stress is not None else 0)
    design = np.zeros((len(features) + len(counts), size))
    design[: len(features), 0] = features[:, 0] / n
    design[len(features) :, 0] = counts
    design[: len(features), 1 : 1 + 3 * n] = features[:, 7:]
    parts = [np.array([float(results["energy"]) / n]), np.ravel(results["forces"])]
    if stress is not None:
        design[: len(features), 1 + 3 * n :] = (
            -features[:, [1 + k for k in VIRIAL_OF_VOIGT]] / frame.get_volume()
        )
        parts.append(np.asarray(stress, dtype=float))
    target = np.concatenate(parts) * scale
    if not np.isfinite(target).all():
        raise InputError(f"{where}: labels are not finite")
    kind = np.repeat(np.array([0, 1, 2], dtype=np.int8), [1, 3 * n, size - 1 - 3 * n])
    return FrameRows(design, target, kind)


def row_weights(kind: NDArray[np.int8], weights: WeightSettings, data_weight: float = 1.0) -> Array:
    """Return the factor of each row: sqrt(data weight) / expected error, (rows,) float64."""
    expected = np.array(
        [
            weights.energy_ev_per_atom,
            weights.force_ev_per_angstrom,
            weights.stress_gpa / EV_PER_ANGSTROM3_GPA,
        ]
    )
    return np.asarray(np.sqrt(data_weight) / expected[kind])


@dataclass(eq=False)
class NormalEquations:
    """Sums over rows: design' design (lower triangle), design' target, target' target and the row count.

    Memory is that of one (columns, columns) float64 matrix, whatever the number of frames; rows are
    gathered into batches for one rank-k update each.
    """

    size: int
    gram: Array = field(init=False)
    moment: Array = field(init=False)
    square: float = 0.0
    rows: int = 0

    def __post_init__(self) -> None:
        """Start from zero."""
        self.reset()

    def reset(self) -> None:
        """Forget all rows."""
        self.gram = np.zeros((self.size, self.size), order="F")
        self.moment = np.zeros(self.size)
        self.square, self.rows = 0.0, 0
        self._waiting: list[Array] = []

    def add(self, design: Array, target: Array) -> None:
        """Add weighted rows: design (columns, rows), target (rows,)."""
        self._waiting.append(design)
        self.moment += design @ target
        self.square += float(target @ target)
        self.rows += len(target)
        if sum(d.shape[1] for d in self._waiting) >= 512:
            self.flush()

    def flush(self) -> None:
        """Bring the waiting rows into ``gram``."""
        if not self._waiting:
            return
        batch = np.asfortranarray(np.concatenate(self._waiting, axis=1))
        self._waiting = []
        self.gram = blas.dsyrk(1.0, batch, beta=1.0, c=self.gram, lower=1, overwrite_c=1)

    def state(self) -> dict[str, Array]:
        """Return the sums as arrays, the waiting rows apart: flushing them now would change last digits."""
        waiting = np.concatenate(self._waiting, axis=1) if self._waiting else np.empty((self.size, 0))
        rest = np.array([self.square, float(self.rows)])
        return {"gram": self.gram, "moment": self.moment, "rest": rest, "waiting": waiting}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go back to what ``state`` returned; rows added from here on give the same bits."""
        self.gram = np.asfortranarray(state["gram"])
        self.moment = np.array(state["moment"])
        self.square, self.rows = float(state["rest"][0]), int(state["rest"][1])
        waiting = np.array(state["waiting"])
        self._waiting = [waiting] if waiting.shape[1] else []

    def __iadd__(self, other: "NormalEquations") -> "NormalEquations":
        """Add the sums of other rows."""
        self.add_times(other, 1)
        return self

    def add_times(self, other: "NormalEquations", times: int) -> None:
        """Add the sums of other rows as if they stood there ``times`` times."""
        self.flush()
        other.flush()
        self.gram += other.gram if times == 1 else times * other.gram
        self.moment += times * other.moment
        self.square += times * other.square
        self.rows += times * other.rows

    def part(self, chosen: NDArray[np.intp]) -> "NormalEquations":
        """Return the sums over the same rows for some of the unknowns, ascending; the others are zero."""
        self.flush()
        out = NormalEquations(len(chosen))
        out.gram = np.asfortranarray(self.gram[np.ix_(chosen, chosen)])
        out.moment, out.square, out.rows = self.moment[chosen], self.square, self.rows
        return out

    def add_over(self, ranks: Ranks) -> None:
        """Replace the sums by those over all ranks."""
        self.flush()
        if ranks.size == 1:
            return
        rest = np.array([self.square, float(self.rows)])
        for array in (self.gram, self.moment, rest):
            ranks.add_up(array)
        self.square, self.rows = float(rest[0]), int(rest[1])

    def loss(self, coefficients: Array) -> float:
        """Return the mean squared weighted residual of these rows at given coefficients."""
        self.flush()
        product = blas.dsymv(1.0, self.gram, coefficients, lower=1)
        total = self.square - 2 * coefficients @ self.moment + coefficients @ product
        return float(max(total, 0.0) / max(self.rows, 1))


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What is asked of a frame before the fit.

    ``touched`` (columns,) says which columns the frame moves; all two-body columns count as moved. Of the
    density terms, ``largest`` (functions,) holds the largest scalar moments and ``square`` (density columns,)
    the mean square of the forces per unit coefficient; both are empty without such terms.
    """

    touched: NDArray[np.bool_]
    largest: Array
    square: Array


def look_at(layout: Layout, frame: ase.Atoms) -> FirstLook:
    """Evaluate what the fit must know of a frame first."""
    where = str(frame.info.get("source", "frame"))
    species = layout.species(frame.get_chemical_symbols(), where)
    try:
        features = layout.basis.features(frame.positions, frame.cell.array, frame.pbc.tolist(), species)
        largest = square = np.zeros(0)
        if layout.density:
            more, largest = frame_features(layout.density, frame, species)
            features = np.concatenate([features, more])
            square = (more[:, 7:] ** 2).mean(axis=1)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    touched = np.asarray(np.abs(features).max(axis=1) > 1e-9)
    touched[: layout.two_body_columns] = True
    return FirstLook(touched, largest, square)


def calibrate(layout: Layout, frames: Sequence[ase.Atoms]) -> Layout:
    """Return the layout with the largest moments and the force scale of its density terms over frames."""
    if layout.density is None:
        return layout
    looks = [look_at(layout, frame) for frame in frames]
    largest = np.max([k.largest for k in looks], axis=0, initial=0.0)
    return layout.calibrated(largest, np.sqrt(np.mean([k.square for k in looks], axis=0)))


def touched_columns(layout: Layout, data: Iterable[ase.Atoms]) -> NDArray[np.intp]:
    """Return the columns that any frame moves, and all two-body columns, in ascending order."""
    touched = np.zeros(layout.columns, dtype=bool)
    touched[: layout.two_body_columns] = True
    for frame in data:
        touched |= look_at(layout, frame).touched
    return np.flatnonzero(touched)
