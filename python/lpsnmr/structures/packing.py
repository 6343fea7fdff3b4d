"""Amorphous cells without a melt: whole PS4 units and Li packed at random."""

from itertools import pairwise
from typing import Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.structures.origin import with_step
from lpsnmr.typing import Array

__all__ = ["packed", "units_and_lithium"]

LITHIUM, PHOSPHORUS, SULFUR = 3, 15, 16
BOND_ANGSTROM = 2.05
CORNERS: Final = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3.0)
APART_ANGSTROM: Final = {
    (LITHIUM, LITHIUM): 2.6,
    (LITHIUM, PHOSPHORUS): 2.8,
    (LITHIUM, SULFUR): 2.35,
    (PHOSPHORUS, PHOSPHORUS): 5.0,
    (PHOSPHORUS, SULFUR): 3.6,
    (SULFUR, SULFUR): 3.4,
}
"""What atoms of different units keep apart; a little less than the nearest ones in β-Li3PS4."""
TOLERATED_ANGSTROM = 0.35
SWEEPS, ATTEMPTS = 300, 5


class _Packing:
    """Rigid units in a periodic cell, and how much they overlap."""

    def __init__(self, cell: Array, units: int, lithium: int, random: np.random.Generator) -> None:
        self.cell, self.inverse, self.random = cell, np.linalg.inv(cell), random
        shapes = [np.vstack([np.zeros(3), BOND_ANGSTROM * CORNERS])] * units + [np.zeros((1, 3))] * lithium
        self.numbers = np.array([PHOSPHORUS, *[SULFUR] * 4] * units + [LITHIUM] * lithium)
        bounds = np.cumsum([0, *(len(s) for s in shapes)])
        self.members = [np.arange(*pair) for pair in pairwise(bounds)]
        self.positions = np.empty((len(self.numbers), 3))
        for own, shape in zip(self.members, shapes, strict=True):
            turn = Rotation.random(random_state=random)
            self.positions[own] = random.random(3) @ cell + turn.apply(shape)
        kinds = np.sort(np.stack(np.broadcast_arrays(self.numbers[:, None], self.numbers[None]), -1), axis=-1)
        apart = np.zeros(kinds.shape[:2])
        for (a, b), distance in APART_ANGSTROM.items():
            apart[(kinds[..., 0] == a) & (kinds[..., 1] == b)] = distance
        self.apart = apart
        heights = 1.0 / np.linalg.norm(self.inverse, axis=0)
        reach = np.ceil(apart.max() / heights).astype(int)
        grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in reach), indexing="ij"), axis=-1)
        self.shifts = grid.reshape(-1, 3)
        self.middle = len(self.shifts) // 2

    def overlaps(self, own: NDArray[np.intp], moved: Array) -> Array:
        """Return by how much a unit at ``moved`` is too close to each atom and its images, (m, n, images)."""
        others = self.positions.copy()
        others[own] = moved
        fraction = (moved[:, None] - others[None]) @ self.inverse
        foreign = np.ones(len(others), dtype=bool)
        foreign[own] = False
        fraction[:, foreign] -= np.round(fraction[:, foreign])
        distance = np.linalg.norm((fraction[:, :, None] + self.shifts) @ self.cell, axis=-1)
        distance[:, own, self.middle] = np.inf  # the unit itself
        return np.asarray(np.clip(self.apart[own][:, :, None] - distance, 0.0, None))

    def anneal(self) -> None:
        """Move and turn units one after the other, by Metropolis' rule for the squared overlaps."""
        for sweep in range(SWEEPS):
            left = 1.0 - sweep / SWEEPS
            temperature, step = 0.3 * left**2 + 1e-4, 0.6 * left + 0.05
            for k in self.random.permutation(len(self.members)):
                own = self.members[k]
                now = self.positions[own]
                turn = Rotation.from_rotvec(self.random.normal(size=3) * step)
                moved = now[0] + self.random.normal(size=3) * step + turn.apply(now - now[0])
                rise = (self.overlaps(own, moved) ** 2).sum() - (self.overlaps(own, now) ** 2).sum()
                if rise <= 0 or self.random.random() < np.exp(-rise / temperature):
                    self.positions[own] = moved

    def worst(self) -> float:
        """Return the largest overlap, Å."""
        return max(float(self.overlaps(own, self.positions[own]).max()) for own in self.members)


def units_and_lithium(atoms: Atoms) -> tuple[int, int]:
    """Return how many PS4 units and Li can be packed.

    Raises
    ------
    InputError
        For a composition other than PS4 units and Li.
    """
    counts = {z: int((atoms.numbers == z).sum()) for z in (LITHIUM, PHOSPHORUS, SULFUR)}
    units = counts[PHOSPHORUS]
    if not units or counts[SULFUR] != 4 * units or sum(counts.values()) != len(atoms):
        raise InputError(
            f"packing: expected PS4 units and Li, got {atoms.get_chemical_formula()} (four S for each P)"
        )
    return units, counts[LITHIUM]


def packed(atoms: Atoms, seed: int) -> Atoms:
    """Pack as many whole PS4 units and Li as a structure has into its cell at random.

    Units are regular tetrahedra of bond length 2.05 Å. They and the Li are put at random and annealed as
    rigid bodies until no two atoms of different units are closer than ``APART_ANGSTROM``, 0.35 Å less being
    tolerated. Orientations, neighbours and Li sites are random; bonds and their angles are not those of a
    potential: relax the result or run MD before use.

    Parameters
    ----------
    atoms
        Gives the cell and the numbers of P and Li; not changed. It must have four S for each P.
    seed
        Seed of all choices.

    Returns
    -------
    ase.Atoms
        New structure, ordered Li, P, S, wrapped.

    Raises
    ------
    InputError
        For a composition other than PS4 units and Li.
    ComputeError
        When the cell is too dense to pack.
    """
    units, lithium = units_and_lithium(atoms)
    random = np.random.default_rng(seed)
    for _ in range(ATTEMPTS):
        packing = _Packing(atoms.cell.array, units, lithium, random)
        packing.anneal()
        if packing.worst() <= TOLERATED_ANGSTROM:
            break
    else:
        raise ComputeError(
            f"packing: {ATTEMPTS} attempts left atoms {packing.worst():.2f} Å too close; expected at most "
            f"{TOLERATED_ANGSTROM} Å: lower the density or take another seed"
        )
    order = np.argsort(packing.numbers, kind="stable")
    result = Atoms(packing.numbers[order], packing.positions[order], cell=atoms.cell, pbc=True)
    result.wrap()
    step = f"{units} PS4 units and {lithium} Li packed at random seed {seed}"
    return with_step(result, atoms, step)
