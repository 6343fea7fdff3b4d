"""Choose the widths of the prior by the loss on held-out blocks."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lpsnmr.potential.accumulate import Sums
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.core_repulsion import impose
from lpsnmr.potential.fit_settings import FitSettings
from lpsnmr.potential.normal import NormalEquations
from lpsnmr.potential.prior import PriorSettings
from lpsnmr.potential.solve import Prior, solve

__all__ = ["Choice", "Solver", "choose_prior", "learning_solutions"]

Array = NDArray[np.float64]
Tick = Callable[[int, int], None]
log = logging.getLogger(__name__)
STEP = 3.0
"""Factor by which the search changes a width at first; its square root and fourth root follow."""


class Solver:
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
        """Return the coefficients, reference energies last."""
        prior = Prior.build(self.layout, settings, self.columns, self.energies)
        if self.layout.density:
            own = self._without_density(equations, settings)
            base = self._base()[: -len(self.energies) * len(self.layout.settings.elements)]
            prior.mean[base] = own[: len(base)]
        solution, factor = solve(equations, prior)
        self.factor = factor[0]
        return self._held(solution, factor)

    def _base(self) -> NDArray[np.intp]:
        """Return which unknowns are no density terms: V2, V3 and the reference energies."""
        fitted = len(self.columns)
        base = np.flatnonzero(self.columns < self.layout.basis.columns)
        energies = len(self.energies) * len(self.layout.settings.elements)
        return np.concatenate([base, np.arange(fitted, fitted + energies)])

    def _without_density(self, equations: NormalEquations, settings: PriorSettings) -> Array:
        """Return V2, V3 and reference energies of a fit without the density terms."""
        chosen = self._base()
        whole = Prior.build(self.layout, replace(settings, anchor=1.0), self.columns, self.energies)
        prior = Prior(sp.csr_matrix(whole.matrix[chosen][:, chosen]), whole.mean[chosen])
        return self._held(*solve(equations.part(chosen), prior))

    def _held(self, solution: Array, factor: tuple[Array, bool]) -> Array:
        """Return the solution that obeys the constraints on the core."""
        if self.constraints is not None:
            solution, self.active = impose(solution, factor, *self.constraints)
        return solution


@dataclass(frozen=True, eq=False)
class Choice:
    """The prior taken, every prior tried with its loss, and the solutions of the folds with the one taken."""

    prior: PriorSettings
    tried: list[tuple[PriorSettings, float]]
    folds: list[Array]


def choose_prior(solver: Solver, sums: Sums, settings: FitSettings, tick: Tick) -> Choice:
    """Return the prior with the smallest mean squared weighted residual on held-out folds.

    All of ``settings.priors`` are tried. Then, for at most ``settings.search`` trials, each width in turn is
    multiplied and divided by a factor, the better is kept, and the factor shrinks when none helps.
    """
    if not settings.folds:
        return Choice(settings.priors[0], [], [])
    trials = _Trials(solver, sums, settings, tick)
    for prior in settings.priors:
        trials.attempt(prior)
    factor = STEP
    while trials.left > 0 and factor > 1.1:
        before = trials.best
        for name in (f.name for f in fields(PriorSettings)):
            if name in ("density", "anchor") and not solver.layout.density:
                continue
            for change in (factor, 1.0 / factor):
                width = float(f"{getattr(trials.best, name) * change:.6g}")
                trials.attempt(replace(trials.best, **{name: width}))
        if trials.best == before:
            factor = float(np.sqrt(factor))
    return Choice(trials.best, trials.tried, trials.solutions)


class _Trials:
    """Priors tried so far, and the best of them."""

    def __init__(self, solver: Solver, sums: Sums, settings: FitSettings, tick: Tick) -> None:
        self.solver, self.sums, self.folds, self.tick = solver, sums, settings.folds, tick
        self.left = self.total = len(settings.priors) + settings.search
        self.tried: list[tuple[PriorSettings, float]] = []
        self.best = settings.priors[0]
        self.loss = np.inf
        self.solutions: list[Array] = []
        # sums over all folds but one, where they are needed again and again
        self.training = [sums.without(k) for k in range(self.folds)] if self.total > 1 else []

    def attempt(self, prior: PriorSettings) -> None:
        """Measure a prior unless it was tried already or no trial is left."""
        if self.left == 0 or prior in [p for p, _ in self.tried]:
            return
        solutions, squares, rows = [], 0.0, 0
        for k in range(self.folds):
            equations = self.training[k] if self.training else self.sums.without(k)
            solutions.append(self.solver(equations, prior))
            squares += self.sums.folds[k].loss(solutions[k]) * self.sums.folds[k].rows
            rows += self.sums.folds[k].rows
            self.tick(len(self.tried) * self.folds + k + 1, self.total * self.folds)
        loss = squares / max(rows, 1)
        self.left -= 1
        self.tried.append((prior, loss))
        log.info("%s: held-out weighted residual %.4g", prior, loss)
        if not self.solutions or loss < self.loss:
            self.best, self.loss, self.solutions = prior, loss, solutions


def learning_solutions(
    solver: Solver, sums: Sums, prior: PriorSettings, tick: Tick
) -> dict[int, list[Array]]:
    """Fit to fewer folds: for each number n of folds, the n that follow each held-out fold (cyclic).

    Returns
    -------
    dict
        n (powers of two below folds - 1) -> the solution for each held-out fold. All folds but one is
        cross-validation.
    """
    folds = len(sums.folds) - 1
    out: dict[int, list[Array]] = {}
    numbers = [2**p for p in range(folds) if 2**p < folds - 1]
    done, total = 0, len(numbers) * folds
    for n in numbers:
        out[n] = []
        for k in range(folds):
            # frames outside cross-validation (second data sets) go into every training set
            out[n].append(solver(sums.over([*((k + m) % folds for m in range(1, n + 1)), folds]), prior))
            done += 1
            tick(done, total)
    return out
