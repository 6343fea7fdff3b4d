"""Reports beside the held-out errors, each against a case worked out by hand."""

import dataclasses

import ase
import numpy as np
import pytest

from lpsnmr.efg import dataset
from lpsnmr.efg.dataset import EfgData, build_data
from lpsnmr.efg.regression import fit_weights
from lpsnmr.efg.settings import GROUPS
from lpsnmr.efg.training import TrainingOptions, train_model
from lpsnmr.efg.validation import (
    Validator,
    correlation_check,
    group_matrix,
    learning_curve,
    scalar_baseline,
    system_of,
)
from lpsnmr.errors import InputError
from lpsnmr.fitting.features import scratch_matrix
from lpsnmr.reference import split_blocks
from lpsnmr.units import quadrupolar_coupling_hz_per_efg
from support.efg_cases import SETTINGS, random_atoms, random_model

BARE = SETTINGS["bare"]


def labelled(n, targets=("Li",), noise=0.0):
    """Random cells labelled by a random model, in runs a_0 … and b_0 …"""
    truth = random_model(BARE, seed=4, targets=targets)
    rng = np.random.default_rng(0)
    frames = []
    for seed in range(n):
        atoms = random_atoms(seed, 12)
        efg = np.zeros((len(atoms), 3, 3))
        chosen = truth.find_targets(atoms.numbers)
        efg[chosen] = truth.predict(atoms)
        efg[chosen] += noise * rng.normal(size=(len(chosen), 1, 1)) * np.diag([-1.0, -1.0, 2.0])
        atoms.arrays["efg"] = efg.reshape(-1, 9)
        atoms.info.update(run=f"{'ab'[seed % 2]}_{seed % 4}", run_step=10 * seed, run_T=300.0)
        frames.append(atoms)
    return frames, truth


def validator(frames):
    data = build_data(frames, BARE, "Li", "V/A^2")
    return Validator(data, BARE, dict.fromkeys(GROUPS, 1e-3), "7Li")


def test_prediction_from_a_part_is_that_of_a_fit_to_it():
    frames, _ = labelled(24)
    checker = validator(frames)
    training, held = np.arange(0, 12), np.arange(12, 24)
    data = build_data(frames[:12], BARE, "Li", "V/A^2")
    alone = fit_weights(data, BARE, split_blocks(np.arange(12) % 2, 2), "7Li", checker.strengths)
    found = checker.predict(training, held)
    features = checker.data.features[np.isin(np.repeat(checker.data.frame, 5), held)]
    np.testing.assert_allclose(found.ravel(), features @ alone.part.weights, rtol=1e-6, atol=1e-9)
    with pytest.raises(InputError, match="no target"):
        checker.predict(np.array([], dtype=int), held)


def test_learning_curve_falls_and_ends_at_the_full_fit():
    frames, _ = labelled(64, noise=2.0)
    checker = validator(frames)
    folds = split_blocks(np.arange(64) % 4, 4)
    curve = learning_curve(checker, folds)
    sizes = [point["training_frames"] for point in curve]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 48
    assert sizes[0] < 10
    errors = [point["all"]["component_rmse"] for point in curve]
    assert errors[0] > errors[-1]
    full = np.concatenate([checker.predict(training, held) for training, held in folds])
    true = np.concatenate([checker.reference(held) for _, held in folds])
    assert errors[-1] == pytest.approx(np.sqrt(np.mean((full - true) ** 2)))
    assert "phase:crystal" in curve[0]


def test_features_beyond_the_memory_go_to_a_file_and_change_nothing_but_last_digits(monkeypatch, tmp_path):
    frames, _ = labelled(48, noise=2.0)
    terms = {k: v for k, v in BARE.to_dict().items() if k not in ("species", "bridges")}
    options = TrainingOptions(unit="V/A^2", bridge_species=(), terms=terms, learning_curve=True, groups=True)
    made = []
    monkeypatch.setattr(dataset, "scratch_matrix", lambda *size: made.append(size) or scratch_matrix(*size))
    roomy = train_model(frames, [], options)
    assert not made
    size = BARE.basis().size
    matrices = 8 * size**2 * (2 * 4 + 4)
    narrow = train_model(frames, [], dataclasses.replace(options, memory=matrices + 20_000))
    assert made == [(5 * len(roomy.results["Li"].held_out), size)]
    assert narrow.results["Li"].strengths == roomy.results["Li"].strengths
    np.testing.assert_allclose(
        narrow.results["Li"].held_out, roomy.results["Li"].held_out, rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(narrow.results["Li"].sigma, roomy.results["Li"].sigma, rtol=1e-5)
    for one, two in zip(walk(narrow.report["targets"]), walk(roomy.report["targets"]), strict=True):
        same = isinstance(two, str) or two is None
        assert one == (two if same else pytest.approx(two, rel=1e-5, abs=1e-7, nan_ok=True))
    with pytest.raises(InputError, match="expected matrices that fit"):
        train_model(frames, [], dataclasses.replace(options, memory=1000))


def walk(value):
    """Yield the entries of nested dicts and lists."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from walk(entry)
    else:
        yield value


def test_folds_predicted_by_scikit_learn_are_the_fits_one_by_one():
    frames, _ = labelled(32, noise=2.0)
    checker = validator(frames)
    folds = split_blocks(np.arange(32) % 4, 4)
    whole = checker.predict_folds(folds)
    for training, held in folds:
        mine = np.isin(checker.data.frame, held)
        np.testing.assert_array_equal(whole[mine], checker.predict(training, held))


def test_material_of_a_run():
    runs = ("b32_2500", "ufp_g32_lidis_700_r1", "eos_b32", "ufp_am32p1_600_r1", "glassA_300", "x")
    assert [system_of(ase.Atoms(info={"run": run})) for run in runs] == [
        "b32",
        "g32",
        "b32",
        "am32",
        "glassA",
        "x",
    ]
    assert system_of(ase.Atoms(info={"run": "b32_300", "system": "beta"})) == "beta"


def test_group_matrix_trains_on_what_it_names():
    frames, _ = labelled(24)
    checker = validator(frames)
    names = [system_of(f) for f in frames]
    assert set(names) == {"a", "b"}
    pairs = group_matrix(checker, names)
    assert [(p["trained_on"], p["tested_on"]) for p in pairs] == [("a", "b"), ("b", "a")]
    a, b = np.arange(0, 24, 2), np.arange(1, 24, 2)
    assert pairs[0]["component_rmse"] == checker.errors(a, b)["component_rmse"]
    assert pairs[0]["training_frames"] == 12
    three = group_matrix(checker, ["x", "y", "z"] * 8)
    assert ("x + y", "z") in [(p["trained_on"], p["tested_on"]) for p in three]
    assert group_matrix(checker, ["x"] * 24) == []
    frames[0].info["system"] = "glass"
    assert system_of(frames[0]) == "glass"


def test_correlation_of_known_tensors():
    """One Li whose tensor turns by 90° and back: Tr VV and Tr VW by hand, 7Li constants by hand."""
    v, w = np.diag([-0.5, -0.5, 1.0]), np.diag([1.0, -0.5, -0.5])
    frames = []
    for k, tensor in enumerate((v, w, v)):
        atoms = ase.Atoms("Li", info={"run": "r", "run_step": 100 * k})
        atoms.arrays["efg"] = tensor.reshape(1, 9)
        frames.append(atoms)
    data = build_data(frames, BARE, "Li", "V/A^2")
    found = correlation_check(frames, data, 2.0 * data.components.reshape(-1, 5), "7Li")
    assert len(found) == 1
    omega = np.pi * quadrupolar_coupling_hz_per_efg("7Li")
    assert found[0]["steps"] == [0, 100, 200]
    assert found[0]["pairs"] == [3, 2, 1]
    expected = omega**2 * 2 / 15 * np.array([1.5, -0.75, 1.5])
    np.testing.assert_allclose(found[0]["reference"], expected, rtol=1e-12)
    np.testing.assert_allclose(found[0]["predicted"], 4 * expected, rtol=1e-12)
    assert found[0]["evenly_spaced"]
    assert found[0]["c0_ratio"] == pytest.approx(4.0)
    assert found[0]["normalized_rmse"] == pytest.approx(0.0, abs=1e-12)
    frames[2].info["run_step"] = 300
    assert not correlation_check(frames, data, data.components.reshape(-1, 5), "7Li")[0]["evenly_spaced"]
    two = build_data(frames[:2], BARE, "Li", "V/A^2")
    assert correlation_check(frames[:2], two, two.components.reshape(-1, 5), "7Li") == []


def test_scalar_baseline_learns_sizes_but_no_more():
    """Axial field of one neighbour: |V| is a function of the norms, so the baseline finds it."""
    rng = np.random.default_rng(1)
    size = rng.uniform(0.5, 2.0, 200)
    u = rng.normal(size=(200, 3))
    u /= np.linalg.norm(u, axis=1)[:, None]
    tensors = size[:, None, None] * (3 * u[:, :, None] * u[:, None, :] - np.eye(3)) / 2
    from lpsnmr.efg.tensors import tensor_to_components

    components = tensor_to_components(tensors)
    data = EfgData(
        components.reshape(-1, 1),
        components.ravel(),
        np.arange(200),
        [f"r{k % 4}" for k in range(200)],
        ["crystal"] * 200,
        np.zeros((3, 1)),
        np.zeros((0, 3, 1)),
        np.ones(200),
    )
    found = scalar_baseline(data, split_blocks(np.arange(200) % 4, 4), "7Li")
    assert found["all"]["abs_cq_rmse_khz"] < 1.0
    data.components[:] = tensor_to_components(tensors * rng.choice([-1.0, 1.0], 200)[:, None, None]).ravel()
    found = scalar_baseline(data, split_blocks(np.arange(200) % 4, 4), "7Li")
    assert found["all"]["abs_cq_rmse_khz"] < 1.0
    assert found["all"]["signed_cq_rmse_khz"] > 80.0  # the sign is not in the norm
    assert found["phase:crystal"] == found["all"]


def test_several_targets_in_one_model():
    frames, truth = labelled(48, targets=("Li", "S"))
    terms = {k: v for k, v in BARE.to_dict().items() if k not in ("species", "bridges", "sources")}
    options = TrainingOptions(
        targets=("Li", "S"), nuclei=("6Li",), unit="V/A^2", terms=terms, learning_curve=True, groups=True
    )
    trained = train_model(frames, [], options)
    assert set(trained.model.targets) == {"Li", "S"}
    told = trained.report["targets"]
    assert (told["Li"]["nucleus"], told["S"]["nucleus"]) == ("6Li", "33S")
    for name in ("learning_curve", "groups", "coverage", "correlation", "scalar_baseline"):
        assert told["S"][name]
    fresh = random_atoms(99, 12)
    np.testing.assert_allclose(trained.model.predict(fresh), truth.predict(fresh), rtol=0.2, atol=0.5)
    # 6Li and 7Li: the same tensors, C_Q in the ratio of the quadrupole moments
    other = train_model(
        frames, [], TrainingOptions(targets=("Li",), nuclei=("7Li",), unit="V/A^2", terms=terms)
    )
    np.testing.assert_array_equal(other.model.targets["Li"].weights, trained.model.targets["Li"].weights)
    ratio = (
        other.report["targets"]["Li"]["held_out_errors"]["all"]["abs_cq_rms_khz"]
        / told["Li"]["held_out_errors"]["all"]["abs_cq_rms_khz"]
    )
    assert ratio == pytest.approx(40.1 / 0.808, rel=1e-9)
    for bad, words in (
        ({"targets": ("Li", "Li")}, "each once"),
        ({"nuclei": ("33S",)}, "S is not among Li"),
        ({"nuclei": ("9Li",)}, "unknown nucleus"),
    ):
        with pytest.raises(InputError, match=words):
            train_model(frames, [], TrainingOptions(unit="V/A^2", **bad))
