"""Solve for the coefficients of a potential: density terms around V2 and V3, the core kept repulsive."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.ridge import Prior, solve
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.core_repulsion import impose
from lpsnmr.potential.prior import PriorSettings, build_prior
from lpsnmr.typing import Array

__all__ = ["Solver", "width_moves"]


class Solver:
    """Solve with one prior, the core constraints included."""

    def __init__(
        self,
        layout: Layout,
        columns: NDArray[np.intp],
        energies: Sequence[float],
        constraints: tuple[NDArray[np.intp], Array] | None,
    ) -> None:
        self.layout, self.columns, self.energies = layout, columns, energies
        self.constraints = constraints
        self.active = 0
        self.factor: Array = np.empty((0, 0))  # of the last solution
        self._priors: dict[PriorSettings, Prior] = {}

    def __call__(self, equations: NormalEquations, settings: PriorSettings) -> Array:
        """Return the coefficients, reference energies last."""
        prior = self._prior(settings)
        if self.layout.density:
            own = self._without_density(equations, settings)
            base = self._base()[: -len(self.energies) * len(self.layout.settings.elements)]
            prior.mean[base] = own[: len(base)]
        solution, factor = solve(equations, prior)
        self.factor = factor[0]
        return self._held(solution, factor)

    def _prior(self, settings: PriorSettings) -> Prior:
        """Return a prior whose mean may be changed; the latest two are kept, as many fits share them."""
        if settings not in self._priors:
            self._priors = dict(list(self._priors.items())[-1:])
            self._priors[settings] = build_prior(self.layout, settings, self.columns, self.energies)
        kept = self._priors[settings]
        return Prior(kept.matrix, kept.mean.copy())

    def _base(self) -> NDArray[np.intp]:
        """Return which unknowns are no density terms: V2, V3 and the reference energies."""
        fitted = len(self.columns)
        base = np.flatnonzero(self.columns < self.layout.basis.columns)
        energies = len(self.energies) * len(self.layout.settings.elements)
        return np.concatenate([base, np.arange(fitted, fitted + energies)])

    def _without_density(self, equations: NormalEquations, settings: PriorSettings) -> Array:
        """Return V2, V3 and reference energies of a fit without the density terms."""
        chosen = self._base()
        whole = self._prior(replace(settings, anchor=1.0))
        prior = Prior(sp.csr_matrix(whole.matrix[chosen][:, chosen]), whole.mean[chosen])
        return self._held(*solve(equations.part(chosen), prior))

    def _held(self, solution: Array, factor: tuple[Array, bool]) -> Array:
        """Return the solution that obeys the constraints on the core."""
        if self.constraints is not None:
            solution, self.active = impose(solution, factor, *self.constraints)
        return solution


def width_moves(density: bool) -> list[Callable[[PriorSettings, float], PriorSettings]]:
    """Return what multiplies a width of the prior by a factor, for each; density ones on request."""

    def move(name: str) -> Callable[[PriorSettings, float], PriorSettings]:
        return lambda prior, factor: replace(prior, **{name: float(f"{getattr(prior, name) * factor:.6g}")})

    names = [f.name for f in fields(PriorSettings)]
    return [move(name) for name in names if density or name not in ("density", "anchor")]
