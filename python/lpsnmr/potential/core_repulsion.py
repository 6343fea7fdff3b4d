"""Keep V2 falling below the shortest distance of the data, where only the prior speaks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.optimize
from ase import Atoms
from numpy.typing import NDArray

from lpsnmr._core import neighbor_list
from lpsnmr.potential.basis import Layout
from lpsnmr.typing import Array

__all__ = ["CoreReport", "core_constraints", "core_report", "impose", "shortest_distances"]


@dataclass(frozen=True)
class CoreReport:
    """V2 of one pair between its first knot and the shortest distance of the data (pair energies, eV, Å)."""

    pair: str
    shortest_distance: float
    first_knot: float
    energy_at_first_knot: float
    energy_at_shortest: float
    largest_slope: float
    """Largest dV2/dr there, eV/Å; negative where V2 repels throughout."""

    @property
    def repulsive(self) -> bool:
        """True when V2 falls all the way."""
        return self.largest_slope < 0


def shortest_distances(layout: Layout, frames: Sequence[Atoms]) -> Array:
    """Return the shortest distance of each pair of elements over all frames.

    Returns
    -------
    Array
        (pairs,) float64, Å; infinite for a pair that never comes within the two-body cutoff.
    """
    n = len(layout.settings.elements)
    shortest = np.full((n, n), np.inf)
    for frame in frames:
        species = np.array(layout.species(frame.get_chemical_symbols()))
        first, index, _, distance = neighbor_list(
            frame.positions, frame.cell.array, frame.pbc.tolist(), layout.settings.two_body_cutoff
        )
        centers = np.repeat(np.arange(len(frame)), np.diff(first))
        np.minimum.at(shortest, (species[centers], species[index]), distance)
    return np.array([shortest[a, b] for a, b in layout.pairs])


def core_constraints(layout: Layout, shortest: Array, mean: Array) -> tuple[NDArray[np.intp], Array]:
    """Return which neighbouring V2 coefficients must fall, and by how much.

    A cubic spline falls where the differences of its coefficients are negative. The differences taken are
    those whose support ends at most one knot above the shortest distance, so that data rule everything
    beyond; the least fall asked for is a tenth of that of the prior mean.

    Returns
    -------
    columns, falls
        (m,) index k of the pair c_k > c_{k+1}, and (m,) least c_k - c_{k+1}, eV.
    """
    knots = layout.pair_knots
    columns: list[int] = []
    for block in range(len(layout.pairs)):
        first, count = layout.basis.pair_columns(block)
        for k in range(count - 1):
            if knots[k + 4] <= min(shortest[block], knots[-1]) + layout.settings.two_body_spacing:
                columns.append(first + k)
    index = np.array(columns, dtype=np.intp)
    return index, np.maximum(0.1 * (mean[index] - mean[index + 1]), 1e-3)


def impose(
    solution: Array, factor: tuple[Array, bool], columns: NDArray[np.intp], falls: Array
) -> tuple[Array, int]:
    """Move a least-squares solution to the nearest one (in the metric of the fit) that obeys the constraints.

    With A the matrix of the normal equations and G c >= t the constraints, the minimiser is
    c + A^-1 G' m, where m >= 0 minimises m' H m / 2 - m' (t - G c), H = G A^-1 G': a non-negative
    least-squares problem as large as the number of constraints.

    Parameters
    ----------
    solution
        (n,) unconstrained coefficients.
    factor
        Cholesky factor of A as from ``scipy.linalg.cho_factor``.
    columns, falls
        From ``core_constraints``, as positions in ``solution``.

    Returns
    -------
    solution, active
        (n,) coefficients, and how many constraints hold them.
    """
    lack = falls - (solution[columns] - solution[columns + 1])
    if not columns.size or (lack <= 0).all():
        return solution, 0
    m = np.arange(columns.size)
    rows = np.zeros((solution.size, columns.size))
    rows[columns, m] += 1.0
    rows[columns + 1, m] -= 1.0
    response = scipy.linalg.cho_solve(factor, rows, check_finite=False)
    h = response[columns] - response[columns + 1]
    root = scipy.linalg.cholesky(0.5 * (h + h.T) + 1e-12 * np.trace(h) / len(h) * np.eye(len(h)), lower=True)
    multipliers, _ = scipy.optimize.nnls(root.T, scipy.linalg.solve_triangular(root, lack, lower=True))
    return solution + response @ multipliers, int((multipliers > 0).sum())


def core_report(layout: Layout, coefficients: Array, shortest: Array) -> list[CoreReport]:
    """Report V2 of each pair below the shortest distance of the data."""
    from scipy.interpolate import BSpline

    names = layout.settings.elements
    reports = []
    for block, (a, b) in enumerate(layout.pairs):
        first, count = layout.basis.pair_columns(block)
        values = np.zeros(len(layout.pair_knots) - 4)
        values[:count] = 2.0 * coefficients[first : first + count]
        spline = BSpline(layout.pair_knots, values, 3)
        low = float(layout.pair_knots[0])
        end = float(min(shortest[block], layout.pair_knots[-1]))
        r = np.linspace(low, end, 400)
        reports.append(
            CoreReport(
                pair=f"{names[a]} {names[b]}",
                shortest_distance=float(shortest[block]),
                first_knot=low,
                energy_at_first_knot=float(spline(low)),
                energy_at_shortest=float(spline(end)),
                largest_slope=float(spline.derivative()(r).max()),
            )
        )
    return reports
