"""Labelled frames on disk: one file per frame, whole or not there, found again by what it holds."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase
import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.errors import FileFormatError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hashing import add_arrays
from lpsnmr.labelling.engines import Labels
from lpsnmr.labelling.term_engine import TERMS

__all__ = ["LabelStore", "labelled_frame"]

LABEL_KEYS = frozenset(
    {"energy", "free_energy", "stress", "virial", "source", "label_error", "functional"}
    | {f"{name}_{part}" for name in TERMS for part in ("energy", "stress", "label")}
)
"""Header entries of an input frame that are not carried over."""


def labelled_frame(frame: ase.Atoms, labels: Labels, engine: str, settings_id: str) -> ase.Atoms:
    """Return the structure of ``frame`` with its header and new labels; old labels and columns go."""
    done = ase.Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=True)
    kept = {k: v for k, v in frame.info.items() if k not in LABEL_KEYS and np.ndim(v) == 0}
    done.info = {**kept, **labels.details, "label": engine, "label_id": settings_id}
    if labels.efg is not None:
        done.new_array("efg", np.asarray(labels.efg, dtype=float))
    results: dict[str, Any] = {"energy": labels.energy, "forces": labels.forces}
    if labels.stress is not None:
        results["stress"] = labels.stress
    done.calc = SinglePointCalculator(done, **results)
    return done


@dataclass(frozen=True)
class LabelStore:
    """A folder of labelled frames.

    A frame is named by a hash of its atoms, cell and the settings of its labels, so frames are found again
    whatever file they come from, and frames labelled in another way are never mistaken for them.

    Attributes
    ----------
    folder
        Created on the first write.
    settings
        Everything the labels depend on, as JSON knows it.
    """

    folder: Path
    settings: Mapping[str, Any]

    @property
    def settings_id(self) -> str:
        """Return twelve hexadecimal digits that name the settings."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def key(self, frame: ase.Atoms) -> str:
        """Return the name of a frame: sixteen hexadecimal digits."""
        digest = hashlib.sha256(self.settings_id.encode())
        add_arrays(
            digest,
            frame.numbers.astype("<i4"),
            np.round(frame.positions, 8).astype("<f8") + 0.0,
            np.round(frame.cell.array, 8).astype("<f8") + 0.0,
        )
        return digest.hexdigest()[:16]

    def path(self, key: str, ending: str = ".extxyz") -> Path:
        """Return the path of one of a frame's files."""
        return self.folder / f"{key}{ending}"

    def has(self, key: str) -> bool:
        """Tell whether a frame is done."""
        return self.path(key).is_file()

    def failure(self, key: str) -> str | None:
        """Return why a frame failed, None when it did not."""
        path = self.path(key, ".failed.json")
        if self.has(key) or not path.is_file():
            return None
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["error"])
        except (ValueError, KeyError) as error:
            raise FileFormatError(f"{path}: not a record of a failed label: {error!r}") from error

    def put(self, key: str, frame: ase.Atoms) -> None:
        """Write a labelled frame."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with written_aside(self.path(key)) as aside:
            ase.io.write(aside, frame, format="extxyz")
        self.path(key, ".failed.json").unlink(missing_ok=True)

    def put_failure(self, key: str, error: str) -> None:
        """Write down why a frame has no labels."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with written_aside(self.path(key, ".failed.json")) as aside:
            aside.write_text(json.dumps({"error": error}) + "\n", encoding="utf-8")

    def gather(self, keys: Sequence[str], output: Path) -> int:
        """Write the done frames of ``keys`` into one file, in their order; return how many.

        The texts of the frames are joined as they are. Nothing is written when none is done.
        """
        texts = [self.path(key).read_text(encoding="utf-8") for key in keys if self.has(key)]
        if texts:
            os.makedirs(output.parent, exist_ok=True)
            with written_aside(output) as aside:
                aside.write_text("".join(texts), encoding="utf-8")
        return len(texts)
