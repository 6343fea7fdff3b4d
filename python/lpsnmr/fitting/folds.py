"""Folds of whole blocks, members of a bootstrap over blocks, and the sums over rows of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator

from lpsnmr.errors import InputError
from lpsnmr.fitting.datasets import DataSet
from lpsnmr.fitting.equations import NormalEquations
from lpsnmr.reference.splits import assign_folds, blocks_by_run
from lpsnmr.typing import Indices

__all__ = ["BlockFold", "Blocks", "FoldSettings", "Sums", "share_out"]


class BlockFold(BaseCrossValidator):  # type: ignore[misc]
    """Cross-validator that holds out whole blocks, as scikit-learn takes one for ``cv``.

    ``groups`` of ``split`` are the labels of the blocks, from ``lpsnmr.reference.blocks_by_run`` for frames.
    Blocks are shuffled with ``seed``, then the largest is put into the smallest fold until none is left:
    ``GroupKFold`` with an order that a seed chooses, the same in every version.

    Parameters
    ----------
    n_splits
        Number of folds, 2 to the number of blocks.
    seed
        Seed of the shuffle.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> x, blocks = np.arange(8.0)[:, None], np.array([0, 0, 1, 1, 2, 2, 3, 3])
    >>> scores = cross_val_score(Ridge(1e-9), x, 3.0 * x[:, 0], groups=blocks, cv=BlockFold(4))
    >>> scores.round(6).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    # scikit-learn's way to say that ``split`` asks for groups
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(self, n_splits: int = 5, seed: int = 0) -> None:
        self.n_splits = n_splits
        self.seed = seed

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def _iter_test_indices(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[Indices]:
        """Yield what each fold holds out; InputError for a number of folds the blocks do not allow."""
        if groups is None:
            raise InputError("folds of blocks: expected groups, the block of each row, got None")
        fold = assign_folds(np.asarray(groups), self.n_splits, self.seed)
        for number in range(self.n_splits):
            yield np.flatnonzero(fold == number)


class FoldSettings(Protocol):
    """What settings of a fit say about folds; see ``FitSettings`` of the potential."""

    @property
    def folds(self) -> int:
        """Number of folds; 0: no cross-validation."""

    @property
    def bootstrap(self) -> int:
        """Number of members fitted to blocks drawn with replacement."""

    @property
    def steps_per_block(self) -> int | None:
        """Length of a block in MD steps; None: whole runs."""

    @property
    def seed(self) -> int:
        """Seed of folds and draws."""


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


def share_out(data: Sequence[DataSet], settings: FoldSettings) -> Blocks:
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
        splitter = BlockFold(settings.folds, settings.seed)
        for k, (_, held_out) in enumerate(splitter.split(label[:main], groups=label[:main])):
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
