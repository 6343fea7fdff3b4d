"""Predictions for the reference frames: held out, fitted, committee spread, learning curve."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr.fitting.errors_table import ErrorRow, error_table
from lpsnmr.fitting.evaluation import rms
from lpsnmr.fitting.rows import FrameRows
from lpsnmr.fitting.walk import Item, Walk
from lpsnmr.reference import phase_of, run_name
from lpsnmr.typing import Array

__all__ = ["FrameErrors", "LearningPoint", "SpreadRow", "assess", "learning_curve", "spread_table", "tables"]

STAGE = "errors"


@dataclass(frozen=True, eq=False)
class FrameErrors:
    """One reference frame: labels, and prediction minus label.

    ``target`` (rows,) float64 holds the energy per atom (eV), the forces (eV/Å) and the stress (eV/Å³,
    Voigt, as far as labelled), ``kind`` (rows,) which is which: 0, 1, 2. ``held_out`` (rows,) is None without
    cross-validation; ``spread`` (rows,) is the standard deviation over the committee; ``fewer`` maps a number
    of training folds to the errors of a fit to so many.
    """

    run: str
    phase: str
    temperature_K: float | None
    block: int
    target: Array
    kind: NDArray[np.int8]
    fitted: Array
    held_out: Array | None
    spread: Array | None
    fewer: Mapping[int, Array]


@dataclass(frozen=True)
class LearningPoint:
    """Held-out errors of a fit to part of the folds."""

    training_frames: float
    rows: list[ErrorRow]


@dataclass(frozen=True)
class SpreadRow:
    """Committee spread of one run beside its held-out error (root mean squares)."""

    run: str
    energy_spread_meV_per_atom: float
    force_spread_eV_per_angstrom: float
    force_error_over_spread: float | None


def assess(
    walk: Walk,
    rows_of: Callable[[Item], FrameRows],
    items: Sequence[Item],
    block: NDArray[np.int64],
    fold: NDArray[np.int64],
    final: Array,
    folds: Sequence[Array],
    members: Sequence[Array],
    fewer: Mapping[int, Sequence[Array]],
) -> list[FrameErrors]:
    """Predict every item with all the solutions at once; the ranks share the work.

    Parameters
    ----------
    rows_of
        Returns the rows of a frame without weights; called in threads.
    items
        The reference frames.
    block, fold
        Of every item of the walk, by its index.
    final, folds, members, fewer
        Solutions: of all data, of each fold, of the bootstrap members, of fewer folds.

    Returns
    -------
    list of FrameErrors
        In the order of ``items``, on every rank.
    """
    committee = members if len(members) else folds
    solutions = np.array([final, *committee])

    def evaluate(item: Item) -> FrameErrors:
        rows = rows_of(item)
        predicted = solutions @ rows.design
        k = int(fold[item.index])
        unseen = folds[k] @ rows.design - rows.target if len(folds) and k >= 0 else None
        temperature = item.frame.info.get("run_T")
        return FrameErrors(
            run=run_name(item.frame),
            phase=phase_of(item.frame),
            temperature_K=None if temperature is None else float(temperature),
            block=int(block[item.index]),
            target=rows.target,
            kind=rows.kind,
            fitted=predicted[0] - rows.target,
            held_out=unseen,
            spread=predicted[1:].std(axis=0, ddof=1) if len(committee) > 1 else None,
            fewer={n: s[k] @ rows.design - rows.target for n, s in fewer.items()} if k >= 0 else {},
        )

    done = {item.index: errors for item, errors in walk.evaluate(evaluate, walk.mine(items), STAGE)}
    everyone: dict[int, FrameErrors] = {}
    for part in walk.ranks.gather(done):
        everyone.update(part)
    return [everyone[item.index] for item in items]


def _rows(frame: FrameErrors) -> FrameRows:
    return FrameRows(np.empty((0, 0)), frame.target, frame.kind)


def _table(frames: Sequence[FrameErrors], errors: Sequence[Array]) -> list[ErrorRow]:
    return error_table(
        [_rows(f) for f in frames],
        errors,
        [f.run for f in frames],
        [f.temperature_K for f in frames],
        [f.block for f in frames],
        [f.phase for f in frames],
    )


def tables(frames: Sequence[FrameErrors]) -> tuple[list[ErrorRow], list[ErrorRow]]:
    """Return held-out errors (empty without cross-validation) and errors of the fit, by run."""
    unseen = [f for f in frames if f.held_out is not None]
    held_out = _table(unseen, [f.held_out for f in unseen if f.held_out is not None]) if unseen else []
    return held_out, _table(frames, [f.fitted for f in frames])


def learning_curve(frames: Sequence[FrameErrors], fold: NDArray[np.int64]) -> list[LearningPoint]:
    """Return held-out errors against the number of frames in the fit; the last point is cross-validation.

    ``fold`` holds the fold of each frame.
    """
    used = [f for f in frames if f.held_out is not None]
    sizes = np.bincount(fold[fold >= 0])
    if not used or sizes.size < 3:
        return []
    points = []
    for n in sorted(used[0].fewer):
        mean = float(np.mean([sum(sizes[(k + m) % sizes.size] for m in range(1, n + 1))
                              for k in range(sizes.size)]))  # fmt: skip
        points.append(LearningPoint(mean, _table(used, [f.fewer[n] for f in used])))
    whole = _table(used, [f.held_out for f in used if f.held_out is not None])
    return [*points, LearningPoint(float(sizes.sum() - sizes.mean()), whole)]


def spread_table(frames: Sequence[FrameErrors]) -> list[SpreadRow]:
    """Return the committee spread by run and of all; empty without a committee."""
    used = [f for f in frames if f.spread is not None]
    out = []
    for run in [*sorted({f.run for f in used}), "all"] if used else []:
        chosen = [f for f in used if run in (f.run, "all")]
        force = _rms([f.spread[f.kind == 1] for f in chosen if f.spread is not None])
        unseen = [f.held_out[f.kind == 1] for f in chosen if f.held_out is not None]
        out.append(
            SpreadRow(
                run=run,
                energy_spread_meV_per_atom=1e3
                * _rms([f.spread[f.kind == 0] for f in chosen if f.spread is not None]),
                force_spread_eV_per_angstrom=force,
                force_error_over_spread=_rms(unseen) / force if unseen and force > 0 else None,
            )
        )
    return out


def _rms(values: Sequence[Array]) -> float:
    return rms(np.concatenate(values))
