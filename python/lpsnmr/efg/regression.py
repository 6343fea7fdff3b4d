"""Fit an EFG model: ridge regression, one strength per group of features, chosen on held-out blocks."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lpsnmr.efg.dataset import EfgData
from lpsnmr.efg.files import TargetPart
from lpsnmr.efg.metrics import tensor_errors
from lpsnmr.efg.settings import GROUPS, EfgSettings
from lpsnmr.errors import InputError
from lpsnmr.fitting.calibration import calibrate, coverage, cross_calibrated
from lpsnmr.fitting.choose import descend
from lpsnmr.fitting.evaluation import parts_of
from lpsnmr.fitting.group_ridge import GroupRidge
from lpsnmr.typing import Array

__all__ = ["N_MEMBERS", "FitResult", "fit_weights"]

Folds = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]

N_MEMBERS = 16
"""Members of a committee: five components each make the spread good to about 1/√(2 · 5 · 16) = 8 %."""
START_STRENGTH = 0.1
MEMBER_SEED = 0
MEMBER_DIGITS = 5
STRENGTH_STEPS = (10.0**0.5, 10.0**-0.5)
STRENGTH_LIMITS = (1e-5, 1e4)


@dataclasses.dataclass(frozen=True)
class FitResult:
    """What a fit found.

    ``part`` are the weights from all data with the training ranges; ``strengths`` the penalty of each
    group of ``GROUPS``; ``held_out`` (targets, 5) V/Å² the prediction of each target by the fit that had
    not seen its block; ``sigma`` (targets,) V/Å² its uncertainty, calibrated on the other folds; ``errors``
    and ``coverage`` by "all", "phase:…" and "run:…", coverage also by "state:…" where there are several.
    """

    part: TargetPart
    strengths: dict[str, float]
    held_out: Array
    sigma: Array
    errors: dict[str, dict[str, float]]
    coverage: dict[str, dict[str, float]]
    training_rmse_percent: float


def fit_weights(
    data: EfgData,
    settings: EfgSettings,
    folds: Folds,
    nucleus: str,
    strengths: dict[str, float] | None = None,
    on_step: Callable[[float], None] | None = None,
) -> FitResult:
    """Choose the strengths on held-out folds, report their errors, refit on all data.

    Parameters
    ----------
    data
        Features and tensors.
    settings
        Terms of the model, as they were used for ``data``.
    folds
        (training frames, held-out frames) of each fold, as ``split_blocks`` gives them.
    nucleus
        Whose C_Q is reported.
    strengths
        Penalty by group; searched for when None.
    on_step
        Called with the best RMSE (V/Å²) after each trial of the search.

    Raises
    ------
    InputError
        For strengths of unknown or missing groups or not positive.
    ComputeError
        When the equations cannot be solved.
    """
    groups = settings.feature_groups()
    owner = np.repeat(data.frame, 5)
    rows: list[NDArray[np.int64]] = [
        np.flatnonzero(np.isin(owner, held)).astype(np.int64) for _, held in folds
    ]
    ridge = GroupRidge(data.features, data.components, groups, rows, data.row_weights, data.room)
    if strengths is None:
        active = np.unique(groups).tolist()
        # all strengths together first, then one after the other
        moves = [active, *([g] for g in active)]
        start = np.full(len(GROUPS), START_STRENGTH)
        chosen = descend(ridge.score, start, moves, STRENGTH_STEPS, STRENGTH_LIMITS, on_step)
    else:
        if set(strengths) != set(GROUPS) or min(strengths.values()) <= 0:
            raise InputError(f"strengths must be positive numbers for {', '.join(GROUPS)}")
        chosen = np.array([strengths[name] for name in GROUPS])
    weights = ridge.weights(chosen)
    held_out = ridge.held_out(chosen).reshape(-1, 5)
    reference = data.components.reshape(-1, 5)
    rms = float(np.sqrt(np.mean(data.components**2)))
    residual = data.features @ weights - data.components
    # one number per target: the spread of a turned tensor must not depend on the axes
    spread = np.sqrt(np.mean(ridge.held_out_spread(chosen).reshape(-1, 5) ** 2, axis=1))
    frame = data.frame.tolist()
    states = [(data.states or data.phases)[k] for k in frame]
    calibration = calibrate(spread, held_out - reference, states)
    sigma = cross_calibrated(spread, held_out - reference, [held[::5] // 5 for held in rows], states)
    members = calibration.scale * ridge.draw_weights(chosen, N_MEMBERS, MEMBER_SEED)
    parts = parts_of([data.phases[k] for k in frame], [data.runs[k] for k in frame])
    by_state = {f"state:{name}": mask for name, mask in _named(states).items()}
    return FitResult(
        TargetPart(
            weights, data.target_range, data.bridge_ranges, round_to_digits(members), calibration.floor
        ),
        dict(zip(GROUPS, chosen.tolist(), strict=True)),
        held_out,
        sigma,
        {name: tensor_errors(reference[m], held_out[m], nucleus) for name, m in parts.items()},
        {name: coverage(held_out[m] - reference[m], sigma[m]) for name, m in (parts | by_state).items()},
        100.0 * float(np.sqrt(np.mean(residual**2))) / rms if rms else float("nan"),
    )


def _named(states: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Return which targets are of each state; nothing when all are of one."""
    names = np.asarray(states)
    found = {str(name): names == name for name in dict.fromkeys(states)}
    return found if len(found) > 1 else {}


def round_to_digits(values: Array, digits: int = MEMBER_DIGITS) -> Array:
    """Return values of so many significant digits: a committee is noise, and its file shorter."""
    return np.array([float(f"{x:.{digits}g}") for x in values.ravel()]).reshape(values.shape)
