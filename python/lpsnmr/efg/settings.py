"""What the features of an EFG model are made of."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import EfgBasis

__all__ = ["GROUPS", "EfgSettings"]

GROUPS = ("pair", "chain", "product", "triple", "field")
"""Groups of features that are regularised apart."""

Radial = tuple[int, float]


@dataclasses.dataclass(frozen=True)
class EfgSettings:
    """Terms of the model; a radial argument is (number of functions, cutoff in Å), 0 functions: term off.

    The defaults are those of the shipped model; ``docs/howto/fit-efg.md`` tells how they were found.
    """

    species: tuple[int, ...] = (3, 15, 16)
    """Atomic numbers an environment may hold, ascending."""
    bridges: tuple[int, ...] = (16,)
    """Atomic numbers a chain may run through."""
    pair: Radial = (6, 5.0)
    """Body order 2: target–neighbour."""
    chain: Radial = (2, 4.5)
    """Chain: target–bridge distance."""
    bridge: Radial = (3, 4.0)
    """Chain: density around the bridge."""
    bridge_l_max: int = 3
    """Chain: highest degree of that density."""
    product: Radial = (1, 4.0)
    """Chain: density around the bridge that is multiplied by itself."""
    product_l_max: int = 3
    """Chain: highest degree of the factors of that product."""
    product_degree_max: int = 3
    """Chain: highest degree of the product, at most ``bridge_l_max``."""
    triple: Radial = (2, 4.0)
    """Body order 3: density around the target."""
    triple_l_max: int = 2
    """Body order 3: highest degree of that density."""
    field_cutoff: float = 8.0
    """Chain: how far the charges and dipoles are whose field a bridge feels, Å; 0: term off."""
    source: Radial = (3, 4.0)
    """Chain: density around such a source that sets its charge and dipole."""
    sources: tuple[int, ...] = (15, 16)
    """Atomic numbers of the sources that have such a density; all species have a charge."""

    def basis(self) -> EfgBasis:
        """Return the compiled features; InputError for settings that make no sense."""
        return EfgBasis(
            species=list(self.species),
            bridges=list(self.bridges),
            pair=self.pair,
            chain=self.chain,
            bridge=self.bridge,
            bridge_l_max=self.bridge_l_max,
            product=self.product,
            product_l_max=self.product_l_max,
            product_degree_max=self.product_degree_max,
            triple=self.triple,
            triple_l_max=self.triple_l_max,
            field_cutoff=self.field_cutoff,
            source=self.source,
            sources=list(self.sources),
        )

    def feature_groups(self) -> NDArray[np.int64]:
        """Return for each feature the position of its group in ``GROUPS``: (n_features,) int64."""
        basis = self.basis()
        groups = np.full(basis.size, GROUPS.index("pair"))
        groups[basis.chain_begin : basis.triple_begin] = GROUPS.index("chain")
        groups[basis.triple_begin :] = GROUPS.index("triple")
        linear = len(self.species) * self.bridge[0]
        position = basis.chain_begin
        for channels, degree in zip(basis.chain_channels, basis.chain_degrees, strict=True):
            # one entry per bridge species, pair of degrees and radial function: its bridge channels
            end = position + channels
            fields = end - (basis.field_channels if degree == 1 else 0)
            groups[position + linear : fields] = GROUPS.index("product")
            groups[fields:end] = GROUPS.index("field")
            position = end
        return groups

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers, for a file."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }
