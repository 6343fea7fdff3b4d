"""Group frames into blocks that must not be torn apart, and share blocks out over folds.

Neighbouring frames of one MD run are nearly the same frame. An error measured on frames drawn at random
from runs that are also trained on is therefore too small; folds here are made of whole blocks.
"""

from collections.abc import Sequence
from pathlib import Path

import ase
import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.typing import Indices

__all__ = ["assign_folds", "blocks_by_run", "run_name", "split_blocks"]


def run_name(frame: ase.Atoms) -> str:
    """Return the MD run a frame comes from: ``run`` of its header, else the name of its file."""
    if "run" in frame.info:
        return str(frame.info["run"])
    source = str(frame.info.get("source", "unnamed"))
    return Path(source.rpartition(":")[0] or source).stem


def blocks_by_run(frames: Sequence[ase.Atoms], steps_per_block: int | None = None) -> Indices:
    """Label each frame with its block: its run, or a stretch of steps within its run.

    Parameters
    ----------
    frames
        Frames with ``run`` (and, for stretches, ``run_step``) in ``info``.
    steps_per_block
        Length of a stretch in MD steps, counted from step 0; whole runs when None.

    Returns
    -------
    Indices
        (frames,) int64, numbered 0 … in the order of first appearance.

    Raises
    ------
    InputError
        For a length below 1, or a frame without ``run_step`` when stretches are wanted.
    """
    if steps_per_block is not None and steps_per_block < 1:
        raise InputError(f"steps_per_block must be at least 1, got {steps_per_block}")
    number: dict[tuple[str, int], int] = {}
    labels = np.empty(len(frames), dtype=np.int64)
    for k, frame in enumerate(frames):
        stretch = 0
        if steps_per_block is not None:
            if "run_step" not in frame.info:
                where = frame.info.get("source", f"frame {k}")
                raise InputError(f"{where}: no run_step in the header; expected it for blocks of steps")
            stretch = int(frame.info["run_step"]) // steps_per_block
        labels[k] = number.setdefault((run_name(frame), stretch), len(number))
    return labels


def assign_folds(labels: Indices, n_folds: int, seed: int = 0) -> Indices:
    """Share whole blocks out over folds, about equal in the number of frames.

    Blocks are shuffled, then the largest is put into the smallest fold until none is left.

    Parameters
    ----------
    labels
        (frames,) block label of each frame.
    n_folds
        Number of folds, 2 to the number of blocks.
    seed
        Seed of the shuffle; the same seed gives the same folds.

    Returns
    -------
    Indices
        (frames,) int64, the fold that holds each frame out.

    Raises
    ------
    InputError
        For fewer than two folds or more folds than blocks.
    """
    labels = np.asarray(labels)
    blocks, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if not 2 <= n_folds <= len(blocks):
        raise InputError(
            f"folds must be 2 to the number of blocks ({len(blocks)}), got {n_folds}; "
            "more runs or shorter blocks allow more folds"
        )
    shuffled = np.random.default_rng(seed).permutation(len(blocks))
    sizes = np.zeros(n_folds, dtype=np.int64)
    fold_of = np.zeros(len(blocks), dtype=np.int64)
    for b in shuffled[np.argsort(-counts[shuffled], kind="stable")]:
        fold_of[b] = int(np.argmin(sizes))
        sizes[fold_of[b]] += counts[b]
    return fold_of[place]


def split_blocks(labels: Indices, n_folds: int, seed: int = 0) -> list[tuple[Indices, Indices]]:
    """Split into folds of whole blocks; see ``assign_folds``.

    Returns
    -------
    list of (training, held-out) frame indices, int64, sorted; every frame is held out exactly once.

    Examples
    --------
    >>> [held_out.tolist() for _, held_out in split_blocks(np.array([7, 7, 7, 9]), 2)]
    [[0, 1, 2], [3]]
    """
    folds = assign_folds(labels, n_folds, seed)
    return [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in range(n_folds)]
