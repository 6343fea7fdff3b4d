"""What must stay the same when a learning run goes on: settings, and contents of the files it began with."""

import json
from pathlib import Path
from typing import Any

from lpsnmr.active_learning.settings import LearnSettings
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hashing import sha256_of
from lpsnmr.fitting.sidecar import sidecar_path
from lpsnmr.potential.provenance import extrapolation_path
from lpsnmr.potential.ufd_file import density_path
from lpsnmr.structures import CRYSTALS

__all__ = ["compare", "fingerprint", "remember"]

FILE = "learn.json"


def _begun_with(settings: LearnSettings) -> list[Path]:
    """Return the files a run begins with: reference, potential and what lies beside it, structures."""
    potential = settings.potential
    beside = [p(potential) for p in (density_path, sidecar_path, extrapolation_path)]
    structures = dict.fromkeys(run.structure for run in settings.plan.run if run.structure not in CRYSTALS)
    present = [path for path in beside if path.is_file()]
    return [*settings.reference, potential, *present, *map(Path, structures)]


def fingerprint(settings: LearnSettings, label_id: str) -> dict[str, Any]:
    """Return what must not change when a run goes on, as JSON knows it.

    Files count by name and content, not by folder, so a run that was moved goes on.

    Parameters
    ----------
    settings
        Checked settings: all files are there.
    label_id
        Recipe of the labels.
    """
    plan = settings.plan.model_dump(mode="json")
    for run in plan["run"]:
        run["structure"] = Path(run["structure"]).name
    hashes: dict[str, str] = {}
    for path in _begun_with(settings):
        name, n = path.name, 1
        while name in hashes:
            n += 1
            name = f"{path.name} ({n})"
        hashes[name] = sha256_of(path)
    record = {
        "plan": plan,
        "engine": {"name": settings.engine.name, "options": dict(settings.engine.options)},
        "gpaw": settings.engine.gpaw.as_dict(),
        "label_id": label_id,
        "frames": settings.frames,
        "folds": settings.folds,
        "steps_per_block": settings.steps_per_block,
        "seed": settings.seed,
        "reference": [path.name for path in settings.reference],
        "potential": settings.potential.name,
        "sha256": hashes,
    }
    plain: dict[str, Any] = json.loads(json.dumps(record))
    return plain


def _read(path: Path) -> dict[str, Any]:
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"{path}: not JSON ({error}); expected what lpsnmr learn wrote") from error
    if not isinstance(before, dict):
        raise FileFormatError(f"{path}: expected what lpsnmr learn wrote, got a {type(before).__name__}")
    return before


def compare(settings: LearnSettings, now: dict[str, Any]) -> None:
    """Refuse a folder that was begun with another fingerprint than ``now``; a new one passes.

    Another ``label_id`` passes where labels may be mixed.

    Raises
    ------
    InputError
        Names what has changed.
    """
    path = settings.folder / FILE
    if not path.exists():
        return
    before = _read(path)
    if "sha256" not in before:
        raise InputError(
            f"{path}: written by an earlier lpsnmr, without the contents of the files it began with, so it "
            "cannot be continued safely; expected another folder (labels of its rounds can be --reference)"
        )
    old, new = before["sha256"], now["sha256"]
    if not isinstance(old, dict):
        raise FileFormatError(
            f"{path}: sha256: expected a table as lpsnmr learn wrote it, got a {type(old).__name__}"
        )
    skipped = {"sha256", *(("label_id",) if settings.mix_labels else ())}
    changed = sorted(k for k in {*before, *now} - skipped if before.get(k) != now.get(k))
    files = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
    changed += [f"contents of {name}" for name in files]
    if changed:
        raise InputError(
            f"{path}: this folder was begun with other settings ({', '.join(changed)}); expected "
            "the same, or another folder (more rounds are fine)"
        )


def remember(settings: LearnSettings, now: dict[str, Any]) -> None:
    """Write the fingerprint into a folder that has none."""
    path = settings.folder / FILE
    if not path.exists():
        with written_aside(path) as aside:
            aside.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
