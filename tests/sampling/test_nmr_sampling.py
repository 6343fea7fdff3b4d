"""NMR accumulators inside the sampler, the run and the stream: same numbers however it is cut."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from lpsnmr.efg.quadrupolar import frequency_rad_s_per_efg
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.results import Echo
from lpsnmr.results.tensor_file import (
    TensorFile,
    TensorRows,
    drop_tensors_after,
    read_tensors,
    remove_tensors,
)
from lpsnmr.runs.config import load_config
from lpsnmr.sampling import (
    EchoCorrelator,
    MultiTauCorrelator,
    projections,
)
from lpsnmr.sampling.sampler import Sampler, SamplerState
from lpsnmr.sampling.settings import SamplingSettings
from lpsnmr.sampling.to_results import build_results
from lpsnmr.trajectory.frames import Frame
from support.lpsnmr_runs import results_of, run_here, write_config
from support.results_groups import extra_of

NUMBERS = np.array([3, 16, 3, 3, 15], dtype=np.int32)
IDS = np.arange(1, 6)
SETTINGS = SamplingSettings(
    window_ps=1.0, evolution_times_us=(1.0, 4.0), orientation_degree=11,
    field_directions=((0.0, 0.0, 1.0), (1.0, 1.0, 0.0)),
)  # fmt: skip


class PositionModel:
    sha256 = "0"
    n_flagged = 0

    def predict_components(self, positions, cell, pbc, numbers, targets):
        r = positions[targets]
        return np.stack([r[:, 0], r[:, 1], r[:, 2], r[:, 0] * r[:, 1], np.sin(r[:, 2])], axis=1)


def sampler(rank=0, size=1, settings=SETTINGS):
    return Sampler(
        PositionModel(), IDS, NUMBERS, sample_interval_ps=0.5, interval_steps=10, nmr=settings,
        tensors_ps=2.0, rank=rank, size=size,
    )  # fmt: skip


def frames(count=61):
    walk = np.cumsum(0.3 * np.random.default_rng(0).normal(size=(count, 5, 3)), axis=0)
    return [Frame(10 * k, None, np.eye(3), (True,) * 3, IDS, NUMBERS, r, r) for k, r in enumerate(walk)]


def results_from(state):
    return build_results(
        state, NUMBERS, temperature_k=None, nucleus="7Li", jump_distance_angstrom=None, provenance={},
        statistics={}, field_directions=SETTINGS.field_directions,
    )  # fmt: skip


def test_accumulators_get_what_they_should(tmp_path):
    one = sampler()
    tensors = []
    for frame in frames():
        one.add(frame)
        tensors.append(PositionModel().predict_components(frame.positions, None, None, None, [0, 2, 3]))
    tensors = np.array(tensors)
    path = tmp_path / "r.h5"
    results_from(one.state()).write(path)
    extra = extra_of(results_from(one.state()).read(path))
    windows = tensors[:60].reshape(30, 2, 3, 5).mean(axis=1)
    echo = EchoCorrelator(
        3, evolution_times_us=(1.0, 4.0), frequency_rad_s_per_efg=frequency_rad_s_per_efg("7Li"),
        sample_interval_ps=1.0, degree=11,
    )  # fmt: skip
    for values in windows:
        echo.add(values)
    found = Echo.read(extra["echo"], "echo")
    np.testing.assert_allclose(found.values, echo.statistics().values, atol=1e-12)
    np.testing.assert_allclose(extra["tensor_samples"]["means_0"], windows, atol=1e-13)
    np.testing.assert_allclose(
        extra["tensor_samples"]["means_1"], windows[:28].reshape(7, 4, 3, 5).mean(axis=1), atol=1e-13
    )
    for k, direction in enumerate(SETTINGS.field_directions):
        single = MultiTauCorrelator(3, 1, sample_interval_ps=0.5)
        for values in tensors:
            single.add((values @ projections(direction))[:, None])
        np.testing.assert_allclose(extra[f"direction_{k}"]["values"], single.statistics().values, atol=1e-12)
        np.testing.assert_array_equal(extra[f"direction_{k}"]["direction"], direction)
    rows = one.state().rows
    assert rows.steps == list(range(0, 601, 40))
    np.testing.assert_array_equal(np.stack(rows.components), tensors[::4])


@pytest.mark.parametrize("size", [2, 4])
def test_ranks_and_restarts_change_nothing(size):
    """Cut in the middle of a window, spread over ranks of which one may own nothing."""
    whole, parts = sampler(), [sampler(rank, size) for rank in range(size)]
    for frame in frames()[:25]:
        for one in [whole, *parts]:
            one.add(frame)
    joined = SamplerState.join([part.state() for part in parts])
    assert joined.rows.steps == whole.state().rows.steps
    np.testing.assert_array_equal(joined.rows.components, whole.state().rows.components)
    resumed = [sampler(rank, 2) for rank in range(2)]
    for rank, one in enumerate(resumed):
        one.restore(joined, rank, 2)
    for frame in frames()[25:]:
        for one in [whole, *resumed]:
            one.add(frame)
    final, expected = SamplerState.join([one.state() for one in resumed]), whole.state()
    assert final.rows.steps == [step for step in expected.rows.steps if step >= 250]
    assert final.nmr.keys() == expected.nmr.keys() == {
        "window", "tensor_samples", "echo", "direction_0", "direction_1",
    }  # fmt: skip
    for name, state in expected.nmr.items():
        for key, value in state.items():
            np.testing.assert_allclose(
                final.nmr[name][key], value, rtol=1e-13, atol=1e-13, err_msg=f"{name}/{key}"
            )


def test_state_without_echoes_is_refused():
    plain = sampler(settings=SamplingSettings(evolution_times_us=()))
    plain.add(frames()[0])
    with pytest.raises(InputError, match="no direction_0, direction_1, echo"):
        sampler().restore(plain.state())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window_ps": 0.0}, "window_ps"),
        ({"evolution_times_us": (1.0, -1.0)}, "evolution_times_us"),
        ({"orientation_degree": 10}, "orientation_degree"),
        ({"field_directions": ((0.0, 0.0, 0.0),)}, "field direction"),
    ],
)
def test_unfit_settings_are_named(options, words):
    with pytest.raises(InputError, match=words):
        SamplingSettings.checked(**options)
    key, value = next(iter(options.items()))
    text = repr(value).replace("(", "[").replace(")", "]")
    with pytest.raises(InputError, match=words):
        load_config(None, [f"sampling.{key}={text}"])


def rows(steps, n=3, seed=0):
    rng = np.random.default_rng(seed)
    return TensorRows(list(steps), [rng.normal(size=(n, 5)) for _ in steps])


def test_segments_become_one_file(tmp_path):
    file = TensorFile(tmp_path, np.array([4, 7, 9]), 0.002)
    pieces = [rows(range(0, 3000, 5), seed=1), rows([3000, 3005], seed=2), rows([], seed=3)]
    for piece in pieces:
        file.append(piece)
    assert len(list(tmp_path.iterdir())) == 2
    path = file.finish()
    assert [p.name for p in tmp_path.iterdir()] == ["tensors.h5"]
    time_ps, ids, components = read_tensors(path)
    steps = [step for piece in pieces for step in piece.steps]
    np.testing.assert_allclose(time_ps, np.array(steps) * 0.002)
    np.testing.assert_array_equal(ids, [4, 7, 9])
    expected = np.concatenate([piece.components for piece in pieces[:2]])
    np.testing.assert_array_equal(components, expected.astype(np.float32))
    with h5py.File(path) as content:
        assert content["components"].chunks[0] == 256
        assert content["components"].compression == "gzip"
    # extended later: the file and new segments join
    file.append(rows([3010], seed=4))
    assert len(read_tensors(file.finish())[0]) == 603
    remove_tensors(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert file.finish() is None


def test_what_a_checkpoint_does_not_cover_is_dropped(tmp_path):
    file = TensorFile(tmp_path, np.array([1]), 0.001)
    for steps in ([0, 10], [20, 30], [40, 50]):
        file.append(rows(steps, n=1))
    drop_tensors_after(tmp_path, 30)
    assert len(read_tensors(file.finish())[0]) == 4
    file.append(rows([40], n=1))
    drop_tensors_after(tmp_path, 10)  # resumed from the checkpoint before
    np.testing.assert_allclose(read_tensors(file.finish())[0], [0.0, 0.01])
    drop_tensors_after(tmp_path / "nothing", 10)


def test_a_kill_between_joining_and_removing_counts_nothing_twice(tmp_path):
    file = TensorFile(tmp_path, np.array([1]), 0.001)
    file.append(rows([0, 10], n=1))
    segment = next(tmp_path.iterdir())
    kept = segment.read_bytes()
    file.finish()
    segment.write_bytes(kept)
    file.append(rows([20], n=1))
    np.testing.assert_allclose(read_tensors(file.finish())[0], [0.0, 0.01, 0.02])


JOIN_ON_A_FULL_DISK = """
import resource
from pathlib import Path
import numpy as np
from lpsnmr.errors import ComputeError
from lpsnmr.results.tensor_file import TensorFile, TensorRows, drop_tensors_after, read_tensors
here, file = Path("."), TensorFile(Path("."), np.arange(200), 0.002)
rng = np.random.default_rng(1)
for begin in (0, 30):
    file.append(TensorRows(list(range(begin, begin + 30)), list(rng.normal(size=(30, 200, 5)))))
largest = max(path.stat().st_size for path in here.iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 100, resource.RLIM_INFINITY))
try:
    file.finish()
except OSError as error:
    print(error.errno, len(list(here.iterdir())))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(len(read_tensors(file.finish())[0]))
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
try:
    drop_tensors_after(here, 40)
except ComputeError as error:
    print(error)
"""


def test_full_disk_while_segments_are_joined(tmp_path):
    """All segments stay, and the next call joins them."""
    done = subprocess.run(
        [sys.executable, "-c", JOIN_ON_A_FULL_DISK], cwd=tmp_path,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    joined, rows_then, dropped = done.stdout.splitlines()
    assert (joined, rows_then) == ("27 2", "60")
    assert "cannot write the tensors anew" in dropped


def test_other_files_are_no_tensors(tmp_path):
    (tmp_path / "a.h5").write_text("no")
    with pytest.raises(FileFormatError, match="not a file of tensors"):
        read_tensors(tmp_path / "a.h5")
    (tmp_path / "tensors.h5").write_text("no")
    with pytest.raises(FileFormatError, match="damaged"):
        drop_tensors_after(tmp_path, 0)
    with h5py.File(tmp_path / "b.h5", "w") as other:
        other.attrs["format"] = "other"
    with pytest.raises(FileFormatError, match="format is not"):
        read_tensors(tmp_path / "b.h5")


SAMPLING = ("sampling.window_ps=0.04", "output.tensors_ps=0.1", "sampling.field_directions=[[0, 0, 1]]")


def test_run_in_two_parts_is_the_run_in_one(tmp_path):
    """Stopped and extended: echoes, spectra and tensors as in one go (nve, one rank)."""
    write_config(tmp_path)
    run_here(tmp_path, *SAMPLING, "output.folder=whole")
    run_here(tmp_path, *SAMPLING, "output.folder=parts", "md.production_ps=0.22")
    run_here(tmp_path, *SAMPLING, "output.folder=parts")
    whole, parts = (extra_of(results_of(tmp_path / name)) for name in ("whole", "parts"))
    assert whole.keys() == parts.keys() >= {"echo", "tensor_samples", "direction_0"}
    for group, arrays in whole.items():
        for name, value in arrays.items():
            np.testing.assert_allclose(
                parts[group][name], value, rtol=1e-5, atol=1e-7, err_msg=f"{group}/{name}"
            )
    a, b = (read_tensors(tmp_path / name / "tensors.h5") for name in ("whole", "parts"))
    np.testing.assert_allclose(a[0], b[0])
    assert len(a[0]) == 5
    np.testing.assert_allclose(a[2], b[2], atol=1e-5)
