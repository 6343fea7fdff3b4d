"""The loop: sample, select, label, refit, report; every step is a file and is not done twice."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ase
import ase.io
import numpy as np

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.io.atomic import written_aside
from lpsnmr.learning.candidates import sample_candidates
from lpsnmr.learning.plan import LearnPlan
from lpsnmr.learning.posterior import UfpPosterior, settings_of_potential
from lpsnmr.learning.report import RoundReport, errors_on, held_out_rows
from lpsnmr.potential import DataSet, fit_ufp, save_fit
from lpsnmr.reference import EngineChoice, LabelStatus, label_frames, read_reference

__all__ = ["LearnSettings", "learn"]

Progress = Callable[[str, int, int], None]
LABELS = ("energy", "forces", "stress")


@dataclass(frozen=True)
class LearnSettings:
    """What a learning run depends on.

    Attributes
    ----------
    folder
        Results; ``round-01``, ``round-02``, … in it.
    reference
        Labelled frames to begin with.
    potential
        Potential to begin with; its sidecar says how it was fitted, and so how later ones are.
    plan
        What is sampled in a round.
    engine
        What labels.
    rounds, frames
        Number of rounds, frames labelled in each.
    jobs
        Labels computed side by side.
    folds, steps_per_block
        Cross-validation of the refits; whole runs when ``steps_per_block`` is None.
    seed
        Of the trajectories and the folds.
    """

    folder: Path
    reference: tuple[Path, ...]
    potential: Path
    plan: LearnPlan
    engine: EngineChoice = field(default_factory=EngineChoice)
    rounds: int = 1
    frames: int = 10
    jobs: int = 1
    folds: int = 5
    steps_per_block: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse counts below one."""
        for name in ("rounds", "frames", "jobs"):
            if getattr(self, name) < 1:
                raise InputError(f"learn: {name} must be at least 1, got {getattr(self, name)}")

    def fingerprint(self) -> dict[str, Any]:
        """Return what must not change when a run goes on."""
        return {
            "plan": self.plan.model_dump(mode="json"),
            "engine": {"name": self.engine.name, "options": dict(self.engine.options)},
            "gpaw": self.engine.gpaw.as_dict(),
            "frames": self.frames,
            "folds": self.folds,
            "steps_per_block": self.steps_per_block,
            "seed": self.seed,
            "reference": [path.name for path in self.reference],
            "potential": self.potential.name,
        }


def _write(path: Path, frames: Sequence[ase.Atoms]) -> None:
    with written_aside(path) as aside:
        ase.io.write(aside, list(frames), format="extxyz")


def _remember(settings: LearnSettings) -> None:
    """Write down the settings, or compare with those of the run that goes on."""
    path = settings.folder / "learn.json"
    now = json.loads(json.dumps(settings.fingerprint()))
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = sorted(k for k in {*before, *now} if before.get(k) != now.get(k))
        if changed:
            raise InputError(
                f"{path}: this folder was begun with other settings ({', '.join(changed)}); expected "
                "the same, or another folder (more rounds are fine)"
            )
        return
    with written_aside(path) as aside:
        aside.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")


def _select(
    settings: LearnSettings,
    potential: Path,
    known: Sequence[ase.Atoms],
    candidates: Sequence[ase.Atoms],
    path: Path,
    progress: Progress | None,
) -> list[ase.Atoms]:
    """Choose frames and write them with their gain and the largest force uncertainty in the header."""

    def step(name: str) -> Callable[[int, int], None] | None:
        return None if progress is None else (lambda done, total: progress(name, done, total))

    posterior = UfpPosterior(settings_of_potential(potential), known, step("posterior"))
    before = [float(posterior.force_uncertainty(f).max()) for f in candidates]
    groups = [str(f.info["run"]) for f in candidates]
    share = min(settings.frames, -(-2 * settings.frames // len(settings.plan.run)))
    limits = {
        f"{planned.name}_{group.rpartition('_')[2]}": share if planned.most is None else planned.most
        for planned in settings.plan.run
        for group in set(groups)
        if group.rpartition("_")[0] == planned.name
    }
    chosen = posterior.select(candidates, settings.frames, groups, limits, step("selection"))
    picked = []
    for index, gain in chosen:
        frame = candidates[index].copy()
        frame.info["information_gain"] = round(gain, 6)
        frame.info["force_uncertainty"] = round(before[index], 6)
        picked.append(frame)
    if not picked:
        raise ComputeError("selection: every run's limit (most) is 0; nothing to label")
    _write(path, picked)
    return picked


def _refit(
    settings: LearnSettings, like: Path, files: Sequence[Path], target: Path, progress: Progress | None
) -> dict[str, Any]:
    """Fit as ``like`` was fitted, to all labelled frames; write the potential; return its sidecar."""
    fit_settings = replace(
        settings_of_potential(like),
        folds=settings.folds,
        steps_per_block=settings.steps_per_block,
        seed=settings.seed,
    )
    data = [DataSet(read_reference(files, require=LABELS))]
    save_fit(target, fit_ufp(data, fit_settings, progress), fit_settings, data, [list(files)])
    return _sidecar(target)


def _sidecar(potential: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(potential.with_suffix(".json").read_text(encoding="utf-8"))
    return record


def _check_data(potential: Path) -> None:
    """Refuse a potential fitted to more than reference frames: a refit would leave the rest out."""
    names = [str(data.get("name")) for data in _sidecar(potential).get("data", ())[1:]]
    if names:
        raise InputError(
            f"{potential}: fitted to further data ({', '.join(names)}), which refits would leave out; "
            "expected a potential of fit-ufp without --second"
        )


def _share_extrapolating(candidates: Sequence[ase.Atoms]) -> float | None:
    """Return the share of graded candidates with a grade above 1, None when none is graded."""
    grades = [float(f.info["grade"]) for f in candidates if "grade" in f.info]
    return float(np.mean(np.asarray(grades) > 1.0)) if grades else None


def _round(
    settings: LearnSettings, number: int, potential: Path, labelled: Sequence[Path], progress: Progress | None
) -> tuple[Path, RoundReport]:
    """Do one round, or what is left of it; return the new potential and the report."""
    folder = settings.folder / f"round-{number:02d}"
    (folder / "candidates").mkdir(parents=True, exist_ok=True)
    selected, answer = folder / "selected.extxyz", folder / "labelled.extxyz"
    target = folder / potential.name
    candidates = sample_candidates(
        settings.plan, potential, folder / "candidates", number, settings.seed, progress
    )
    if selected.exists():
        picked = list(ase.io.iread(selected, ":"))
    else:
        known = read_reference(labelled, require=LABELS)
        picked = _select(settings, potential, known, candidates, selected, progress)

    def show(status: LabelStatus) -> None:
        if progress:
            progress("labelling", status.done + status.failed, status.total)

    outcome = label_frames(picked, answer, settings.engine, jobs=settings.jobs, progress=show)
    if not answer.exists():
        raise ComputeError(f"{folder}: no frame could be labelled; first reason: {outcome.failed[0][1]}")
    if not (target.exists() and target.with_suffix(".json").exists()):
        _refit(settings, potential, [*labelled, answer], target, progress)
    new = read_reference(answer, require=LABELS)
    report = RoundReport(
        number=number,
        candidates=len(candidates),
        selected=len(picked),
        failed=len(outcome.failed),
        extrapolating=_share_extrapolating(candidates),
        gain=float(np.sum([f.info["information_gain"] for f in picked])),
        before=errors_on(potential, new),
        after=errors_on(target, new),
        held_out=held_out_rows(_sidecar(target)),
        runs=sorted({str(f.info["run"]) for f in new}),
    )
    report.write(folder / "report.json")
    return target, report


def learn(settings: LearnSettings, progress: Progress | None = None) -> list[RoundReport]:
    """Improve a potential in rounds; go on where the folder stands.

    A round samples MD with the present potential, chooses the frames whose labels would teach it most
    (``UfpPosterior.select``), labels them, fits again and reports the errors on the new frames before and
    after, and the held-out errors of the new fit.

    Parameters
    ----------
    settings
        Everything.
    progress
        Called with (step, done, total).

    Returns
    -------
    list of RoundReport
        One per round, those of earlier calls included.

    Raises
    ------
    InputError
        For a folder begun with other settings, an engine that does not open, missing files, or a potential
        fitted to further data.
    ComputeError
        When nothing could be sampled, labelled or fitted.
    """
    settings_of_potential(settings.potential)
    _check_data(settings.potential)
    read_reference(settings.reference, require=LABELS)
    settings.engine.open().close()
    settings.folder.mkdir(parents=True, exist_ok=True)
    _remember(settings)
    potential, labelled, reports = settings.potential, list(settings.reference), []
    for number in range(1, settings.rounds + 1):
        potential, report = _round(settings, number, potential, labelled, progress)
        labelled.append(settings.folder / f"round-{number:02d}" / "labelled.extxyz")
        reports.append(report)
    return reports
