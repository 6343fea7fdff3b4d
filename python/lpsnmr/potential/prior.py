"""What is believed about the coefficients before data: small, smooth, and ZBL at short distance.

The penalty is (c - m)' L (c - m) with L = I/sigma_ridge² + D'D/sigma_curvature² per body order; D takes
second differences of neighbouring coefficients along each axis of a block, the zeros at the cutoff
included. m is zero but for V2, where it is the screened nuclear repulsion of J. F. Ziegler,
J. P. Biersack, U. Littmark, *The Stopping and Range of Ions in Matter* (1985),
doi:10.1007/978-1-4615-8103-1_3.
"""

from collections.abc import Sequence

import ase.data
import numpy as np
import scipy.interpolate
import scipy.sparse as sp
from numpy.typing import NDArray

from lpsnmr.fitting.ridge import Prior
from lpsnmr.potential.basis import Layout
from lpsnmr.strict_model import Positive, checked_dataclass
from lpsnmr.typing import Array
from lpsnmr.units import BOHR_ANGSTROM, HARTREE_EV

__all__ = ["PriorSettings", "build_prior", "penalty", "prior_mean", "second_differences", "zbl_energy"]

REFERENCE_ENERGY_WIDTH_EV = 10.0


@checked_dataclass
class PriorSettings:
    """Widths of the prior, eV, in the coefficients of the .uf3 file.

    ``density`` is that of density terms whose coefficients are scaled so that one stands for forces of 1 eV/Å
    (root mean square over the frames): a width in eV/Å. With density terms the other widths count twice: for
    a fit of V2 and V3 alone, and, divided by the root of ``anchor``, around that solution in the fit of
    everything, so that V2 and V3 stay a potential of their own where density terms fade.
    """

    two_body_ridge: Positive = 1.0
    two_body_curvature: Positive = 0.3
    three_body_ridge: Positive = 0.3
    three_body_curvature: Positive = 0.3
    density: Positive = 0.03
    anchor: Positive = 10.0


def zbl_energy(number_a: int, number_b: int, r: Array) -> Array:
    """Return the ZBL energy of two nuclei.

    Parameters
    ----------
    number_a, number_b
        Atomic numbers.
    r
        Distances > 0, Å.

    Returns
    -------
    Array
        Energies of the pair, eV, shape of ``r``.
    """
    length = 0.8854 * BOHR_ANGSTROM / (number_a**0.23 + number_b**0.23)
    x = np.asarray(r, dtype=float) / length
    screening = (
        0.18175 * np.exp(-3.19980 * x)
        + 0.50986 * np.exp(-0.94229 * x)
        + 0.28022 * np.exp(-0.40290 * x)
        + 0.02817 * np.exp(-0.20162 * x)
    )
    return np.asarray(HARTREE_EV * BOHR_ANGSTROM * number_a * number_b / r * screening)


def prior_mean(layout: Layout) -> Array:
    """Return the prior mean of all columns: half of ZBL (ordered pairs) for V2, zero for V3.

    The spline interpolates at the Greville points of its knots.

    Returns
    -------
    Array
        (columns,) float64, eV.
    """
    mean = np.zeros(layout.columns)
    knots = layout.pair_knots
    points = np.array([knots[k + 1 : k + 4].mean() for k in range(len(knots) - 4)])
    numbers = [ase.data.atomic_numbers[name] for name in layout.settings.elements]
    for block, (a, b) in enumerate(layout.pairs):
        first, count = layout.basis.pair_columns(block)
        energies = 0.5 * zbl_energy(numbers[a], numbers[b], points)
        spline = scipy.interpolate.make_interp_spline(points, energies, k=3, t=knots)
        mean[first : first + count] = spline.c[:count]
    return mean


def second_differences(shape: tuple[int, ...]) -> sp.csr_matrix:
    """Return the second differences along each axis of an array, stacked.

    Returns
    -------
    scipy.sparse.csr_matrix
        (sum over axes of (n_axis - 2) × the others, product of shape); acts on the raveled array.
    """
    size = int(np.prod(shape))
    index = np.arange(size).reshape(shape)
    parts = []
    for axis, n in enumerate(shape):
        left, middle, right = (np.take(index, range(k, n - 2 + k), axis=axis).ravel() for k in range(3))
        rows = np.arange(left.size)
        values = np.ones(left.size)
        parts.append(
            sp.csr_matrix(
                (
                    np.concatenate([values, -2 * values, values]),
                    (np.tile(rows, 3), np.concatenate([left, middle, right])),
                ),
                shape=(left.size, size),
            )
        )
    return sp.vstack(parts, format="csr")


def _block_penalty(columns: NDArray[np.int32], total: int, ridge: float, curvature: float) -> sp.csr_matrix:
    """Return the penalty of one block, whose coefficient array is mapped to columns (-1: zero)."""
    flat = columns.ravel()
    used = np.flatnonzero(flat >= 0)
    spread = sp.csr_matrix(
        (np.ones(used.size), (used, flat[used])), shape=(flat.size, total)
    )  # coefficients of the block from columns
    difference = second_differences(columns.shape) @ spread
    return spread.T @ spread / ridge**2 + difference.T @ difference / curvature**2


def penalty(layout: Layout, settings: PriorSettings) -> sp.csr_matrix:
    """Return the matrix L of the penalty.

    Like neighbours share columns, so such a column counts as often as its coefficient stands in the block.

    Returns
    -------
    scipy.sparse.csr_matrix
        (columns, columns), symmetric, positive definite, 1/eV².
    """
    total = layout.columns
    matrix = sp.csr_matrix((total, total))
    for block in range(len(layout.pairs)):
        first, count = layout.basis.pair_columns(block)
        columns = np.full(len(layout.pair_knots) - 4, -1, dtype=np.int32)
        columns[:count] = np.arange(first, first + count)
        matrix = matrix + _block_penalty(columns, total, settings.two_body_ridge, settings.two_body_curvature)
    for block in range(len(layout.triples)):
        columns = layout.basis.triple_columns(block)
        matrix = matrix + _block_penalty(
            columns, total, settings.three_body_ridge, settings.three_body_curvature
        )
    if layout.density:
        matrix = settings.anchor * matrix
        scale = layout.density.scale
        scale = np.where(scale > 1e-8, scale, 1.0)  # a column that moves nothing stays at zero
        matrix = matrix + sp.diags(np.r_[np.zeros(layout.basis.columns), (scale / settings.density) ** 2])
    return sp.csr_matrix(matrix)


def build_prior(
    layout: Layout, settings: PriorSettings, columns: NDArray[np.intp], energies: Sequence[float]
) -> Prior:
    """Restrict the penalty to ``columns``; the others are held at zero.

    ``energies`` holds per data set the prior mean (eV) of every element's reference energy: at one
    composition only their sum is determined, and the elements share it alike.
    """
    full = penalty(layout, settings)
    elements = len(layout.settings.elements)
    reference = sp.identity(elements * len(energies)) / REFERENCE_ENERGY_WIDTH_EV**2
    matrix = sp.block_diag([full[columns][:, columns], reference], format="csr")
    mean = np.concatenate([prior_mean(layout)[columns], np.repeat(np.asarray(energies), elements)])
    return Prior(matrix, mean)
