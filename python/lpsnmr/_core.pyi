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

class EfgBasis:
    def __init__(
        self,
        *,
        species: Sequence[int],
        bridges: Sequence[int],
        pair: tuple[int, float],
        chain: tuple[int, float],
        bridge: tuple[int, float],
        bridge_l_max: int,
        product: tuple[int, float],
        product_l_max: int,
        product_degree_max: int,
        triple: tuple[int, float],
        triple_l_max: int,
    ) -> None: ...
    @property
    def size(self) -> int: ...
    @property
    def chain_begin(self) -> int: ...
    @property
    def triple_begin(self) -> int: ...
    @property
    def chain_channels(self) -> list[int]: ...
    def features(
        self,
        positions: Array,
        cell: Array,
        pbc: Sequence[bool],
        numbers: NDArray[Any],
        targets: NDArray[Any],
    ) -> Array: ...
    def environments(
        self,
        positions: Array,
        cell: Array,
        pbc: Sequence[bool],
        numbers: NDArray[Any],
        targets: NDArray[Any],
    ) -> tuple[Array, Array, NDArray[np.int32]]: ...

class EfgPredictor:
    def __init__(
        self,
        basis: EfgBasis,
        weights: Array,
        target_range: Array | None = ...,
        bridge_ranges: Array | None = ...,
    ) -> None: ...
    def predict(
        self,
        positions: Array,
        cell: Array,
        pbc: Sequence[bool],
        numbers: NDArray[Any],
        targets: NDArray[Any],
        threads: int = ...,
    ) -> tuple[Array, NDArray[np.uint8]]: ...

class MultiTau:
    def __init__(
        self,
        n_series: int,
        n_components: int,
        *,
        kernel: str = ...,
        coarse_graining: str = ...,
        points_per_level: int = ...,
        ratio: int = ...,
        max_levels: int = ...,
        max_blocks: int = ...,
    ) -> None: ...
    def add(self, values: Array) -> None: ...
    def state(self) -> dict[str, NDArray[np.generic]]: ...
    @staticmethod
    def from_state(state: dict[str, NDArray[np.generic]]) -> MultiTau: ...
    @property
    def n_series(self) -> int: ...
    @property
    def n_components(self) -> int: ...
    @property
    def n_samples(self) -> int: ...
    @property
    def block_length(self) -> int: ...
    def lags(self) -> NDArray[np.int64]: ...
    def counts(self) -> NDArray[np.int64]: ...
    def means(self) -> Array: ...
    def block_means(self) -> Array: ...
    def block_counts(self) -> NDArray[np.int64]: ...
    def series_mean(self) -> Array: ...
    def series_mean_square(self) -> Array: ...

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

def sha256(text: bytes) -> str: ...
def site_features(
    basis: UfpBasis, positions: Array, cell: Array, pbc: Sequence[bool], species: Sequence[int]
) -> Array: ...

class Extrapolation:
    def __init__(self, path: str) -> None: ...
    @property
    def elements(self) -> list[str]: ...
    @property
    def potential(self) -> str: ...
    @property
    def cutoff(self) -> float: ...
    @property
    def pairs(self) -> list[tuple[int, int, float]]: ...
    @property
    def largest_deviations(self) -> list[float]: ...
    def evaluate(
        self, positions: Array, cell: Array, pbc: Sequence[bool], species: Sequence[int]
    ) -> Array: ...

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
