"""Structures near a crystal: strained, rattled, with lithium moved to other voids."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.structures.checks import check_distances, density_g_per_cm3
from lpsnmr.structures.origin import with_step
from lpsnmr.typing import Array

__all__ = ["lithium_disordered", "periodic_images", "rattled", "strained", "with_density"]


LITHIUM, PHOSPHORUS, SULFUR = 3, 15, 16
MAX_STRAIN = 0.2

VOID_SULFUR_ANGSTROM = (2.2, 3.0)
"""A void for Li: its nearest S is not closer than the first, its third-nearest not farther than the second.
Li–S bonds of the β and γ crystals are 2.35 to 2.9 Å (doi:10.1016/j.ssi.2010.10.001)."""
VOID_PHOSPHORUS_ANGSTROM = 2.7
VOID_LITHIUM_ANGSTROM = 2.4
VACATED_ANGSTROM = 1.0
TRIALS, ROUNDS = 2000, 50


def strained(atoms: Atoms, strain: Sequence[float]) -> Atoms:
    """Deform cell and positions by a small strain.

    Parameters
    ----------
    atoms
        Periodic structure; not changed.
    strain
        Six numbers e_xx, e_yy, e_zz, e_yz, e_xz, e_xy (tensor components: shears are half the angle). The
        cell vectors are multiplied by 1 + e.

    Returns
    -------
    ase.Atoms
        New structure with the same fractional coordinates.

    Raises
    ------
    InputError
        For other than six finite numbers of at most ``MAX_STRAIN`` in size.

    Examples
    --------
    >>> from lpsnmr.structures import load_structure
    >>> crystal = load_structure("gamma-Li3PS4")
    >>> volume = strained(crystal, [0.01] * 3 + [0] * 3).get_volume()
    >>> round(float(volume / crystal.get_volume()), 6)
    1.030301
    """
    values = np.asarray(strain, dtype=float)
    if values.shape != (6,) or not np.isfinite(values).all() or np.abs(values).max() > MAX_STRAIN:
        raise InputError(
            f"strain: expected six numbers xx yy zz yz xz xy between -{MAX_STRAIN} and {MAX_STRAIN}, "
            f"got {[float(v) for v in values.ravel()]}"
        )
    xx, yy, zz, yz, xz, xy = values
    deformation = np.eye(3) + np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    result = atoms.copy()
    result.calc = None
    result.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
    numbers = " ".join(f"{v:+.4f}" for v in values)
    return with_step(result, atoms, f"strain xx yy zz yz xz xy {numbers}")


def with_density(atoms: Atoms, density: float) -> Atoms:
    """Scale the cell isotropically to a density in g/cm³.

    Raises
    ------
    InputError
        For a density that is not within a factor of two of the present one.
    """
    present = density_g_per_cm3(atoms)
    if not present / 2 <= density <= present * 2:
        raise InputError(
            f"density: expected {present / 2:.3f} to {present * 2:.3f} g/cm³, around the present "
            f"{present:.3f}, got {density}"
        )
    result = atoms.copy()
    result.calc = None
    result.set_cell(atoms.cell.array * (present / density) ** (1 / 3), scale_atoms=True)
    return with_step(result, atoms, f"density {density:g} g/cm³")


def rattled(atoms: Atoms, width_angstrom: float, seed: int, minimum_angstrom: float = 1.6) -> Atoms:
    """Displace every atom by Gaussian noise, its mean displacement removed.

    Parameters
    ----------
    atoms
        Structure; not changed.
    width_angstrom
        Standard deviation of each component, Å, 0 to 0.5.
    seed
        Seed of the noise.
    minimum_angstrom
        Shortest distance allowed in the result.

    Raises
    ------
    InputError
        For a width outside its range.
    ComputeError
        When no draw of twenty keeps all atoms apart.
    """
    if not 0 < width_angstrom <= 0.5:
        raise InputError(f"rattle: expected a width above 0 and at most 0.5 Å, got {width_angstrom}")
    random = np.random.default_rng(seed)
    for _ in range(20):
        shift = random.normal(0.0, width_angstrom, (len(atoms), 3))
        result = atoms.copy()
        result.calc = None
        result.positions += shift - shift.mean(axis=0)
        try:
            check_distances(result, minimum_angstrom)
        except InputError:
            continue
        return with_step(result, atoms, f"rattle {width_angstrom:g} Å seed {seed}")
    raise ComputeError(
        f"rattle: twenty draws of {width_angstrom:g} Å all put atoms closer than {minimum_angstrom} Å; "
        "a smaller width helps"
    )


def periodic_images(positions: Array, cell: Array, reach: float) -> tuple[Array, NDArray[np.int64]]:
    """Return wrapped positions with all their images that can lie within ``reach`` of the cell.

    Parameters
    ----------
    positions
        (n, 3) float64, Å.
    cell
        (3, 3) float64, rows are the cell vectors, Å.
    reach
        Å.

    Returns
    -------
    points
        (m, 3) float64, Å.
    atom
        (m,) int64, which of the ``positions`` each point is an image of.
    """
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    counts = np.ceil(reach / heights).astype(int)
    fractional = positions @ np.linalg.inv(cell) % 1.0
    shifts = np.stack(np.meshgrid(*(np.arange(-c, c + 1) for c in counts), indexing="ij"), axis=-1)
    all_points = fractional[None] + shifts.reshape(-1, 1, 3)
    index = np.broadcast_to(np.arange(len(positions)), all_points.shape[:2])
    margin = reach / heights
    near = ((all_points > -margin) & (all_points < 1 + margin)).all(axis=-1)
    return all_points[near] @ cell, index[near].astype(np.int64)


def _nearest(points: Array, atoms: Array, cell: Array, k: int, reach: float) -> Array:
    """Return the distance of each point to its k-th nearest atom; infinite beyond ``reach``."""
    images, _ = periodic_images(atoms, cell, reach)
    if len(images) < k:
        return np.full(len(points), np.inf)
    distance, _ = cKDTree(images).query(points, k=[k], distance_upper_bound=reach)
    return np.asarray(distance[:, 0], dtype=np.float64)


def _voids(points: Array, atoms: Atoms, lithium: Array, vacated: Array) -> Array:
    """Return those of the points at which a Li may sit."""
    cell = atoms.cell.array
    sulfur = atoms.positions[atoms.numbers == SULFUR]
    phosphorus = atoms.positions[atoms.numbers == PHOSPHORUS]
    shortest, longest = VOID_SULFUR_ANGSTROM
    good = _nearest(points, sulfur, cell, 1, longest + 0.1) >= shortest
    good &= _nearest(points, sulfur, cell, 3, longest + 0.1) <= longest
    for others, apart in (
        (phosphorus, VOID_PHOSPHORUS_ANGSTROM),
        (lithium, VOID_LITHIUM_ANGSTROM),
        (vacated, VACATED_ANGSTROM),
    ):
        if len(others):
            good &= _nearest(points, others, cell, 1, apart + 0.1) >= apart
    return np.asarray(points[good])


def lithium_disordered(atoms: Atoms, fraction: float, seed: int) -> Atoms:
    """Move a share of the Li to randomly chosen other voids of the sulfur lattice.

    A void has three S within 3.0 Å and none within 2.2 Å, no P within 2.7 Å and no Li within 2.4 Å; it lies
    at least 1 Å from the sites that were left. P and S stay where they are: anneal or relax the result.

    Parameters
    ----------
    atoms
        Structure with Li, P and S; not changed.
    fraction
        Share of the Li that moves, above 0 and at most 1; at least one moves.
    seed
        Seed of both choices.

    Raises
    ------
    InputError
        For a fraction outside its range or a structure without Li or S.
    ComputeError
        When no void is found for a Li.
    """
    lithium = np.flatnonzero(atoms.numbers == LITHIUM)
    if not 0 < fraction <= 1:
        raise InputError(f"Li disorder: expected a fraction above 0 and at most 1, got {fraction}")
    if not len(lithium) or not (atoms.numbers == SULFUR).any():
        raise InputError("Li disorder: expected a structure with Li and S")
    random = np.random.default_rng(seed)
    moving = random.choice(lithium, max(1, round(fraction * len(lithium))), replace=False)
    vacated = atoms.positions[moving]
    settled = atoms.positions[np.setdiff1d(lithium, moving)]
    result = atoms.copy()
    result.calc = None
    for n, atom in enumerate(moving):
        for _ in range(ROUNDS):
            points = random.random((TRIALS, 3)) @ atoms.cell.array
            voids = _voids(points, atoms, settled, vacated)
            if len(voids):
                break
        else:
            raise ComputeError(
                f"Li disorder: no void left for Li {n + 1} of {len(moving)}; expected a smaller fraction or "
                "another seed"
            )
        result.positions[atom] = voids[0]
        settled = np.vstack([settled, voids[:1]])
    return with_step(result, atoms, f"{len(moving)} of {len(lithium)} Li moved to other voids seed {seed}")
