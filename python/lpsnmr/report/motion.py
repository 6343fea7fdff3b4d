"""CSV files and plots of jumps, rotations, sites and collective diffusion."""

from pathlib import Path

import numpy as np

from lpsnmr.analysis.dynamics import CollectiveDiffusion
from lpsnmr.analysis.motion import Motion, is_rotation
from lpsnmr.files.tables import write_columns
from lpsnmr.report.plots import plot_motion
from lpsnmr.results import SiteJumps

__all__ = ["write_motion"]


def write_motion(motion: Motion, folder: Path, title: str, make_plots: bool) -> list[Path]:
    """Write survival functions, histograms, sites, site pairs and the collective MSD; return the paths."""
    written = []
    for group, found in motion.jumps.items():
        survival = {"time_ps": found.survival_ps, "survival": found.survival}
        written.append(write_columns(folder / f"{group}_survival.csv", survival))
        unit = "degrees" if is_rotation(group) else "angstrom"
        lengths = {f"length_{unit}": found.length_edges[:-1], "jumps": found.length_counts}
        written.append(write_columns(folder / f"{group}_lengths.csv", lengths))
    if motion.sites is not None:
        written += _write_sites(motion.sites, folder)
    if motion.collective is not None:
        written.append(_write_collective(motion.collective, folder))
    if make_plots:
        written += plot_motion(folder, motion, title)
    return written


def _write_sites(sites: SiteJumps, folder: Path) -> list[Path]:
    x, y, z = sites.sites_fractional.T
    columns = {"site": np.arange(len(x)), "x": x, "y": y, "z": z}
    columns["occupation"] = sites.site_occupation
    columns["founded"] = sites.site_founded.astype(int)
    origin, target, jumps = sites.site_pairs.T
    return [
        write_columns(folder / "sites.csv", columns),
        write_columns(folder / "site_pairs.csv", {"from": origin, "to": target, "jumps": jumps}),
    ]


def _write_collective(collective: CollectiveDiffusion, folder: Path) -> Path:
    columns = {
        "lag_ps": collective.lag_ps,
        "msd_per_li_angstrom2": collective.msd,
        "origins": collective.counts,
        "used_in_fit": collective.used.astype(int),
        "fit_angstrom2": collective.fitted,
    }
    return write_columns(folder / "msd_collective.csv", columns)
