"""Jumps, rotations and collective diffusion of one run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
from lpsnmr.results import Results, SiteJumps

__all__ = ["GROUPS", "Motion", "analyze_all_jumps", "analyze_motion", "memory_prior", "rms_jump_length"]

GROUPS = {"jumps_sites": "sites", "jumps_displacement": "displacement", "rotations_ps4": "PS4"}
"""Group of booked jumps of ``Results``: name in tables."""

_RATES = {
    "jumps_sites": ("rate_jump_sites_per_s", "Γ_jump (sites)"),
    "jumps_displacement": ("rate_jump_displacement_per_s", "Γ_jump (displacement)"),
    "rotations_ps4": ("rate_rotation_per_s", "Γ_rot (PS4)"),
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
    """

    jumps: dict[str, JumpRates]
    sites: SiteJumps | None
    collective: CollectiveDiffusion | None

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
            yield Quantity(*_RATES[group], "1/s", found.rate_per_s, found.reason)

    def notes(self) -> Iterator[Note]:
        """Yield what the numbers do not say."""
        if self.collective is not None and not self.collective.resolved:
            yield Note("collective diffusion", self.collective.reason)
        for group, found in self.jumps.items():
            if not found.resolved:
                yield Note(_what(group), found.reason)
                continue
            unit = "°" if group == "rotations_ps4" else " Å"
            yield Note(
                _what(group),
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


def _what(group: str) -> str:
    return "PS4 rotation" if group == "rotations_ps4" else f"jumps by {GROUPS[group]}"


def analyze_all_jumps(results: Results, level: float, notes: Notes) -> dict[str, JumpRates]:
    """Return the rates of every group of booked jumps that a run followed; a failure becomes a note."""
    found = {}
    for group in GROUPS:
        booked = getattr(results, group)
        if booked is None:
            continue
        rates = notes.attempt(_what(group), lambda booked=booked: analyze_jumps(booked, level))  # type: ignore[misc]
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
            )

        collective = notes.attempt("collective diffusion", compute)
    if not jumps and collective is None:
        return None
    return Motion(jumps, results.jumps_sites if "jumps_sites" in jumps else None, collective)
