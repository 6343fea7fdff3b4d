"""The results file: round trip and refusals."""

import dataclasses

import h5py
import numpy as np
import pytest

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.results import LagStatistics, Results
from oracles.results_files import synthetic_results


@pytest.fixture(scope="module")
def results():
    made = synthetic_results(0.05, n=6, samples=100)
    made.extra = {"neighbours": {"counts": np.arange(12).reshape(3, 4)}}
    return made


@pytest.fixture
def path(results, tmp_path):
    results.write(tmp_path / "run.h5")
    return tmp_path / "run.h5"


def assert_equal(a, b):
    if dataclasses.is_dataclass(a):
        for f in dataclasses.fields(a):
            assert_equal(getattr(a, f.name), getattr(b, f.name))
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_equal(a[key], b[key])
    else:
        np.testing.assert_array_equal(a, b)
        assert type(a) is type(b)


def test_round_trip(results, path):
    assert_equal(results, Results.read(path))


def test_round_trip_of_the_least(tmp_path):
    least = Results(0.1, 0, 4, np.array([1, 2]), np.eye(3))
    least.write(tmp_path / "least.h5")
    assert_equal(least, Results.read(tmp_path / "least.h5"))
    assert np.isnan(least.best_temperature_k)
    assert least.duration_ps == 0.0


def test_round_trip_before_any_pair(tmp_path):
    empty = LagStatistics(np.zeros(0), np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros((0, 0)),
                          np.zeros((0, 0), np.int64), 0.1, "average")  # fmt: skip
    made = Results(0.1, 0, 4, np.array([1, 2]), np.eye(3), efg_correlation=empty)
    made.write(tmp_path / "empty.h5")
    assert_equal(made, Results.read(tmp_path / "empty.h5"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sample_interval_ps": 0.0}, "sample_interval_ps"),
        ({"cell": np.eye(2)}, r"cell: expected shape \(3, 3\)"),
        ({"efg_mean": np.ones((2, 5))}, r"efg_mean: expected shape \(6, 5\)"),
        ({"li_ids": np.arange(5)}, r"efg_mean: expected shape \(5, 5\)"),
        (
            {"li_ids": np.arange(5), "efg_mean": None, "efg_mean_square": None},
            r"efg_correlation/values: expected shape \(\d+, 5\)",
        ),
    ],
)
def test_inconsistent_results_are_not_written(results, tmp_path, change, words):
    broken = dataclasses.replace(results, **change)
    with pytest.raises(InputError, match=words):
        broken.write(tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []


def damage_version(file):
    file.attrs["format_version"] = 99


def damage_format(file):
    file.attrs["format"] = "other"


def damage_group(file):
    del file["system"]


def damage_dataset(file):
    del file["displacement/values"]


def damage_shape(file):
    del file["efg_correlation/counts"]
    file["efg_correlation/counts"] = np.ones(3, dtype=int)


def damage_value(file):
    file["displacement/values"][2, 0] = np.nan


def damage_attribute(file):
    del file["system"].attrs["n_atoms"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damage_version, "format_version 1 to 2, got 99"),
        (damage_format, "expected the attribute format"),
        (damage_group, "system"),
        (damage_dataset, "values"),
        (damage_shape, "efg_correlation/counts: expected shape"),
        (damage_value, "displacement/values: values must be finite"),
        (damage_attribute, "no attribute 'n_atoms'"),
    ],
)
def test_damaged_files_are_named(path, damage, words):
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(FileFormatError, match=words) as error:
        Results.read(path)
    assert str(error.value).startswith(str(path))


def test_other_files_are_refused(tmp_path, path):
    with pytest.raises(FileFormatError, match="no such file"):
        Results.read(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(FileFormatError, match="not a usable"):
        Results.read(tmp_path / "text.h5")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileFormatError, match="not a usable"):
        Results.read(path)
