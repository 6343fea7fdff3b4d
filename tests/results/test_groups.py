"""The optional groups of a results file: typed in memory, plain datasets on disk."""

import dataclasses
import shutil

import h5py
import numpy as np
import pytest

from lpsnmr.analysis.dynamics import analyze_jumps
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.results import (
    CollectiveDisplacement,
    Jumps,
    Results,
    Rotations,
    find_results_file,
)
from lpsnmr.sampling import DisplacementCorrelator
from lpsnmr.sampling.site_memory import SiteMemory
from oracles.results_files import booked_jumps, results_with_nmr
from support.results_groups import extra_of

BOOK = {
    "windows": "i8", "window_ps": "f8", "jumps": "i8", "block_jumps": "i8", "block_windows": "i8",
    "recrossings": "i8", "backward": "i8", "stay_edges": "i8", "stays": "i8", "stays_running": "i8",
    "length_counts": "i8", "length_sums": "f8", "min_stay": "i8",
}  # fmt: skip
LAGS = {"lag_ps": "f8", "values": "f8", "counts": "i8", "block_means": "f8", "block_counts": "i8",
        "block_length_ps": "f8"}  # fmt: skip
DOCUMENTED = {
    "echo": {**LAGS, "evolution_times_us": "f8", "degree": "i8"},
    "direction_0": {**LAGS, "direction": "f8"},
    "collective_displacement": LAGS,
    "jumps_sites": {**BOOK, "sites_fractional": "f8", "site_occupation": "f8", "site_founded": "b1",
                    "site_pairs": "i8", "between_sites": "f8"},
    "jumps_displacement": BOOK,
    "rotations_ps4": BOOK,
    "site_network": {"window_ps": "f8", "waiting_windows": "f8", "tensor_windows": "f8", "tensor_mean": "f8",
                     "pairs": "i8", "pair_backward": "i8", "pair_waits": "i8", "pair_wait_windows": "i8"},
}  # fmt: skip
"""docs/reference/results-format.md: group, dataset, type."""


@pytest.fixture(scope="module")
def results():
    made, _ = results_with_nmr(0.05, 600.0, samples=60)
    together = DisplacementCorrelator(3, sample_interval_ps=0.5)
    for r in np.cumsum(np.random.default_rng(0).normal(size=(60, 3, 1)), axis=0):
        together.add(r * np.eye(3))
    sites = booked_jumps(windows=200)
    made.collective_displacement = CollectiveDisplacement(together.statistics())
    made.jumps_sites = sites
    book = {name: getattr(sites, name) for name in BOOK}
    made.rotations["ps4"] = Rotations(**book)
    made.jumps_displacement = Jumps(**book)
    made.site_network = SiteMemory(3).summary(0.5, 2)
    made.extra = {"later": {"numbers": np.arange(3)}}
    return made


@pytest.fixture(scope="module")
def file(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("groups") / "results.h5"
    results.write(path)
    return path


def test_files_of_older_versions_do_not_tell_the_least_stay(file, tmp_path):
    old = tmp_path / "old.h5"
    shutil.copy(file, old)
    with h5py.File(old, "a") as content:
        del content["extra/jumps_sites/min_stay"]
    read = Results.read(old).jumps_sites
    assert read.min_stay == 0
    assert Results.read(file).jumps_sites.min_stay == 1
    found = analyze_jumps(read)
    assert np.isnan(found.correction)
    assert found.rate_per_s == found.counted_per_s


def test_datasets_are_those_of_the_documentation(file, results):
    with h5py.File(file) as content:
        extra = content["extra"]
        assert set(extra) == {*DOCUMENTED, "tensor_samples", "later"}
        for group, datasets in DOCUMENTED.items():
            assert {name: d.dtype.str[1:] for name, d in extra[group].items()} == datasets, group
        levels = len(extra["tensor_samples/averaging_time_ps"])
        assert set(extra["tensor_samples"]) == {
            "averaging_time_ps", *(f"means_{level}" for level in range(levels)),
        }  # fmt: skip


def test_groups_come_back_with_their_types(file, results):
    back = Results.read(file)
    for name in (*DOCUMENTED, "tensor_samples"):
        if name != "direction_0":
            assert type(back.groups()[name]) is type(results.groups()[name]), name
    assert (type(back.jumps_sites.windows), type(back.echo.degree)) == (int, int)
    assert back.single_crystals[0].direction == (0.0, 0.0, 1.0)
    assert back.rotations["ps4"].LENGTH_UNIT == 10.0
    found, expected = extra_of(back), extra_of(results)
    assert found.keys() == expected.keys()
    for group, arrays in expected.items():
        assert found[group].keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[group][name], array, err_msg=f"{group}/{name}")


def test_field_directions_keep_their_order(results, tmp_path):
    crystal = results.single_crystals[0]
    made = dataclasses.replace(
        results,
        single_crystals=[dataclasses.replace(crystal, direction=(0.0, 1.0, k)) for k in range(12)],
    )
    made.write(tmp_path / "many.h5")
    back = Results.read(tmp_path / "many.h5").single_crystals
    assert [crystal.direction[2] for crystal in back] == list(range(12))


@pytest.mark.parametrize(
    ("dataset", "value", "words"),
    [
        ("echo/degree", None, "extra/echo: no degree"),
        ("echo/values", np.zeros((2, 2, 3, 12)), "extra/echo: the shapes of its arrays do not fit together"),
        ("jumps_sites/stays", None, "extra/jumps_sites: no stays"),
        ("jumps_sites/between_sites", np.nan, "extra/jumps_sites/between_sites: values must be finite"),
        ("jumps_sites/site_pairs", np.zeros((3, 2), int), r"site_pairs \(k, 3\), got \(3, 2\)"),
        ("jumps_displacement/stay_edges", np.arange(90), "one edge more"),
        ("rotations_ps4/windows", np.arange(2), r"windows \(\), got \(2,\)"),
        ("direction_0/direction", np.zeros(2), "no direction of three numbers"),
        ("direction_0/counts", None, "extra/direction_0: incomplete: no counts"),
        (
            "collective_displacement/values",
            np.zeros((2, 3)),
            "extra/collective_displacement/values: expected",
        ),
        ("collective_displacement/lag_ps", None, "extra/collective_displacement: incomplete: no lag_ps"),
        ("tensor_samples/averaging_time_ps", None, "extra/tensor_samples: no averaging_time_ps"),
    ],
)
def test_a_damaged_group_is_named(file, tmp_path, dataset, value, words):
    shutil.copy(file, tmp_path / "bad.h5")
    with h5py.File(tmp_path / "bad.h5", "r+") as content:
        del content[f"extra/{dataset}"]
        if value is not None:
            content[f"extra/{dataset}"] = value
    with pytest.raises(FileFormatError, match=words) as error:
        Results.read(tmp_path / "bad.h5")
    assert str(error.value).startswith(str(tmp_path / "bad.h5"))


def test_a_damaged_group_is_not_written(results, tmp_path):
    bad = dataclasses.replace(results, jumps_sites=dataclasses.replace(results.jumps_sites, stays=np.ones(2)))
    with pytest.raises(InputError, match="extra/jumps_sites"):
        bad.write(tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_means_its_results_file(file, tmp_path):
    assert find_results_file(file.parent) == file
    assert find_results_file(file) == file
    with pytest.raises(FileFormatError, match=r"no results\.h5 in this folder"):
        find_results_file(tmp_path)
