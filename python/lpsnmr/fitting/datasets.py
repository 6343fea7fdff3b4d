"""Labelled frames as a fit takes them: sets with weights and factors, and a hash of what they hold."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import ase
import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.reference import run_name

__all__ = ["DataSet", "data_hash", "weight_of"]


@dataclass(frozen=True)
class DataSet:
    """Frames with labels, a common weight, and a factor on their labels.

    ``weight`` multiplies the squared residuals (0.05: a frame counts a twentieth); ``scale`` multiplies
    energies, forces and stress before use, for labels of a method that is known to be too soft.
    """

    frames: Sequence[ase.Atoms]
    weight: float = 1.0
    scale: float = 1.0
    name: str = "reference"

    def __post_init__(self) -> None:
        """Refuse weights and factors that make no sense."""
        if not (np.isfinite(self.weight) and self.weight > 0):
            raise InputError(f"data set {self.name}: expected a weight > 0, got {self.weight}")
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise InputError(f"data set {self.name}: expected a scale > 0, got {self.scale}")


def weight_of(frame: ase.Atoms, run_weights: Sequence[tuple[str, float]] = ()) -> float:
    """Return ``fit_weight`` of the header (1 by default) times the weight of the frame's run."""
    value = frame.info.get("fit_weight", 1.0)
    if not isinstance(value, (int, float, np.number)) or not value > 0:
        raise InputError(
            f"{frame.info.get('source', 'frame')}: fit_weight must be a positive number, got {value!r}"
        )
    of_run = 1.0
    for pattern, weight in run_weights:
        of_run = weight if fnmatchcase(run_name(frame), pattern) else of_run
    return float(value) * of_run


def data_hash(data: Sequence[DataSet], settings: str) -> str:
    """Return a hash of the data and of the settings that the sums over them depend on, hexadecimal."""
    digest = hashlib.sha256()
    digest.update(settings.encode())
    for d in data:
        digest.update(repr((d.weight, d.scale, len(d.frames))).encode())
        for f in d.frames:
            results = f.calc.results if f.calc is not None else {}
            digest.update(repr([f.info.get(k) for k in ("run", "run_step", "fit_weight")]).encode())
            for array in (f.numbers, f.positions, f.cell.array, f.pbc, *(results.get(k) for k in
                          ("energy", "forces", "stress"))):  # fmt: skip
                digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
