"""Types of the compiled core; see the docstrings there for shapes and units."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__version__: str

class CoreError(ValueError): ...

def neighbor_list(
    positions: Array,
    cell: Array,
    pbc: Sequence[bool],
    cutoff: float,
    centers: Sequence[int] | None = ...,
) -> tuple[NDArray[np.int64], NDArray[np.int32], Array, Array]: ...

class UfpPotential:
    def __init__(self, path: str, elements: Sequence[str], body_order: int = ...) -> None: ...
    @property
    def elements(self) -> list[str]: ...
    @property
    def units(self) -> str: ...
    @property
    def max_cutoff(self) -> float: ...
    def pair_energy(self, a: int, b: int, r: float) -> tuple[float, float]: ...
    def compute(
        self, positions: Array, cell: Array, pbc: Sequence[bool], species: Sequence[int]
    ) -> dict[str, Any]: ...

def read_uf3_blocks(path: str) -> dict[str, Any]: ...

class UfpBasis:
    def __init__(
        self,
        species: int,
        pairs: Sequence[tuple[int, int, Sequence[float]]],
        triples: Sequence[tuple[int, int, int, Sequence[float], Sequence[float], Sequence[float]]],
    ) -> None: ...
    @property
    def columns(self) -> int: ...
    @property
    def cutoff(self) -> float: ...
    def pair_columns(self, block: int) -> tuple[int, int]: ...
    def triple_columns(self, block: int) -> NDArray[np.int32]: ...
    def features(
        self, positions: Array, cell: Array, pbc: Sequence[bool], species: Sequence[int]
    ) -> Array: ...
