"""Jumps, rotations and collective diffusion of one run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from lpsnmr.analysis.dynamics import (
    CollectiveDiffusion,
    Diffusion,
    JumpRates,
    analyze_collective,
    analyze_jumps,
)
from lpsnmr.analysis.notes import Note, Notes
from lpsnmr.analysis.quantities import Quantity
from lpsnmr.analysis.statistics.memory_fit import MemoryPrior, memory_of_jumps
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.results import Jumps, Results, SiteJumps
from lpsnmr.results.results import ROTATIONS

__all__ = ["GROUPS", "Motion", "analyze_all_jumps", "analyze_motion", "memory_prior", "rms_jump_length"]

GROUPS = {"jumps_sites": "sites", "jumps_displacement": "displacement"}
"""Group of booked jumps of ``Results``: name in tables."""

_RATES = {
    "jumps_sites": ("rate_jump_sites_per_s", "Γ_jump (sites)"),
    "jumps_displacement": ("rate_jump_displacement_per_s", "Γ_jump (displacement)"),
}


@dataclass(frozen=True)
class Motion:
    """What the booked jumps and the collective displacement of one run say.

    Attributes
    ----------
    jumps
        Group of the results to its analysis.
    sites
        The sites and the jumps between them; None when sites were not followed.
    collective
        Collective diffusion; None when it was not sampled.
    formulas
        Group of rotations to the formula of its polyhedra.
    """

    jumps: dict[str, JumpRates]
    sites: SiteJumps | None
    collective: CollectiveDiffusion | None
    formulas: dict[str, str] = field(default_factory=dict)

    def rate(self, group: str) -> Interval | None:
        """Return the jump rate of a group, 1/s; None when not resolved or not sampled."""
        found = self.jumps.get(group)
        return None if found is None else found.rate_per_s

    def quantities(self) -> Iterator[Quantity]:
        """Yield the numbers of what was sampled."""
        c = self.collective
        if c is not None:
            yield Quantity(
                "diffusion_collective_cm2_per_s", "D_σ collective", "cm²/s", c.diffusion_cm2_s, c.reason
            )
            yield Quantity("haven_ratio", "Haven ratio D/D_σ", "", c.haven_ratio, c.reason)
            without = c.reason or ("" if c.conductivity_s_per_cm else "the temperature is unknown")
            yield Quantity("conductivity_s_per_cm", "σ", "S/cm", c.conductivity_s_per_cm, without)
        for group, found in self.jumps.items():
            key, symbol = _RATES[group] if group in _RATES else self._rotation(group)
            yield Quantity(key, symbol, "1/s", found.rate_per_s, found.reason)

    def _rotation(self, group: str) -> tuple[str, str]:
        """Return key and symbol of the rate of a kind of polyhedra; an only kind has no name in its key."""
        alone = sum(is_rotation(other) for other in self.jumps) == 1
        key = "rate_rotation_per_s" if alone else f"rate_{group.replace('rotations', 'rotation')}_per_s"
        return key, f"Γ_rot ({self.formulas.get(group, group)})"

    def describe(self, group: str) -> str:
        """Return what a group of booked jumps is of, in words."""
        if is_rotation(group):
            return f"{self.formulas.get(group, group)} rotation"
        return f"jumps by {GROUPS[group]}"

    def notes(self) -> Iterator[Note]:
        """Yield what the numbers do not say."""
        if self.collective is not None and not self.collective.resolved:
            yield Note("collective diffusion", self.collective.reason)
        for group, found in self.jumps.items():
            if not found.resolved:
                yield Note(self.describe(group), found.reason)
                continue
            unit = "°" if is_rotation(group) else " Å"
            yield Note(
                self.describe(group),
                f"{found.n_jumps}, mean length {found.mean_length:.3g}{unit}, "
                f"{100 * found.backward_fraction:.0f} % backward, "
                f"{found.n_recrossings} recrossings removed{_corrected(found)}",
            )
        if self.sites is not None and self.sites.jumps.sum():
            founded = int(self.sites.site_founded.sum())
            late = f", {founded} of them founded later" if founded else ""
            yield Note(
                "sites",
                f"{len(self.sites.sites_fractional)}{late}; "
                f"{100 * self.sites.between_sites:.0f} % of the time outside their cores",
            )


def _corrected(found: JumpRates) -> str:
    if np.isnan(found.correction):
        return "; returns that came too soon to be counted are not corrected for"
    return f"; rate raised by {100 * (found.correction - 1):.2g} % for jumps taken for recrossings"


def is_rotation(group: str) -> bool:
    """Whether a group of booked jumps is of rotations."""
    return group.startswith(ROTATIONS)


def formula_of(name: str, elements: Iterable[str]) -> str:
    """Return the formula of a kind of polyhedra from its name in small letters and the elements there are.

    Examples
    --------
    >>> formula_of("ps4", ["Li", "P", "S"]), formula_of("alcl4", ["Li", "Al", "Cl"])
    ('PS4', 'AlCl4')
    """
    known = sorted(elements, key=len, reverse=True)
    left, found = name, ""
    while left:
        symbol = next((e for e in known if left.startswith(e.lower())), left[0])
        found, left = found + symbol, left[len(symbol) :]
    return found


def analyze_all_jumps(results: Results, level: float, notes: Notes) -> dict[str, JumpRates]:
    """Return the rates of every group of booked jumps that a run followed; a failure becomes a note."""
    found = {}
    followed: dict[str, Jumps | None] = {group: getattr(results, group) for group in GROUPS}
    followed |= {f"{ROTATIONS}{name}": booked for name, booked in results.rotations.items()}
    said = Motion(jumps={}, sites=None, collective=None, formulas=_formulas(results))
    for group, booked in followed.items():
        if booked is None:
            continue
        rates = notes.attempt(said.describe(group), partial(analyze_jumps, booked, level))
        if rates is not None:
            found[group] = rates
    return found


def rms_jump_length(jumps: Mapping[str, JumpRates]) -> float | None:
    """Return the root mean square length of the jumps between sites, Å; None when they are not resolved.

    The quadratic mean, because a random walk of Γ jumps per time has 6D = Γ⟨a²⟩.
    """
    found = jumps.get("jumps_sites")
    return float(np.sqrt(found.mean_square_length)) if found is not None and found.resolved else None


def memory_prior(jumps: Mapping[str, JumpRates]) -> MemoryPrior | None:
    """Return what the jumps of Li say of their memory; None when no rate of them is resolved.

    Those between sites where they are resolved, else those by displacement.
    """
    for group in ("jumps_sites", "jumps_displacement"):
        found = jumps.get(group)
        if found is not None and found.residence_ps is not None and found.mean_square_length > 0:
            return memory_of_jumps(found.residence_ps.value, found.mean_square_length)
    return None


def analyze_motion(
    results: Results, jumps: dict[str, JumpRates], diffusion: Diffusion | None, notes: Notes
) -> Motion | None:
    """Put the rates of jumps and the collective diffusion together; None when there are none of them."""
    collective = None
    together = results.collective_displacement
    if together is not None and diffusion is not None:

        def compute() -> CollectiveDiffusion:
            together.validate("extra/collective_displacement", results.n_li)
            return analyze_collective(
                together.lags,
                diffusion,
                results.duration_ps,
                results.n_li,
                float(abs(np.linalg.det(results.cell))),
                results.best_temperature_k,
                results.charge,
            )

        collective = notes.attempt("collective diffusion", compute)
    if not jumps and collective is None:
        return None
    sites = results.jumps_sites if "jumps_sites" in jumps else None
    return Motion(jumps, sites, collective, _formulas(results))


def _formulas(results: Results) -> dict[str, str]:
    return {f"{ROTATIONS}{name}": formula_of(name, results.species_counts) for name in results.rotations}
