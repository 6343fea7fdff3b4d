"""Solve the regularised normal equations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.normal import NormalEquations
from lpsnmr.potential.prior import PriorSettings, penalty, prior_mean

__all__ = ["Prior", "solve"]

Array = NDArray[np.float64]
REFERENCE_ENERGY_WIDTH_EV = 10.0


@dataclass(frozen=True, eq=False)
class Prior:
    """Penalty and mean over the columns that are fitted, reference energies last."""

    matrix: sp.csr_matrix
    mean: Array

    @classmethod
    def build(
        cls, layout: Layout, settings: PriorSettings, columns: NDArray[np.intp], energies: Sequence[float]
    ) -> "Prior":
        """Restrict the penalty to ``columns``; the others are held at zero.

        ``energies`` holds per data set the prior mean (eV) of every element's reference energy: at one
        composition only their sum is determined, and the elements share it alike.
        """
        full = penalty(layout, settings)
        elements = len(layout.settings.elements)
        reference = sp.identity(elements * len(energies)) / REFERENCE_ENERGY_WIDTH_EV**2
        matrix = sp.block_diag([full[columns][:, columns], reference], format="csr")
        mean = np.concatenate([prior_mean(layout)[columns], np.repeat(np.asarray(energies), elements)])
        return cls(matrix, mean)


def solve(equations: NormalEquations, prior: Prior) -> tuple[Array, tuple[Array, bool]]:
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
        (columns + elements,) float64, eV.
    factor
        Cholesky factor of the matrix, as ``scipy.linalg.cho_solve`` takes it.

    Raises
    ------
    ComputeError
        When the matrix is not positive definite in float64.
    """
    equations.flush()
    matrix = equations.gram.copy(order="F")
    lower = sp.tril(prior.matrix, format="coo")
    matrix[lower.row, lower.col] += lower.data
    pull = prior.matrix @ prior.mean
    try:
        factor = scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    except scipy.linalg.LinAlgError as error:
        raise ComputeError(
            "the normal equations are not positive definite; narrower priors (smaller --prior-* widths) help"
        ) from error
    solution: Array = scipy.linalg.cho_solve(factor, equations.moment + pull, check_finite=False)
    return solution, factor
