"""Fit a UFP: pass over the frames, add up normal equations, choose the prior by blocks, solve."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.fitting.accumulate import accumulate, matrices_of
from lpsnmr.fitting.assess import (
    FrameErrors,
    LearningPoint,
    SpreadRow,
    assess,
    learning_curve,
    spread_table,
    tables,
)
from lpsnmr.fitting.choose import choose_on_folds, learning_solutions
from lpsnmr.fitting.datasets import DataSet, data_hash, weight_of
from lpsnmr.fitting.errors_table import ErrorRow
from lpsnmr.fitting.features import FeatureStore
from lpsnmr.fitting.folds import share_out
from lpsnmr.fitting.memory import check_matrices, room_for_features
from lpsnmr.fitting.rows import FrameRows
from lpsnmr.fitting.walk import Execution, Item, Progress, Walk
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.certainty import Posterior
from lpsnmr.potential.core_repulsion import CoreReport, core_constraints, core_report, shortest_distances
from lpsnmr.potential.density import energy_ranges
from lpsnmr.potential.fit_settings import FitSettings
from lpsnmr.potential.prior import PriorSettings, build_prior
from lpsnmr.potential.rows import FirstLook, frame_rows, look_at, row_weights, sparse_features
from lpsnmr.potential.solver import Solver, width_moves
from lpsnmr.reference.terms import chosen_labels
from lpsnmr.typing import Array

__all__ = ["FitResult", "FitSettings", "fingerprint", "fit_ufp"]


@dataclass(frozen=True, eq=False)
class FitResult:
    """A fitted potential and what is known about it."""

    layout: Layout
    coefficients: Array
    """(columns,) float64, eV, in the convention of the .uf3 file."""
    reference_energies: dict[str, float]
    """Energy per atom of each element that the file does not hold, eV."""
    prior: PriorSettings
    candidates: list[tuple[PriorSettings, float]]
    """Each prior with its held-out mean squared weighted residual."""
    held_out: list[ErrorRow]
    """Errors by run, each frame predicted by the fold that has not seen its block; empty without folds."""
    training: list[ErrorRow]
    committee: list[Array]
    """(columns,) of each fold: fits that have left it out."""
    bootstrap: list[Array]
    """(columns,) of each fit to blocks drawn with replacement."""
    spread: list[SpreadRow]
    """Spread of the committee (bootstrap members where there are any, else folds) by run."""
    learning: list[LearningPoint]
    frames: list[FrameErrors]
    """Of the reference frames, in order."""
    core: list[CoreReport]
    shortest: Array
    """(pairs,) shortest distance of each pair over all frames, Å; infinite where there is none."""
    fitted_columns: int
    active_core_constraints: int
    posterior: Posterior
    """Covariance of the fit to all data."""


def fingerprint(data: Sequence[DataSet], settings: FitSettings) -> str:
    """Return a hash of the data and of the settings that the sums depend on, hexadecimal."""
    parts = (settings.basis, settings.weights, settings.folds, settings.steps_per_block, settings.seed)
    return data_hash(data, repr((*parts, settings.bootstrap, settings.run_weights)))


def _first_look(walk: Walk, layout: Layout, store: FeatureStore) -> tuple[NDArray[np.intp], Array, Layout]:
    """Return the columns that the frames move, the shortest distance of each pair, the calibrated layout."""
    n_pairs = len(layout.pairs)
    least = np.full(n_pairs + layout.columns, np.inf)  # of columns: 0 when touched
    density = layout.density
    negative = np.zeros(density.basis.functions if density else 0)  # of the largest moments
    square = np.zeros(density.columns if density else 0)

    def look(item: Item) -> tuple[FirstLook, Array]:
        found = look_at(layout, item.frame)
        store.put(item.index, found.features)
        return found, shortest_distances(layout, [item.frame])

    for _, (seen, shortest) in walk.evaluate(look, walk.mine(), "coefficients"):
        least[n_pairs:][seen.touched] = 0.0
        np.minimum(least[:n_pairs], shortest, out=least[:n_pairs])
        np.minimum(negative, -seen.largest, out=negative)
        square += seen.square
    walk.ranks.least(least)
    least[n_pairs : n_pairs + layout.two_body_columns] = 0.0
    columns = np.flatnonzero(least[n_pairs:] == 0.0)
    if density:
        walk.ranks.least(negative)
        walk.ranks.add_up(square)
        layout = layout.calibrated(-negative, np.sqrt(square / len(walk.items)))
    return columns, least[:n_pairs].copy(), layout


def _with_bounds(walk: Walk, layout: Layout, coefficients: Array) -> Layout:
    """Return the layout with the energies that density terms give the atoms of all frames."""
    density = layout.density
    if density is None:
        return layout
    own = coefficients[layout.basis.columns :]
    least = np.full((2, len(density.blocks)), np.inf)  # lowest, negative of the highest

    def look(item: Item) -> Array:
        species = layout.species(item.frame.get_chemical_symbols())
        return energy_ranges(density, item.frame, species, own)

    for _, found in walk.evaluate(look, walk.mine(), "energies of atoms"):
        np.minimum(least, [found[:, 0], -found[:, 1]], out=least)
    walk.ranks.least(least)
    return replace(layout, density=density.bounded(np.stack([least[0], -least[1]], axis=1)))


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of a frame, from features that are kept."""

    walk: Walk
    layout: Layout
    columns: NDArray[np.intp]
    settings: FitSettings
    store: FeatureStore

    def plain(self, item: Item) -> FrameRows:
        """Return the rows without weights."""
        features = self.store.get(item.index, lambda: sparse_features(self.layout, item.frame))
        number = (item.set_number, self.walk.sets)
        return frame_rows(self.layout, item.frame, self.columns, item.data.scale, number, features)

    def weighted(self, item: Item) -> FrameRows:
        """Return the rows with their weights."""
        rows = self.plain(item)
        of_frame = item.data.weight * weight_of(item.frame, self.settings.run_weights)
        weight = row_weights(rows.kind, self.settings.weights, of_frame)
        return FrameRows(rows.design * weight, rows.target * weight, rows.kind)


def _constraints(
    layout: Layout,
    settings: FitSettings,
    columns: NDArray[np.intp],
    energies: Sequence[float],
    shortest: Array,
) -> tuple[NDArray[np.intp], Array] | None:
    """Return what keeps the core repulsive; None when it is free."""
    if not settings.monotone_core:
        return None
    return core_constraints(layout, shortest, build_prior(layout, settings.priors[0], columns, energies).mean)


def _spread_out(layout: Layout, columns: NDArray[np.intp], solution: Array) -> Array:
    """Return all coefficients of a layout; those that are not fitted are zero."""
    full = np.zeros(layout.columns)
    full[columns] = solution[: len(columns)]
    return full


def fit_ufp(
    data: Sequence[DataSet],
    settings: FitSettings,
    progress: Progress | None = None,
    execution: Execution | None = None,
) -> FitResult:
    """Fit a UFP by regularised linear least squares.

    The features of a frame are evaluated once and kept as long as ``execution.memory`` has room for them;
    those beyond are evaluated again in each of the walks over the frames (which coefficients do they touch;
    normal equations; errors). Beside them there is one matrix of (columns)² float64 per fold and bootstrap
    member.

    Parameters
    ----------
    data
        The first set is the reference, on which errors are measured; further ones only add rows to the fit.
    settings
        Basis, priors, weights, folds.
    progress
        Called with (stage, done, total).
    execution
        Threads, ranks, checkpoint. With ranks every rank passes the same data and gets the same result.

    Returns
    -------
    FitResult
        The potential of all data, with held-out errors of the folds.

    Raises
    ------
    InputError
        For missing labels or parts of them, labels of another functional, unknown elements, atoms closer than
        the first knot, or too few blocks.
    ComputeError
        When the equations cannot be solved in float64, or not in this memory.
    """
    if not data or not data[0].frames:
        raise InputError("no reference frames; expected at least one")
    reference = replace(data[0], frames=chosen_labels(data[0].frames, settings.labels))
    data = [reference, *data[1:]]
    layout = Layout.from_settings(settings.basis)
    try:
        return _fit(layout, Walk(data, progress, execution), data, settings)
    except MemoryError as error:
        raise ComputeError(
            f"{layout.columns} coefficients: not enough memory ({error}); a matrix of them takes "
            f"{layout.columns**2 * 8 / 1e9:.3g} GB, and {settings.folds + 1 + settings.bootstrap} are kept"
        ) from error


def _fit(layout: Layout, walk: Walk, data: Sequence[DataSet], settings: FitSettings) -> FitResult:
    """Fit with a layout of which nothing is known yet but its columns; see ``fit_ufp``."""
    blocks = share_out(data, settings)
    others = walk.sets * len(layout.settings.elements)  # reference energies
    matrices, memory = matrices_of(settings), walk.execution.memory
    store = FeatureStore(room_for_features(layout.columns + others, matrices, walk.ranks, memory))
    columns, shortest, layout = _first_look(walk, layout, store)
    size = len(columns) + others
    check_matrices(size, matrices, walk.ranks, memory)
    rows = _Rows(walk, layout, columns, settings, store)
    key = f"{fingerprint(data, settings)} {columns.size} {columns.sum()}"
    sums = accumulate(walk, rows.weighted, size, blocks, settings, key)
    energies = [d.scale * float(np.mean([f.calc.results["energy"] / len(f) for f in d.frames])) for d in data]
    solver = Solver(layout, columns, energies, _constraints(layout, settings, columns, energies, shortest))
    moves = width_moves(density=layout.density is not None)
    choice = choose_on_folds(
        solver, sums, settings.priors, moves, settings.search, lambda *n: walk.tick("cross-validation", *n)
    )
    fewer = {}
    if settings.learning_curve:
        fewer = learning_solutions(solver, sums, choice.prior, lambda *n: walk.tick("learning curve", *n))
    members = [solver(s, choice.prior) for s in sums.members]
    final = solver(sums.without(), choice.prior)
    if not np.isfinite(final).all():
        raise ComputeError("the fit gave coefficients that are not finite")
    reference = walk.items[: len(data[0].frames)]
    frames = assess(
        walk, rows.plain, reference, blocks.label, blocks.fold, final, choice.folds, members, fewer
    )
    store.clear()
    held_out, training = tables(frames)
    committee, bootstrap, [coefficients] = (
        [_spread_out(layout, columns, c) for c in some] for some in (choice.folds, members, [final])
    )
    layout = _with_bounds(walk, layout, coefficients)
    return FitResult(
        layout=layout,
        coefficients=coefficients,
        reference_energies=dict(zip(layout.settings.elements, final[len(columns) :].tolist(), strict=False)),
        prior=choice.prior,
        candidates=choice.tried,
        held_out=held_out,
        training=training,
        committee=committee,
        bootstrap=bootstrap,
        spread=spread_table(frames),
        learning=learning_curve(frames, blocks.fold[: len(reference)]),
        frames=frames,
        core=core_report(layout, coefficients, shortest),
        shortest=shortest,
        fitted_columns=len(columns),
        active_core_constraints=solver.active,
        posterior=Posterior(columns, solver.factor),
    )
