"""Random structures and labelled frames for the tests of the potential."""

import ase
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr._core import neighbor_list

TRICLINIC = np.array([[9.0, 0.0, 0.0], [2.0, 8.0, 0.0], [1.0, -1.0, 10.0]])
CUBE = 6.5 * np.eye(3)
SMALL = np.array([[3.0, 0.0, 0.0], [1.0, 3.1, 0.0], [0.4, 0.5, 3.3]])


def random_structure(seed, cell=TRICLINIC, n=12, least=1.2, elements=("Li", "P", "S"), pbc=True):
    """Return n atoms at random, no two closer than ``least`` (images included)."""
    rng = np.random.default_rng(seed)
    while True:
        positions = rng.uniform(size=(n, 3)) @ cell
        if len(neighbor_list(positions, cell, [pbc] * 3, least)[3]) == 0:
            break
    symbols = (
        list(elements) + rng.choice(elements, n - len(elements)).tolist()
        if n >= len(elements)
        else (rng.choice(elements, n).tolist())
    )
    return ase.Atoms(symbols, positions, cell=cell, pbc=pbc)


def labelled(atoms, predict, run, step):
    """Attach energy, forces and stress of ``predict(atoms)`` and the header of a run."""
    out = atoms.copy()
    prediction = predict(atoms)
    out.calc = SinglePointCalculator(
        out, energy=prediction.energy, forces=prediction.forces, stress=prediction.stress
    )
    out.info.update(run=run, run_step=step, run_T=300.0)
    return out


def harmless_frames(count, run_of, cell=CUBE, n=8, seed=1, stress=True):
    """Return frames of Li and S with random labels: a fit to them need not be good.

    ``run_of`` gives the name of the run, its step and temperature for each number.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for k in range(count):
        atoms = random_structure(k, cell, n=n, least=1.6, elements=("Li", "S"))
        labels = {"energy": -30 + rng.normal(), "forces": rng.normal(size=(n, 3))}
        if stress:
            labels["stress"] = 0.01 * rng.normal(size=6)
        atoms.calc = SinglePointCalculator(atoms, **labels)
        run, step, temperature = run_of(k)
        atoms.info.update(run=run, run_step=step, run_T=temperature)
        frames.append(atoms)
    return frames
