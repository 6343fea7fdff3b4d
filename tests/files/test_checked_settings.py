"""Settings that are checked by their types: one line that names the field, what was expected and got."""

import dataclasses
import math
import pickle

import pytest

from lpsnmr.analysis.nmr import DecaySettings
from lpsnmr.errors import InputError
from lpsnmr.labelling.gpaw_settings import GpawSettings
from lpsnmr.potential import BasisSettings, FitSettings, PriorSettings
from lpsnmr.potential.rows import WeightSettings


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PriorSettings(0.0), "two_body_ridge: expected a positive number, got 0.0"),
        (lambda: PriorSettings(density=math.inf), "density: expected a finite number, got inf"),
        (lambda: FitSettings(steps_per_block=0), "steps per block: expected at least 1, got 0"),
        (lambda: FitSettings(folds=1), "folds: expected 0 (no cross-validation) or at least 2, got 1"),
        (lambda: FitSettings(folds=2.5), "folds: expected a valid integer, got 2.5"),
        (lambda: GpawSettings(cutof=3), "unknown key cutof; known: xc, cutoff_hartree"),
        (lambda: GpawSettings(max_iterations="many"), "max_iterations: expected a valid integer"),
        (lambda: DecaySettings(level=95), "level must lie between 0 and 1, got 95"),
        (lambda: DecaySettings(baseline="none"), "baseline: expected 'fit' or 'zero', got 'none'"),
        (lambda: FitSettings(search=-1, bootstrap=-1), "search: expected 0 or more, got -1; bootstrap:"),
    ],
)
def test_complaints_take_one_line(make, words):
    with pytest.raises(InputError) as told:
        make()
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_infinity_switches_a_kind_of_row_off():
    assert WeightSettings(stress_gpa=math.inf).stress_gpa == math.inf


def test_they_are_frozen_dataclasses():
    settings = FitSettings(BasisSettings(elements=("Li", "S")), folds=3)
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert hash(dataclasses.replace(settings)) == hash(settings)
    assert dataclasses.asdict(settings)["basis"]["elements"] == ("Li", "S")
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.folds = 4
    with pytest.raises(InputError, match="folds: expected 0"):
        dataclasses.replace(settings, folds=1)
