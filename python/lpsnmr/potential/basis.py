"""Knots of a UFP and the numbering of its coefficients."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import UfpBasis
from lpsnmr.errors import InputError

__all__ = ["BasisSettings", "Layout", "clamped_knots"]

Array = NDArray[np.float64]


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
        raise InputError(
            f"knots need 0 <= start < stop and spacing > 0, got start {start}, stop {stop}, spacing {spacing} Å"
        )
    intervals = max(1, round((stop - start) / spacing))
    inner = start + (stop - start) * np.arange(intervals + 1) / intervals
    inner = np.round(inner, 12)
    return np.concatenate([np.repeat(inner[0], 3), inner, np.repeat(inner[-1], 3)])


@dataclass(frozen=True)
class BasisSettings:
    """Elements, cutoffs and knot spacings of a UFP; lengths in Å.

    ``three_body_reach`` is the largest r_jk of a triplet; None stands for twice the three-body cutoff,
    which is every triplet.
    """

    elements: tuple[str, ...] = ("Li", "P", "S")
    body_order: int = 3
    two_body_start: float = 0.6
    two_body_cutoff: float = 6.0
    two_body_spacing: float = 0.2
    three_body_start: float = 1.0
    three_body_cutoff: float = 4.5
    three_body_spacing: float = 0.5
    three_body_reach: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no potential can be made of."""
        if not self.elements or len(set(self.elements)) != len(self.elements):
            raise InputError(f"elements: expected distinct names, got {' '.join(self.elements) or 'none'}")
        if self.body_order not in (2, 3):
            raise InputError(f"body order: expected 2 or 3, got {self.body_order}")
        if self.body_order == 3 and self.three_body_cutoff > self.two_body_cutoff:
            raise InputError(
                f"three-body cutoff: expected at most the two-body cutoff {self.two_body_cutoff} Å, "
                f"got {self.three_body_cutoff} Å"
            )
        if self.reach > 2 * self.three_body_cutoff + 1e-9:
            raise InputError(
                f"three-body reach: r_jk is at most twice the three-body cutoff {self.three_body_cutoff} Å, "
                f"got {self.reach} Å"
            )

    @property
    def reach(self) -> float:
        """Largest r_jk of a triplet, Å."""
        return 2 * self.three_body_cutoff if self.three_body_reach is None else self.three_body_reach


@dataclass(frozen=True)
class Layout:
    """The blocks of a potential in the order of its columns.

    ``pairs`` holds (a, b) and ``triples`` (centre, j, k) as indices into ``settings.elements``.
    """

    settings: BasisSettings
    basis: UfpBasis
    pairs: tuple[tuple[int, int], ...]
    triples: tuple[tuple[int, int, int], ...]
    pair_knots: Array
    triple_knots: tuple[Array, Array, Array] | None
    species_of: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_settings(cls, settings: BasisSettings) -> "Layout":
        """Number the coefficients for all pairs and triples of the elements."""
        n = len(settings.elements)
        pairs = tuple(combinations_with_replacement(range(n), 2))
        pair_knots = clamped_knots(
            settings.two_body_start, settings.two_body_cutoff, settings.two_body_spacing
        )
        triples: tuple[tuple[int, int, int], ...] = ()
        triple_knots = None
        if settings.body_order == 3:
            triples = tuple((a, b, c) for a in range(n) for b, c in pairs)
            start, spacing = settings.three_body_start, settings.three_body_spacing
            radial = clamped_knots(start, settings.three_body_cutoff, spacing)
            triple_knots = (radial, radial, clamped_knots(start, settings.reach, spacing))
        basis = UfpBasis(
            n,
            [(a, b, pair_knots.tolist()) for a, b in pairs],
            [(*t, *(k.tolist() for k in triple_knots)) for t in triples] if triple_knots else [],
        )
        species_of = {name: k for k, name in enumerate(settings.elements)}
        return cls(settings, basis, pairs, triples, pair_knots, triple_knots, species_of)

    @property
    def columns(self) -> int:
        """Number of free coefficients."""
        return self.basis.columns

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
        unknown = sorted(set(symbols) - set(self.species_of))
        if unknown:
            raise InputError(
                f"{where}: element {unknown[0]} is not in the potential; "
                f"it has: {' '.join(self.settings.elements)}"
            )
        return [self.species_of[s] for s in symbols]
