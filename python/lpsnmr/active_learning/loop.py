"""The loop: sample, select, label, refit, report; every step is a file and is not done twice."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ase
import ase.io
import numpy as np

from lpsnmr.active_learning.candidates import sample_candidates
from lpsnmr.active_learning.checks import check, check_folds
from lpsnmr.active_learning.memory import compare, fingerprint, remember
from lpsnmr.active_learning.posterior import UfpPosterior, settings_of_potential
from lpsnmr.active_learning.report import RoundReport, errors_on, held_out_rows
from lpsnmr.active_learning.settings import LABELS, LearnSettings, Progress
from lpsnmr.errors import ComputeError
from lpsnmr.files.atomic import written_aside
from lpsnmr.labelling import LabelStatus, label_frames
from lpsnmr.potential import DataSet, fit_ufp, save_fit
from lpsnmr.reference import read_reference
from lpsnmr.reference.add_terms import add_terms
from lpsnmr.reference.terms import LabelChoice

__all__ = ["learn"]


def _write(path: Path, frames: Sequence[ase.Atoms]) -> None:
    with written_aside(path) as aside:
        ase.io.write(aside, list(frames), format="extxyz")


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
    limits = {
        f"{planned.name}_{group.rpartition('_')[2]}": settings.limit(planned)
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
        raise ComputeError("selection: no run with candidates may give any (most = 0); nothing to label")
    _write(path, picked)
    return picked


def _refit(
    settings: LearnSettings, like: Path, files: Sequence[Path], target: Path, progress: Progress | None
) -> dict[str, Any]:
    """Fit as ``like`` was fitted, to all labelled frames; write the potential; return its sidecar."""
    fit_settings = settings.fit_settings(like)
    data = [DataSet(read_reference(files, require=LABELS))]
    save_fit(target, fit_ufp(data, fit_settings, progress), fit_settings, data, [list(files)])
    return _sidecar(target)


def _sidecar(potential: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(potential.with_suffix(".json").read_text(encoding="utf-8"))
    return record


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
    candidates = sample_candidates(settings, potential, folder / "candidates", number, progress)
    known = [] if selected.exists() and target.exists() else read_reference(labelled, require=LABELS)
    if selected.exists():
        picked = list(ase.io.iread(selected, ":"))
    else:
        picked = _select(settings, potential, known, candidates, selected, progress)
    if not target.exists():
        check_folds(settings, [*known, *picked], what="the labelled and the chosen frames")

    def show(status: LabelStatus) -> None:
        if progress:
            progress("labelling", status.done + status.failed, status.total)

    outcome = label_frames(picked, answer, settings.engine, jobs=settings.jobs, progress=show)
    if not answer.exists():
        raise ComputeError(f"{folder}: no frame could be labelled; first reason: {outcome.failed[0][1]}")
    term = LabelChoice.parse(settings.fit_settings(potential).labels).term
    if term:
        add_terms(answer, term, jobs=settings.jobs, keep=True)
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
        For what ``checks.check`` refuses, and a folder begun with other settings or files;
        nothing has been written then.
    ComputeError
        When nothing could be sampled, labelled or fitted.
    """
    now = fingerprint(settings, check(settings))
    compare(settings, now)
    settings.folder.mkdir(parents=True, exist_ok=True)
    remember(settings, now)
    potential, labelled, reports = settings.potential, list(settings.reference), []
    for number in range(1, settings.rounds + 1):
        potential, report = _round(settings, number, potential, labelled, progress)
        labelled.append(settings.folder / f"round-{number:02d}" / "labelled.extxyz")
        reports.append(report)
    return reports
