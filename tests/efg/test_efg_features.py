"""Features against a slow reference, exact symmetries, smoothness."""

import ase
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from lpsnmr._core import efg_cartesian, efg_components
from lpsnmr.efg.settings import GROUPS
from lpsnmr.efg.tensors import components_to_tensor, tensor_to_components
from lpsnmr.errors import InputError
from oracles import efg_oracle
from support.efg_cases import FIELD, SETTINGS, SMALL, random_atoms, random_model, system


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("pbc", [(True, True, True), (True, False, True), (False, False, False)])
def test_features_match_the_definition(name, pbc):
    terms = SETTINGS[name]
    atoms = random_atoms(3, 7, pbc)
    found = terms.basis().features(*system(atoms), np.array([0]))[0]
    expected = efg_oracle.features(atoms, 0, terms)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
    assert np.abs(found).max() > 0.1


@pytest.mark.parametrize("name", SETTINGS)
def test_prediction_is_features_times_weights(name):
    terms = SETTINGS[name]
    atoms = random_atoms(4, 20, cell=np.diag([9.0, 8.0, 8.5]))
    model = random_model(terms)
    targets = model.find_targets(atoms.numbers)
    features = terms.basis().features(*system(atoms), targets)
    predicted = model.predict_components(*system(atoms), targets)
    np.testing.assert_allclose(predicted, features @ model.targets["Li"].weights, rtol=1e-11, atol=1e-12)
    # threads share the work without changing a bit
    assert np.array_equal(model.predict_components(*system(atoms), targets, threads=3), predicted)


def test_groups_cover_the_features():
    terms = SETTINGS["shared"]
    groups = terms.feature_groups()
    assert set(groups) == set(range(len(GROUPS)))
    without = type(terms)(**{**terms.__dict__, "product": (0, 4.0)})
    assert (groups == GROUPS.index("product")).sum() == len(groups) - without.basis().size
    # product features are those that vanish when the factors' cutoff lets no neighbour in
    atoms = random_atoms(5, 12)
    alone = type(terms)(**{**terms.__dict__, "product": (2, 0.6)})
    values = alone.basis().features(*system(atoms), np.array([0, 1]))
    assert np.abs(values[..., groups == GROUPS.index("product")]).max() == 0.0
    assert (np.abs(values[..., groups == GROUPS.index("chain")]).max(axis=(0, 1)) > 0).all()


rotations = st.integers(0, 2**32 - 1).map(lambda seed: Rotation.random(random_state=seed).as_matrix())


@settings(max_examples=25, deadline=None)
@given(
    rotation=rotations,
    inverted=st.booleans(),
    seed=st.integers(0, 50),
    name=st.sampled_from(["shared", "field"]),
)
def test_rotation_and_inversion(rotation, inverted, seed, name):
    atoms = random_atoms(seed, 12)
    model = random_model(SETTINGS[name])
    tensors = model.predict(atoms)
    turned = atoms.copy()
    matrix = -rotation if inverted else rotation
    turned.set_cell(atoms.cell.array @ matrix.T, scale_atoms=False)
    turned.positions = atoms.positions @ matrix.T
    size = np.abs(tensors).max()
    np.testing.assert_allclose(model.predict(turned), matrix @ tensors @ matrix.T, rtol=0, atol=1e-12 * size)


@settings(max_examples=20, deadline=None)
@given(shift=st.tuples(*[st.floats(-20, 20)] * 3), seed=st.integers(0, 50))
def test_translation_permutation_and_images(shift, seed):
    atoms = random_atoms(seed, 12)
    model = random_model(FIELD)
    tensors = model.predict(atoms)
    tolerance = 1e-12 * np.abs(tensors).max()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(atoms))
    other = atoms[order]
    other.positions += np.array(shift) + rng.integers(-2, 3, (len(atoms), 3)) @ atoms.cell.array
    back = np.argsort(order)[model.find_targets(atoms.numbers)]
    np.testing.assert_allclose(model.predict(other, back), tensors, rtol=0, atol=50 * tolerance)
    doubled = atoms.repeat((1, 2, 1))
    np.testing.assert_allclose(
        model.predict(doubled, model.find_targets(atoms.numbers)), tensors, rtol=0, atol=tolerance
    )


def test_tensors_are_symmetric_and_traceless():
    tensors = random_model().predict(random_atoms(8, 14))
    np.testing.assert_array_equal(tensors, tensors.swapaxes(1, 2))
    assert np.abs(np.trace(tensors, axis1=1, axis2=2)).max() < 1e-12 * np.abs(tensors).max()


def test_component_conventions_agree():
    """The pair feature of one neighbour along u is the tensor 3 u u − 1, up to a positive factor."""
    atoms = ase.Atoms("Li") + ase.Atoms("S", positions=[[1.0, 1.5, -0.7]])
    terms = SETTINGS["bare"]
    column = terms.basis().features(*system(atoms), np.array([0]))[0][:, 2 * terms.pair[0]]
    u = np.array([1.0, 1.5, -0.7]) / np.linalg.norm([1.0, 1.5, -0.7])
    expected = tensor_to_components(3 * np.outer(u, u) - np.eye(3))
    assert column @ expected == pytest.approx(np.linalg.norm(column) * np.linalg.norm(expected), rel=1e-12)
    assert components_to_tensor(column)[2, 2] == pytest.approx(
        (3 * u[2] ** 2 - 1) * column @ column / (column @ expected), rel=1e-12
    )


def test_smooth_while_an_atom_leaves():
    """Value and two derivatives are continuous where a neighbour crosses every cutoff in turn."""
    model = random_model(SMALL)
    base = random_atoms(2, 9, pbc=False)
    h = 1e-3

    def along(r):
        atoms = base + type(base)("S", positions=[base.positions[0] + [0.0, 0.0, r]])
        return model.predict_components(*system(atoms), np.array([0]))[0]

    size = np.abs(along(4.0)).max()
    for cutoff in (3.1, 3.5, 3.8, 4.2, 4.5):
        grid = np.array([along(cutoff + k * h) for k in range(-6, 7)])
        second = np.diff(grid, 2, axis=0) / h**2
        assert np.abs(np.diff(second, axis=0)).max() < 0.1 * size  # no jump of the curvature
    np.testing.assert_allclose(along(11.0), along(30.0), rtol=0, atol=1e-13 * size)


def test_field_is_smooth_while_a_source_leaves():
    """Value and slope of the field at a bridge are continuous where a source, or what makes it, leaves."""
    model = random_model(FIELD)
    atoms = ase.Atoms("LiSLi", positions=[[0, 0, 0], [0.3, 0.2, 2.4], [1.1, 2.0, 2.9]])
    h = 1e-3

    def along(r):
        moved = atoms + ase.Atoms("S", positions=[atoms.positions[1] + [0.0, 0.0, r]])
        return model.predict_components(*system(moved), np.array([0]))[0]

    size = np.abs(along(4.0)).max()
    for cutoff in (FIELD.field_cutoff, FIELD.source[1]):
        slope = np.diff([along(cutoff + k * h) for k in range(-6, 7)], axis=0) / h
        assert np.abs(np.diff(slope, axis=0)).max() < 0.02 * size  # no jump of the slope
    np.testing.assert_allclose(along(11.0), along(30.0), rtol=0, atol=1e-13 * size)


def test_field_reaches_further_than_densities():
    """A source beyond the bridge's density acts on the target through the bridge, up to field_cutoff."""
    model = random_model(FIELD)
    chain = ase.Atoms("LiS", positions=[[0, 0, 0], [0, 0, 2.4]])
    alone = model.predict_components(*system(chain), np.array([0]))
    for distance, felt in ((5.1, True), (5.3, False)):
        longer = chain + ase.Atoms("P", positions=[[0, 0, 2.4 + distance]])
        change = np.abs(model.predict_components(*system(longer), np.array([0])) - alone).max()
        assert bool(change > 1e-9) is felt


def test_li_far_away_feels_nothing():
    """Beyond chain cutoff + bridge cutoff the field of an atom ends; just within it does not."""
    model = random_model(SMALL)
    s = [[0, 0, 0], [0, 0, 4.1]]  # Li, S
    atoms = random_atoms(0, 0, pbc=False)
    chain = type(atoms)("LiS", positions=s)
    alone = model.predict_components(*system(chain), np.array([0]))
    for distance, felt in ((4.1 + 3.4, True), (4.1 + 3.6, False)):
        longer = chain + type(atoms)("P", positions=[[0, 0, distance]])
        change = np.abs(model.predict_components(*system(longer), np.array([0])) - alone).max()
        assert bool(change > 1e-12) is felt


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"species": (16, 3)}, "ascending"),
        ({"bridges": (8,)}, "among the species"),
        ({"bridges": (16, 16)}, "twice"),
        ({"pair": (0, 5.0)}, "pair term must be 1"),
        ({"chain": (2, -1.0)}, "cutoff of the chain term"),
        ({"bridge_l_max": 7}, "bridge_l_max"),
        ({"product_degree_max": 4}, "product_degree_max"),
        ({"triple_l_max": 0}, "triple_l_max"),
        ({"bridge": (99, 4.0)}, "bridge term"),
        ({"field_cutoff": -1.0}, "field_cutoff must be 0"),
        ({"field_cutoff": 6.0, "bridge_l_max": 0, "product_degree_max": 0}, "bridge_l_max of at least 1"),
        ({"field_cutoff": 6.0, "sources": (8,)}, "source species must be among"),
        ({"field_cutoff": 6.0, "sources": (16, 16)}, "source species is given twice"),
        ({"field_cutoff": 6.0, "sources": (16,), "source": (0, 4.0)}, "source term must be 1"),
    ],
)
def test_settings_that_make_no_sense(change, words):
    with pytest.raises(InputError, match=words):
        type(SMALL)(**{**SMALL.__dict__, **change}).basis()


def test_components_are_those_of_the_core():
    rng = np.random.default_rng(4)
    cartesian = rng.normal(size=(20, 6))  # xx yy zz xy xz yz
    cartesian[:, 2] = -cartesian[:, 0] - cartesian[:, 1]
    tensors = cartesian[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]]
    components = efg_components(cartesian)
    np.testing.assert_array_equal(tensor_to_components(tensors), components)
    back = efg_cartesian(components)
    np.testing.assert_array_equal(
        components_to_tensor(components), back[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]]
    )
    np.testing.assert_allclose(back, cartesian, rtol=0, atol=1e-15)
    for convert in (efg_components, efg_cartesian):
        with pytest.raises(InputError, match="must have 2 axes"):
            convert(np.zeros((2, 4)))
