"""Fit a UFP: pass over the frames, add up normal equations, choose the prior by blocks, solve."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.potential.accumulate import accumulate, share_out
from lpsnmr.potential.assess import (
    FrameErrors,
    LearningPoint,
    SpreadRow,
    assess,
    learning_curve,
    spread_table,
    tables,
)
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.certainty import Posterior
from lpsnmr.potential.choose import Solver, choose_prior, learning_solutions
from lpsnmr.potential.core_repulsion import CoreReport, core_constraints, core_report, shortest_distances
from lpsnmr.potential.density import energy_ranges
from lpsnmr.potential.errors_table import ErrorRow
from lpsnmr.potential.fit_settings import FitSettings
from lpsnmr.potential.normal import DataSet, FirstLook, look_at
from lpsnmr.potential.prior import PriorSettings
from lpsnmr.potential.solve import Prior
from lpsnmr.potential.walk import Execution, Item, Progress, Walk
from lpsnmr.reference.terms import chosen_labels

__all__ = ["FitResult", "FitSettings", "fit_ufp"]

Array = NDArray[np.float64]


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


def _first_look(walk: Walk, layout: Layout) -> tuple[NDArray[np.intp], Array, Layout]:
    """Return the columns that the frames move, the shortest distance of each pair, the calibrated layout."""
    n_pairs = len(layout.pairs)
    least = np.full(n_pairs + layout.columns, np.inf)  # of columns: 0 when touched
    density = layout.density
    negative = np.zeros(density.basis.functions if density else 0)  # of the largest moments
    square = np.zeros(density.columns if density else 0)

    def look(item: Item) -> tuple[FirstLook, Array]:
        return look_at(layout, item.frame), shortest_distances(layout, [item.frame])

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


def fit_ufp(
    data: Sequence[DataSet],
    settings: FitSettings,
    progress: Progress | None = None,
    execution: Execution | None = None,
) -> FitResult:
    """Fit a UFP by regularised linear least squares.

    The frames are walked over three times (which coefficients do they touch; normal equations; errors);
    of their features nothing is kept but one matrix of (columns)² float64 per fold and bootstrap member.

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
    columns, shortest, layout = _first_look(walk, layout)
    sums = accumulate(walk, layout, columns, blocks, settings, data)
    energies = [d.scale * float(np.mean([f.calc.results["energy"] / len(f) for f in d.frames])) for d in data]
    constraints = None
    if settings.monotone_core:
        mean = Prior.build(layout, settings.priors[0], columns, energies).mean
        constraints = core_constraints(layout, shortest, mean)
    solver = Solver(layout, columns, energies, constraints)
    choice = choose_prior(solver, sums, settings, lambda *n: walk.tick("cross-validation", *n))
    fewer = {}
    if settings.learning_curve:
        fewer = learning_solutions(solver, sums, choice.prior, lambda *n: walk.tick("learning curve", *n))
    members = [solver(s, choice.prior) for s in sums.members]
    final = solver(sums.without(), choice.prior)
    if not np.isfinite(final).all():
        raise ComputeError("the fit gave coefficients that are not finite")
    reference = walk.items[: len(data[0].frames)]
    frames = assess(
        walk, layout, columns, reference, blocks.label, blocks.fold, final, choice.folds, members, fewer
    )
    held_out, training = tables(frames)

    def spread_out(solution: Array) -> Array:
        full = np.zeros(layout.columns)
        full[columns] = solution[: len(columns)]
        return full

    coefficients = spread_out(final)
    layout = _with_bounds(walk, layout, coefficients)
    return FitResult(
        layout=layout,
        coefficients=coefficients,
        reference_energies=dict(zip(layout.settings.elements, final[len(columns) :].tolist(), strict=False)),
        prior=choice.prior,
        candidates=choice.tried,
        held_out=held_out,
        training=training,
        committee=[spread_out(c) for c in choice.folds],
        bootstrap=[spread_out(c) for c in members],
        spread=spread_table(frames),
        learning=learning_curve(frames, blocks.fold[: len(reference)]),
        frames=frames,
        core=core_report(layout, coefficients, shortest),
        shortest=shortest,
        fitted_columns=len(columns),
        active_core_constraints=solver.active,
        posterior=Posterior(columns, solver.factor),
    )
