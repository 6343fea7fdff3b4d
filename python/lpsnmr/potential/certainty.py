"""What a fit knows about its own certainty: the posterior covariance, element by element, as a .ufx file."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from lpsnmr._core import density_site_features, site_features
from lpsnmr.files.atomic import written_aside
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.density import DensityBlock, radial_coefficients
from lpsnmr.typing import Array
from lpsnmr.version import __version__

__all__ = [
    "ElementCertainty",
    "Posterior",
    "element_certainty",
    "site_rows",
    "training_deviations",
    "write_extrapolation",
]

QUANTILES = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Covariance of a fit, as the Cholesky factor of its inverse.

    ``factor`` is (n, n) float64, lower triangle, of the matrix of the regularised normal equations (rows
    weighted by one over their expected error, plus the prior); its unknowns are the coefficients
    ``columns``, ascending, then the reference energies of the elements of each data set.
    """

    columns: NDArray[np.intp]
    factor: Array


@dataclass(frozen=True, eq=False)
class ElementCertainty:
    """Certainty of the site energy of one element, from its mean in training on.

    ``factor`` is (m, m) float32, lower triangle L of the covariance L L' (eV²) of the coefficients
    ``columns`` (m,), and ``mean`` (m,) float32 the mean features of the training atoms.
    """

    element: str
    columns: NDArray[np.intp]
    factor: NDArray[np.float32]
    mean: NDArray[np.float32]
    unseen_deviation: float
    """Prior width of coefficients of V2 and V3 that no training frame touches, eV."""
    unseen: NDArray[np.intp]
    """Those coefficients."""

    def deviations(self, rows: Array) -> Array:
        """Return the standard deviation of site energies minus that of the mean neighbourhood of training.

        The difference is taken because constants per element move between the elements at no cost in energy
        and force; alone, they would be the largest part of the deviation of every atom.

        Parameters
        ----------
        rows
            (n, columns of the layout) float64, from ``site_rows``, of atoms of this element.

        Returns
        -------
        Array
            (n,) float64, eV.
        """
        unseen = rows[:, self.unseen]
        seen = (rows[:, self.columns] - self.mean.astype(float)) @ self.factor.astype(float)
        return np.asarray(np.sqrt((seen**2).sum(axis=1) + self.unseen_deviation**2 * (unseen**2).sum(axis=1)))


def site_rows(layout: Layout, frame: ase.Atoms) -> tuple[NDArray[np.intp], Array]:
    """Return species (n,) and energy features (n, columns) of the atoms of a frame.

    Values without derivatives: evaluating them takes a fiftieth of the features of a fit, less than keeping.
    Density terms do not fade here as they do in the potential: where moments are larger than in training, the
    features grow, and so does the deviation.
    """
    species = layout.species(frame.get_chemical_symbols(), str(frame.info.get("source", "frame")))
    place = (frame.positions, frame.cell.array, frame.pbc.tolist(), species)
    rows = site_features(layout.basis, *place)
    if layout.density is not None:
        rows = np.concatenate([rows, density_site_features(layout.density.basis, *place)], axis=1)
    return np.array(species), rows


def _mean_rows(layout: Layout, frames: Sequence[ase.Atoms]) -> Array:
    """Return (elements, columns) the mean energy features of the atoms of each element."""
    elements = len(layout.settings.elements)
    sums, counts = np.zeros((elements, layout.columns)), np.zeros(elements)
    for frame in frames:
        species, rows = site_rows(layout, frame)
        np.add.at(sums, species, rows)
        counts += np.bincount(species, minlength=elements)
    return np.asarray(sums / np.maximum(counts, 1)[:, None])


def _columns_of_center(layout: Layout, element: int) -> NDArray[np.bool_]:
    """Return (columns,) whether a coefficient moves the site energy of an element."""
    used = np.zeros(layout.columns, dtype=bool)
    for block, pair in enumerate(layout.pairs):
        first, count = layout.basis.pair_columns(block)
        used[first : first + count] |= element in pair
    for block, triple in enumerate(layout.triples):
        if triple[0] == element:
            columns = layout.basis.triple_columns(block)
            used[columns[columns >= 0]] = True
    if layout.density is not None:
        for number, terms in enumerate(layout.density.blocks):
            if terms.center == layout.settings.elements[element]:
                start, count = layout.density.basis.block_columns(number)
                used[layout.basis.columns + start :][:count] = True
    return used


def element_certainty(
    layout: Layout, posterior: Posterior, unseen_deviation: float, frames: Sequence[ase.Atoms]
) -> list[ElementCertainty]:
    """Return the covariance of what the site energy of each element depends on, and its mean over frames.

    With A = C C' the matrix of the fit and E the columns of the unit matrix that are wanted, the covariance
    is E' A^-1 E = W' W, W = C^-1 E; the triangle of the QR factorisation of W is its Cholesky factor. The
    inverse is never formed, and the result is positive definite however small the variances are.
    """
    means = _mean_rows(layout, frames)
    out = []
    for number, element in enumerate(layout.settings.elements):
        wanted = np.flatnonzero(_columns_of_center(layout, number)[posterior.columns])
        columns = posterior.columns[wanted]
        unit = np.zeros((len(posterior.factor), len(wanted)), order="F")
        unit[wanted, np.arange(len(wanted))] = 1.0
        half = scipy.linalg.solve_triangular(
            posterior.factor, unit, lower=True, overwrite_b=True, check_finite=False
        )
        triangle = scipy.linalg.qr(half, mode="r", overwrite_a=True, check_finite=False)[0][: len(wanted)]
        factor = (triangle * np.sign(np.diag(triangle))[:, None]).T.astype(np.float32)
        mean = means[number, columns].astype(np.float32)
        unseen = np.setdiff1d(np.arange(layout.basis.columns), columns)
        out.append(ElementCertainty(element, columns, factor, mean, float(unseen_deviation), unseen))
    return out


def training_deviations(
    layout: Layout, certainty: Sequence[ElementCertainty], frames: Sequence[ase.Atoms]
) -> list[Array]:
    """Return for each element the standard deviations (eV) of its atoms in the training frames, ascending."""
    found: list[list[Array]] = [[] for _ in certainty]
    for frame in frames:
        species, rows = site_rows(layout, frame)
        for number, part in enumerate(certainty):
            found[number].append(part.deviations(rows[species == number]))
    return [np.sort(np.concatenate(values)) for values in found]


def _density_header(block: DensityBlock) -> dict[str, Any]:
    """Return density terms around an element as plain values; the radial functions as inner coefficients."""
    return {
        "center": block.center,
        "orders": block.orders,
        "channels": [
            {
                "element": c.element,
                "highest_l": c.highest_l,
                "start": c.first_knot,
                "cutoff": c.cutoff,
                "intervals": c.intervals,
                "functions": radial_coefficients(c).tolist(),
            }
            for c in block.channels
        ],
    }


def _header(
    layout: Layout,
    certainty: Sequence[ElementCertainty],
    deviations: Sequence[Array],
    shortest: Array,
    potential: dict[str, str],
) -> dict[str, Any]:
    """Return the first line of a .ufx file as plain values."""
    names = layout.settings.elements
    reach = float(layout.pair_knots[-1])
    return {
        "format": "lpsnmr-ufx",
        "version": 2,
        "lpsnmr": __version__,
        "potential": potential,
        "units": "eV, Å",
        "elements": list(names),
        "pairs": [
            {
                "elements": [names[a], names[b]],
                "knots": layout.pair_knots.tolist(),
                # a pair that never came within the cutoff is unknown at any distance below it
                "shortest": float(min(distance, reach)),
            }
            for (a, b), distance in zip(layout.pairs, shortest, strict=True)
        ],
        "triples": [
            {"elements": [names[e] for e in triple], "knots": [k.tolist() for k in knots]}
            for triple, knots in zip(layout.triples, layout.triple_knots, strict=True)
        ],
        "density": [_density_header(block) for block in (layout.density.blocks if layout.density else ())],
        "certainty": [
            {
                "element": part.element,
                "columns": part.columns.tolist(),
                "unseen_deviation": part.unseen_deviation,
                "largest_deviation": float(values[-1]) if len(values) else part.unseen_deviation,
                "training_atoms": len(values),
                "training_quantiles": {
                    str(q): float(np.quantile(values, q)) for q in QUANTILES if len(values)
                },
            }
            for part, values in zip(certainty, deviations, strict=True)
        ],
    }


def write_extrapolation(
    path: str | os.PathLike[str],
    layout: Layout,
    certainty: Sequence[ElementCertainty],
    deviations: Sequence[Array],
    shortest: Array,
    potential: dict[str, str],
) -> None:
    """Write a .ufx file: one line of JSON, then factor and mean of each element.

    It appears whole or not at all.

    Parameters
    ----------
    path
        Target, ``*.ufx``.
    layout
        Knots and columns.
    certainty
        From ``element_certainty``.
    deviations
        From ``training_deviations``; the largest one of each element is its grade 1.
    shortest
        (pairs,) shortest distances of training, Å.
    potential
        ``file`` and ``sha256`` of the .uf3 file.
    """
    header = _header(layout, certainty, deviations, shortest, potential)
    line = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    with written_aside(path) as aside, Path(aside).open("wb") as file:
        file.write(line.encode() + b"\n")
        for part in certainty:
            rows, columns = np.tril_indices(len(part.factor))
            file.write(part.factor[rows, columns].astype("<f4").tobytes())
            file.write(part.mean.astype("<f4").tobytes())
