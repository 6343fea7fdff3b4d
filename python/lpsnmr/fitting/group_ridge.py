"""Ridge regression with one strength per group of features, from normal equations kept by fold."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.linalg import solve_triangular
from sklearn.base import BaseEstimator, RegressorMixin

from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.ridge import factorise, solve_factored
from lpsnmr.typing import Array, Indices

__all__ = ["GroupRidge", "GroupRidgeRegressor"]

LEAST_ROWS = 64
"""Rows that are taken at a time however little room there is."""
SINGULAR = "the fit is singular; a stronger regularisation is needed"


class GroupRidge:
    """Ridge regression from normal equations, kept by fold so that every split is a subtraction.

    Feature c of group g is divided by √(s_c Σ_{d in g} s_d), s the RMS over the data, and its squared
    coefficient gets the strength of the group: each group then has the same prior size, shared out
    among its features by their own, and strengths of groups can be compared.

    Parameters
    ----------
    features
        (rows, n_features) float64; not copied where there is one fold.
    values
        (rows,) float64.
    groups
        (n_features,) int, positions in the strengths.
    held_out_rows
        For each fold the rows it holds out; all rows together exactly once (with ``room``: at most once; only
        the rows of folds count).
    row_weights
        (rows,) float64, weights of the squared errors; all 1 when None.
    room
        Bytes for copies of features. None: as many as there are features, twice. Otherwise rows are taken a
        few at a time, which changes the last digits.
    """

    def __init__(
        self,
        features: Array,
        values: Array,
        groups: Indices,
        held_out_rows: Sequence[Indices],
        row_weights: Array | None = None,
        room: int | None = None,
    ) -> None:
        self._features, self._values, self._groups = features, values, groups
        self._rows = held_out_rows
        self._row_weights = np.ones(len(values)) if row_weights is None else row_weights
        self._parts: list[Array] = []
        self._chunk = 0 if room is None else max(LEAST_ROWS, room // (4 * 8 * features.shape[1]))
        buffer = None
        if room is None:
            whole = len(held_out_rows) == 1 and np.array_equal(held_out_rows[0], np.arange(len(values)))
            self._parts = [features] if whole else [features[rows] for rows in held_out_rows]
            buffer = np.square(features)
            sizes = np.sqrt(np.mean(buffer, axis=0))
        else:
            sizes = self._sizes()
        product = sizes * np.bincount(groups, weights=sizes)[groups]
        self.scale = np.where(product > 0, 1.0 / np.sqrt(np.where(product > 0, product, 1.0)), 0.0)
        self._folds = [self._equations(number, buffer) for number in range(len(held_out_rows))]
        self._all = NormalEquations(len(self.scale))
        for fold in self._folds:
            self._all += fold
        self._training: list[NormalEquations] = []

    def _pieces(self, number: int) -> Iterator[tuple[Indices, Array]]:
        """Yield rows of a fold and their features: all at once, or as many as there is room for."""
        rows = self._rows[number]
        if self._parts:
            yield rows, self._parts[number]
            return
        for first in range(0, len(rows), self._chunk):
            some = rows[first : first + self._chunk]
            yield some, np.asarray(self._features[some])

    def _sizes(self) -> Array:
        """Return the root mean squares of the features, (n_features,), from pieces."""
        square = np.zeros(self._features.shape[1])
        for number in range(len(self._rows)):
            for _, part in self._pieces(number):
                square += np.square(part).sum(axis=0)
        return np.asarray(np.sqrt(square / max(sum(map(len, self._rows)), 1)))

    def _equations(self, number: int, buffer: Array | None) -> NormalEquations:
        """Return the sums over the rows of one fold; ``buffer`` is written to."""
        total = NormalEquations(len(self.scale))
        for rows, part in self._pieces(number):
            root = np.sqrt(self._row_weights[rows])
            scaled = np.multiply(part, self.scale, out=None if buffer is None else buffer[: len(rows)])
            scaled *= root[:, None]
            weighted = self._values[rows] * root
            total += NormalEquations.of_sums(
                scaled.T @ scaled, scaled.T @ weighted, float(weighted @ weighted), len(rows)
            )
        return total

    def _without(self) -> list[NormalEquations]:
        """Return the sums without each fold; they are kept, as a search needs them again and again."""
        if not self._training:
            self._training = [self._all - fold for fold in self._folds]
        return self._training

    def _factor(self, equations: NormalEquations, strengths: Array) -> tuple[Array, bool]:
        """Return the lower Cholesky factor of the penalised equations (its upper half is not zeroed)."""
        return factorise(equations, strengths[self._groups], SINGULAR)

    def _solve(self, equations: NormalEquations, strengths: Array) -> Array:
        return solve_factored(self._factor(equations, strengths), equations.moment) * self.scale

    def weights(self, strengths: Array) -> Array:
        """Return the weights from all rows: (n_features,)."""
        return self._solve(self._all, strengths)

    def held_out(self, strengths: Array) -> Array:
        """Return the prediction of each row by the fit without its fold: (rows,)."""
        predicted = np.empty_like(self._values)
        for number, training in enumerate(self._without()):
            weights = self._solve(training, strengths)
            for rows, part in self._pieces(number):
                predicted[rows] = part @ weights
        return predicted

    def held_out_spread(self, strengths: Array) -> Array:
        """Return √(f A⁻¹ f) of each row, A the penalised equations without its fold: (rows,).

        Times the noise of the values, this is the posterior standard deviation of the prediction.
        """
        spread = np.empty_like(self._values)
        for number, training in enumerate(self._without()):
            factor, _ = self._factor(training, strengths)
            for rows, part in self._pieces(number):
                half = solve_triangular(factor, (part * self.scale).T, lower=True, check_finite=False)
                spread[rows] = np.sqrt(np.sum(half**2, axis=0))
        return spread

    def draw_weights(self, strengths: Array, count: int, seed: int) -> Array:
        """Return draws around the weights with covariance A⁻¹ of all rows: (count, n_features)."""
        factor, _ = self._factor(self._all, strengths)
        normal = np.random.default_rng(seed).normal(size=(len(factor), count))
        drawn: Array = solve_triangular(factor, normal, lower=True, trans="T", check_finite=False).T
        return drawn * self.scale

    def score(self, strengths: Array) -> float:
        """Return the held-out RMSE, weighted as the fit."""
        square = (self.held_out(strengths) - self._values) ** 2
        return float(np.sqrt(np.average(square, weights=self._row_weights)))


class GroupRidgeRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """``GroupRidge`` with given strengths as an estimator of scikit-learn, for its cross-validation.

    Parameters
    ----------
    groups
        (n_features,) int, group of each feature.
    strengths
        (groups,) penalty of each.

    Attributes
    ----------
    coef_ : (n_features,) float64 array
        Weights after ``fit``.
    """

    def __init__(self, groups: Indices, strengths: Array) -> None:
        self.groups = groups
        self.strengths = strengths

    def fit(self, X: Array, y: Array, sample_weight: Array | None = None) -> "GroupRidgeRegressor":
        """Fit to X (rows, n_features) and y (rows,), with weights of the squared errors (rows,)."""
        ridge = GroupRidge(X, y, self.groups, [np.arange(len(y))], sample_weight)
        self.coef_ = ridge.weights(np.asarray(self.strengths, dtype=np.float64))
        return self

    def predict(self, X: Array) -> Array:
        """Return (rows,) float64."""
        predicted: Array = np.asarray(X) @ self.coef_
        return predicted
