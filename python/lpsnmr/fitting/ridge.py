"""Solve regularised normal equations: a quadratic penalty around a mean, by Cholesky factorisation."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from lpsnmr.errors import ComputeError
from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.typing import Array

__all__ = ["Prior", "factorise", "solve", "solve_factored"]

Factor = tuple[Array, bool]
"""Cholesky factor and whether it is the lower one, as ``scipy.linalg.cho_solve`` takes them."""
WEAK = "the normal equations are not positive definite; narrower priors (smaller --prior-* widths) help"


@dataclass(frozen=True, eq=False)
class Prior:
    """Penalty (c - mean)' matrix (c - mean) on the unknowns: (unknowns, unknowns) sparse and (unknowns,)."""

    matrix: sp.csr_matrix
    mean: Array


def factorise(equations: NormalEquations, penalty: sp.spmatrix | Array, weak: str = WEAK) -> Factor:
    """Return the Cholesky factor of the sums plus a penalty.

    Parameters
    ----------
    equations
        Sums over the weighted rows; left as they are.
    penalty
        (unknowns, unknowns) sparse, or (unknowns,) its diagonal.
    weak
        What to say when the sum is not positive definite.

    Raises
    ------
    ComputeError
        When the matrix is not positive definite in float64.
    """
    equations.flush()
    matrix = equations.gram.copy(order="F")
    if sp.issparse(penalty):
        lower = sp.tril(penalty, format="coo")
        matrix[lower.row, lower.col] += lower.data
    else:
        diagonal = np.arange(equations.size)
        matrix[diagonal, diagonal] += penalty
    try:
        factor: Factor = scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    except scipy.linalg.LinAlgError as error:
        raise ComputeError(weak) from error
    return factor


def solve_factored(factor: Factor, right: Array) -> Array:
    """Return what the factored matrix makes of ``right``: (unknowns,) or (unknowns, n)."""
    solution: Array = scipy.linalg.cho_solve(factor, right, check_finite=False)
    return solution


def solve(equations: NormalEquations, prior: Prior) -> tuple[Array, Factor]:
    """Return the coefficients that minimise weighted residuals plus penalty.

    Parameters
    ----------
    equations
        Sums over the weighted rows; left as they are.
    prior
        Penalty and mean.

    Returns
    -------
    solution
        (unknowns,) float64.
    factor
        Cholesky factor of the matrix.

    Raises
    ------
    ComputeError
        When the matrix is not positive definite in float64.
    """
    factor = factorise(equations, prior.matrix)
    return solve_factored(factor, equations.moment + prior.matrix @ prior.mean), factor
