"""Ridge regression with one strength per group of features, from normal equations kept by fold."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from sklearn.base import BaseEstimator, RegressorMixin

from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.ridge import factorise, solve_factored

__all__ = ["GroupRidge", "GroupRidgeRegressor"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
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
        For each fold the rows it holds out; all rows together exactly once.
    row_weights
        (rows,) float64, weights of the squared errors; all 1 when None.
    """

    def __init__(
        self,
        features: Array,
        values: Array,
        groups: Indices,
        held_out_rows: Sequence[Indices],
        row_weights: Array | None = None,
    ) -> None:
        buffer = np.square(features)
        sizes = np.sqrt(np.mean(buffer, axis=0))
        product = sizes * np.bincount(groups, weights=sizes)[groups]
        self.scale = np.where(product > 0, 1.0 / np.sqrt(np.where(product > 0, product, 1.0)), 0.0)
        self._values, self._groups, self._rows = values, groups, held_out_rows
        self._row_weights = np.ones(len(values)) if row_weights is None else row_weights
        whole = len(held_out_rows) == 1 and np.array_equal(held_out_rows[0], np.arange(len(values)))
        self._parts = [features] if whole else [features[rows] for rows in held_out_rows]
        self._folds = [self._equations(n, buffer) for n in range(len(held_out_rows))]
        self._all = NormalEquations(len(self.scale))
        for fold in self._folds:
            self._all += fold
        self._training: list[NormalEquations] = []

    def _equations(self, number: int, buffer: Array) -> NormalEquations:
        """Return the sums over the rows of one fold; ``buffer`` is written to."""
        rows = self._rows[number]
        root = np.sqrt(self._row_weights[rows])
        scaled = np.multiply(self._parts[number], self.scale, out=buffer[: len(rows)])
        scaled *= root[:, None]
        weighted = self._values[rows] * root
        return NormalEquations.of_sums(
            scaled.T @ scaled, scaled.T @ weighted, float(weighted @ weighted), len(rows)
        )

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
        for rows, part, training in zip(self._rows, self._parts, self._without(), strict=True):
            predicted[rows] = part @ self._solve(training, strengths)
        return predicted

    def held_out_spread(self, strengths: Array) -> Array:
        """Return √(f A⁻¹ f) of each row, A the penalised equations without its fold: (rows,).

        Times the noise of the values, this is the posterior standard deviation of the prediction.
        """
        spread = np.empty_like(self._values)
        for rows, part, training in zip(self._rows, self._parts, self._without(), strict=True):
            factor, _ = self._factor(training, strengths)
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
