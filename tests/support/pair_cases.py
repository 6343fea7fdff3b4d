"""Structures and comparisons that the tests of pair_style ufp share."""

import numpy as np
from ase import Atoms

from lpsnmr._core import available_simd

ELEMENTS = ["Li", "P", "S"]
SIMD = available_simd()


def jittered_grid(rng, cell, counts, amplitude):
    """Atoms on a jittered grid, so that none come closer than the first knots."""
    grid = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n for n in counts], indexing="ij"), -1)
    grid = grid.reshape(-1, 3)
    symbols = rng.choice(ELEMENTS, len(grid))
    atoms = Atoms(symbols, cell=cell, scaled_positions=grid, pbc=True)
    atoms.positions += rng.uniform(-amplitude, amplitude, atoms.positions.shape)
    return atoms


def assert_same(a, b):
    # uf3 expands in powers of r itself, which costs it two or three digits
    np.testing.assert_allclose(a["energy"], b["energy"], rtol=1e-11, atol=1e-10)
    np.testing.assert_allclose(a["pressure"], b["pressure"], rtol=1e-10, atol=1e-6)
    np.testing.assert_allclose(a["forces"], b["forces"], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(a["atom_energy"], b["atom_energy"], rtol=1e-10, atol=1e-10)
    scale = np.abs(b["stress"]).max()
    np.testing.assert_allclose(a["stress"], b["stress"], rtol=1e-10, atol=1e-10 * scale)
    np.testing.assert_allclose(a["centroid"], b["centroid"], rtol=1e-10, atol=1e-10 * scale)
