"""Checks of a structure: shortest distances, whole PS4 units, density."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lpsnmr._core import neighbor_list
from lpsnmr.elements import masses_of, symbol_of
from lpsnmr.errors import InputError

__all__ = [
    "PLAUSIBLE_ANGSTROM",
    "PS_BOND_CUTOFF_ANGSTROM",
    "StructureReport",
    "check_distances",
    "close_contacts",
    "density_g_per_cm3",
    "intact_ps4",
    "report_structure",
    "shortest_by_pair",
]

PS_BOND_CUTOFF_ANGSTROM = 2.7
"""P–S pairs closer than this are bonded: the bond is 2.05 Å, the next P–S distance above 3.5 Å."""

PLAUSIBLE_ANGSTROM: Final[dict[str, float]] = {
    "Li-Li": 1.85,
    "Li-P": 1.95,
    "Li-S": 1.85,
    "P-P": 2.0,
    "P-S": 1.7,
    "S-S": 1.85,
}
"""Closest contacts that make sense in Li–P–S: about those met in the labelled melts at 2500 K."""

DALTON_PER_ANGSTROM3_G_PER_CM3 = 1.66053906660
PHOSPHORUS, SULFUR = 15, 16


@dataclass(frozen=True)
class StructureReport:
    """Numbers that tell whether a structure is sane.

    Attributes
    ----------
    shortest_angstrom
        Shortest interatomic distance, Å.
    density
        g/cm³.
    n_phosphorus, n_intact
        Phosphorus atoms, and those of them with exactly four S within ``PS_BOND_CUTOFF_ANGSTROM``.
    shortest_pairs
        Shortest distance of each pair of elements met within 4 Å, Å, by name such as ``Li-S``.
    """

    shortest_angstrom: float
    density: float
    n_phosphorus: int
    n_intact: int
    shortest_pairs: dict[str, float] = field(default_factory=dict)


def density_g_per_cm3(atoms: Atoms) -> float:
    """Return the mass density, g/cm³."""
    mass = float(masses_of(atoms.numbers).sum())
    return mass / abs(float(atoms.cell.volume)) * DALTON_PER_ANGSTROM3_G_PER_CM3


def intact_ps4(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    pbc: tuple[bool, bool, bool],
    numbers: NDArray[np.int32],
) -> tuple[int, int]:
    """Count PS4 units that are whole.

    Parameters
    ----------
    positions
        (n, 3) float64, Å; need not be wrapped.
    cell
        (3, 3) float64, rows are the cell vectors, Å.
    pbc
        Periodic along each vector.
    numbers
        (n,) atomic numbers.

    Returns
    -------
    intact, total
        P atoms with exactly four S within ``PS_BOND_CUTOFF_ANGSTROM``, and all P atoms.
    """
    centers = np.flatnonzero(numbers == PHOSPHORUS)
    if centers.size == 0:
        return 0, 0
    first, index, _, _ = neighbor_list(positions, cell, pbc, PS_BOND_CUTOFF_ANGSTROM, centers.tolist())
    is_sulfur = np.concatenate([[0], np.cumsum(numbers[index] == SULFUR)])
    bonded = is_sulfur[first[1:]] - is_sulfur[first[:-1]]
    return int(np.count_nonzero(bonded == 4)), int(centers.size)


def check_distances(atoms: Atoms, minimum_angstrom: float = 1.2) -> float:
    """Return the shortest interatomic distance, Å; refuse atoms that lie on top of each other.

    Raises
    ------
    InputError
        When a distance is below ``minimum_angstrom``; names the pair.
    """
    search = 4.0
    first, index, _, distance = neighbor_list(atoms.positions, atoms.cell[:], tuple(atoms.pbc), search)
    if distance.size == 0:
        return float("inf")
    entry = int(np.argmin(distance))
    shortest = float(distance[entry])
    if shortest < minimum_angstrom:
        i = int(np.searchsorted(first, entry, side="right")) - 1
        j = int(index[entry])
        raise InputError(
            f"atoms {i + 1} ({symbol_of(atoms.numbers[i])}) and {j + 1} ({symbol_of(atoms.numbers[j])}) are "
            f"{shortest:.3f} Å apart; expected at least {minimum_angstrom} Å"
        )
    return shortest


def report_structure(atoms: Atoms) -> StructureReport:
    """Measure a structure; raises as ``check_distances`` does."""
    shortest = check_distances(atoms)
    intact, total = intact_ps4(atoms.positions, atoms.cell[:], tuple(atoms.pbc), atoms.numbers)
    return StructureReport(shortest, density_g_per_cm3(atoms), total, intact, shortest_by_pair(atoms))


def shortest_by_pair(atoms: Atoms, search_angstrom: float = 4.0) -> dict[str, float]:
    """Return the shortest distance (Å) of each pair of elements that meet within ``search_angstrom``.

    Examples
    --------
    >>> shortest_by_pair(Atoms("PS", positions=[[0, 0, 0], [0, 0, 2.0]], cell=[9, 9, 9], pbc=True))
    {'P-S': 2.0}
    """
    first, index, _, distance = neighbor_list(
        atoms.positions, atoms.cell[:], tuple(atoms.pbc), search_angstrom
    )
    center = np.repeat(np.arange(len(atoms)), np.diff(first))
    low = np.minimum(atoms.numbers[center], atoms.numbers[index])
    high = np.maximum(atoms.numbers[center], atoms.numbers[index])
    result = {}
    for a, b in np.unique(np.stack([low, high], axis=1), axis=0):
        shortest = distance[(low == a) & (high == b)].min()
        result[f"{symbol_of(int(a))}-{symbol_of(int(b))}"] = float(shortest)
    return result


def close_contacts(atoms: Atoms) -> list[str]:
    """Return what is implausibly close, one text per pair of elements; empty when nothing is.

    Pairs that are not in ``PLAUSIBLE_ANGSTROM`` are not judged.
    """
    return [
        f"{pair} {shortest:.2f} Å (expected at least {PLAUSIBLE_ANGSTROM[pair]} Å)"
        for pair, shortest in shortest_by_pair(atoms).items()
        if shortest < PLAUSIBLE_ANGSTROM.get(pair, 0.0)
    ]
