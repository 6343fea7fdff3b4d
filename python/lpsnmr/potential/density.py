"""Density terms of a UFP: products of neighbour moments, their radial functions and columns.

Around an atom i the neighbours of each element make moments of order l = 0, 1, 2,

    A_nl(i) = Σ_j R_n(r_ij) û_ij ⊗ … ⊗ û_ij   (l times),

and the energy gets terms linear in the coefficients of products of two (three-body at the cost of pairs) or
three (four-body) of them. Such products are the second and third correlations of the neighbour density, as
in A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115 (2013), doi:10.1103/PhysRevB.87.184115, and
R. Drautz, Phys. Rev. B 99, 014104 (2019), doi:10.1103/PhysRevB.99.014104.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import ase
import numpy as np

from lpsnmr._core import DensityBasis
from lpsnmr.errors import InputError
from lpsnmr.typing import Array

__all__ = ["DensityBlock", "DensityChannel", "DensityLayout", "density_from_json", "radial_coefficients"]

SWITCHED_OFF = 0.6
"""Functions fall to zero between the shortest distance they are made for and this part of it."""
FADE_FROM, FADE_TO = 1.1, 1.6
"""Terms fade between these multiples of the largest moments of training."""
INTERVAL = 0.2
"""Distance of the knots of radial functions, Å."""
BOUND_BEYOND, BOUND_ROOM = 0.1, 0.2
"""Energies of atoms are left alone up to this part of their range in training beyond it; then they bend to
another part beyond."""
NEVER = 1e300


@dataclass(frozen=True)
class DensityChannel:
    """Neighbours of one element: cutoff (Å), number of radial functions, highest l, shortest distance (Å).

    Below ``start``, which should be close to the shortest distance of the data, the functions fall to zero.
    """

    element: str
    cutoff: float
    functions: int
    highest_l: int
    start: float = 1.7

    def __post_init__(self) -> None:
        """Refuse what no function can be made of."""
        if not 0.1 < self.start < self.start + 3 * INTERVAL < self.cutoff < 20:
            raise InputError(
                f"density of {self.element}: expected a shortest distance above 0.1 Å and a cutoff at least "
                f"{3 * INTERVAL:g} Å further and below 20 Å, got {self.start} and {self.cutoff} Å"
            )
        if not 1 <= self.functions <= 8:
            raise InputError(f"density: expected 1 to 8 functions, got {self.functions}")
        if self.highest_l not in (0, 1, 2):
            raise InputError(f"density: expected a highest l of 0, 1 or 2, got {self.highest_l}")

    @property
    def intervals(self) -> int:
        """Number of knot intervals."""
        return max(8, round((self.cutoff - self.first_knot) / INTERVAL))

    @property
    def first_knot(self) -> float:
        """Where the functions vanish, Å."""
        return round(SWITCHED_OFF * self.start, 6)


@dataclass(frozen=True)
class DensityBlock:
    """Terms around one element: body orders 3, 4 or 34 (both), and what is seen of the neighbours."""

    center: str
    orders: int
    channels: tuple[DensityChannel, ...]

    def __post_init__(self) -> None:
        """Refuse orders and channels that make no sense."""
        if self.orders not in (3, 4, 34):
            raise InputError(f"density around {self.center}: expected orders 3, 4 or 34, got {self.orders}")
        names = [c.element for c in self.channels]
        if not names or len(set(names)) != len(names):
            raise InputError(
                f"density around {self.center}: expected distinct neighbours, got {' '.join(names) or 'none'}"
            )


def density_from_json(blocks: Sequence[dict[str, Any]]) -> tuple[DensityBlock, ...]:
    """Return the blocks that a sidecar holds."""
    return tuple(
        DensityBlock(b["center"], b["orders"], tuple(DensityChannel(**c) for c in b["channels"]))
        for b in blocks
    )


def radial_coefficients(channel: DensityChannel) -> Array:
    """Return the inner B-spline coefficients of the functions of a channel.

    The functions are the first clamped cubic B-splines from ``start`` to the cutoff, on as many equal
    intervals as there are functions, without the last three: they vanish with two derivatives at the cutoff.
    Below ``start`` their first pieces go on, times a switch that falls to zero at the first knot, and all is
    interpolated on fine equal knots; a spline without the three outer coefficients on either side vanishes
    with two derivatives at both ends. So close contacts, which no data show, drop out of the moments.

    Returns
    -------
    Array
        (functions, intervals - 3) float64.
    """
    from scipy.interpolate import BSpline  # here, because MD needs this module and not half of SciPy

    n = channel.functions
    inner = np.linspace(channel.start, channel.cutoff, n + 1)
    shapes = BSpline(np.r_[[channel.start] * 3, inner, [channel.cutoff] * 3], np.eye(n + 3)[:, :n], 3)
    h = (channel.cutoff - channel.first_knot) / channel.intervals
    knots = channel.first_knot + h * np.arange(-3, channel.intervals + 4)
    points = knots[5:-5]  # centres of the inner B-splines
    x = np.clip((points - channel.first_knot) / (channel.start - channel.first_knot), 0.0, 1.0)
    values = shapes(points) * (x**3 * (10.0 - 15.0 * x + 6.0 * x**2))[:, None]
    matrix = BSpline.design_matrix(points, knots, 3).toarray()[:, 3:-3]
    return np.ascontiguousarray(np.linalg.solve(matrix, values).T)


@dataclass(frozen=True, eq=False)
class DensityLayout:
    """The density terms of a fit: columns, and what the training frames say about their size.

    Attributes
    ----------
    blocks
        As in the settings; columns go block after block.
    basis
        Evaluates the features.
    largest
        (functions,) largest scalar moments of training; zero before ``calibrated``.
    scale
        (columns,) root mean square of the forces (eV/Å) per unit coefficient; one before ``calibrated``.
    ranges
        (blocks, 2) lowest and highest energy of an atom over the training frames, eV; infinite before
        ``bounded``. The fit is linear and knows no bound; what is written has one.
    """

    blocks: tuple[DensityBlock, ...]
    elements: tuple[str, ...]
    basis: DensityBasis
    largest: Array
    scale: Array
    ranges: Array

    @classmethod
    def from_blocks(
        cls, elements: tuple[str, ...], blocks: tuple[DensityBlock, ...], largest: Array | None = None
    ) -> "DensityLayout":
        """Return the layout of blocks; with ``largest`` the terms fade above those moments."""
        known = set(elements)
        for block in blocks:
            unknown = {block.center, *(c.element for c in block.channels)} - known
            if unknown:
                raise InputError(
                    f"density: element {min(unknown)} is not in the potential; it has: {' '.join(elements)}"
                )
        core = DensityBasis(list(elements), [core_block(b, p) for b, p in zip_largest(blocks, largest)])
        zero = np.zeros(core.functions) if largest is None else np.asarray(largest, dtype=float)
        ranges = np.tile([-np.inf, np.inf], (len(blocks), 1))
        return cls(blocks, elements, core, zero, np.ones(core.columns), ranges)

    def calibrated(self, largest: Array, scale: Array) -> "DensityLayout":
        """Return the layout with what the training frames say."""
        return replace(self.from_blocks(self.elements, self.blocks, largest), scale=scale)

    def bounded(self, ranges: Array) -> "DensityLayout":
        """Return the layout with the energies that atoms have in training, (blocks, 2)."""
        return replace(self, ranges=ranges)

    def bound(self, block: int) -> tuple[float, float, float]:
        """Return between which energies the terms of a block stay as they are, and the room beyond, eV."""
        low, high = self.ranges[block].tolist()
        if not np.isfinite([low, high]).all():
            return -NEVER, NEVER, 1.0
        width = max(high - low, 1e-3)
        return low - BOUND_BEYOND * width, high + BOUND_BEYOND * width, BOUND_ROOM * width

    @property
    def columns(self) -> int:
        """Number of coefficients."""
        return self.basis.columns


def zip_largest(
    blocks: Sequence[DensityBlock], largest: Array | None
) -> list[tuple[DensityBlock, Array | None]]:
    """Pair each block with its part of the largest moments."""
    out: list[tuple[DensityBlock, Array | None]] = []
    first = 0
    for block in blocks:
        count = sum(c.functions for c in block.channels)
        out.append((block, None if largest is None else largest[first : first + count]))
        first += count
    return out


CoreFunction = tuple[float, float, list[float]]
"""Moments between which terms fade; coefficients."""
CoreChannel = tuple[str, int, float, float, int, list[CoreFunction]]
"""Element, highest l, first knot and cutoff (Å), intervals, functions."""


def core_block(block: DensityBlock, largest: Array | None) -> tuple[str, int, list[CoreChannel]]:
    """Return a block as the core takes it: functions with the moments between which terms fade."""
    channels: list[CoreChannel] = []
    number = 0
    for c in block.channels:
        functions: list[CoreFunction] = []
        for coefficients in radial_coefficients(c):
            # a function that no frame fills must still have a positive limit
            top = NEVER if largest is None else max(float(largest[number]), 1e-3)
            fade = (NEVER, 2 * NEVER) if largest is None else (FADE_FROM * top, FADE_TO * top)
            functions.append((fade[0], fade[1], coefficients.tolist()))
            number += 1
        channels.append((c.element, c.highest_l, c.first_knot, c.cutoff, c.intervals, functions))
    return block.center, block.orders, channels


def frame_features(density: DensityLayout, frame: ase.Atoms, species: Sequence[int]) -> tuple[Array, Array]:
    """Return the features (columns, 7 + 3 n) of a frame and its largest scalar moments (functions,)."""
    return density.basis.features(frame.positions, frame.cell.array, frame.pbc.tolist(), species)


def energy_ranges(
    density: DensityLayout, frame: ase.Atoms, species: Sequence[int], coefficients: Array
) -> Array:
    """Return (blocks, 2): lowest and highest energy of an atom of each centre (eV); infinite without any."""
    energies = density.basis.site_energies(
        frame.positions, frame.cell.array, frame.pbc.tolist(), species, coefficients
    )
    centers = np.array([density.elements.index(block.center) for block in density.blocks])
    own = np.array(species)[:, None] == centers
    low = np.where(own, energies, np.inf).min(axis=0)
    return np.stack([low, np.where(own, energies, -np.inf).max(axis=0)], axis=1)
