"""Types of the compiled core; written by tools/make_stubs.py, not by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lpsnmr.errors import InputError

__version__: str

class CoreError(InputError): ...

class UfpPotential:
    """A UF2 or UF2+3 potential read from a .uf3 file."""

    def __init__(self, path: str, elements: Sequence[str], body_order: int = 3) -> None:
        """Read a potential."""

    def compute(
        self, positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool], species: Sequence[int]
    ) -> dict[str, Any]:
        """Return energy (eV), atom_energy (n,), forces (n, 3; eV/Å), virial (6: xx yy zz xy xz yz; eV)
        and the number of ordered pairs below the first knot, as a dict.
        """

    def pair_energy(self, a: int, b: int, r: float) -> tuple[float, float]:
        """V2 of the ordered pair (half a dimer's energy, eV) and its slope (eV/Å)."""

    @property
    def elements(self) -> list[str]: ...
    @property
    def max_cutoff(self) -> float:
        """Å"""

    @property
    def units(self) -> str: ...

class EfgBasis:
    """Features of the EFG model."""

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
        field_cutoff: float = 0.0,
        source: tuple[int, float] = (0, 0.0),
        sources: Sequence[int] = [],
    ) -> None: ...
    def environments(
        self,
        positions: ArrayLike,
        cell: ArrayLike,
        pbc: Sequence[bool],
        numbers: ArrayLike,
        targets: ArrayLike,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
        """Summarise the surroundings of targets and of the bridges they reach."""

    def features(
        self,
        positions: ArrayLike,
        cell: ArrayLike,
        pbc: Sequence[bool],
        numbers: ArrayLike,
        targets: ArrayLike,
    ) -> NDArray[np.float64]:
        """Return the features of chosen atoms."""

    @property
    def chain_begin(self) -> int:
        """Position of the first chain feature."""

    @property
    def chain_channels(self) -> list[int]:
        """Lengths of the runs of chain features: one per bridge species, degrees and radial function."""

    @property
    def chain_degrees(self) -> list[int]:
        """Degrees of the bridge of the runs of chain features; see chain_channels."""

    @property
    def field_channels(self) -> int:
        """Number of fields at a bridge, the last channels of degree 1."""

    @property
    def size(self) -> int:
        """Number of features."""

    @property
    def triple_begin(self) -> int:
        """Position of the first feature of body order 3."""

class EfgPredictor:
    """A fitted EFG model of one target species, weights contracted."""

    def __init__(
        self,
        basis: EfgBasis,
        weights: ArrayLike,
        target_range: ArrayLike | None = None,
        bridge_ranges: ArrayLike | None = None,
    ) -> None:
        """Make a predictor."""

    def predict(
        self,
        positions: ArrayLike,
        cell: ArrayLike,
        pbc: Sequence[bool],
        numbers: ArrayLike,
        targets: ArrayLike,
        threads: int = 1,
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Return the tensors of chosen atoms; arguments as EfgBasis.features."""

class MultiTau:
    """Multi-tau accumulator of many series in bounded memory."""

    @staticmethod
    def from_state(state: dict[str, NDArray[np.generic]]) -> MultiTau:
        """Continue from a state, bit for bit."""

    def __init__(
        self,
        n_series: int,
        n_components: int,
        *,
        kernel: str = "product",
        coarse_graining: str = "average",
        points_per_level: int = 16,
        ratio: int = 2,
        max_levels: int = 24,
        max_blocks: int = 32,
    ) -> None: ...
    def add(self, values: ArrayLike) -> None:
        """Add one sample, (n_series, n_components) float64."""

    def block_counts(self) -> NDArray[np.int64]:
        """Pairs of each series per time block, (blocks, L) int64."""

    def block_means(self) -> NDArray[np.float64]:
        """Mean over pairs and series per time block, (blocks, L) float64; NaN without pairs."""

    def counts(self) -> NDArray[np.int64]:
        """Pairs of each series at each lag, (L,) int64."""

    def lags(self) -> NDArray[np.int64]:
        """Lags with at least one pair, (L,) int64, samples."""

    def means(self) -> NDArray[np.float64]:
        """Mean over pairs, (L, n_series) float64."""

    def series_mean(self) -> NDArray[np.float64]:
        """Mean over samples, (n_series, n_components) float64; NaN before the first."""

    def series_mean_square(self) -> NDArray[np.float64]:
        """Mean square over samples, (n_series, n_components) float64."""

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return everything as a dict of arrays; keys `series_*` have n_series as first axis."""

    @property
    def block_length(self) -> int:
        """Samples per time block."""

    @property
    def n_components(self) -> int: ...
    @property
    def n_samples(self) -> int: ...
    @property
    def n_series(self) -> int: ...

class EchoCorrelator:
    """Sums of a spin-alignment echo over orientations and time origins."""

    @staticmethod
    def from_state(state: dict[str, NDArray[np.generic]]) -> EchoCorrelator:
        """Continue from a state, bit for bit."""

    def __init__(
        self,
        n_series: int,
        *,
        projections: ArrayLike,
        weights: ArrayLike,
        times: ArrayLike,
        points_per_level: int = 8,
        ratio: int = 2,
        max_levels: int = 24,
        max_blocks: int = 32,
    ) -> None: ...
    def add(self, values: ArrayLike) -> None:
        """Add one sample, (n_series, 5) float64."""

    def block_counts(self) -> NDArray[np.int64]:
        """Pairs of each series per time block, (blocks, L) int64."""

    def block_means(self) -> NDArray[np.float64]:
        """Mean over pairs and series per time block, (times, 2, blocks, L) float64; NaN if none."""

    def counts(self) -> NDArray[np.int64]:
        """Pairs of each series at each mixing time, (L,) int64."""

    def lags(self) -> NDArray[np.int64]:
        """Mixing times with at least one pair, (L,) int64, samples."""

    def means(self) -> NDArray[np.float64]:
        """Mean over pairs, (times, 2, L, n_series) float64: sine and cosine."""

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Return everything as a dict of arrays; keys `series_*` have n_series as first axis."""

    @property
    def block_length(self) -> int:
        """Samples per time block."""

    @property
    def n_samples(self) -> int: ...
    @property
    def n_series(self) -> int: ...

class UfpBasis:
    """The UFP as a linear model of its coefficients."""

    def __init__(
        self,
        species: int,
        pairs: Sequence[tuple[int, int, Sequence[float]]],
        triples: Sequence[tuple[int, int, int, Sequence[float], Sequence[float], Sequence[float]]],
    ) -> None:
        """Number the coefficients."""

    def features(
        self, positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool], species: Sequence[int]
    ) -> NDArray[np.float64]:
        """Return (columns, 7 + 3 n): energy, virial xx yy zz xy xz yz (eV), forces (eV/Å) per unit
        coefficient.
        """

    def pair_columns(self, block: int) -> tuple[int, int]:
        """First column and number of columns of a pair block."""

    def triple_columns(self, block: int) -> NDArray[np.int32]:
        """Column of each coefficient [ij][ik][jk] of a triple block, -1 where it is zero."""

    @property
    def columns(self) -> int: ...
    @property
    def cutoff(self) -> float:
        """Å"""

class DumpParser:
    """Incremental parser of LAMMPS text dumps."""

    def __init__(self, kind_columns: Sequence[str] = ["element", "typelabel", "type"]) -> None: ...
    def feed(self, text: bytes | bytearray | memoryview) -> None:
        """Add bytes of the dump, cut anywhere; they are copied."""

    def next(
        self,
    ) -> (
        tuple[
            int,
            float,
            NDArray[np.float64],
            list[float],
            list[bool],
            NDArray[np.int64],
            NDArray[np.int32],
            NDArray[np.float64],
            NDArray[np.float64] | None,
        ]
        | None
    ):
        """Return the next frame, or None when its text is not complete yet."""

    @property
    def columns(self) -> str:
        """ATOMS and the names of the columns of the last frame."""

    @property
    def elements(self) -> list[str]:
        """Element names in the order of first appearance."""

    @property
    def frames(self) -> int:
        """Frames returned so far."""

    @property
    def has_elements(self) -> bool:
        """True when kinds index `elements`, False when they are LAMMPS types."""

    @property
    def line(self) -> int:
        """Lines consumed so far."""

    @property
    def pending(self) -> bool:
        """True when text of an unfinished frame is waiting."""

    @property
    def units(self) -> str:
        """Of an ITEM: UNITS line, or an empty string."""

class Extrapolation:
    """How far neighbourhoods lie outside the training of a potential."""

    def __init__(self, path: str) -> None:
        """Read a .ufx file."""

    def evaluate(
        self, positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool], species: Sequence[int]
    ) -> NDArray[np.float64]:
        """Return (n, 3): distance excess (Å), deviation of the site energy (eV), grade."""

    @property
    def cutoff(self) -> float:
        """Å"""

    @property
    def elements(self) -> list[str]: ...
    @property
    def largest_deviations(self) -> list[float]:
        """For each element, the deviation (eV) that has the grade 1."""

    @property
    def pairs(self) -> list[tuple[int, int, float]]:
        """(a, b, shortest distance of training in Å) of each pair of elements."""

    @property
    def potential(self) -> str:
        """SHA-256 of the .uf3 file."""

class DensityPotential:
    """Density terms read from a .ufd file."""

    def __init__(self, path: str, elements: Sequence[str]) -> None:
        """Read a file; elements: species 0, 1, ... of ``compute``."""

    def compute(
        self, positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool], species: Sequence[int]
    ) -> dict[str, Any]:
        """Return energy (eV), atom_energy (n,), forces (n, 3; eV/Å) and virial (6; eV) of the density terms alone, as a dict."""

    @property
    def max_cutoff(self) -> float:
        """Å"""

class DensityBasis:
    """Density terms as a linear model of their coefficients."""

    def __init__(
        self,
        elements: Sequence[str],
        blocks: Sequence[
            tuple[
                str,
                int,
                Sequence[tuple[str, int, float, float, int, Sequence[tuple[float, float, Sequence[float]]]]],
            ]
        ],
    ) -> None:
        """Number the coefficients, block after block."""

    def block_columns(self, block: int) -> tuple[int, int]:
        """First column and number of columns of a block."""

    def features(
        self, positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool], species: Sequence[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return features and largest moments."""

    def site_energies(
        self,
        positions: ArrayLike,
        cell: ArrayLike,
        pbc: Sequence[bool],
        species: Sequence[int],
        coefficients: ArrayLike,
    ) -> NDArray[np.float64]:
        """Return (n, blocks): energies of the atoms before any bound, eV."""

    @property
    def columns(self) -> int: ...
    @property
    def cutoff(self) -> float:
        """Å"""

    @property
    def functions(self) -> int: ...

def available_simd() -> list[str]:
    """Names that LPSNMR_SIMD may have on this processor, the best first."""

def density_site_features(
    basis: DensityBasis, positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool], species: Sequence[int]
) -> NDArray[np.float64]:
    """Return (n, columns): density energy of each atom (eV) per unit coefficient, not faded."""

def efg_cartesian(components: ArrayLike) -> NDArray[np.float64]:
    """Return (n, 6) xx yy zz xy xz yz; the reverse of efg_components."""

def efg_components(cartesian: ArrayLike) -> NDArray[np.float64]:
    """Return (n, 5): components, m = -2 ... 2, of tensors (n, 6) xx yy zz xy xz yz."""

def nearest_sites(
    points: ArrayLike, sites: ArrayLike, cell: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nearest site of every point of a periodic cell."""

def neighbor_list(
    positions: ArrayLike,
    cell: ArrayLike,
    pbc: Sequence[bool],
    cutoff: float,
    centers: Sequence[int] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return the full neighbour list within a cutoff."""

def parse_efg(content: bytes, name: str) -> dict[str, Any]:
    """Return what an EFG model file holds."""

def read_uf3_blocks(path: str) -> dict[str, Any]:
    """Return units, pairs and triples of a .uf3 file as plain Python values."""

def read_ufd_blocks(path: str) -> dict[str, Any]:
    """Return units, base and blocks of a .ufd file as plain Python values."""

def sha256(text: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""

def site_features(
    basis: UfpBasis, positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool], species: Sequence[int]
) -> NDArray[np.float64]:
    """Return (n, columns): energy of each atom (eV) per unit coefficient."""
