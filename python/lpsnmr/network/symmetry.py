"""Classes of sites and of jumps that symmetry makes equal."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lpsnmr.errors import MissingPackageError
from lpsnmr.typing import Array, Indices

__all__ = ["SiteClasses", "fold_sites", "jump_classes"]


@dataclass(frozen=True)
class SiteClasses:
    """Sites by symmetry.

    Attributes
    ----------
    site_class
        (n,) int64.
    permutations
        (operations, n) int64, where each operation takes each site.
    symbol
        Space group of the arrangement of sites, as spglib names it; empty when there is none.
    """

    site_class: Indices
    permutations: Indices
    symbol: str


def fold_sites(fractional: Array, cell: Array, tolerance_angstrom: float = 0.5) -> SiteClasses:
    """Fold sites by the symmetry of their own arrangement (spglib, doi:10.1080/27660400.2024.2384822).

    Sites found in MD are off their ideal places, so the tolerance is wide; an arrangement of sites may be
    more symmetric than the crystal. For a glass every site is a class of its own.

    Raises
    ------
    MissingPackageError
        When spglib is not installed.
    """
    try:
        import spglib
    except ImportError:
        raise MissingPackageError(
            "sites are folded by symmetry with spglib, which is not installed: pip install 'lpsnmr[symmetry]'"
        ) from None
    n = len(fractional)
    found: Any = None
    try:
        found = spglib.get_symmetry_dataset(
            (cell.tolist(), fractional.tolist(), [1] * n), symprec=tolerance_angstrom
        )
    except Exception as error:  # what spglib raises differs from version to version
        if not type(error).__module__.startswith("spglib"):
            raise
    if found is None:
        return SiteClasses(np.arange(n), np.arange(n)[None], "")
    rows = []
    for rotation, shift in zip(found.rotations, found.translations, strict=True):
        step = (fractional @ rotation.T + shift)[:, None] - fractional[None]
        distance = np.linalg.norm((step - np.round(step)) @ cell, axis=-1)
        image = distance.argmin(axis=1)
        if len(np.unique(image)) == n and distance.min(axis=1).max() < 2.0 * tolerance_angstrom:
            rows.append(image)
    permutations = np.array(rows or [np.arange(n)], dtype=np.int64)
    _, site_class = np.unique(permutations.min(axis=0), return_inverse=True)
    return SiteClasses(site_class.astype(np.int64), permutations, str(found.international))


def jump_classes(pairs: Indices, classes: SiteClasses) -> tuple[Indices, Indices]:
    """Return all edges that symmetry makes of some pairs, (e, 2) with i < j, and the class of each, (e,)."""
    orbits: dict[tuple[int, int], int] = {}
    count = 0
    for i, j in pairs.tolist():
        key = (min(i, j), max(i, j))
        if key in orbits:
            continue
        images = np.sort(classes.permutations[:, [i, j]], axis=1)
        group = {(int(a), int(b)) for a, b in images} | {key}
        merged = {orbits[edge] for edge in group if edge in orbits}
        label = merged.pop() if merged else count
        count += label == count
        orbits.update(dict.fromkeys(group, label))
    edges = sorted(orbits)
    _, kinds = np.unique([orbits[edge] for edge in edges], return_inverse=True)
    return np.array(edges, dtype=np.int64).reshape(-1, 2), kinds.astype(np.int64)
