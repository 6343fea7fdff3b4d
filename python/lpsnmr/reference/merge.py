"""Put newly labelled frames into a reference set."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ase
import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.reference.reader import read_reference
from lpsnmr.reference.splits import run_name
from lpsnmr.reference.terms import copy_terms, functional_of

__all__ = ["KEPT_INFO", "MergeReport", "merge_frames", "write_set"]

KEPT_INFO = (
    "run", "run_step", "run_T", "phase", "made", "kpts", "scf_iterations", "functional", "label", "label_id"
)  # fmt: skip
"""Header entries that a reference set carries beside the labels and corrections; others, such as
energies of a teacher, are dropped."""

EFG_TOLERANCE = 1e-5


@dataclass(frozen=True)
class MergeReport:
    """Counts of a merge: frames before, new ones, and those that were there already."""

    before: int
    added: int
    duplicates: int


def structure_key(frame: ase.Atoms) -> str:
    """Return a hash of elements, positions (to 1e-5 Å, wrapped) and cell."""
    digest = hashlib.sha256(frame.numbers.astype("<i4").tobytes())
    digest.update((np.round(frame.cell.array, 5).astype("<f8") + 0.0).tobytes())
    fractional = np.round(frame.get_scaled_positions(wrap=False), 6)
    digest.update((np.round(fractional - np.floor(fractional), 6) % 1.0 + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()


def _tidy(frame: ase.Atoms) -> ase.Atoms:
    """Return structure, labels and ``KEPT_INFO`` of a frame; check that its tensors are tensors."""
    source = frame.info.get("source", "frame")
    if "run" not in frame.info or "run_step" not in frame.info:
        raise InputError(f"{source}: no run and run_step in the header; expected them for splits by block")
    tensors = frame.arrays["efg"].reshape(-1, 3, 3)
    if np.abs(tensors - tensors.transpose(0, 2, 1)).max() > EFG_TOLERANCE:
        raise InputError(f"{source}: efg holds a tensor that is not symmetric")
    if np.abs(np.trace(tensors, axis1=1, axis2=2)).max() > EFG_TOLERANCE:
        raise InputError(f"{source}: efg holds a tensor with a trace")
    tidy = ase.Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=True)
    tidy.info = {k: frame.info[k] for k in KEPT_INFO if k in frame.info}
    tidy.new_array("efg", frame.arrays["efg"].copy())
    results = frame.calc.results
    tidy.calc = SinglePointCalculator(tidy, **{k: results[k] for k in ("energy", "forces", "stress")})
    copy_terms(frame, tidy)
    return tidy


def merge_frames(
    present: Sequence[ase.Atoms], new: Sequence[ase.Atoms]
) -> tuple[list[ase.Atoms], MergeReport]:
    """Return the union of two lists of labelled frames, sorted by run and step.

    A structure that is there already is kept as it is.

    Parameters
    ----------
    present, new
        Frames from ``read_reference`` with energy, forces, stress and efg.

    Raises
    ------
    InputError
        For a frame without run and step, tensors that are not symmetric and traceless, or frames whose labels
        were made with more than one functional or recipe (``label_id``).
    """
    functionals = sorted({functional_of(f) for f in [*present, *new]})
    if len(functionals) > 1:
        raise InputError(
            f"the frames were labelled with {' and '.join(functionals)}; expected one functional"
        )
    recipes = {str(f.info["label_id"]) for f in [*present, *new] if "label_id" in f.info}
    if len(recipes) > 1:
        raise InputError(
            f"the frames were labelled with {len(recipes)} recipes (label_id {', '.join(sorted(recipes))}); "
            "expected one"
        )
    frames = {structure_key(f): _tidy(f) for f in present}
    before = len(frames)
    duplicates = 0
    for frame in new:
        key = structure_key(frame)
        if key in frames:
            duplicates += 1
            continue
        frames[key] = _tidy(frame)
    merged = sorted(frames.values(), key=lambda f: (run_name(f), int(f.info["run_step"])))
    return merged, MergeReport(before, len(merged) - before, duplicates)


def write_set(path: Path, frames: Sequence[ase.Atoms]) -> None:
    """Write a reference set as extended XYZ, whole or not at all, and read it back."""
    with written_aside(path) as aside:
        ase.io.write(aside, list(frames), format="extxyz")
        read_reference(aside)
