"""Add the rows of all frames up to normal equations: one sum per fold and per bootstrap member.

Memory is (folds + 1 + bootstrap members) times unknowns² × 8 bytes on each rank, one more such matrix while
members are added to, and the rows of 2 × threads + 1 frames.
"""

from collections.abc import Callable, Sequence
from itertools import groupby

from lpsnmr.fitting.checkpoint import SumStore
from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.fitting.folds import Blocks, FoldSettings, Sums
from lpsnmr.fitting.rows import FrameRows
from lpsnmr.fitting.walk import Item, Walk

__all__ = ["MATRICES_TO_SOLVE", "accumulate", "matrices_of"]

STAGE = "normal equations"
MATRICES_TO_SOLVE = 3
"""Further matrices while the equations are solved."""


def matrices_of(settings: FoldSettings) -> int:
    """Return how many matrices of (unknowns, unknowns) a fit holds."""
    return settings.folds + 1 + settings.bootstrap + MATRICES_TO_SOLVE


def accumulate(
    walk: Walk,
    rows_of: Callable[[Item], FrameRows],
    size: int,
    blocks: Blocks,
    settings: FoldSettings,
    key: str,
) -> Sums:
    """Walk over the frames of this rank, add their rows up, and add up the ranks.

    With a checkpoint in ``walk.execution`` the sums so far are written to disk now and then, and a matching
    file on disk is gone on from.

    Parameters
    ----------
    rows_of
        Returns the weighted rows of a frame; called in threads.
    size
        Number of unknowns.
    blocks
        From ``share_out``.
    key
        Of data and settings: a checkpoint with another is not used.
    """
    sums = Sums(
        [NormalEquations(size) for _ in range(settings.folds + 1)],
        [NormalEquations(size) for _ in range(settings.bootstrap)],
    )
    mine = walk.mine()
    if settings.bootstrap:  # whole blocks, so that a block is multiplied out once
        mine.sort(key=lambda item: int(blocks.label[item.index]))
    store = SumStore.of(walk, key)
    done = store.load(sums) if store else 0
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
