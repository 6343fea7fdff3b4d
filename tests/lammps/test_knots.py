"""Slopes of V2 and V3 against finite differences on each side of every knot and in the continuation."""

import numpy as np
import pytest

from lpsnmr._core import UfpPotential, read_uf3_blocks
from support.uf3_files import random_potential

ELEMENTS = ["Li", "P"]
FILES = {
    "uniform": {"seed": 31},
    "nonuniform": {"seed": 32, "nonuniform": True},
    "anisotropic": {"seed": 33, "anisotropic": True, "nonuniform": True},
    "late": {"seed": 34, "low": 1.9, "low_3b": 2.1},
}
STEP, SIDE = 1e-5, 4e-5  # of the difference, and from the knot; Å


@pytest.fixture(scope="module", params=FILES)
def potential(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("knots") / "p.uf3"
    path.write_text(random_potential(ELEMENTS, **FILES[request.param]))
    return path, UfpPotential(str(path), ELEMENTS)


def around(knots):
    """Distances on both sides of every knot, and below the first one."""
    inner = np.unique(knots)
    below = inner[0] - np.array([0.05, 0.4])
    return np.concatenate([inner - SIDE, inner + SIDE, below[below > 0.05]])


def trimer(r_ij, r_ik, r_jk):
    """Positions of three atoms with these distances."""
    x = (r_ij**2 + r_ik**2 - r_jk**2) / (2 * r_ij)
    return np.array([[0, 0, 0], [r_ij, 0, 0], [x, np.sqrt(max(r_ik**2 - x**2, 0.0)), 0]])


def evaluate(core, positions, species):
    out = core.compute(positions, np.eye(3), (False,) * 3, species)
    return out["energy"], out["forces"]


def assert_forces_are_slopes(core, positions, species, direction):
    """Move the atoms along a direction by less than the distance to the knot."""
    direction = direction / np.linalg.norm(direction)
    (plus, _), (minus, _) = (evaluate(core, positions + s * STEP * direction, species) for s in (1, -1))
    _, forces = evaluate(core, positions, species)
    assert (forces * direction).sum() == pytest.approx(-(plus - minus) / (2 * STEP), rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-10 * max(1, np.abs(forces).max()))


def test_pairs(potential):
    path, core = potential
    count = 0
    for names, _, knots, _ in read_uf3_blocks(str(path))["pairs"]:
        a, b = map(ELEMENTS.index, names)
        for r in around(knots):
            (v1, _), (v0, _) = (core.pair_energy(a, b, r + s * STEP) for s in (1, -1))
            slope = core.pair_energy(a, b, r)[1]
            assert slope == pytest.approx((v1 - v0) / (2 * STEP), rel=1e-6, abs=1e-6)
            count += 1
        left, right = (core.pair_energy(a, b, min(knots) + s * 1e-10) for s in (-1, 1))
        np.testing.assert_allclose(left, right, atol=1e-7)  # value and slope at the seam
    assert count >= 60


def test_triplets(potential):
    """Each distance of a trimer passes every knot of its axis; the others rest between knots."""
    path, core = potential
    rng = np.random.default_rng(4)
    count = 0
    for names, _, knots, _ in read_uf3_blocks(str(path))["triples"]:
        species = [ELEMENTS.index(name) for name in names]
        for axis in range(3):
            for r in around(knots[axis]):
                for _ in range(50):  # two other distances that make a triangle with r
                    distances = rng.uniform(1.2, 3.4, 3)
                    distances[axis] = r
                    longest = distances.max()
                    if longest < 0.95 * (distances.sum() - longest):
                        break
                else:
                    continue
                positions = trimer(*distances)
                move = np.zeros((3, 3))
                first, second = [(0, 1), (0, 2), (1, 2)][axis]
                move[second] = positions[second] - positions[first]
                assert_forces_are_slopes(core, positions, species, move)
                count += 1
    assert count > 150


def test_forces_are_continuous_through_the_first_three_body_knot(potential):
    path, core = potential
    names, _, knots, _ = read_uf3_blocks(str(path))["triples"][1]
    species = [ELEMENTS.index(name) for name in names]
    first = min(knots[0])
    # at the same time through the first knot of r_ij and, for "late", of r_ik
    for r_ik in (2.4, first):
        sides = [evaluate(core, trimer(first + s * 1e-10, r_ik + s * 1e-10, 2.3), species) for s in (-1, 1)]
        assert sides[0][0] == pytest.approx(sides[1][0], abs=1e-7)
        np.testing.assert_allclose(sides[0][1], sides[1][1], atol=1e-6)


def test_close_atoms_repel_whatever_the_file(potential):
    """On the way to contact the energy of a pair rises without end of the range."""
    _, core = potential
    for a in range(2):
        for b in range(a, 2):
            r = np.linspace(0.01, 0.3, 30)
            slopes = [core.pair_energy(a, b, x)[1] for x in r]
            assert max(slopes) < 0
