"""Add corrections to labelled frames of a file, in columns of their own."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ase
import ase.io

from lpsnmr.files.atomic import written_aside
from lpsnmr.labelling import EngineChoice, LabelStatus, label_frames
from lpsnmr.reference.reader import read_reference
from lpsnmr.reference.terms import Term, functional_of, put_term, term_of

__all__ = ["TermsReport", "add_terms", "terms_folder"]


@dataclass(frozen=True)
class TermsReport:
    """What ``add_terms`` did.

    Attributes
    ----------
    added, kept
        Frames that got the correction, and those that had it.
    failed
        (number of the frame in the file, reason) of frames that have none now.
    """

    added: int
    kept: int
    failed: list[tuple[int, str]]


def terms_folder(path: Path) -> Path:
    """Return the folder in which corrections of the frames of a file stand until all are there."""
    return path.with_name(f"{path.name}.terms")


def _compute(
    frames: Sequence[ase.Atoms],
    name: str,
    functional: str,
    folder: Path,
    jobs: int,
    progress: Callable[[LabelStatus], None] | None,
) -> tuple[list[Term | None], dict[int, str]]:
    """Return the correction of each frame, and why there is none."""
    choice = EngineChoice(name, {"functional": functional})
    output = folder / f"{name}_{functional}.extxyz"
    report = label_frames(frames, output, choice, jobs=jobs, retry_failed=True, progress=progress)
    reasons = dict(report.failed)
    done = iter(ase.io.iread(output, index=":", format="extxyz") if len(reasons) < len(frames) else ())
    terms: list[Term | None] = []
    for number in range(len(frames)):
        if number in reasons:
            terms.append(None)
            continue
        frame = next(done)
        results = frame.calc.results
        terms.append(
            Term(float(results["energy"]), results["forces"], results["stress"], str(frame.info["label"]))
        )
    return terms, reasons


def add_terms(
    path: Path,
    name: str,
    *,
    jobs: int = 1,
    again: bool = False,
    keep: bool = False,
    progress: Callable[[LabelStatus], None] | None = None,
) -> TermsReport:
    """Add a correction to the frames of an extended-XYZ file, which is replaced as a whole.

    Each frame's correction goes to ``PATH.terms/`` as soon as it is there, and a call that was stopped goes
    on from these. Everything else in the file stays as it is. The damping is that of the functional of a
    frame's header, or of PBE.

    Parameters
    ----------
    path
        Labelled frames.
    name
        One of ``TERMS``.
    jobs
        Processes side by side.
    again
        Compute corrections anew that are there.
    keep
        Leave ``PATH.terms/`` there when all is done.
    progress
        Called after each frame.

    Raises
    ------
    InputError
        When the package is not installed, a frame is not periodic, or a functional has no parameters.
    FileFormatError
        For a file that cannot be read.
    """
    frames = read_reference(path, require=())
    todo = [n for n, f in enumerate(frames) if again or term_of(f, name) is None]
    failed: list[tuple[int, str]] = []
    for functional in sorted({functional_of(frames[n]) for n in todo}):
        mine = [n for n in todo if functional_of(frames[n]) == functional]
        chosen = [frames[n] for n in mine]
        terms, reasons = _compute(chosen, name, functional, terms_folder(path), jobs, progress)
        failed += [(mine[k], reason) for k, reason in sorted(reasons.items())]
        for number, term in zip(mine, terms, strict=True):
            if term is not None:
                put_term(frames[number], name, term)
    if len(todo) > len(failed):
        for frame in frames:
            del frame.info["source"]
        with written_aside(path) as aside:
            ase.io.write(aside, frames, format="extxyz")
    if not (failed or keep):
        shutil.rmtree(terms_folder(path), ignore_errors=True)
    return TermsReport(len(todo) - len(failed), len(frames) - len(todo), failed)
