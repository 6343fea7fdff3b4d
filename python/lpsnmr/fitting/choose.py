"""Choose strengths of the regularisation by the error on held-out blocks."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.folds import Sums
from lpsnmr.typing import Array

__all__ = ["Choice", "choose_on_folds", "descend", "learning_solutions"]

Tick = Callable[[int, int], None]
P = TypeVar("P")
Solve = Callable[[NormalEquations, P], Array]
log = logging.getLogger(__name__)
STEP = 3.0
"""Factor by which the search changes a width at first; its square root and fourth root follow."""
LEAST_GAIN = 1e-4
"""Relative improvement below which ``descend`` takes a step for none."""


@dataclass(frozen=True, eq=False)
class Choice(Generic[P]):
    """The prior taken, every prior tried with its loss, and the solutions of the folds with the one taken."""

    prior: P
    tried: list[tuple[P, float]]
    folds: list[Array]


def choose_on_folds(
    solve: Solve[P],
    sums: Sums,
    candidates: Sequence[P],
    moves: Sequence[Callable[[P, float], P]],
    search: int,
    tick: Tick,
) -> Choice[P]:
    """Return the prior with the smallest mean squared weighted residual on held-out folds.

    All candidates are tried. Then, for at most ``search`` trials, each move is made with a factor and with
    its inverse from the best so far, the better is kept, and the factor shrinks when none helps.

    Parameters
    ----------
    solve
        Returns the solution of equations with a prior.
    sums
        Sums by fold; without folds the first candidate is taken.
    moves
        Each returns a prior with one width multiplied by a factor.
    tick
        Called with (solutions so far, most solutions).
    """
    folds = len(sums.folds) - 1
    if not folds:
        return Choice(candidates[0], [], [])
    trials = _Trials(solve, sums, candidates[0], len(candidates) + search, tick)
    for prior in candidates:
        trials.attempt(prior)
    factor = STEP
    while trials.left > 0 and factor > 1.1:
        before = trials.best
        for move in moves:
            for change in (factor, 1.0 / factor):
                trials.attempt(move(trials.best, change))
        if trials.best == before:
            factor = float(np.sqrt(factor))
    return Choice(trials.best, trials.tried, trials.solutions)


class _Trials(Generic[P]):
    """Priors tried so far, and the best of them."""

    def __init__(self, solve: Solve[P], sums: Sums, first: P, most: int, tick: Tick) -> None:
        self.solve, self.sums, self.folds, self.tick = solve, sums, len(sums.folds) - 1, tick
        self.left = self.total = most
        self.tried: list[tuple[P, float]] = []
        self.best = first
        self.loss = np.inf
        self.solutions: list[Array] = []
        # sums over all folds but one, where they are needed again and again
        self.training = [sums.without(k) for k in range(self.folds)] if self.total > 1 else []

    def attempt(self, prior: P) -> None:
        """Measure a prior unless it was tried already or no trial is left."""
        if self.left == 0 or prior in [p for p, _ in self.tried]:
            return
        solutions, squares, rows = [], 0.0, 0
        for k in range(self.folds):
            equations = self.training[k] if self.training else self.sums.without(k)
            solutions.append(self.solve(equations, prior))
            squares += self.sums.folds[k].loss(solutions[k]) * self.sums.folds[k].rows
            rows += self.sums.folds[k].rows
            self.tick(len(self.tried) * self.folds + k + 1, self.total * self.folds)
        loss = squares / max(rows, 1)
        self.left -= 1
        self.tried.append((prior, loss))
        log.info("%s: held-out weighted residual %.4g", prior, loss)
        if not self.solutions or loss < self.loss:
            self.best, self.loss, self.solutions = prior, loss, solutions


def learning_solutions(solve: Solve[P], sums: Sums, prior: P, tick: Tick) -> dict[int, list[Array]]:
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
            out[n].append(solve(sums.over([*((k + m) % folds for m in range(1, n + 1)), folds]), prior))
            done += 1
            tick(done, total)
    return out


def descend(
    score: Callable[[Array], float],
    start: Array,
    moves: Sequence[Sequence[int]],
    factors: Sequence[float],
    limits: tuple[float, float],
    on_step: Callable[[float], None] | None = None,
) -> Array:
    """Return strengths with a small score: one move after the other, as far as each helps, until none does.

    Parameters
    ----------
    score
        Error on held-out blocks at given strengths.
    start
        (groups,) strengths to begin with.
    moves
        Each the positions of the strengths that are changed together.
    factors
        By which a move multiplies.
    limits
        Least and largest strength.
    on_step
        Called with the best score after each trial.
    """
    seen: dict[tuple[float, ...], float] = {}

    def look_up(trial: Array) -> float:
        # a step back leads to where a trial was, but for round-off: it was no gain then, and is none now
        place = tuple(np.round(np.log10(trial), 6).tolist())
        if place not in seen:
            seen[place] = score(trial)
        return seen[place]

    best = start
    best_score = look_up(best)
    improved = True
    while improved:
        improved = False
        for move in moves:
            for factor in factors:
                while True:
                    trial = best.copy()
                    trial[list(move)] = np.clip(trial[list(move)] * factor, *limits)
                    found = look_up(trial)
                    if on_step is not None:
                        on_step(min(found, best_score))
                    if found >= best_score * (1.0 - LEAST_GAIN):
                        break
                    best, best_score, improved = trial, found, True
    return best
