"""Add the rows of all frames up to normal equations: one sum per fold and per bootstrap member.

Memory is (folds + 1 + bootstrap members) times columns² × 8 bytes on each rank, one more such matrix while
members are added to, and the features of 2 × threads + 1 frames; beside the frames
themselves it does not grow with their number.
"""

import hashlib
import logging
import os
import platform
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path

import ase
import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.parallel.ranks import Ranks
from lpsnmr.potential.basis import Layout
from lpsnmr.potential.fit_settings import FitSettings
from lpsnmr.potential.normal import DataSet, FrameRows, NormalEquations, frame_rows, row_weights
from lpsnmr.potential.walk import Item, Walk
from lpsnmr.reference import blocks_by_run, run_name, split_blocks

__all__ = ["Blocks", "Sums", "accumulate", "fingerprint", "share_out"]

Array = NDArray[np.float64]
log = logging.getLogger(__name__)
STAGE = "normal equations"
SOLVING = 3
"""Further matrices while the equations are solved."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Where every frame of every data set stands.

    ``label`` numbers the blocks; ``fold`` is -1 without cross-validation and for frames of a second data set
    whose block the first does not have; ``multiplicity`` (members, blocks) says how often a bootstrap member
    has drawn a block.
    """

    label: NDArray[np.int64]
    fold: NDArray[np.int64]
    multiplicity: NDArray[np.int64]


def share_out(data: Sequence[DataSet], settings: FitSettings) -> Blocks:
    """Assign frames to blocks, blocks to folds, and draw the bootstrap members.

    Blocks go by run and steps whatever data set a frame is in, so that a frame labelled twice by two
    methods never stands on both sides.
    """
    frames = [f for d in data for f in d.frames]
    label = np.zeros(len(frames), dtype=np.int64)
    fold = np.full(len(frames), -1, dtype=np.int64)
    if settings.folds or settings.bootstrap:
        label = blocks_by_run(frames, settings.steps_per_block)
    main = len(data[0].frames)
    if settings.folds:
        fold_of = {}
        for k, (_, held_out) in enumerate(split_blocks(label[:main], settings.folds, settings.seed)):
            fold_of.update({number: k for number in label[held_out]})
        fold = np.array([fold_of.get(number, -1) for number in label], dtype=np.int64)
    n_blocks = int(label.max(initial=0)) + 1
    draws = np.random.default_rng([settings.seed, 1]).integers(n_blocks, size=(settings.bootstrap, n_blocks))
    multiplicity = np.array([np.bincount(d, minlength=n_blocks) for d in draws], dtype=np.int64)
    return Blocks(label, fold, multiplicity.reshape(settings.bootstrap, n_blocks))


@dataclass(eq=False)
class Sums:
    """Normal equations of each fold, of the frames that are in none (last), and of bootstrap members."""

    folds: list[NormalEquations]
    members: list[NormalEquations]

    def everything(self) -> list[NormalEquations]:
        """Return all of them in a fixed order."""
        return [*self.folds, *self.members]

    def without(self, *left_out: int) -> NormalEquations:
        """Return the sum over all folds (and the last) but some."""
        return self.over([k for k in range(len(self.folds)) if k not in left_out])

    def over(self, chosen: Sequence[int]) -> NormalEquations:
        """Return the sum over some of the folds."""
        total = NormalEquations(self.folds[0].size)
        for k in chosen:
            total += self.folds[k]
        return total


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


def fingerprint(data: Sequence[DataSet], settings: FitSettings) -> str:
    """Return a hash of the data and of the settings that the sums depend on, hexadecimal."""
    digest = hashlib.sha256()
    parts = (settings.basis, settings.weights, settings.folds, settings.steps_per_block, settings.seed)
    digest.update(repr((*parts, settings.bootstrap, settings.run_weights)).encode())
    for d in data:
        digest.update(repr((d.weight, d.scale, len(d.frames))).encode())
        for f in d.frames:
            results = f.calc.results if f.calc is not None else {}
            digest.update(repr([f.info.get(k) for k in ("run", "run_step", "fit_weight")]).encode())
            for array in (f.numbers, f.positions, f.cell.array, f.pbc, *(results.get(k) for k in
                          ("energy", "forces", "stress"))):  # fmt: skip
                digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def accumulate(
    walk: Walk,
    layout: Layout,
    columns: NDArray[np.intp],
    blocks: Blocks,
    settings: FitSettings,
    data: Sequence[DataSet],
) -> Sums:
    """Walk over the frames of this rank, add their rows up, and add up the ranks.

    With a checkpoint in ``walk.execution`` the sums so far are written to disk now and then, and a matching
    file on disk is gone on from.
    """
    size = len(columns) + walk.sets * len(layout.settings.elements)
    _check_memory(size, settings, walk.ranks)
    sums = Sums(
        [NormalEquations(size) for _ in range(settings.folds + 1)],
        [NormalEquations(size) for _ in range(settings.bootstrap)],
    )
    mine = walk.mine()
    if settings.bootstrap:  # whole blocks, so that a block is multiplied out once
        mine.sort(key=lambda item: int(blocks.label[item.index]))
    store = _Store.of(walk, f"{fingerprint(data, settings)} {columns.size} {columns.sum()}")
    done = store.load(sums) if store else 0

    def rows_of(item: Item) -> FrameRows:
        rows = frame_rows(layout, item.frame, columns, item.data.scale, (item.set_number, walk.sets))
        of_frame = item.data.weight * weight_of(item.frame, settings.run_weights)
        weight = row_weights(rows.kind, settings.weights, of_frame)
        return FrameRows(rows.design * weight, rows.target * weight, rows.kind)

    stream = walk.evaluate(rows_of, mine[done:], STAGE, done)
    if not settings.bootstrap:
        for item, rows in stream:
            sums.folds[blocks.fold[item.index]].add(rows.design, rows.target)
            done += 1
            if store and store.is_due():
                store.save(sums, done)
    else:
        for label, group in groupby(stream, key=lambda pair: int(blocks.label[pair[0].index])):
            done += _add_block(sums, blocks, label, size, [(item.index, rows) for item, rows in group])
            if store and store.is_due():
                store.save(sums, done)
    for equations in sums.everything():
        equations.add_over(walk.ranks)
    return sums


def _check_memory(size: int, settings: FitSettings, ranks: Ranks) -> None:
    """Refuse a fit whose matrices the memory cannot hold; the system would end it amid the work.

    Ranks on machines of one name share its memory. All ranks come to the same answer.
    """
    matrices = settings.folds + 1 + settings.bootstrap + SOLVING
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    machines = Counter(ranks.gather((platform.node(), memory)))
    for (_, there), here in machines.items():
        if here * matrices * size**2 * 8 > there:
            shared, fewer = (f" on each of {here} ranks", "fewer ranks, ") if here > 1 else ("", "")
            raise InputError(
                f"{size} coefficients: expected matrices that fit into the {there / 1e9:.3g} GB of memory, "
                f"got {matrices} of {size**2 * 8 / 1e9:.3g} GB{shared}; {fewer}fewer folds or wider spacings "
                "need less"
            )


def _add_block(
    sums: Sums, blocks: Blocks, label: int, size: int, rows: Sequence[tuple[int, FrameRows]]
) -> int:
    """Add one block to its fold and to the members that drew it; return its number of frames."""
    block = NormalEquations(size)
    for _, r in rows:
        block.add(r.design, r.target)
    sums.folds[blocks.fold[rows[0][0]]] += block
    for member, times in zip(sums.members, blocks.multiplicity[:, label], strict=True):
        if times:
            member.add_times(block, int(times))
    return len(rows)


class _Store:
    """The checkpoint of one rank."""

    def __init__(self, path: Path, key: str, seconds: float) -> None:
        self.path, self.key, self.seconds = path, key, seconds
        self.written = time.monotonic()

    @classmethod
    def of(cls, walk: Walk, key: str) -> "_Store | None":
        """Return the store of this rank, or None when no checkpoints are wanted."""
        path = walk.execution.checkpoint
        if path is None:
            return None
        ranks = walk.ranks
        own = path if ranks.size == 1 else path.with_name(f"{path.name}.{ranks.rank}")
        return cls(own, f"{key} {ranks.rank}/{ranks.size}", walk.execution.checkpoint_s)

    def is_due(self) -> bool:
        """Tell whether the last write is long enough ago."""
        return time.monotonic() - self.written >= self.seconds

    def save(self, sums: Sums, done: int) -> None:
        """Write the sums of the first ``done`` frames."""
        arrays: dict[str, NDArray[np.generic]] = {"key": np.array(self.key), "done": np.array(done)}
        for k, s in enumerate(sums.everything()):
            arrays.update({f"{name}{k}": array for name, array in s.state().items()})
        with written_aside(self.path) as aside, aside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        self.written = time.monotonic()

    def load(self, sums: Sums) -> int:
        """Fill the sums from disk; return the number of frames they hold, 0 when there is no match."""
        if not self.path.exists():
            return 0
        try:
            with np.load(self.path, allow_pickle=False) as file:
                if str(file["key"]) != self.key:
                    log.warning("%s: of another fit; starting anew", self.path)
                    return 0
                for k, s in enumerate(sums.everything()):
                    s.restore({name: file[f"{name}{k}"] for name in s.state()})
                done = int(file["done"])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            log.warning("%s: not readable (%s); starting anew", self.path, error)
            for s in sums.everything():
                s.reset()
            return 0
        log.info("%s: going on after %d frames", self.path, done)
        return done
