"""Jumps, rotations and collective diffusion of one results file, and their files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.analysis.dynamics import (
    CollectiveDiffusion,
    Diffusion,
    JumpRates,
    analyze_collective,
    analyze_jumps,
)
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.files.tables import write_columns
from lpsnmr.results.results import Results
from lpsnmr.sampling import lags_from_arrays

__all__ = ["GROUPS", "Motion", "analyze_motion", "first_lag_ps", "found_jump_distance"]

GROUPS = {"jumps_sites": "sites", "jumps_displacement": "displacement", "rotations_ps4": "PS4"}
"""Group of booked jumps in the results file: name in tables."""
DEGREES_PER_UNIT = 10.0


@dataclass
class Motion:
    """What the booked jumps and the collective displacement of one run say.

    Attributes
    ----------
    jumps
        Group of the results file to its analysis.
    arrays
        Group to its arrays.
    collective
        Collective diffusion; None when it was not sampled.
    """

    jumps: dict[str, JumpRates]
    arrays: dict[str, dict[str, NDArray[Any]]]
    collective: CollectiveDiffusion | None

    def rate(self, group: str) -> Interval | None:
        """Return the jump rate of a group, 1/s; None when not resolved or not sampled."""
        found = self.jumps.get(group)
        return None if found is None else found.rate_per_s

    def quantities(self) -> list[tuple[str, str, Interval | None]]:
        """Return (name, unit, interval) of what was sampled."""
        rows: list[tuple[str, str, Interval | None]] = []
        if self.collective is not None:
            rows += [
                ("D_σ collective", "cm²/s", self.collective.diffusion_cm2_s),
                ("Haven ratio D/D_σ", "", self.collective.haven_ratio),
                ("σ", "S/cm", self.collective.conductivity_s_per_cm),
            ]
        names = {"jumps_sites": "Γ_jump (sites)", "jumps_displacement": "Γ_jump (displacement)",
                 "rotations_ps4": "Γ_rot (PS4)"}  # fmt: skip
        return rows + [(names[group], "1/s", found.rate_per_s) for group, found in self.jumps.items()]

    def notes(self) -> list[str]:
        """Return what the numbers do not say."""
        notes = []
        if self.collective is not None and not self.collective.resolved:
            notes.append(f"collective diffusion: {self.collective.reason}")
        for group, found in self.jumps.items():
            what = "PS4 rotation" if group == "rotations_ps4" else f"jumps by {GROUPS[group]}"
            if not found.resolved:
                notes.append(f"{what}: {found.reason}")
            else:
                unit = "°" if group == "rotations_ps4" else " Å"
                notes.append(
                    f"{what}: {found.n_jumps}, mean length {found.mean_length:.3g}{unit}, "
                    f"{100 * found.backward_fraction:.0f} % backward, "
                    f"{found.n_recrossings} recrossings removed"
                )
        sites = self.arrays.get("jumps_sites")
        if sites is not None and self.jumps["jumps_sites"].n_jumps:
            founded = int(sites["site_founded"].sum())
            late = f", {founded} of them founded later" if founded else ""
            notes.append(
                f"sites: {len(sites['sites_fractional'])}{late}; "
                f"{100 * float(sites['between_sites']):.0f} % of the time outside their cores"
            )
        return notes

    def describe(self) -> dict[str, Any]:
        """Return scalars and intervals for JSON."""
        described = {
            group: {k: v for k, v in vars(found).items() if not isinstance(v, np.ndarray)}
            for group, found in self.jumps.items()
        }
        if self.collective is not None:
            described["collective_diffusion"] = {
                k: v for k, v in vars(self.collective).items() if not isinstance(v, np.ndarray)
            }
        return described

    def write(self, folder: Path) -> list[Path]:
        """Write survival functions, histograms, sites, site pairs and the collective MSD as CSV files."""
        written = []
        for group, found in self.jumps.items():
            survival = {"time_ps": found.survival_ps, "survival": found.survival}
            written.append(write_columns(folder / f"{group}_survival.csv", survival))
            unit = "degrees" if group == "rotations_ps4" else "angstrom"
            lengths = {f"length_{unit}": found.length_edges[:-1], "jumps": found.length_counts}
            written.append(write_columns(folder / f"{group}_lengths.csv", lengths))
        sites = self.arrays.get("jumps_sites")
        if sites is not None:
            x, y, z = sites["sites_fractional"].T
            columns = {"site": np.arange(len(x)), "x": x, "y": y, "z": z}
            columns["occupation"] = sites["site_occupation"]
            columns["founded"] = sites["site_founded"].astype(int)
            written.append(write_columns(folder / "sites.csv", columns))
            origin, target, jumps = sites["site_pairs"].T
            written.append(
                write_columns(folder / "site_pairs.csv", {"from": origin, "to": target, "jumps": jumps})
            )
        if self.collective is not None:
            c = self.collective
            columns = {"lag_ps": c.lag_ps, "msd_per_li_angstrom2": c.msd, "origins": c.counts,
                       "used_in_fit": c.used.astype(int), "fit_angstrom2": c.fitted}  # fmt: skip
            written.append(write_columns(folder / "msd_collective.csv", columns))
        return written


def found_jump_distance(results: Results) -> float | None:
    """Return the root mean square length of the jumps between sites, Å; None when they are not resolved.

    The quadratic mean, because a random walk of Γ jumps per time has 6D = Γ⟨a²⟩.
    """
    arrays = results.extra.get("jumps_sites")
    if arrays is None:
        return None
    found = analyze_jumps(arrays)
    return float(np.sqrt(found.mean_square_length)) if found.resolved else None


def first_lag_ps(results: Results, min_lag_ps: float, max_lag_fraction: float) -> float:
    """Return the shortest lag of the fit of D, ps: not below the residence time where that is known.

    Before an ion has jumped once or twice its MSD knows nothing of jumps back. The fit begins at an
    eighth of its end at the latest.
    """
    arrays = results.extra.get("jumps_sites")
    found = None if arrays is None else analyze_jumps(arrays)
    if found is None or found.residence_ps is None:
        return min_lag_ps
    latest = max_lag_fraction * results.duration_ps / 8.0
    return max(min_lag_ps, min(found.residence_ps.value, latest))


def analyze_motion(results: Results, diffusion: Diffusion | None, level: float) -> Motion | None:
    """Analyse the groups of a results file; None when it has none of them."""
    jumps = {
        group: analyze_jumps(
            results.extra[group], level, DEGREES_PER_UNIT if group == "rotations_ps4" else 1.0
        )
        for group in GROUPS
        if group in results.extra
    }
    collective = None
    if "collective_displacement" in results.extra and diffusion is not None:
        collective = analyze_collective(
            lags_from_arrays(results.extra["collective_displacement"]),
            diffusion,
            results.duration_ps,
            results.n_li,
            float(abs(np.linalg.det(results.cell))),
            results.best_temperature_k,
        )
    if not jumps and collective is None:
        return None
    return Motion(jumps, {group: results.extra[group] for group in jumps}, collective)
