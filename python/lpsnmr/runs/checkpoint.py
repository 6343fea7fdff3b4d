"""Checkpoints: all accumulators and the name of the LAMMPS restart file that belongs to them.

One HDF5 file ``checkpoint.h5``, written aside and renamed; the one before stays as
``checkpoint.previous.h5`` with its own restart file, so that a consistent pair is there at any
moment.
"""

import json
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hdf5 import hdf5_bytes
from lpsnmr.md.restarts import check_restart, flush_to_disk
from lpsnmr.sampling.sampler import SamplerState

__all__ = ["Checkpoint", "check_fingerprint", "latest_checkpoint", "remove_checkpoints", "write_checkpoint"]

logger = logging.getLogger(__name__)

CURRENT = "checkpoint.h5"
PREVIOUS = "checkpoint.previous.h5"
FORMAT = "lpsnmr-checkpoint"
SAMPLER_PARTS = ("efg", "displacement", "sums", "motion")
FORMAT_VERSION = 3


@dataclass
class Checkpoint:
    """A moment of a run.

    Attributes
    ----------
    step
        MD step.
    stage
        ``"equilibration"``, ``"production"``, or ``"stream"``.
    fingerprint
        ``name`` to text: what must be the same to go on (settings, hashes of models).
    finished
        True when the run had reached its length.
    restart
        Name of the LAMMPS restart file in the same folder, or empty.
    sampler
        Joined state of all ranks; None before the first sample.
    arrays
        Further arrays by name.
    """

    step: int
    stage: str
    fingerprint: dict[str, str]
    finished: bool = False
    restart: str = ""
    sampler: SamplerState | None = None
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


def check_fingerprint(checkpoint: Checkpoint, fingerprint: dict[str, str], folder: Path) -> None:
    """Raise InputError unless the checkpoint belongs to the same calculation; names what differs."""
    old = checkpoint.fingerprint
    changed = [key for key in sorted(old.keys() | fingerprint.keys()) if old.get(key) != fingerprint.get(key)]
    if changed:
        details = "; ".join(
            f"{key} was {old.get(key, 'absent')}, is now {fingerprint.get(key, 'absent')}"
            for key in changed[:5]
        )
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise InputError(
            f"{folder} holds a run that was started differently: {details}{more}; "
            "use --fresh to start over, or another folder"
        )


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint.h5``, keep the one before, remove restart files that neither names.

    Raises
    ------
    OSError
        When the disk is full or the folder not writable, or the restart file was cut short by a full
        disk; the files before stay in place.
    """
    current, previous = folder / CURRENT, folder / PREVIOUS
    if checkpoint.restart:
        check_restart(folder / checkpoint.restart)
        flush_to_disk(folder / checkpoint.restart)
    content = hdf5_bytes(lambda file: _write(file, checkpoint))
    with written_aside(current) as aside:
        aside.write_bytes(content)
        if current.exists():  # a second name for the old file, so that it is there at any moment
            link = folder / f".{PREVIOUS}.part"
            link.unlink(missing_ok=True)
            os.link(current, link)
            os.replace(link, previous)
    flush_to_disk(folder)
    kept = {checkpoint.restart, _restart_of(previous)}
    for restart in folder.glob("restart.*.lmp"):
        if restart.name not in kept:
            restart.unlink()


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the newest readable checkpoint whose restart file is there; None without any.

    Raises
    ------
    FileFormatError
        When checkpoints exist but none can be used.
    """
    problems = []
    for name in (CURRENT, PREVIOUS):
        path = folder / name
        if not path.exists():
            continue
        try:
            checkpoint = _read(path)
            if checkpoint.restart:
                if not (folder / checkpoint.restart).is_file():
                    raise InputError(f"its restart file {checkpoint.restart} is missing")
                check_restart(folder / checkpoint.restart)
        except (OSError, KeyError, ValueError, TypeError) as error:
            problems.append(f"{path}: {error}")
            logger.warning("cannot use %s: %s", path, error)
            continue
        return checkpoint
    if problems:
        raise FileFormatError("no usable checkpoint: " + "; ".join(problems) + "; use --fresh to start over")
    return None


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints and restart files of a folder."""
    for path in [folder / CURRENT, folder / PREVIOUS, *folder.glob("restart.*.lmp")]:
        path.unlink(missing_ok=True)


def _restart_of(path: Path) -> str:
    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs["restart"])
    except (OSError, KeyError):
        return ""


def _write(file: Any, checkpoint: Checkpoint) -> None:
    file.attrs.update(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "step": checkpoint.step,
            "stage": checkpoint.stage,
            "finished": checkpoint.finished,
            "restart": checkpoint.restart,
        }
    )
    file["fingerprint"] = json.dumps(checkpoint.fingerprint)
    for name, array in checkpoint.arrays.items():
        file[f"arrays/{name}"] = array
    sampler = checkpoint.sampler
    if sampler is None:
        return
    group = file.create_group("sampler")
    group.attrs.update({"last_step": sampler.last_step, "n_flagged": sampler.n_flagged})
    group["li_ids"] = sampler.li_ids
    for part in SAMPLER_PARTS:
        group.require_group(part)
        for name, value in getattr(sampler, part).items():
            group[f"{part}/{name}"] = value
    for name, state in sampler.nmr.items():
        for key, value in state.items():
            group[f"nmr/{name}/{key}"] = value


def _read(path: Path) -> Checkpoint:
    with h5py.File(path, "r") as file:
        if file.attrs.get("format") != FORMAT or int(file.attrs["format_version"]) != FORMAT_VERSION:
            raise InputError(f"expected an {FORMAT} file of version {FORMAT_VERSION}")
        sampler = None
        if "sampler" in file:
            group = file["sampler"]
            parts: dict[str, Any] = {
                part: {name: np.asarray(value[()]) for name, value in group[part].items()}
                for part in SAMPLER_PARTS
            }
            sampler = SamplerState(
                group["li_ids"][()].astype(np.int64),
                **parts,
                last_step=int(group.attrs["last_step"]),
                n_flagged=int(group.attrs["n_flagged"]),
                nmr={
                    name: {key: np.asarray(value[()]) for key, value in state.items()}
                    for name, state in group.get("nmr", {}).items()
                },
            )
        return Checkpoint(
            step=int(file.attrs["step"]),
            stage=str(file.attrs["stage"]),
            fingerprint=json.loads(file["fingerprint"][()].decode()),
            finished=bool(file.attrs["finished"]),
            restart=str(file.attrs["restart"]),
            sampler=sampler,
            arrays={name: np.asarray(value[()]) for name, value in file.get("arrays", {}).items()},
        )
