"""Features against the evaluation of the written file, and against finite differences."""

import numpy as np
import pytest

from lpsnmr._core import UfpBasis, UfpPotential
from lpsnmr.errors import InputError
from lpsnmr.potential import BasisSettings, Layout, blocks_from_coefficients, clamped_knots, write_uf3
from support.ufp_cases import SMALL, TRICLINIC, random_structure


def evaluate(layout, coefficients, atoms, path):
    write_uf3(path, blocks_from_coefficients(layout, coefficients))
    elements = list(layout.settings.elements)
    potential = UfpPotential(str(path), elements, layout.settings.body_order)
    species = layout.species(atoms.get_chemical_symbols())
    return potential.compute(atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species)


def features(layout, atoms):
    species = layout.species(atoms.get_chemical_symbols())
    return layout.basis.features(atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species)


@pytest.mark.parametrize("case", ["triclinic", "small", "open", "one atom"])
@pytest.mark.parametrize("settings", ["default", "unlike cutoffs", "two-body"])
def test_features_times_coefficients_is_the_potential(case, settings, small_basis, tmp_path):
    layout = Layout.from_settings(
        {
            "default": BasisSettings(),
            "unlike cutoffs": small_basis,
            "two-body": BasisSettings(body_order=2),
        }[settings]
    )
    atoms = {
        "triclinic": lambda: random_structure(1),
        "small": lambda: random_structure(2, SMALL, n=2),
        "open": lambda: random_structure(3, pbc=False),
        "one atom": lambda: random_structure(4, SMALL, n=1),
    }[case]()
    coefficients = np.random.default_rng(5).normal(size=layout.columns)
    rows = features(layout, atoms).T @ coefficients
    direct = evaluate(layout, coefficients, atoms, tmp_path / "t.uf3")
    np.testing.assert_allclose(rows[0], direct["energy"], rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(rows[1:7], direct["virial"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(rows[7:].reshape(-1, 3), direct["forces"], rtol=0, atol=1e-10)


def test_force_and_virial_rows_are_derivatives_of_the_energy_row(small_basis):
    layout = Layout.from_settings(small_basis)
    atoms = random_structure(6, n=6)
    base = features(layout, atoms)
    h = 1e-4

    def energy(positions, cell):
        moved = atoms.copy()
        moved.set_cell(cell)
        moved.positions = positions
        return features(layout, moved)[:, 0]

    cell = atoms.cell.array
    for atom, axis in [(0, 0), (3, 1), (5, 2)]:
        step = np.zeros((6, 3))
        step[atom, axis] = h
        slope = (energy(atoms.positions + step, cell) - energy(atoms.positions - step, cell)) / (2 * h)
        np.testing.assert_allclose(base[:, 7 + 3 * atom + axis], -slope, rtol=1e-5, atol=1e-5)
    for row, (a, b) in enumerate([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]):
        strain = np.zeros((3, 3))
        strain[a, b] += h / 2
        strain[b, a] += h / 2
        up, down = np.eye(3) + strain, np.eye(3) - strain
        slope = (energy(atoms.positions @ up, cell @ up) - energy(atoms.positions @ down, cell @ down)) / (
            2 * h
        )
        np.testing.assert_allclose(base[:, 1 + row], -slope, rtol=1e-5, atol=1e-5)


def test_like_neighbours_share_columns_and_tails_are_no_columns():
    layout = Layout.from_settings(BasisSettings(elements=("Li", "S"), three_body_cutoff=3.5))
    for block, (_, j, k) in enumerate(layout.triples):
        columns = layout.basis.triple_columns(block)
        assert (columns[-3:] == -1).all()
        assert (columns[:, -3:] == -1).all()
        assert (columns[:, :, -3:] == -1).all()
        inner = columns[:-3, :-3, :-3]
        assert (inner >= 0).all()
        if j == k:
            np.testing.assert_array_equal(inner, inner.transpose(1, 0, 2))
        else:
            assert np.unique(inner).size == inner.size
    used = [layout.basis.triple_columns(b) for b in range(len(layout.triples))]
    numbers = np.unique(np.concatenate([u[u >= 0] for u in used]))
    np.testing.assert_array_equal(numbers, np.arange(layout.two_body_columns, layout.columns))


def test_energy_is_smooth_at_a_three_body_cutoff():
    """V, V' and V'' vanish: crossing the cutoff by d changes the energy as d cubed."""
    layout = Layout.from_settings(BasisSettings(elements=("S",), two_body_cutoff=4.0))
    coefficients = np.random.default_rng(8).normal(size=layout.columns)

    def energy(r):
        positions = np.array([[0, 0, 0], [2.0, 0, 0], [0, r, 0]])
        rows = layout.basis.features(positions, np.eye(3) * 50, [False] * 3, [0, 0, 0])
        alone = layout.basis.features(positions[:2], np.eye(3) * 50, [False] * 3, [0, 0])
        return coefficients @ (rows[:, 0] - alone[:, 0])

    # the third atom is beyond every cutoff from 4.0 on; r_23 > 4 there
    near, nearer = abs(energy(4.0 - 0.02)), abs(energy(4.0 - 0.01))
    assert energy(4.0) == 0.0
    assert near > 0
    assert near / nearer == pytest.approx(8.0, rel=0.1)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda k: UfpBasis(2, [(0, 0, k), (0, 1, k)], []), "no pair layout for species 1 1"),
        (lambda k: UfpBasis(1, [(0, 0, k), (0, 0, k)], []), "given twice"),
        (lambda k: UfpBasis(1, [(0, 1, k)], []), "out of range"),
        (
            lambda k: UfpBasis(1, [(0, 0, k)], [(0, 0, 0, k, [*k[:4], 2.2, 2.2, 2.2, 2.2], k)]),
            "like neighbours",
        ),
        (lambda k: UfpBasis(1, [(0, 0, k[:5])], []), "at least 8 knots"),
    ],
)
def test_bad_layouts(build, words):
    knots = clamped_knots(1.0, 3.0, 0.5).tolist()
    with pytest.raises(InputError, match=words):
        build(knots)


def test_pair_below_the_first_knot_is_refused():
    layout = Layout.from_settings(BasisSettings(elements=("S",), body_order=2))
    positions = np.array([[0, 0, 0], [0.5, 0, 0.0]])
    with pytest.raises(InputError, match=r"0\.5.* below the first two-body knot"):
        layout.basis.features(positions, TRICLINIC, [False] * 3, [0, 0])


def test_settings_are_checked():
    with pytest.raises(InputError, match="three-body cutoff"):
        BasisSettings(three_body_cutoff=7.0)
    with pytest.raises(InputError, match="element Na"):
        BasisSettings(three_body_cutoffs=(("Na", "S", 4.0),))
    with pytest.raises(InputError, match="like neighbours"):
        Layout.from_settings(BasisSettings(triple_cutoffs=(("S", "S", "S", 3.0, 4.0),)))
    with pytest.raises(InputError, match="body order"):
        BasisSettings(body_order=4)
