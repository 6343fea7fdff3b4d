"""Saving, loading, refusing; prediction errors and out-of-range flags."""

import dataclasses
import json

import ase
import numpy as np
import pytest

from lpsnmr.efg import EfgModel
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2
from support.efg_cases import SETTINGS, SMALL, random_atoms, random_model, system


@pytest.mark.parametrize("name", SETTINGS)
def test_round_trip_keeps_every_digit(tmp_path, name):
    model = random_model(SETTINGS[name], targets=("Li", "S"))
    path = tmp_path / "a.efg"
    model.save(path)
    again = EfgModel.load(path)
    assert again.settings == model.settings
    assert again.provenance == model.provenance
    for symbol in ("Li", "S"):
        for field in dataclasses.fields(model.targets[symbol]):
            np.testing.assert_array_equal(
                getattr(again.targets[symbol], field.name), getattr(model.targets[symbol], field.name)
            )
    atoms = random_atoms(2, 12)
    np.testing.assert_array_equal(again.predict(atoms), model.predict(atoms))
    again.save(tmp_path / "b.efg")
    assert (tmp_path / "b.efg").read_bytes() == path.read_bytes()
    assert model.sha256 == again.sha256 == random_model(SETTINGS[name], targets=("Li", "S")).sha256
    assert model.sha256 != random_model(SETTINGS[name], seed=9, targets=("Li", "S")).sha256


def changed(content, **entries):
    return json.dumps({**json.loads(content), **entries}).encode()


def without(content, name):
    return json.dumps({k: v for k, v in json.loads(content).items() if k != name}).encode()


def with_weights(content, weights):
    data = json.loads(content)
    data["targets"]["Li"]["weights"] = weights
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda c: c[: len(c) // 2], r"bad\.efg:\d+: not JSON: .*cut short"),
        (lambda c: b"\xff\xfe\x00", "not a text file"),
        (lambda c: b"[1, 2]", "not an EFG model"),
        (lambda c: changed(c, version=7), "version 7"),
        (lambda c: changed(c, units={"efg": "au"}), "units are wrong: expected Å and V/Å², got none and au"),
        (lambda c: without(c, "targets"), 'EFG model without "targets"'),
        (lambda c: without(c, "sources"), 'EFG model without "sources"'),
        (lambda c: changed(c, species=["Li", "Xx"]), 'unknown chemical symbol "Xx"'),
        (lambda c: changed(c, species="Li"), "species: expected a list, got a string"),
        (lambda c: changed(c, settings={"pair": [3, 4.0]}), 'EFG model without "chain"'),
        (lambda c: changed(c, targets={}), "at least one target"),
        (
            lambda c: changed(c, targets={"Li": {"weights": []}}),
            r"target Li: weights: expected \d+ numbers, got 0",
        ),
        (lambda c: changed(c, targets={"Li": {}}), 'target Li: EFG model without "weights"'),
        (lambda c: changed(c, provenance=3), "provenance: expected an object, got a number"),
        (lambda c: with_weights(c, [0.0] * 3), r"target Li: weights: expected \d+ numbers, got 3"),
        (lambda c: with_weights(c, ["a"]), "target Li: weights: expected a number, got a string"),
        (
            lambda c: with_weights(c, [float("nan")] * len(json.loads(c)["targets"]["Li"]["weights"])),
            "not finite",
        ),
        (lambda c: c.replace(b'"triple": [', b'"triple": ["x",', 1), "triple: expected .* got 3 entries"),
    ],
)
def test_damaged_files_are_refused(tmp_path, damage, words):
    path = tmp_path / "bad.efg"
    random_model(SMALL).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FileFormatError, match=words) as caught:
        EfgModel.load(path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(FileFormatError, match="No such file"):
        EfgModel.load(tmp_path / "none.efg")


def test_input_that_does_not_fit():
    model = random_model()
    atoms = random_atoms(1, 8)
    with pytest.raises(InputError, match="atomic number 8, which"):
        model.predict(atoms + ase.Atoms("O", positions=[[50, 50, 50]]))
    with pytest.raises(InputError, match="no weights for S"):
        model.predict(atoms, np.flatnonzero(atoms.numbers == 16))
    with pytest.raises(InputError, match="no atom to predict"):
        model.predict(atoms[atoms.numbers == 16])
    with pytest.raises(InputError, match="in one place"):
        model.predict(atoms + atoms[[0]])
    with pytest.raises(InputError, match="volume"):
        model.predict(ase.Atoms("LiS", positions=[[0, 0, 0], [0, 0, 2]], pbc=True))
    broken = atoms.copy()
    broken.positions[2, 1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        model.predict(broken)
    with pytest.raises(InputError, match="threads"):
        model.predict(atoms, threads=0)
    with pytest.raises(InputError, match="numbers must have"):
        model.predict_components(
            atoms.positions, atoms.cell.array, atoms.pbc, np.array([3, 16]), np.array([0])
        )


def test_several_targets_come_back_in_the_order_asked():
    model = random_model(targets=("Li", "S"))
    atoms = random_atoms(6, 12)
    chosen = np.array([3, 0, 4, 1])
    mixed = model.predict(atoms, chosen)
    for k, i in enumerate(chosen):
        np.testing.assert_array_equal(mixed[k], model.predict(atoms, np.array([i]))[0])
    assert model.n_predicted == 8
    empty = model.predict_components(*system(atoms), np.array([], dtype=int))
    assert empty.shape == (0, 5)


def test_annotate_follows_the_convention_of_soprano():
    model = random_model()
    atoms = random_atoms(6, 10)
    copy = model.annotate(atoms)
    lithium = atoms.numbers == 3
    assert "efg" not in atoms.arrays
    assert (copy.arrays["efg"][~lithium] == 0).all()  # soprano diagonalises every tensor
    assert (copy.arrays["efg_flag"][~lithium] == -1).all()
    assert (copy.arrays["efg_flag"][lithium] == model.last_flags).all()
    assert "efg_sigma" not in copy.arrays  # this model has no committee
    np.testing.assert_allclose(
        copy.arrays["efg"][lithium].reshape(-1, 3, 3) * EFG_AU_V_PER_ANGSTROM2,
        model.predict(atoms),
        rtol=1e-13,
    )


def ranged(**rows):
    """Return a model of Li whose training ranges are given by row and species (Li, P, S)."""
    part = random_model().targets["Li"]
    target, bridges = part.target_range.copy(), part.bridge_ranges.copy()
    for name, values in rows.items():
        where, row = name.split("_")
        (target if where == "target" else bridges[0])[["nearest", "fewest", "most"].index(row)] = values
    return EfgModel(SMALL, {"Li": dataclasses.replace(part, target_range=target, bridge_ranges=bridges)}, {})


@pytest.mark.parametrize(
    ("rows", "flag"),
    [
        ({}, 0),
        ({"target_nearest": [0, 0, 2.3]}, 0),
        ({"target_nearest": [0, 0, 2.5]}, 1),
        ({"target_nearest": [0, np.inf, 0]}, 0),  # never seen, not there either
        ({"target_fewest": [0, 0, 1.0]}, 2),
        ({"target_most": [9, 9, 0.1]}, 2),
        ({"bridge_nearest": [2.5, 0, 0]}, 4),
        ({"bridge_most": [0.01, 9, 9]}, 8),
        ({"target_nearest": [0, 0, 2.5], "bridge_fewest": [0, 0.1, 0]}, 9),
    ],
)
def test_environments_out_of_range_are_flagged(rows, flag):
    model = ranged(**rows)
    pair = ase.Atoms("LiS", positions=[[0, 0, 0], [0, 0, 2.4]])
    free = random_model()
    np.testing.assert_array_equal(model.predict(pair), free.predict(pair))  # flagged, not changed
    assert model.last_flags.tolist() == [flag]
    assert (model.n_predicted, model.n_flagged) == (1, int(flag > 0))


def test_shipped_model_knows_what_it_was_trained_on():
    model = EfgModel.default()
    assert model.provenance["frames"] >= 72
    assert model.has_uncertainty
    covered = model.provenance["targets"]["Li"]["coverage"]["all"]
    assert 0.6 < covered["within_1_sigma"] < 0.8
    assert 0.9 < covered["within_1.96_sigma"] < 0.98
    assert len(model.sha256) == 64
    lonely = ase.Atoms("LiPS", positions=[[0, 0, 0], [0, 0, 2.0], [0, 1.0, 0]])
    model.predict(lonely)
    assert model.last_flags[0] & 1
    # and is far less sure of it than of its training data
    assert model.predict_uncertainty(lonely)[0] > 2 * covered["sigma_mean"]
    assert model.last_flags[0] & 2
