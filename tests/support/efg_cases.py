"""Structures and models the EFG tests share."""

import dataclasses

import ase
import numpy as np

from lpsnmr.efg import EfgModel, EfgSettings
from lpsnmr.efg.files import TargetPart

SMALL = EfgSettings(
    pair=(3, 4.5),
    chain=(2, 4.2),
    bridge=(2, 3.5),
    bridge_l_max=2,
    product=(1, 3.1),
    product_l_max=2,
    product_degree_max=2,
    triple=(2, 3.8),
    triple_l_max=2,
    field_cutoff=0.0,
    sources=(),
)
# product and sources from the bridge's own expansion
SHARED = EfgSettings(bridges=(15, 16), product=(2, 4.0), field_cutoff=5.5)
FIELD = dataclasses.replace(SMALL, field_cutoff=5.2, source=(2, 3.9), sources=(3, 16))
BARE = EfgSettings(chain=(0, 5.0), triple=(0, 4.0))
SETTINGS = {"small": SMALL, "shared": SHARED, "bare": BARE, "field": FIELD}


def random_atoms(seed=0, n=9, pbc=(True, True, True), cell=None):
    """Return Li, P and S atoms at random, none nearer than 1.6 Å."""
    rng = np.random.default_rng(seed)
    cell = np.array([[6.2, 0.3, -0.2], [1.1, 5.9, 0.4], [-0.7, 0.6, 6.6]]) if cell is None else cell
    atoms = ase.Atoms(cell=cell, pbc=pbc)
    numbers = [3, 3, 15, 16, 16, 16]
    while len(atoms) < n:
        trial = atoms + ase.Atoms([numbers[len(atoms) % 6]], [rng.uniform(0, 1, 3) @ cell])
        near = trial.get_all_distances(mic=True)[-1, :-1]
        if not len(near) or near.min() > 1.6:
            atoms = trial
    return atoms


def open_range(settings):
    """Return training ranges that hold everything."""
    n = len(settings.species)
    rows = np.array([[0.0] * n, [0.0] * n, [1e6] * n])
    return rows, np.array([rows] * len(settings.bridges))


def random_model(settings=SMALL, seed=1, targets=("Li",)):
    """Return a model with random weights."""
    rng = np.random.default_rng(seed)
    size = settings.basis().size
    return EfgModel(
        settings,
        {t: TargetPart(rng.normal(size=size), *open_range(settings)) for t in targets},
        {"made": "at random"},
    )


def system(atoms):
    """Return the arguments of the core."""
    return atoms.positions, atoms.cell.array, atoms.pbc.tolist(), atoms.numbers
