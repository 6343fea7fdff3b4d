"""Knots of a UFP and the numbering of its coefficients."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, product

import numpy as np

from lpsnmr._core import UfpBasis
from lpsnmr.errors import InputError
from lpsnmr.potential.density import DensityBlock, DensityLayout
from lpsnmr.potential.species import species_of
from lpsnmr.strict_model import checked_dataclass
from lpsnmr.typing import Array

__all__ = ["BasisSettings", "Layout", "clamped_knots"]

LARGEST = 50_000
"""Most knots of a vector and coefficients of a potential: one matrix of the fit then has 20 GB."""


def clamped_knots(start: float, stop: float, spacing: float) -> Array:
    """Return uniform knots from ``start`` to ``stop`` with fourfold ends.

    Parameters
    ----------
    start, stop
        First and last knot, Å.
    spacing
        Wanted distance of knots, Å; it is adjusted so that a whole number fits.

    Returns
    -------
    Array
        (intervals + 7,) float64, Å.

    Examples
    --------
    >>> clamped_knots(1.0, 2.0, 0.5).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0]
    """
    if not (np.isfinite([start, stop, spacing]).all() and 0 <= start < stop and spacing > 0):
        raise InputError(f"knots need 0 <= start < stop and spacing > 0, got {start}, {stop} and {spacing} Å")
    if (stop - start) / spacing > LARGEST:
        raise InputError(
            f"knots: expected at most {LARGEST} between {start} and {stop} Å, "
            f"got a spacing of {spacing} Å, which makes {(stop - start) / spacing:.3g}"
        )
    intervals = max(1, round((stop - start) / spacing))
    inner = start + (stop - start) * np.arange(intervals + 1) / intervals
    inner = np.round(inner, 12)
    return np.concatenate([np.repeat(inner[0], 3), inner, np.repeat(inner[-1], 3)])


@checked_dataclass
class BasisSettings:
    """Elements, cutoffs and knot spacings of a UFP; lengths in Å.

    A triplet of centre i has V3 when r_ij and r_ik are below the three-body cutoffs of the centre's element
    with those of j and k: ``three_body_cutoff``, or the entry (centre, neighbour, cutoff) of
    ``three_body_cutoffs``, or the entry (centre, j, k, cutoff of j, cutoff of k) of ``triple_cutoffs``. A
    cutoff of zero leaves out the triplets it is given for. ``triple_spacings`` gives triples (centre, j, k)
    knots of their own spacing. ``density`` holds products of neighbour densities, fitted beside V2 and V3.
    """

    elements: tuple[str, ...] = ("Li", "P", "S")
    body_order: int = 3
    two_body_start: float = 0.6
    two_body_cutoff: float = 6.0
    two_body_spacing: float = 0.2
    three_body_start: float = 1.0
    three_body_cutoff: float = 4.0
    three_body_spacing: float = 0.5
    three_body_cutoffs: tuple[tuple[str, str, float], ...] = ()
    triple_cutoffs: tuple[tuple[str, str, str, float, float], ...] = ()
    triple_spacings: tuple[tuple[str, str, str, float], ...] = ()
    density: tuple[DensityBlock, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no potential can be made of."""
        if self.body_order not in (2, 3):
            raise InputError(f"body order: expected 2 or 3, got {self.body_order}")
        if not self.elements or len(set(self.elements)) != len(self.elements):
            raise InputError(f"elements: expected distinct names, got {' '.join(self.elements) or 'none'}")
        given: list[tuple[set[str], tuple[float, ...]]] = [
            ({a, b}, (c,)) for a, b, c in self.three_body_cutoffs
        ]
        given += [({a, b, c}, (ij, ik)) for a, b, c, ij, ik in self.triple_cutoffs]
        given += [({a, b, c}, ()) for a, b, c, _ in self.triple_spacings]
        for names, _ in given:
            unknown = names - set(self.elements)
            if unknown:
                raise InputError(
                    f"three-body cutoff: element {min(unknown)} is not in the potential; "
                    f"it has: {' '.join(self.elements)}"
                )
        if self.body_order == 3:
            for cutoff in (self.three_body_cutoff, *(c for _, cutoffs in given for c in cutoffs)):
                if not (cutoff == 0 or self.three_body_start < cutoff <= self.two_body_cutoff):
                    raise InputError(
                        f"three-body cutoff: expected 0, or above the first three-body knot "
                        f"({self.three_body_start} Å) and at most the two-body cutoff "
                        f"({self.two_body_cutoff} Å), got {cutoff} Å"
                    )

    def spacing_of(self, center: int, j: int, k: int) -> float:
        """Return the distance of three-body knots (Å) of element indices."""
        a, b, c = (self.elements[x] for x in (center, j, k))
        value = self.three_body_spacing
        for x, y, z, spacing in self.triple_spacings:
            value = spacing if (x, y, z) in ((a, b, c), (a, c, b)) else value
        return value

    def cutoffs_of(self, center: int, j: int, k: int) -> tuple[float, float]:
        """Return the three-body cutoffs of r_ij and r_ik (Å) of element indices; 0 where there is no V3."""
        a, b, c = (self.elements[x] for x in (center, j, k))
        ij = ik = self.three_body_cutoff
        for x, y, value in self.three_body_cutoffs:
            ij = value if (x, y) == (a, b) else ij
            ik = value if (x, y) == (a, c) else ik
        for x, y, z, first, second in self.triple_cutoffs:
            if (x, y, z) == (a, b, c):
                ij, ik = first, second
            elif (x, z, y) == (a, b, c):
                ij, ik = second, first
        if j == k and ij != ik:
            raise InputError(
                f"three-body cutoffs of {a}-{b}-{c}: like neighbours need one cutoff, got {ij} and {ik} Å"
            )
        return ij, ik


def _check_size(two_body: int, triples: Sequence[tuple[Array, Array, Array]]) -> None:
    """Refuse more coefficients than a fit can hold, before the core numbers them."""
    three_body = sum(math.prod(len(k) - 4 for k in knots) for knots in triples)
    if two_body + three_body > LARGEST:
        raise InputError(
            f"expected at most {LARGEST} coefficients, got {two_body} of V2 and up to {three_body} of V3; "
            "wider spacings or shorter cutoffs make fewer"
        )


@dataclass(frozen=True)
class Layout:
    """The blocks of a potential in the order of its columns.

    ``pairs`` holds (a, b) and ``triples`` (centre, j, k) as indices into ``settings.elements``;
    ``triple_knots`` the knots along ij, ik, jk of each triple. Triples without V3 are not in the list.
    """

    settings: BasisSettings
    basis: UfpBasis
    pairs: tuple[tuple[int, int], ...]
    triples: tuple[tuple[int, int, int], ...]
    pair_knots: Array
    triple_knots: tuple[tuple[Array, Array, Array], ...]
    density: DensityLayout | None = None

    @classmethod
    def from_settings(cls, settings: BasisSettings) -> "Layout":
        """Return the layout of all pairs and triples of the elements."""
        n = len(settings.elements)
        pairs = tuple(combinations_with_replacement(range(n), 2))
        pair_knots = clamped_knots(
            settings.two_body_start, settings.two_body_cutoff, settings.two_body_spacing
        )
        start = settings.three_body_start
        triples: list[tuple[int, int, int]] = []
        triple_knots: list[tuple[Array, Array, Array]] = []
        for a, (b, c) in product(range(n), pairs) if settings.body_order == 3 else ():
            ij, ik = settings.cutoffs_of(a, b, c)
            if min(ij, ik) > 0:
                spacing = settings.spacing_of(a, b, c)
                triples.append((a, b, c))
                triple_knots.append(
                    (
                        clamped_knots(start, ij, spacing),
                        clamped_knots(start, ik, spacing),
                        clamped_knots(start, ij + ik, spacing),
                    )
                )
        _check_size(len(pairs) * (len(pair_knots) - 4), triple_knots)
        basis = UfpBasis(
            n,
            [(a, b, pair_knots.tolist()) for a, b in pairs],
            [
                (*triple, *(k.tolist() for k in knots))
                for triple, knots in zip(triples, triple_knots, strict=True)
            ],
        )
        density = DensityLayout.from_blocks(settings.elements, settings.density) if settings.density else None
        return cls(settings, basis, pairs, tuple(triples), pair_knots, tuple(triple_knots), density)

    def calibrated(self, largest: Array, scale: Array) -> "Layout":
        """Return the layout with what the training frames say about its density terms."""
        if self.density is None:
            return self
        return replace(self, density=self.density.calibrated(largest, scale))

    @property
    def columns(self) -> int:
        """Number of free coefficients: two-body, three-body, density terms."""
        return self.basis.columns + (self.density.columns if self.density else 0)

    def features(self, positions: Array, cell: Array, pbc: Sequence[bool], species: Sequence[int]) -> Array:
        """Return (columns, 7 + 3 n): energy, virial, forces per unit coefficient, as the core orders them."""
        base = self.basis.features(positions, cell, pbc, species)
        if self.density is None:
            return base
        return np.concatenate([base, self.density.basis.features(positions, cell, pbc, species)[0]])

    @property
    def two_body_columns(self) -> int:
        """Number of two-body coefficients; they are the first columns."""
        first, count = self.basis.pair_columns(len(self.pairs) - 1)
        return first + count

    def species(self, symbols: Sequence[str], where: str = "structure") -> list[int]:
        """Return the element index of every atom.

        Raises
        ------
        InputError
            For an element the potential does not have.
        """
        return species_of(symbols, self.settings.elements, where)
