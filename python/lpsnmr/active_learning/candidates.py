"""Candidates of a round: MD with the present potential, one file per trajectory."""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import ase.io
from ase import Atoms

from lpsnmr.active_learning.plan import LearnPlan, PlannedRun
from lpsnmr.active_learning.settings import LearnSettings, Progress
from lpsnmr.errors import ComputeError, FileFormatError
from lpsnmr.files.atomic import written_aside
from lpsnmr.md.scheduled_frames import FrameSettings, sample
from lpsnmr.potential import Extrapolation
from lpsnmr.potential.provenance import extrapolation_path
from lpsnmr.structures import close_contacts, report_structure

__all__ = ["sample_candidates", "why_not"]

log = logging.getLogger(__name__)


CONTACTS, BROKEN = "implausible contacts", "broken PS4"


def why_not(frame: Atoms, whole: bool) -> str | None:
    """Return why a frame is not worth a label, None when it is.

    It is when it has no implausible contact and, where ``whole`` asks for that, every PS4 is whole.
    """
    if close_contacts(frame):
        return CONTACTS
    if not whole:
        return None
    report = report_structure(frame)
    return None if report.n_intact == report.n_phosphorus else BROKEN


@dataclass
class Yield:
    """What became of a trajectory: frames sampled, those dropped by reason, why it ended early (or empty)."""

    sampled: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    ended: str = ""

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        with written_aside(path) as aside:
            aside.write_text(json.dumps(asdict(self), ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Yield | None":
        """Return what ``write`` wrote, None where there is nothing."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise FileFormatError(f"{path}: not an account of a trajectory: {error}") from error


def _extrapolation(potential: Path) -> Extrapolation | None:
    """Return the certainty beside a potential, None when there is none."""
    path = extrapolation_path(potential)
    return Extrapolation(path) if path.is_file() else None


def _run(
    planned: PlannedRun, plan: LearnPlan, potential: Path, name: str, seed: int
) -> tuple[list[Atoms], Yield]:
    """Return the usable frames of one trajectory, to its collapse or the first grade above the plan's."""
    settings = FrameSettings(potential, timestep_fs=plan.timestep_fs, interval_ps=plan.interval_ps, seed=seed)
    extrapolation = _extrapolation(potential)
    kept: list[Atoms] = []
    account = Yield()
    try:
        for frame in sample(planned.start(seed), planned.schedule(), settings, name, planned.discard_ps):
            grade = 0.0 if extrapolation is None else float(extrapolation.grade(frame).max(initial=0.0))
            account.sampled += 1
            reason = why_not(frame, planned.whole)
            if reason is not None:
                account.dropped[reason] = account.dropped.get(reason, 0) + 1
            else:
                if extrapolation is not None:
                    frame.info["grade"] = round(grade, 4)
                kept.append(frame)
            if grade > plan.stop_grade:
                step = frame.info["run_step"]
                account.ended = f"grade {grade:.2f} above stop_grade {plan.stop_grade:g} at step {step}"
                log.info("%s: ended: %s", name, account.ended)
                break
    except ComputeError as error:
        account.ended = " ".join(str(error).split())
        log.warning("%s", error)
    return kept, account


def _nothing(folder: Path, potential: Path, accounts: Mapping[str, Yield | None]) -> str:
    """Return why no trajectory gave a candidate, in one line."""
    known = {name: account for name, account in accounts.items() if account is not None}
    reasons: Counter[str] = Counter()
    for account in known.values():
        reasons.update(account.dropped)
    sampled = sum(account.sampled for account in known.values())
    runs = "1 trajectory" if len(accounts) == 1 else f"{len(accounts)} trajectories"
    parts = [f"{runs} of {potential.name} gave {sampled} frames after discard_ps"]
    if reasons:
        parts.append("dropped: " + ", ".join(f"{n} for {reason}" for reason, n in sorted(reasons.items())))
    ended = [(name, account.ended) for name, account in known.items() if account.ended]
    if ended:
        name, why = ended[0]
        parts.append(f"{len(ended)} ended early, the first: {name}: {why}")
    if len(known) < len(accounts):
        parts.append(f"{len(accounts) - len(known)} came from an earlier lpsnmr, which kept no reasons")
    return f"{folder}: no candidate to label: {'; '.join(parts)}"


def sample_candidates(
    settings: LearnSettings,
    potential: Path,
    folder: Path,
    number: int,
    progress: Progress | None = None,
) -> list[Atoms]:
    """Run the trajectories of a round, or read those that are there; return all usable frames.

    Parameters
    ----------
    settings
        What to run, and the seed from which each round and trajectory gets its own.
    potential
        Potential file.
    folder
        ``NAME.extxyz`` of each trajectory goes here, ``NAME.json`` says what was dropped and why; it must
        exist.
    number
        Round; the frames' ``run`` is ``NAME_rNUMBER``.
    progress
        Called with ("sampling", done, total).

    Raises
    ------
    ComputeError
        When no trajectory gave a usable frame; says how many frames there were and why they were dropped.
    """
    plan = settings.plan
    frames: list[Atoms] = []
    accounts: dict[str, Yield | None] = {}
    for k, planned in enumerate(plan.run):
        path, beside = folder / f"{planned.name}.extxyz", folder / f"{planned.name}.json"
        if not path.exists():
            seed = settings.trajectory_seed(number, k)
            kept, account = _run(planned, plan, potential, f"{planned.name}_r{number}", seed)
            account.write(beside)
            with written_aside(path) as aside:
                if kept:
                    ase.io.write(aside, kept, format="extxyz")
                else:
                    aside.write_text("", encoding="utf-8")
        accounts[planned.name] = Yield.read(beside)
        if path.stat().st_size:
            frames += ase.io.read(path, ":")
        if progress:
            progress("sampling", k + 1, len(plan.run))
    if not frames:
        raise ComputeError(_nothing(folder, potential, accounts))
    return frames
