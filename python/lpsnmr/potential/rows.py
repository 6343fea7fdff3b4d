"""Features of labelled frames, and the rows of the least-squares problem they make with the labels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import ase
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lpsnmr.errors import InputError
from lpsnmr.fitting.features import FeatureStore, SparseRows, largest_of_rows
from lpsnmr.fitting.rows import FrameRows
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.density import frame_features
from lpsnmr.strict_model import checked_dataclass
from lpsnmr.typing import Array
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

__all__ = [
    "FirstLook",
    "WeightSettings",
    "calibrate",
    "frame_rows",
    "look_at",
    "row_weights",
    "sparse_features",
    "touched_columns",
]

ExpectedError = Annotated[float, Field(gt=0, allow_inf_nan=True)]
VIRIAL_OF_VOIGT = (0, 1, 2, 5, 4, 3)
"""Position in xx yy zz xy xz yz of ASE's xx yy zz yz xz xy."""


@checked_dataclass
class WeightSettings:
    """Expected errors; a row weighs one over its expected error. Infinity switches a kind of row off."""

    energy_ev_per_atom: ExpectedError = 0.003
    force_ev_per_angstrom: ExpectedError = 0.1
    stress_gpa: ExpectedError = 0.1


def frame_rows(
    layout: Layout,
    frame: ase.Atoms,
    columns: NDArray[np.intp] | None = None,
    scale: float = 1.0,
    data_set: tuple[int, int] = (0, 1),
    features: SparseRows | None = None,
) -> FrameRows:
    """Pair the features of a frame with its labels.

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
    features
        Of the frame, from ``sparse_features``; evaluated when None.

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
    if features is None:
        features = sparse_features(layout, frame)
    at, values = features.chosen(columns)
    species = layout.species(frame.get_chemical_symbols(), where)
    n = len(frame)
    number, sets = data_set
    elements = len(layout.settings.elements)
    counts = np.zeros(sets * elements)
    counts[number * elements : (number + 1) * elements] = np.bincount(species, minlength=elements) / n
    stress = results.get("stress")
    size = 1 + 3 * n + (6 if stress is not None else 0)
    fitted = features.size if columns is None else len(columns)
    design = np.zeros((fitted + len(counts), size))
    design[at, 0] = values[:, 0] / n
    design[fitted:, 0] = counts
    design[at, 1 : 1 + 3 * n] = values[:, 7:]
    parts = [np.array([float(results["energy"]) / n]), np.ravel(results["forces"])]
    if stress is not None:
        design[at, 1 + 3 * n :] = -values[:, [1 + k for k in VIRIAL_OF_VOIGT]] / frame.get_volume()
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


def sparse_features(layout: Layout, frame: ase.Atoms) -> SparseRows:
    """Return the features (columns, 7 + 3 n) of a frame; see ``Layout.features``.

    Raises
    ------
    InputError
        For an unknown element or a pair below the first knot.
    """
    return _features(layout, frame)[0]


def _features(layout: Layout, frame: ase.Atoms) -> tuple[SparseRows, Array]:
    """Return the features of a frame and its largest scalar moments (functions,)."""
    where = str(frame.info.get("source", "frame"))
    species = layout.species(frame.get_chemical_symbols(), where)
    largest = np.zeros(0)
    try:
        dense = layout.basis.features(frame.positions, frame.cell.array, frame.pbc.tolist(), species)
        if layout.density:
            more, largest = frame_features(layout.density, frame, species)
            dense = np.concatenate([dense, more])
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return SparseRows.of(dense), largest


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What is asked of a frame before the fit.

    ``touched`` (columns,) says which columns the frame moves; all two-body columns count as moved. Of the
    density terms, ``largest`` (functions,) holds the largest scalar moments and ``square`` (density columns,)
    the mean square of the forces per unit coefficient; both are empty without such terms. ``features`` are
    those of the frame: no term fades in a frame of the fit, so they are the same before and after
    calibration.
    """

    touched: NDArray[np.bool_]
    largest: Array
    square: Array
    features: SparseRows


def look_at(layout: Layout, frame: ase.Atoms) -> FirstLook:
    """Evaluate what the fit must know of a frame first."""
    features, largest = _features(layout, frame)
    touched = np.zeros(layout.columns, dtype=bool)
    touched[features.index[largest_of_rows(features.values) > 1e-9]] = True
    touched[: layout.two_body_columns] = True
    square = np.zeros(layout.density.columns if layout.density else 0)
    if layout.density:
        first = np.searchsorted(features.index, layout.basis.columns)
        forces = features.values[first:, 7:]
        square[features.index[first:] - layout.basis.columns] = (forces**2).mean(axis=1)
    return FirstLook(touched, largest, square, features)


def calibrate(layout: Layout, frames: Sequence[ase.Atoms], keep: FeatureStore | None = None) -> Layout:
    """Return the layout with the largest moments and the force scale of its density terms over frames.

    The features go into ``keep`` by the number of the frame.
    """
    if layout.density is None:
        return layout
    largest = np.zeros(layout.density.basis.functions)
    squares = []
    for number, frame in enumerate(frames):
        look = look_at(layout, frame)
        largest = np.maximum(largest, look.largest)
        squares.append(look.square)
        if keep is not None:
            keep.put(number, look.features)
    return layout.calibrated(largest, np.sqrt(np.mean(squares, axis=0)))


def touched_columns(layout: Layout, data: Iterable[ase.Atoms]) -> NDArray[np.intp]:
    """Return the columns that any frame moves, and all two-body columns, in ascending order."""
    touched = np.zeros(layout.columns, dtype=bool)
    touched[: layout.two_body_columns] = True
    for frame in data:
        touched |= look_at(layout, frame).touched
    return np.flatnonzero(touched)
