"""Lattices of point charges: the Ewald reference against published sums, the model against the reference."""

import ase
import numpy as np
import pytest

from lpsnmr.efg.tensors import principal_values
from lpsnmr.efg.training import TrainingOptions, train_model
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2
from oracles.ewald_efg import COULOMB_V_ANGSTROM, ewald_efg

ROCK_SALT = 2.6 * np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
CHARGES = np.array([1.0, -1.0])


@pytest.mark.parametrize("ratio", [1.55, 1.633, 1.75])
def test_ewald_of_a_hexagonal_close_packed_lattice(ratio):
    """V_zz a³/q = 0.0065 − 4.3584 (c/a − 1.633) near the ideal ratio; doi:10.1103/PhysRev.123.2070."""
    a = 3.1
    cell = np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, ratio * a]])
    positions = np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]) @ cell
    tensors = a**3 * ewald_efg(positions, cell, np.ones(2))
    assert tensors[0, 2, 2] == pytest.approx(0.0065 - 4.3584 * (ratio - 1.633), abs=0.01)
    np.testing.assert_allclose(tensors[0], np.diag([-0.5, -0.5, 1.0]) * tensors[0, 2, 2], atol=1e-9)


def test_ewald_of_two_charges_far_apart():
    """A dimer in a large cell: V_zz = 2 q/r³ at each charge, up to the field of its images."""
    tensors = ewald_efg([[0, 0, 0], [0, 0, 1.0]], 12.0 * np.eye(3), CHARGES)
    np.testing.assert_allclose(tensors[0], -np.diag([-1.0, -1.0, 2.0]), atol=0.02)
    np.testing.assert_allclose(tensors[1], np.diag([-1.0, -1.0, 2.0]), atol=0.02)


def salt(strain, shift=(0.0, 0.0, 0.0)):
    """Rock salt of Li⁺ and S⁻, strained, the S off its place; labelled by the Ewald sum, atomic units."""
    cell = ROCK_SALT @ (np.eye(3) + strain)
    positions = np.array([np.zeros(3), 0.5 * cell.sum(axis=0) + shift])
    atoms = ase.Atoms("LiS", positions=positions, cell=cell, pbc=True)
    tensors = COULOMB_V_ANGSTROM * ewald_efg(positions, cell, CHARGES)
    atoms.arrays["efg"] = tensors.reshape(-1, 9) / EFG_AU_V_PER_ANGSTROM2
    return atoms


def test_model_learns_the_lattice_sums_of_strained_rock_salt():
    rng = np.random.default_rng(4)
    frames = []
    for k in range(32):
        strain = rng.normal(scale=0.02, size=(3, 3))
        frames.append(salt((strain + strain.T) / 2, rng.normal(scale=0.15, size=3)))
        frames[-1].info["run"] = f"r{k % 4}"
    terms = {"pair": (8, 7.0), "chain": (0, 4.0), "triple": (0, 4.0)}
    trained = train_model(frames, [], TrainingOptions(bridge_species=(), terms=terms))
    assert trained.results["Li"].errors["all"]["component_rmse_percent"] < 10.0
    perfect = salt(np.zeros((3, 3)))
    size = np.abs([f.arrays["efg"][0] for f in frames]).mean() * EFG_AU_V_PER_ANGSTROM2
    assert np.abs(trained.model.predict(perfect)).max() < 1e-9 * size  # cubic: zero by symmetry
    for stretch in (-0.03, 0.03):
        tetragonal = salt(np.diag([0.0, 0.0, stretch]))
        (found,) = trained.model.predict(tetragonal)
        expected = tetragonal.arrays["efg"][0].reshape(3, 3) * EFG_AU_V_PER_ANGSTROM2
        v_zz, eta, axes = principal_values(found)
        assert v_zz == pytest.approx(expected[2, 2], rel=0.15)
        assert eta == pytest.approx(0.0, abs=1e-6)
        assert abs(axes[2, 2]) == pytest.approx(1.0)
