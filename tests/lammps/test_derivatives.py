"""Forces and virial of the core against finite differences, knots and continuation included."""

import numpy as np
import pytest
from ase import Atoms

from lpsnmr._core import UfpPotential
from lpsnmr.errors import InputError
from support.pair_cases import ELEMENTS, SIMD
from support.uf3_files import random_potential


@pytest.fixture(scope="module", params=["plain", "nonuniform", "anisotropic", "below_first_knot"])
def potential(request, tmp_path_factory):
    options = {
        "plain": {},
        "nonuniform": {"nonuniform": True},
        "anisotropic": {"anisotropic": True},
        "below_first_knot": {"low": 2.2, "low_3b": 2.4},
    }[request.param]
    path = tmp_path_factory.mktemp("fd") / "p.uf3"
    path.write_text(random_potential(ELEMENTS, seed=3, **options))
    return UfpPotential(str(path), ELEMENTS)


@pytest.fixture(scope="module")
def atoms():
    rng = np.random.default_rng(2)
    cell = np.array([[6.0, 0.3, -0.2], [1.5, 5.5, 0.4], [-0.8, 0.9, 6.4]])
    grid = np.stack(np.meshgrid(*[np.arange(3) / 3] * 3, indexing="ij"), -1).reshape(-1, 3)[:20]
    atoms = Atoms(rng.choice(ELEMENTS, len(grid)), cell=cell, scaled_positions=grid, pbc=True)
    atoms.positions += rng.uniform(-0.3, 0.3, atoms.positions.shape)
    return atoms


def energy(potential, positions, cell, atoms):
    species = [ELEMENTS.index(s) for s in atoms.symbols]
    return potential.compute(positions, cell, (True,) * 3, species)


@pytest.mark.parametrize("each_simd", SIMD, indirect=True)
@pytest.mark.usefixtures("each_simd")
def test_forces(potential, atoms):
    cell, h = atoms.cell.array, 1e-5
    forces = energy(potential, atoms.positions, cell, atoms)["forces"]
    np.testing.assert_allclose(forces.sum(0), 0, atol=1e-11)
    for i in range(0, len(atoms), 3):
        for axis in range(3):
            step = np.zeros((len(atoms), 3))
            step[i, axis] = h
            plus, minus = (
                energy(potential, atoms.positions + s, cell, atoms)["energy"] for s in (step, -step)
            )
            assert -(plus - minus) / (2 * h) == pytest.approx(forces[i, axis], rel=1e-7, abs=2e-7)


@pytest.mark.parametrize("each_simd", SIMD, indirect=True)
@pytest.mark.usefixtures("each_simd")
def test_virial(potential, atoms):
    cell, h = atoms.cell.array, 1e-6
    virial = energy(potential, atoms.positions, cell, atoms)["virial"]
    for c, (a, b) in enumerate([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]):
        strain = np.zeros((3, 3))
        strain[a, b] += 0.5 * h
        strain[b, a] += 0.5 * h
        values = [
            energy(potential, atoms.positions @ (np.eye(3) + s), cell @ (np.eye(3) + s), atoms)["energy"]
            for s in (strain, -strain)
        ]
        assert -(values[0] - values[1]) / (2 * h) == pytest.approx(virial[c], rel=1e-6, abs=1e-6)


def test_pair_is_smooth_across_every_knot_and_the_cutoff(tmp_path):
    path = tmp_path / "p.uf3"
    path.write_text(random_potential(["S"], seed=6, low=1.6, nonuniform=True, three_body=False))
    pair = UfpPotential(str(path), ["S"], 2)
    knots = np.unique(np.array(path.read_text().splitlines()[3].split(), dtype=float))
    for knot in knots:
        (v0, s0), (v1, s1) = pair.pair_energy(0, 0, knot - 1e-9), pair.pair_energy(0, 0, knot + 1e-9)
        assert v0 == pytest.approx(v1, abs=1e-6)
        assert s0 == pytest.approx(s1, abs=1e-6)
        slope = (pair.pair_energy(0, 0, knot + 2e-5)[0] - pair.pair_energy(0, 0, knot - 2e-5)[0]) / 4e-5
        assert slope == pytest.approx(s0, abs=1e-3)
    assert pair.pair_energy(0, 0, knots[-1]) == (0.0, 0.0)


@pytest.mark.parametrize("slope", [-5.0, 0.0, 8.0])
def test_continuation_is_repulsive_at_contact(tmp_path, slope):
    """Whatever the slope at the first knot, close atoms repel."""
    from support.uf3_files import clamped, pair_block

    knots = clamped(1.5, 4.5, 0.5)
    coefficients = np.zeros(len(knots) - 4)
    coefficients[0] = -slope * 0.5 / 3  # B0' = -3/h at the first knot
    path = tmp_path / "p.uf3"
    path.write_text("\n".join(pair_block("S", "S", knots, coefficients)) + "\n")
    pair = UfpPotential(str(path), ["S"], 2)
    assert pair.pair_energy(0, 0, 1.5)[1] == pytest.approx(slope)
    radii = np.linspace(1e-6, 0.7, 50)
    slopes = [pair.pair_energy(0, 0, r)[1] for r in radii]
    assert max(slopes) < 0
    assert np.all(np.diff(slopes) > 0)


def test_dimer_has_twice_the_file_energy(tmp_path):
    path = tmp_path / "p.uf3"
    path.write_text(random_potential(["Li", "S"], seed=9))
    potential = UfpPotential(str(path), ["Li", "S"])
    positions = np.array([[0, 0, 0], [1.9, 0.3, 0.0]])
    out = potential.compute(positions, np.eye(3), (False,) * 3, [0, 1])
    r = np.linalg.norm(positions[1])
    assert out["energy"] == pytest.approx(2 * potential.pair_energy(0, 1, r)[0], rel=1e-14)


def test_overlapping_atoms_are_named(potential):
    with pytest.raises(InputError, match="atoms 0 and 1"):
        potential.compute(np.zeros((2, 3)), np.eye(3) * 20, (True,) * 3, [0, 1])
