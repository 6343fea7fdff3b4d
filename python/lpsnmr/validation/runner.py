"""Do the stages of a validation, each once: results are kept as JSON files and taken up again."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from lpsnmr.analysis.dynamics import fit_arrhenius
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hashing import sha256_of
from lpsnmr.potential import potential_hash
from lpsnmr.validation.cells import cell_task
from lpsnmr.validation.dynamic import (
    amorphous_task,
    check_md,
    nve_task,
    rdf_runs,
    rdf_task,
    stability_task,
)
from lpsnmr.validation.settings import ValidateSettings
from lpsnmr.validation.static import crystal_stage, error_stage
from lpsnmr.version import __version__

__all__ = ["validate"]

Tick = Callable[[str, int, int], None]
Work = Callable[[], dict[str, Any]]
USED = {
    "errors": ("reference",),
    "crystal": ("crystals", "static", "reference"),
    "cells": (
        "cells_ps", "cells_equilibration_ps", "cells_repeat", "timestep_fs", "seed", "style",
    ),
    "rdf": ("reference", "rdf_ps", "timestep_fs", "seed", "style"),
    "stability": ("structure", "repeat", "stability_ns", "timestep_fs", "seed", "style"),
    "nve": ("structure", "repeat", "nve_ps", "timestep_fs", "seed", "style"),
    "amorphous": (
        "structure", "amorphous_repeat", "melt_from", "melt_density", "melt_k", "melt_ps", "anneal_k",
        "anneal_ps", "release_k", "quench_ps", "amorphous_k", "amorphous_ps", "timestep_fs", "seed", "style",
    ),
}  # fmt: skip
"""Settings on which the result of a stage depends."""


def _tasks(settings: ValidateSettings, folder: Path, tick: Tick) -> list[tuple[str, str, Work]]:
    """Return (stage, name, work) of all tasks."""
    out: list[tuple[str, str, Work]] = []
    for stage in settings.stages:
        if stage in ("errors", "rdf") and not settings.reference:
            continue
        if stage == "errors":
            out.append((stage, "errors", partial(error_stage, settings, tick)))
        elif stage == "crystal":
            out.append((stage, "crystal", partial(crystal_stage, settings, tick)))
        elif stage == "cells":
            for crystal in settings.cells_of:
                name = f"cells_{crystal}"
                out.append((stage, name, partial(cell_task, settings, crystal, folder, name, tick)))
        elif stage == "rdf":
            for run, frames in rdf_runs(settings).items():
                name = f"rdf_{run}"
                out.append((stage, name, partial(rdf_task, settings, frames, folder, name, tick)))
        elif stage == "amorphous":
            out.append((stage, "amorphous", partial(amorphous_task, settings, folder, tick)))
        else:
            task, temperatures = {
                "stability": (stability_task, settings.temperatures_k),
                "nve": (nve_task, settings.nve_k),
            }[stage]
            for t in temperatures:
                name = f"{stage}_{t:g}K"
                out.append((stage, name, partial(task, settings, t, folder, name, tick)))
    return out


def _key(settings: ValidateSettings, stage: str, name: str) -> str:
    """Return a hash of the potential, the files and the settings that a task depends on."""
    values = asdict(settings)
    digest = hashlib.sha256(f"{name} {potential_hash(settings.potential)}".encode())
    for used in USED[stage]:
        value = values[used]
        if used in ("reference", "static"):
            value = [sha256_of(p) for p in getattr(settings, used)]
        digest.update(f"{used}={value!r}".encode())
    return digest.hexdigest()


def _kept(path: Path, key: str) -> dict[str, Any] | None:
    """Return the result of an earlier run of the same task."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("key") != key:
        return None
    result: dict[str, Any] | None = record.get("result")
    return result


def _write(path: Path, content: dict[str, Any]) -> None:
    with written_aside(path) as aside:
        aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def validate(
    settings: ValidateSettings, folder: Path, tick: Tick | None = None, rank: int = 0, size: int = 1
) -> dict[str, Any]:
    """Do all tasks that ``folder`` does not hold yet.

    A task whose MD fails (lost atoms, energies that are not finite) is recorded as failed: that is a result.

    Parameters
    ----------
    settings
        Potential, data, lengths.
    folder
        One JSON file per task, the states of unfinished MD, and ``validation.json`` with everything.
    tick
        Called with (task, done, total).
    rank, size
        Share of this process: tasks rank, rank + size, …; ``validation.json`` holds what was done by then.

    Returns
    -------
    dict
        Stage -> name -> result.

    Raises
    ------
    InputError
        When there is nothing to do, from the potential and the files, or as ``check_md`` does.
    """
    check_md(settings)
    silent: Tick = lambda *_: None  # noqa: E731
    tasks = _tasks(settings, folder, tick or silent)
    if not tasks:
        raise InputError("nothing to validate: the stages errors and rdf need reference frames")
    for stage, name, work in tasks[rank::size]:
        path, key = folder / f"{name}.json", _key(settings, stage, name)
        if _kept(path, key) is None:
            try:
                result = work()
            except ComputeError as error:
                result = {"failed": str(error)}
            _write(path, {"key": key, "result": result})
    results: dict[str, dict[str, Any]] = {}
    for stage, name, _ in tasks:
        kept = _kept(folder / f"{name}.json", _key(settings, stage, name))
        if kept is not None:
            results.setdefault(stage, {})[name] = kept
    if "stability" in results:
        results["diffusion"] = {"arrhenius": _arrhenius(list(results["stability"].values()))}
    record = {
        "format": "lpsnmr-validation-1",
        "lpsnmr": __version__,
        "potential": {"file": settings.potential.name, "sha256": sha256_of(settings.potential)},
        "settings": json.loads(json.dumps(asdict(settings), default=str)),
        "results": results,
    }
    if rank == 0:
        _write(folder / "validation.json", record)
    return results


def _arrhenius(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the activation energy of D, or why there is none."""
    points = [(r["temperature_k"], Interval(*r["diffusion_cm2_per_s"])) for r in runs
              if r.get("diffusion_cm2_per_s")]  # fmt: skip
    if len({t for t, _ in points}) < 2:
        return {"reason": f"D is resolved at {len(points)} temperatures; two are needed"}
    fit = fit_arrhenius([t for t, _ in points], [d for _, d in points])
    energy = fit.activation_energy_ev
    return {"activation_energy_eV": [energy.value, energy.low, energy.high], "points": len(points)}
