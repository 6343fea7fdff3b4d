"""Candidates of a round: MD with the present potential, one file per trajectory."""

import logging
from collections.abc import Callable
from pathlib import Path

import ase.io
from ase import Atoms

from lpsnmr.errors import ComputeError
from lpsnmr.io.atomic import written_aside
from lpsnmr.learning.plan import LearnPlan, PlannedRun
from lpsnmr.md.sampling import SamplingSettings, sample
from lpsnmr.structures import close_contacts, report_structure

__all__ = ["sample_candidates", "usable"]

log = logging.getLogger(__name__)


def usable(frame: Atoms, whole: bool) -> bool:
    """Tell whether a frame is worth a label: no implausible contact, PS4 whole where that is asked for."""
    if close_contacts(frame):
        return False
    report = report_structure(frame)
    return not whole or report.n_intact == report.n_phosphorus


def _run(planned: PlannedRun, plan: LearnPlan, potential: Path, name: str, seed: int) -> list[Atoms]:
    """Return the usable frames of one trajectory; those before a collapse when there is one."""
    settings = SamplingSettings(
        potential, timestep_fs=plan.timestep_fs, interval_ps=plan.interval_ps, seed=seed
    )
    kept = []
    try:
        for frame in sample(planned.start(seed), planned.schedule(), settings, name, planned.discard_ps):
            if usable(frame, planned.whole):
                kept.append(frame)
    except ComputeError as error:
        log.warning("%s", error)
    return kept


def sample_candidates(
    plan: LearnPlan,
    potential: Path,
    folder: Path,
    number: int,
    seed: int,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Atoms]:
    """Run the trajectories of a round, or read those that are there; return all usable frames.

    Parameters
    ----------
    plan
        What to run.
    potential
        Potential file.
    folder
        ``NAME.extxyz`` of each trajectory goes here; it must exist.
    number
        Round; the frames' ``run`` is ``NAME_rNUMBER``.
    seed
        Each round and trajectory gets its own seed from it.
    progress
        Called with ("sampling", done, total).

    Raises
    ------
    ComputeError
        When no trajectory gave a usable frame.
    """
    frames: list[Atoms] = []
    for k, planned in enumerate(plan.run):
        path = folder / f"{planned.name}.extxyz"
        if not path.exists():
            kept = _run(
                planned, plan, potential, f"{planned.name}_r{number}", seed + 1000 * number + 7 * k + 1
            )
            with written_aside(path) as aside:
                if kept:
                    ase.io.write(aside, kept, format="extxyz")
                else:
                    aside.write_text("", encoding="utf-8")
        if path.stat().st_size:
            frames += ase.io.read(path, ":")
        if progress:
            progress("sampling", k + 1, len(plan.run))
    if not frames:
        raise ComputeError(
            f"{folder}: no trajectory of {potential.name} gave a usable frame (implausible contacts or "
            "broken PS4 everywhere); the potential is too poor to sample with"
        )
    return frames
