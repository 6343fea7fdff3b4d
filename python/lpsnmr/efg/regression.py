"""Fit an EFG model: ridge regression, one strength per group of features, chosen on held-out blocks."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular

from lpsnmr.efg.dataset import EfgData
from lpsnmr.efg.files import TargetPart
from lpsnmr.efg.metrics import tensor_errors
from lpsnmr.efg.settings import GROUPS, EfgSettings
from lpsnmr.efg.uncertainty import N_MEMBERS, calibrate, coverage, cross_calibrated
from lpsnmr.errors import ComputeError, InputError

__all__ = ["FitResult", "GroupRidge", "fit_weights"]

Array = NDArray[np.float64]
Folds = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]

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
    and ``coverage`` by "all", "phase:…" and "run:…".
    """

    part: TargetPart
    strengths: dict[str, float]
    held_out: Array
    sigma: Array
    errors: dict[str, dict[str, float]]
    coverage: dict[str, dict[str, float]]
    training_rmse_percent: float


class GroupRidge:
    """Ridge regression from normal equations, kept by fold so that every split is a subtraction.

    Feature c of group g is divided by √(s_c Σ_{d in g} s_d), s the RMS over the data, and its squared
    coefficient gets the strength of the group: each group then has the same prior size, shared out
    among its features by their own, and strengths of groups can be compared.

    Parameters
    ----------
    features
        (rows, n_features) float64.
    values
        (rows,) float64.
    groups
        (n_features,) int, positions in ``GROUPS``.
    held_out_rows
        For each fold the rows it holds out; all rows together exactly once.
    row_weights
        (rows,) float64, weights of the squared errors; all 1 when None.
    """

    def __init__(
        self,
        features: Array,
        values: Array,
        groups: NDArray[np.int64],
        held_out_rows: Sequence[NDArray[np.int64]],
        row_weights: Array | None = None,
    ) -> None:
        sizes = np.sqrt(np.mean(features**2, axis=0))
        total = np.bincount(groups, weights=sizes, minlength=len(GROUPS))[groups]
        product = sizes * total
        self.scale = np.where(product > 0, 1.0 / np.sqrt(np.where(product > 0, product, 1.0)), 0.0)
        self._features, self._values, self._groups = features, values, groups
        self._row_weights = np.ones(len(values)) if row_weights is None else row_weights
        self._rows = held_out_rows
        self._fold_normals = [self._normal(rows) for rows in held_out_rows]
        self._matrix = np.sum([matrix for matrix, _ in self._fold_normals], axis=0)
        self._vector = np.sum([vector for _, vector in self._fold_normals], axis=0)

    def _normal(self, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        root = np.sqrt(self._row_weights[rows])
        scaled = self._features[rows] * self.scale * root[:, None]
        return scaled.T @ scaled, scaled.T @ (self._values[rows] * root)

    def _solve(self, matrix: Array, vector: Array, strengths: Array) -> Array:
        solved: Array = cho_solve((self._factor(matrix, strengths), True), vector)
        return solved * self.scale

    def _factor(self, matrix: Array, strengths: Array) -> Array:
        """Return the lower Cholesky factor of the penalised equations (its upper half is not zeroed)."""
        try:
            factor: Array = cho_factor(matrix + np.diag(strengths[self._groups]), lower=True)[0]
        except LinAlgError as error:
            raise ComputeError("the EFG fit is singular; a stronger regularisation is needed") from error
        return factor

    def weights(self, strengths: Array) -> Array:
        """Return the weights from all rows: (n_features,)."""
        return self._solve(self._matrix, self._vector, strengths)

    def held_out(self, strengths: Array) -> Array:
        """Return the prediction of each row by the fit without its fold: (rows,)."""
        predicted = np.empty_like(self._values)
        for rows, (matrix, vector) in zip(self._rows, self._fold_normals, strict=True):
            weights = self._solve(self._matrix - matrix, self._vector - vector, strengths)
            predicted[rows] = self._features[rows] @ weights
        return predicted

    def held_out_spread(self, strengths: Array) -> Array:
        """Return √(f A⁻¹ f) of each row, A the penalised equations without its fold: (rows,).

        Times the noise of the values, this is the posterior standard deviation of the prediction.
        """
        spread = np.empty_like(self._values)
        for rows, (matrix, _) in zip(self._rows, self._fold_normals, strict=True):
            factor = self._factor(self._matrix - matrix, strengths)
            half = solve_triangular(factor, (self._features[rows] * self.scale).T, lower=True)
            spread[rows] = np.sqrt(np.sum(half**2, axis=0))
        return spread

    def draw_weights(self, strengths: Array, count: int, seed: int) -> Array:
        """Return draws around the weights with covariance A⁻¹ of all rows: (count, n_features)."""
        factor = self._factor(self._matrix, strengths)
        normal = np.random.default_rng(seed).normal(size=(len(factor), count))
        drawn: Array = solve_triangular(factor, normal, lower=True, trans="T").T
        return drawn * self.scale

    def score(self, strengths: Array) -> float:
        """Return the held-out RMSE, weighted as the fit."""
        square = (self.held_out(strengths) - self._values) ** 2
        return float(np.sqrt(np.average(square, weights=self._row_weights)))


def search_strengths(
    ridge: GroupRidge, active: Sequence[int], on_step: Callable[[float], None] | None = None
) -> Array:
    """Find the penalty of each group that makes the held-out RMSE smallest.

    All strengths together first, then one after the other, in half decades, until none helps.

    Parameters
    ----------
    ridge
        The regression.
    active
        Groups that have features.
    on_step
        Called with the best RMSE after each trial.

    Returns
    -------
    Array
        (len(GROUPS),) float64.
    """
    best = np.full(len(GROUPS), START_STRENGTH)
    best_score = ridge.score(best)
    moves: list[list[int]] = [list(active), *([g] for g in active)]
    improved = True
    while improved:
        improved = False
        for move in moves:
            for factor in STRENGTH_STEPS:
                while True:
                    trial = best.copy()
                    trial[move] = np.clip(trial[move] * factor, *STRENGTH_LIMITS)
                    score = ridge.score(trial)
                    if on_step is not None:
                        on_step(min(score, best_score))
                    if score >= best_score * (1.0 - 1e-4):
                        break
                    best, best_score, improved = trial, score, True
    return best


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
    ridge = GroupRidge(data.features, data.components, groups, rows, data.row_weights)
    if strengths is None:
        chosen = search_strengths(ridge, np.unique(groups).tolist(), on_step)
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
    calibration = calibrate(spread, held_out - reference)
    sigma = cross_calibrated(spread, held_out - reference, [held[::5] // 5 for held in rows])
    members = calibration.scale * ridge.draw_weights(chosen, N_MEMBERS, MEMBER_SEED)
    parts = _parts(data)
    return FitResult(
        TargetPart(
            weights, data.target_range, data.bridge_ranges, round_to_digits(members), calibration.floor
        ),
        dict(zip(GROUPS, chosen.tolist(), strict=True)),
        held_out,
        sigma,
        {name: tensor_errors(reference[m], held_out[m], nucleus) for name, m in parts.items()},
        {name: coverage(held_out[m] - reference[m], sigma[m]) for name, m in parts.items()},
        100.0 * float(np.sqrt(np.mean(residual**2))) / rms if rms else float("nan"),
    )


def round_to_digits(values: Array, digits: int = MEMBER_DIGITS) -> Array:
    """Return values of so many significant digits: a committee is noise, and its file shorter."""
    return np.array([float(f"{x:.{digits}g}") for x in values.ravel()]).reshape(values.shape)


def _parts(data: EfgData) -> dict[str, NDArray[np.bool_]]:
    """Return which targets belong to all, each phase and each run."""
    phases = np.array(data.phases)[data.frame]
    runs = np.array(data.runs)[data.frame]
    parts = {"all": np.ones(len(phases), dtype=bool)}
    parts |= {f"phase:{name}": phases == name for name in sorted(set(phases))}
    parts |= {f"run:{name}": runs == name for name in sorted(set(runs))}
    return parts
