"""Fit a UFP: pass over the frames, add up normal equations, choose the prior by blocks, solve."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.potential.basis import BasisSettings, Layout
from lpsnmr.potential.certainty import Posterior
from lpsnmr.potential.core_repulsion import (
    CoreReport,
    core_constraints,
    core_report,
    impose,
    shortest_distances,
)
from lpsnmr.potential.errors_table import ErrorRow, error_table
from lpsnmr.potential.normal import (
    DataSet,
    NormalEquations,
    WeightSettings,
    frame_rows,
    row_weights,
    touched_columns,
)
from lpsnmr.potential.prior import PriorSettings
from lpsnmr.potential.solve import Prior, solve
from lpsnmr.reference import blocks_by_run, run_name, split_blocks

__all__ = ["FitResult", "FitSettings", "fit_ufp"]

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitSettings:
    """Everything a fit depends on but the data.

    ``priors`` holds the candidates; the one with the smallest held-out weighted residual is taken. Blocks
    are whole runs, or stretches of ``steps_per_block`` MD steps of a run. ``folds`` = 0 skips
    cross-validation (one candidate only).
    """

    basis: BasisSettings = field(default_factory=BasisSettings)
    priors: tuple[PriorSettings, ...] = (PriorSettings(),)
    weights: WeightSettings = field(default_factory=WeightSettings)
    folds: int = 5
    steps_per_block: int | None = None
    seed: int = 0
    monotone_core: bool = True

    def __post_init__(self) -> None:
        """Refuse a choice without the means to choose."""
        if not self.priors:
            raise InputError("no prior given; expected at least one")
        if self.folds < 0 or self.folds == 1:
            raise InputError(f"folds: expected 0 (no cross-validation) or at least 2, got {self.folds}")
        if self.folds == 0 and len(self.priors) > 1:
            raise InputError(f"{len(self.priors)} priors to choose from need cross-validation (folds >= 2)")


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
    """(columns,) of each fold."""
    core: list[CoreReport]
    fitted_columns: int
    active_core_constraints: int
    shortest: Array
    """(pairs,) shortest distance of each pair over all frames, Å; infinite where there is none."""
    posterior: Posterior
    """Covariance of the fit to all data."""


class _Pass:
    """One walk over all data sets with progress."""

    def __init__(self, data: Sequence[DataSet], progress: Progress | None) -> None:
        self.items = [(n, d, f) for n, d in enumerate(data) for f in d.frames]
        self.sets = len(data)
        self.progress = progress

    def tick(self, stage: str, done: int, total: int | None = None) -> None:
        if self.progress:
            self.progress(stage, done, len(self.items) if total is None else total)


def _folds(data: Sequence[DataSet], settings: FitSettings) -> NDArray[np.int64]:
    """Return the fold of every frame of every data set, -1 without cross-validation.

    Blocks go by run and steps whatever data set a frame is in, so that a frame labelled twice by two
    methods never stands on both sides.
    """
    frames = [f for d in data for f in d.frames]
    fold = np.full(len(frames), -1, dtype=np.int64)
    if settings.folds:
        labels = blocks_by_run(frames, settings.steps_per_block)
        main = len(data[0].frames)
        fold_of = {}
        for k, (_, held_out) in enumerate(split_blocks(labels[:main], settings.folds, settings.seed)):
            fold_of.update({label: k for label in labels[held_out]})
        fold = np.array([fold_of.get(label, -1) for label in labels], dtype=np.int64)
    return fold


def _accumulate(
    walk: _Pass, layout: Layout, columns: NDArray[np.intp], fold: NDArray[np.int64], settings: FitSettings
) -> list[NormalEquations]:
    """Return the sums of each fold, and last those of frames that are in none."""
    size = len(columns) + walk.sets * len(layout.settings.elements)
    sums = [NormalEquations(size) for _ in range(settings.folds + 1)]
    for k, (number, data, frame) in enumerate(walk.items):
        rows = frame_rows(layout, frame, columns, data.scale, (number, walk.sets))
        weight = row_weights(rows.kind, settings.weights, data.weight * _frame_weight(frame.info))
        sums[fold[k]].add(rows.design * weight, rows.target * weight)
        walk.tick("normal equations", k + 1)
    for s in sums:
        s.flush()
    return sums


def _frame_weight(info: dict[str, object]) -> float:
    """Return ``fit_weight`` of the header, 1 by default."""
    value = info.get("fit_weight", 1.0)
    if not isinstance(value, (int, float, np.number)) or not value > 0:
        raise InputError(
            f"{info.get('source', 'frame')}: fit_weight must be a positive number, got {value!r}"
        )
    return float(value)


def _sum_without(sums: Sequence[NormalEquations], left_out: int | None) -> NormalEquations:
    total = NormalEquations(sums[0].size)
    for k, s in enumerate(sums):
        if k != left_out:
            total += s
    return total


class _Solver:
    """Solve with one prior, the core constraints included."""

    def __init__(
        self,
        layout: Layout,
        columns: NDArray[np.intp],
        energies: Sequence[float],
        constraints: tuple[NDArray[np.intp], Array] | None,
    ) -> None:
        self.layout, self.columns, self.energies = layout, columns, energies
        self.constraints = constraints
        self.active = 0
        self.factor: Array = np.empty((0, 0))  # of the last solution

    def __call__(self, equations: NormalEquations, settings: PriorSettings) -> Array:
        prior = Prior.build(self.layout, settings, self.columns, self.energies)
        solution, factor = solve(equations, prior)
        self.factor = factor[0]
        if self.constraints is not None:
            solution, self.active = impose(solution, factor, *self.constraints)
        return solution


def _choose(
    solver: _Solver, sums: Sequence[NormalEquations], settings: FitSettings, walk: _Pass
) -> tuple[PriorSettings, list[tuple[PriorSettings, float]], list[Array]]:
    """Return the best prior, the loss of each, and the solutions of its folds."""
    best: tuple[float, PriorSettings, list[Array]] | None = None
    losses = []
    for n, prior in enumerate(settings.priors):
        solutions, squares, rows = [], 0.0, 0
        for k in range(settings.folds):
            solution = solver(_sum_without(sums, k), prior)
            solutions.append(solution)
            squares += sums[k].loss(solution) * sums[k].rows
            rows += sums[k].rows
            walk.tick("cross-validation", n * settings.folds + k + 1, len(settings.priors) * settings.folds)
        loss = squares / max(rows, 1)
        losses.append((prior, loss))
        log.info("%s: held-out weighted residual %.4g", prior, loss)
        if best is None or loss < best[0]:
            best = (loss, prior, solutions)
    if best is None:
        return settings.priors[0], [], []
    return best[1], losses, best[2]


def _tables(
    walk: _Pass,
    layout: Layout,
    columns: NDArray[np.intp],
    frames: int,
    fold: NDArray[np.int64],
    final: Array,
    committee: Sequence[Array],
) -> tuple[list[ErrorRow], list[ErrorRow]]:
    """Return held-out and training errors over the first ``frames`` frames (the reference data)."""
    all_rows, fitted, unseen, runs, temperatures = [], [], [], [], []
    for k, (number, data, frame) in enumerate(walk.items[:frames]):
        rows = frame_rows(layout, frame, columns, data.scale, (number, walk.sets))
        fitted.append(final @ rows.design - rows.target)
        if committee:
            unseen.append(committee[fold[k]] @ rows.design - rows.target)
        rows = type(rows)(np.empty((0, 0)), rows.target, rows.kind)  # the design is not needed any more
        all_rows.append(rows)
        runs.append(run_name(frame))
        temperature = frame.info.get("run_T")
        temperatures.append(None if temperature is None else float(temperature))
        walk.tick("errors", k + 1, frames)
    held_out = error_table(all_rows, unseen, runs, temperatures) if committee else []
    return held_out, error_table(all_rows, fitted, runs, temperatures)


def fit_ufp(data: Sequence[DataSet], settings: FitSettings, progress: Progress | None = None) -> FitResult:
    """Fit a UFP by regularised linear least squares.

    The frames are walked over three times (which coefficients do they touch; normal equations; errors);
    nothing but one matrix of (columns)² float64 per fold is kept.

    Parameters
    ----------
    data
        The first set is the reference, on which errors are measured; further ones only add rows to the fit.
    settings
        Basis, priors, weights, folds.
    progress
        Called with (stage, done, total).

    Returns
    -------
    FitResult
        The potential of all data, with held-out errors of the folds.

    Raises
    ------
    InputError
        For missing labels, unknown elements, atoms closer than the first knot, or too few blocks.
    ComputeError
        When the equations cannot be solved in float64.
    """
    if not data or not data[0].frames:
        raise InputError("no reference frames; expected at least one")
    layout = Layout.from_settings(settings.basis)
    walk = _Pass(data, progress)
    frames = [f for *_, f in walk.items]
    fold = _folds(data, settings)
    done = iter(range(1, len(frames) + 1))
    columns = touched_columns(layout, frames, lambda: walk.tick("coefficients", next(done)))
    shortest = shortest_distances(layout, frames)
    sums = _accumulate(walk, layout, columns, fold, settings)
    reference = data[0].frames
    energies = [d.scale * float(np.mean([f.calc.results["energy"] / len(f) for f in d.frames])) for d in data]
    constraints = None
    if settings.monotone_core:
        mean = Prior.build(layout, settings.priors[0], columns, energies).mean
        constraints = core_constraints(layout, shortest, mean)
    solver = _Solver(layout, columns, energies, constraints)
    prior, candidates, committee = _choose(solver, sums, settings, walk)
    final = solver(_sum_without(sums, None), prior)
    if not np.isfinite(final).all():
        raise ComputeError("the fit gave coefficients that are not finite")
    held_out, training = _tables(walk, layout, columns, len(reference), fold, final, committee)

    def spread(solution: Array) -> Array:
        full = np.zeros(layout.columns)
        full[columns] = solution[: len(columns)]
        return full

    coefficients = spread(final)
    return FitResult(
        layout=layout,
        coefficients=coefficients,
        reference_energies=dict(zip(layout.settings.elements, final[len(columns) :].tolist(), strict=False)),
        prior=prior,
        candidates=candidates,
        held_out=held_out,
        training=training,
        committee=[spread(c) for c in committee],
        core=core_report(layout, coefficients, shortest),
        fitted_columns=len(columns),
        active_core_constraints=solver.active,
        shortest=shortest,
        posterior=Posterior(columns, solver.factor),
    )
