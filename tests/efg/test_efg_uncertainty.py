"""Uncertainty: the spread by its definition, calibration that covers, the committee in files and output."""

import dataclasses
import json

import ase.io
import numpy as np
import pytest

from lpsnmr.efg import EfgModel
from lpsnmr.efg.dataset import build_data
from lpsnmr.efg.files import TargetPart
from lpsnmr.efg.regression import fit_weights
from lpsnmr.efg.settings import GROUPS
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.fitting.calibration import Calibration, calibrate, coverage, cross_calibrated
from lpsnmr.fitting.group_ridge import GroupRidge
from lpsnmr.reference import split_blocks
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2
from support.efg_cases import SMALL, open_range, random_atoms, random_model, system


def ridge_case(seed=0):
    rng = np.random.default_rng(seed)
    features, values = rng.normal(size=(60, 7)), rng.normal(size=60)
    groups = np.array([0, 0, 1, 1, 1, 3, 3])
    rows = [np.arange(0, 20), np.arange(20, 45), np.arange(45, 60)]
    return features, GroupRidge(features, values, groups, rows), np.array([0.3, 2.0, 9.9, 0.05]), groups, rows


def penalised(ridge, features, strengths, groups):
    scaled = features * ridge.scale
    return scaled.T @ scaled + np.diag(strengths[groups])


def test_held_out_spread_is_that_of_the_posterior_without_the_fold():
    features, ridge, strengths, groups, rows = ridge_case()
    spread = ridge.held_out_spread(strengths)
    for held in rows:
        training = np.setdiff1d(np.arange(60), held)
        inverse = np.linalg.inv(penalised(ridge, features[training], strengths, groups))
        scaled = features[held] * ridge.scale
        expected = np.sqrt(np.einsum("rf,fg,rg->r", scaled, inverse, scaled))
        np.testing.assert_allclose(spread[held], expected, rtol=1e-9)


def test_drawn_weights_have_the_covariance_of_the_posterior():
    features, ridge, strengths, groups, _ = ridge_case()
    drawn = ridge.draw_weights(strengths, 40000, seed=3)
    inverse = np.linalg.inv(penalised(ridge, features, strengths, groups))
    expected = inverse * np.outer(ridge.scale, ridge.scale)
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs(drawn.T @ drawn / len(drawn) - expected).max() < 0.03 * size.max()
    np.testing.assert_array_equal(ridge.draw_weights(strengths, 40000, seed=3), drawn)


def test_calibration_finds_floor_and_scale():
    rng = np.random.default_rng(5)
    spread = rng.gamma(2.0, 1.0, 20000)
    true = Calibration(0.5, 0.3)
    errors = rng.normal(size=(20000, 5)) * true.sigma(spread)[:, None]
    found = calibrate(spread, errors)
    assert found.floor == pytest.approx(0.5, rel=0.03)
    assert found.scale == pytest.approx(0.3, rel=0.03)
    covered = coverage(errors, found.sigma(spread))
    assert covered["within_1_sigma"] == pytest.approx(0.6827, abs=0.01)
    assert covered["within_1.96_sigma"] == pytest.approx(0.95, abs=0.005)
    assert covered["z_rms"] == pytest.approx(1.0, abs=0.01)
    assert coverage(errors, 0.5 * found.sigma(spread))["z_rms"] == pytest.approx(2.0, abs=0.02)


def test_calibration_of_a_fold_does_not_see_it():
    rng = np.random.default_rng(6)
    spread, errors = np.ones(300), rng.normal(size=(300, 5))
    folds = [np.arange(0, 100), np.arange(100, 200), np.arange(200, 300)]
    before = cross_calibrated(spread, errors, folds)
    errors[folds[1]] *= 100.0
    after = cross_calibrated(spread, errors, folds)
    np.testing.assert_array_equal(before[folds[1]], after[folds[1]])
    assert (after[folds[0]] > 10 * before[folds[0]]).all()


def committee_model(seed=2, members=3, floor=0.2):
    part = random_model(SMALL).targets["Li"]
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(members, len(part.weights)))
    return EfgModel(SMALL, {"Li": dataclasses.replace(part, members=drawn, floor=floor)}, {})


def test_sigma_is_floor_and_committee_and_turns_with_nothing(tmp_path):
    model = committee_model()
    atoms = random_atoms(3, 12)
    targets = model.find_targets(atoms.numbers)
    features = SMALL.basis().features(*system(atoms), targets)
    members = np.array([features @ m for m in model.targets["Li"].members])
    expected = np.sqrt(0.2**2 + (members**2).mean(axis=(0, 2)))
    np.testing.assert_allclose(model.predict_uncertainty(atoms), expected, rtol=1e-11)
    np.testing.assert_allclose(model.predict_uncertainty(atoms, targets[1:2]), expected[1:2], rtol=1e-11)
    turned = atoms.copy()
    turned.rotate(37.0, (1, 2, 3), rotate_cell=True)
    np.testing.assert_allclose(model.predict_uncertainty(turned), expected, rtol=1e-10)
    model.save(tmp_path / "m.efg")
    again = EfgModel.load(tmp_path / "m.efg")
    np.testing.assert_array_equal(again.predict_uncertainty(atoms), model.predict_uncertainty(atoms))
    labelled = model.annotate(atoms)
    np.testing.assert_allclose(labelled.arrays["efg_sigma"][targets] * EFG_AU_V_PER_ANGSTROM2, expected)
    assert np.isnan(labelled.arrays["efg_sigma"][atoms.numbers != 3]).all()


def test_models_without_a_committee_say_so():
    with pytest.raises(InputError, match="no committee"):
        random_model().predict_uncertainty(random_atoms(3, 12))
    with pytest.raises(InputError, match="no weights for S"):
        committee_model().predict_uncertainty(random_atoms(3, 12), np.array([3]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"members": [[1.0]]}, r"target Li: members: expected \d+ numbers, got 1"),
        ({"floor": -1.0}, "target Li: uncertainty: expected two or more members and a floor"),
        ({"floor": "x"}, "target Li: floor: expected a number, got a string"),
        ({"members": 3}, "target Li: members: expected a list, got a number"),
    ],
)
def test_damaged_committees_are_refused(tmp_path, change, words):
    path = tmp_path / "m.efg"
    committee_model().save(path)
    data = json.loads(path.read_text())
    data["targets"]["Li"]["uncertainty"].update(change)
    path.write_text(json.dumps(data))
    with pytest.raises(FileFormatError, match=words):
        EfgModel.load(path)


@pytest.mark.slow
def test_a_fit_covers_what_it_says():
    """Tensors of a known model with noise of two sizes: held-out errors lie where σ says."""
    truth = random_model(SMALL, seed=8)
    rng = np.random.default_rng(9)
    frames = []
    for seed in range(48):
        atoms = random_atoms(seed, 12)
        tensors = np.zeros((len(atoms), 3, 3))
        targets = truth.find_targets(atoms.numbers)
        noise = rng.normal(size=(len(targets), 3, 3))
        noise = (noise + noise.swapaxes(1, 2)) / 2
        noise -= np.trace(noise, axis1=1, axis2=2)[:, None, None] * np.eye(3) / 3
        clean = truth.predict(atoms)
        tensors[targets] = clean + 0.05 * np.sqrt((clean**2).mean()) * noise
        atoms.arrays["efg"] = tensors.reshape(-1, 9)
        atoms.info.update(run=f"r{seed % 6}")
        frames.append(atoms)
    data = build_data(frames, SMALL, "Li", "V/A^2")
    folds = split_blocks(np.arange(48) % 6, 6)
    result = fit_weights(data, SMALL, folds, "7Li", dict.fromkeys(GROUPS, 0.01))
    assert set(result.coverage) == {"all", "phase:crystal", *(f"run:r{k}" for k in range(6))}
    assert 0.62 < result.coverage["all"]["within_1_sigma"] < 0.80
    assert 0.90 < result.coverage["all"]["within_1.96_sigma"] < 0.99
    # where the committee disagrees more the errors are larger
    errors = np.sqrt(np.mean((result.held_out - data.components.reshape(-1, 5)) ** 2, axis=1))
    order = np.argsort(result.sigma)
    half = len(order) // 2
    assert errors[order[half:]].mean() > 1.3 * errors[order[:half]].mean()
    part = result.part
    assert isinstance(part, TargetPart)
    model = EfgModel(SMALL, {"Li": part}, {})
    assert part.target_range.shape == open_range(SMALL)[0].shape
    # on its own training data the committee is surer than on what was held out
    seen = np.concatenate([model.predict_uncertainty(atoms) for atoms in frames])
    assert seen.mean() < result.sigma.mean()


def test_uncertainty_reaches_every_output(tmp_path):
    import h5py

    from lpsnmr.efg.output import choose_nuclei, predict_frames, write_predictions

    model = committee_model()
    frames = [random_atoms(k, 12) for k in range(2)]
    predictions = predict_frames(model, frames)
    expected = np.concatenate([model.predict_uncertainty(atoms) for atoms in frames])
    nuclei = choose_nuclei(model)
    for suffix in ("csv", "extxyz", "h5"):
        write_predictions(tmp_path / f"a.{suffix}", predictions, model, nuclei)
    table = np.genfromtxt(tmp_path / "a.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    np.testing.assert_allclose(table["sigma"], expected, rtol=1e-8)
    np.testing.assert_allclose(table["cq_sigma_khz"], expected * 96.96 * np.sqrt(2 / 3), rtol=1e-4)
    assert set(table["nucleus"]) == {"7Li"}
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["sigma"][...], expected)
    read = ase.io.read(tmp_path / "a.extxyz", index=":")
    np.testing.assert_allclose(
        np.concatenate([a.arrays["efg_sigma"][a.numbers == 3] for a in read]) * EFG_AU_V_PER_ANGSTROM2,
        expected,
        atol=1e-6,
    )
    told = predict_frames(model, frames, uncertainty=False)
    assert told[0].sigma is None


def test_one_sigma_holds_in_groups_of_unlike_size():
    """A small group has errors a third larger than its spread says: it is not outvoted by the large one."""
    rng = np.random.default_rng(11)
    groups = ["crystal"] * 4000 + ["amorphous"] * 400
    spread = rng.uniform(0.5, 2.0, 4400)
    errors = rng.normal(size=(4400, 5)) * spread[:, None]
    errors[4000:] *= 1.33
    inside = {}
    for name, found in (("all", calibrate(spread, errors)), ("alike", calibrate(spread, errors, groups))):
        sigma = found.sigma(spread)
        inside[name] = [
            coverage(errors[part], sigma[part])["within_1.96_sigma"]
            for part in (slice(4000), slice(4000, None))
        ]
    assert inside["all"][1] < 0.88
    assert all(0.91 < part < 0.985 for part in inside["alike"])
    # the 95 % quantiles lie in equal ratio about 1.96: 1/√1.33 and √1.33
    assert calibrate(spread, errors, groups).scale == pytest.approx(np.sqrt(1.33), rel=0.03)
    # one group, or groups too small to have a coverage, change nothing
    assert calibrate(spread, errors, ["crystal"] * 4400) == calibrate(spread, errors)


def test_a_sigma_far_above_training_is_flagged(tmp_path):
    model = committee_model()
    atoms = random_atoms(3, 12)
    sigma = model.predict_uncertainty(atoms)
    targets = model.find_targets(atoms.numbers)
    assert not model.far_flags(atoms.numbers, targets, sigma).any()  # an older model does not tell
    middle = float(np.sort(sigma)[len(sigma) // 2])
    told = {"targets": {"Li": {"sigma_median": middle / 3.0}}}
    model = EfgModel(model.settings, model.targets, told)
    model.save(tmp_path / "m.efg")
    model = EfgModel.load(tmp_path / "m.efg")
    flags = model.annotate(atoms).arrays["efg_flag"]
    np.testing.assert_array_equal(flags[targets] & 16 > 0, sigma > middle)
    assert (flags[targets] & 16 > 0).any()
