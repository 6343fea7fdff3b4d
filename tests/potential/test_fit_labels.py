"""Fits to a sum of labels: the sum and nothing else, known to the sidecar and to what judges the fit."""

import json
from importlib.resources import files

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from click.testing import CliRunner

from lpsnmr.cli.fit_ufp import command
from lpsnmr.errors import InputError
from lpsnmr.fitting.sidecar import read_sidecar
from lpsnmr.potential import BasisSettings, DataSet, FitSettings, fit_ufp
from lpsnmr.potential.provenance import fitted_labels
from lpsnmr.reference import read_reference
from lpsnmr.reference.terms import drop_terms, term_of
from lpsnmr.validation.deformation import static_frames
from lpsnmr.validation.settings import ValidateSettings
from lpsnmr.validation.static import error_stage

SHIPPED = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe_later.extxyz"
PAIRS = BasisSettings(body_order=2, two_body_cutoff=4.0, two_body_spacing=0.5)
WORDS = [
    "--body-order",
    "2",
    "--two-body-cutoff",
    "4",
    "--two-body-spacing",
    "0.5",
    "--folds",
    "0",
    "--no-report",
]


@pytest.fixture(scope="module")
def frames():
    """Return the seven volumes of a crystal."""
    return [f for f in read_reference(str(SHIPPED)) if f.info["run"] == "eos_b32"]


def added_up(frame, name):
    """Return a frame with the sum as its only labels."""
    out, term = frame.copy(), term_of(frame, name)
    drop_terms(out)
    own = frame.calc.results
    out.calc = SinglePointCalculator(
        out,
        energy=own["energy"] + term.energy,
        forces=own["forces"] + term.forces,
        stress=own["stress"] + term.stress,
    )
    return out


@pytest.mark.parametrize("name", ["d4", "d3bj"])
def test_a_fit_to_a_sum_is_one_to_the_labels_added_up(frames, name):
    asked = fit_ufp([DataSet(frames)], FitSettings(PAIRS, folds=0, labels=f"pbe+{name}"))
    by_hand = fit_ufp([DataSet([added_up(f, name) for f in frames])], FitSettings(PAIRS, folds=0))
    plain = fit_ufp([DataSet(frames)], FitSettings(PAIRS, folds=0))
    assert np.array_equal(asked.coefficients, by_hand.coefficients)
    assert asked.reference_energies == by_hand.reference_energies
    assert np.abs(asked.coefficients - plain.coefficients).max() > 1e-3


def test_sidecar_and_validation_know_the_sum(frames, tmp_path):
    path = tmp_path / "set.extxyz"
    ase.io.write(path, frames, format="extxyz")
    for labels in ("pbe", "pbe+d4"):
        name = f"{labels.replace('+', '_')}.uf3"
        done = CliRunner().invoke(
            command, [str(path), "-o", str(tmp_path / name), *WORDS, "--labels", labels]
        )
        assert done.exit_code == 0, done.exception
        record = read_sidecar(tmp_path / name)
        assert fitted_labels(record) == labels
        assert ("labels" in record["settings"]) == (labels != "pbe")
        settings = ValidateSettings(tmp_path / name, (path,))
        result = error_stage(settings, lambda *_: None)
        assert result.get("labels", "pbe") == labels
        for ours, fitted in zip(result["errors"], record["training_errors"], strict=True):
            for key in ("force_eV_per_angstrom", "energy_meV_per_atom", "stress_GPa"):
                assert ours[key] == pytest.approx(fitted[key], rel=1e-6)
        at_rest = static_frames(settings)
        assert len(at_rest) == len(frames)
        expected = added_up(frames[0], "d4") if labels == "pbe+d4" else frames[0]
        assert at_rest[0].get_potential_energy() == expected.get_potential_energy()
        assert np.array_equal(at_rest[0].get_stress(), expected.get_stress())
    pair = [
        json.loads((tmp_path / f"{n}.json").read_text())["potential"]["sha256"] for n in ("pbe", "pbe_d4")
    ]
    assert pair[0] != pair[1]


def test_a_frame_without_the_term_is_named(frames, tmp_path):
    bare = [f.copy() for f in frames]
    for old, new in zip(frames, bare, strict=True):
        new.calc = old.calc
        new.info.pop("source", None)
    drop_terms(bare[3], ("d4",))
    path = tmp_path / "set.extxyz"
    ase.io.write(path, bare, format="extxyz")
    for labels, message in [
        ("pbe+d4", r"set.extxyz: frame 3: no d4 correction; expected its columns"),
        ("pbesol", r"set.extxyz: frame 0: labelled with PBE; expected PBEsol"),
        ("pbe+d2", r"labels: expected one of pbe, pbe\+d4, .*got 'pbe\+d2'"),
    ]:
        words = [str(path), "-o", str(tmp_path / "x.uf3"), *WORDS, "--labels", labels]
        with pytest.raises(InputError, match=message):
            raise CliRunner().invoke(command, words).exception
    assert [p.name for p in tmp_path.iterdir()] == ["set.extxyz"]
