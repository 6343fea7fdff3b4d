"""Polyhedra of a structure: which atoms make them, how many are whole, and their ideal shapes."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from lpsnmr._core import neighbor_list
from lpsnmr.elements import atomic_number
from lpsnmr.structures.species import PolyhedronSettings
from lpsnmr.typing import Array

__all__ = ["find_polyhedra", "ideal_corners", "proper_rotations", "tell_broken", "whole_polyhedra"]

Pbc = tuple[bool, bool, bool]
GOLDEN = 0.5 * (1.0 + 5.0**0.5)


def find_polyhedra(
    positions: Array, cell: Array, pbc: Pbc, numbers: NDArray[np.int32], kind: PolyhedronSettings
) -> NDArray[np.int64]:
    """Return the indices of centre and corners of every whole polyhedron, (n, 1 + count) int64.

    A polyhedron is whole when it has exactly ``count`` corners within the cutoff; one corner may belong to
    several.
    """
    units = []
    first, second, _, distance = neighbor_list(positions, cell, pbc, kind.cutoff)
    ligand = atomic_number(kind.ligand)
    for p in np.flatnonzero(numbers == atomic_number(kind.center)):
        around = second[first[p] : first[p + 1]]
        corners = around[(numbers[around] == ligand) & (distance[first[p] : first[p + 1]] < kind.cutoff)]
        if len(corners) == kind.count == len(set(corners.tolist())):
            units.append([p, *sorted(corners)])
    return np.array(units, dtype=np.int64).reshape(-1, 1 + kind.count)


def whole_polyhedra(
    positions: Array, cell: Array, pbc: Pbc, numbers: NDArray[np.int32], kinds: Sequence[PolyhedronSettings]
) -> tuple[int, int]:
    """Return how many polyhedra of all kinds are whole, and how many centres there are.

    An atom that is the centre of several kinds is counted once, and is whole when it is of one of them.
    """
    whole: set[int] = set()
    centres: set[int] = set()
    for kind in kinds:
        here = np.flatnonzero(numbers == atomic_number(kind.center))
        centres.update(here.tolist())
        if here.size == 0:
            continue
        first, index, _, _ = neighbor_list(positions, cell, pbc, kind.cutoff, here.tolist())
        is_ligand = np.concatenate([[0], np.cumsum(numbers[index] == atomic_number(kind.ligand))])
        bonded = is_ligand[first[1:]] - is_ligand[first[:-1]]
        whole.update(here[bonded == kind.count].tolist())
    return len(whole), len(centres)


def tell_broken(
    positions: Array, cell: Array, pbc: Pbc, numbers: NDArray[np.int32], kinds: Sequence[PolyhedronSettings]
) -> str:
    """Return what to say of centres without their corners; nothing where all are whole or none is there."""
    whole, centres = whole_polyhedra(positions, cell, pbc, numbers, kinds)
    if whole == centres:
        return ""
    names = " or ".join(kind.formula for kind in kinds)
    return (
        f"{whole} of {centres} centres are whole {names} units (species.polyhedra); only these are followed"
    )


@lru_cache(maxsize=16)
def ideal_corners(count: int) -> Array | None:
    """Return unit vectors to the corners of the ideal shape, (count, 3) float64; None without a usual one.

    Line, triangle, tetrahedron, trigonal bipyramid, octahedron, cube and icosahedron.
    """
    triangle = [[np.cos(a), np.sin(a), 0.0] for a in 2.0 * np.pi * np.arange(3) / 3.0]
    poles = [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]
    shapes = {
        2: poles,
        3: triangle,
        4: [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]],
        5: [*triangle, *poles],
        6: [s * e for e in np.eye(3) for s in (1.0, -1.0)],
        8: [[x, y, z] for x in (1, -1) for y in (1, -1) for z in (1, -1)],
        12: [np.roll([0.0, s, t * GOLDEN], k) for k in range(3) for s in (1.0, -1.0) for t in (1.0, -1.0)],
    }
    if count not in shapes:
        return None
    corners = np.array(shapes[count], dtype=np.float64)
    return np.asarray(corners / np.linalg.norm(corners, axis=1, keepdims=True))


@lru_cache(maxsize=16)
def proper_rotations(count: int) -> dict[tuple[int, ...], float]:
    """Return the rotations of the ideal shape as permutations of its corners, with their angles in degrees.

    Corner i goes to where corner ``permutation[i]`` was. For a line any half turn exchanges its ends.

    Examples
    --------
    >>> len(proper_rotations(4)), len(proper_rotations(6)), sorted(set(proper_rotations(6).values()))
    (12, 24, [0.0, 90.0, 120.0, 180.0])
    """
    corners = ideal_corners(count)
    if corners is None:
        return {}
    if count == 2:
        return {(0, 1): 0.0, (1, 0): 180.0}
    found: dict[tuple[int, ...], float] = {}
    b = next(k for k in range(1, count) if np.linalg.norm(np.cross(corners[0], corners[k])) > 1e-6)
    frame = _frame(corners[0], corners[b])
    for i, j in permutations(range(count), 2):
        if abs(corners[i] @ corners[j] - corners[0] @ corners[b]) > 1e-9:
            continue
        rotation = _frame(corners[i], corners[j]).T @ frame
        moved = corners @ rotation.T
        cosines = moved @ corners.T
        if np.abs(cosines.max(axis=1) - 1.0).max() > 1e-9:
            continue
        angle = np.degrees(np.arccos(np.clip(0.5 * (np.trace(rotation) - 1.0), -1.0, 1.0)))
        found[tuple(int(k) for k in cosines.argmax(axis=1))] = float(np.round(angle, 6))
    return found


def _frame(first: Array, second: Array) -> Array:
    """Return the right-handed orthonormal frame of two vectors, rows."""
    normal = np.cross(first, second)
    normal = normal / np.linalg.norm(normal)
    x = first / np.linalg.norm(first)
    return np.stack([x, np.cross(normal, x), normal])
