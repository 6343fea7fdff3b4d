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

class DumpParser:
    def __init__(self) -> None: ...
    def feed(self, text: bytes | bytearray | memoryview) -> None: ...
    def next(
        self,
    ) -> (
        tuple[
            int,
            float,
            Array,
            list[float],
            list[bool],
            NDArray[np.int64],
            NDArray[np.int32],
            Array,
            Array | None,
        ]
        | None
    ): ...
    @property
    def pending(self) -> bool: ...
    @property
    def line(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def has_elements(self) -> bool: ...
    @property
    def elements(self) -> list[str]: ...
    @property
    def units(self) -> str: ...
