"""Streams of dumps: the interval, what is skipped, resume, and damage in the middle."""

from pathlib import Path

import numpy as np
import pytest

from lpsnmr.efg import EfgModel
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.results import Results
from lpsnmr.results.tensor_file import read_tensors
from lpsnmr.runs import session as runs_session
from lpsnmr.runs.checkpoint import write_checkpoint
from lpsnmr.runs.stream import stream_dumps
from support.results_groups import extra_of
from support.streams import dump_frames, stream_settings

MODEL = EfgModel.default()


def stream(where, texts, **options):
    """Write the texts to a file and stream it; return outcome and results."""
    path = where / "dump"
    path.write_text("".join(texts))
    chosen = {"folder": where / "out", "timestep_fs": 2.0, "follow": False, **options}
    settings = stream_settings(**{name: value for name, value in chosen.items() if value is not None})
    outcome = stream_dumps([path], settings, MODEL)
    return outcome, Results.read(settings.output.folder / "results.h5")


def same(a, b, atol=1e-9):
    assert a.n_samples == b.n_samples
    for name in ("efg_correlation", "displacement"):
        np.testing.assert_allclose(getattr(a, name).values, getattr(b, name).values, rtol=1e-9, atol=atol)
        np.testing.assert_array_equal(getattr(a, name).counts, getattr(b, name).counts)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return stream(tmp_path_factory.mktemp("whole"), dump_frames(20))[1]


def test_numbers(whole):
    assert whole.n_samples == 20
    assert whole.sample_interval_ps == pytest.approx(0.02)
    assert whole.species_counts == {"Li": 12, "P": 4, "S": 16}
    # the common drift is removed: what is left is the white vibration, MSD = 3 · 2 · 0.05² (Li) + framework
    assert whole.displacement.values[1:].mean() == pytest.approx(6 * 0.05**2, rel=0.15)


@pytest.mark.parametrize("columns", ["x y z", "x y z ix iy iz"])
def test_wrapped_dumps_give_the_same(tmp_path, whole, columns):
    same(stream(tmp_path, dump_frames(20, columns=columns))[1], whole)


def test_time_from_the_dump(tmp_path, whole):
    texts = dump_frames(20, time=True)
    same(stream(tmp_path, texts, timestep_fs=None)[1], whole)
    with pytest.raises(InputError, match=r"0\.02 ps apart by ITEM: TIME, but 0\.01 ps"):
        stream(tmp_path, texts, timestep_fs=1.0, folder=tmp_path / "other")
    with pytest.raises(InputError, match="no ITEM: TIME; give --timestep-fs"):
        stream(tmp_path, dump_frames(3), timestep_fs=None, folder=tmp_path / "third")


def test_every_and_from_step(tmp_path):
    texts = dump_frames(20)
    _, thinned = stream(tmp_path, texts, every=3, from_step=20)
    _, expected = stream(tmp_path, texts[2::3], folder=tmp_path / "expected")
    assert thinned.n_samples == 6
    assert thinned.sample_interval_ps == pytest.approx(0.06)
    same(thinned, expected)


def test_resume_counts_nothing_twice(tmp_path, whole):
    texts = dump_frames(20, columns="x y z")
    outcome, first = stream(tmp_path, texts[:8])
    assert (outcome.n_samples, first.n_samples) == (8, 8)
    outcome, _ = stream(tmp_path, texts[:8])
    assert outcome.already
    outcome, rest = stream(tmp_path, texts)
    same(rest, whole)


def test_a_kill_between_results_and_checkpoint(tmp_path, monkeypatch):
    """Whichever of the two files is written second, the same command makes both whole."""
    texts, calls = dump_frames(12), []

    def killed_at_the_second(write):
        def call(*arguments):
            calls.append(write)
            if len(calls) == 2:
                raise KeyboardInterrupt
            write(*arguments)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(runs_session, "write_checkpoint", killed_at_the_second(write_checkpoint))
        patch.setattr(Results, "write", killed_at_the_second(Results.write))
        with pytest.raises(KeyboardInterrupt):
            stream(tmp_path, texts, frames=10)
    assert len(calls) == 2
    outcome, results = stream(tmp_path, texts, frames=10)
    assert outcome.n_samples == results.n_samples == 10
    (tmp_path / "other").mkdir()
    same(results, stream(tmp_path / "other", texts, frames=10)[1])


def test_resume_with_every(tmp_path):
    texts = dump_frames(20)
    _, whole = stream(tmp_path, texts, every=3)
    stream(tmp_path, texts[:8], every=3, folder=tmp_path / "b")
    same(stream(tmp_path, texts, every=3, folder=tmp_path / "b")[1], whole)


def test_frames_limit(tmp_path):
    outcome, results = stream(tmp_path, dump_frames(9), frames=5)
    assert (results.n_samples, outcome.reason) == (5, "5 samples")
    outcome, _ = stream(tmp_path, dump_frames(9), frames=5)
    assert outcome.already


def test_several_files_share_a_frame(tmp_path, whole):
    texts = dump_frames(20)
    (tmp_path / "a").write_text("".join(texts[:12]))
    (tmp_path / "b").write_text("".join(texts[11:]))
    settings = stream_settings(folder=tmp_path / "out", timestep_fs=2.0, follow=False)
    stream_dumps([tmp_path / "a", tmp_path / "b"], settings, MODEL)
    same(Results.read(tmp_path / "out" / "results.h5"), whole)


def test_truncated_dump_keeps_what_was_whole(tmp_path, whole):
    texts = dump_frames(20)
    with pytest.raises(FileFormatError, match="ends inside frame 12"):
        stream(tmp_path, [*texts[:11], texts[11][:-9]])
    assert Results.read(tmp_path / "out" / "results.h5").n_samples == 11
    same(stream(tmp_path, texts)[1], whole)  # the writer went on


def test_missing_frame(tmp_path):
    texts = dump_frames(6)
    with pytest.raises(FileFormatError, match="expected a frame at step 30, got step 40"):
        stream(tmp_path, texts[:3] + texts[4:])


@pytest.mark.parametrize("columns", ["xu yu zu", "x y z"])
def test_missing_frame_repaired(tmp_path, whole, columns):
    texts = dump_frames(20, columns=columns)
    with pytest.raises(FileFormatError, match="expected a frame at step 50, got step 60"):
        stream(tmp_path, texts[:5] + texts[6:])
    assert Results.read(tmp_path / "out" / "results.h5").n_samples == 5
    same(stream(tmp_path, texts)[1], whole)  # the frame that was refused is read again


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"nucleus": "23Na"}, "expected an isotope of Li"),
        ({"nucleus": "8Li"}, "unknown nucleus '8Li'"),
        ({"points_per_level": 3}, "points_per_level: expected a multiple of 2, got 3"),
        ({"jump_distance_angstrom": -3.0}, r"jumps\.distance_angstrom: expected greater than 0, got -3"),
        ({"temperature_k": float("nan")}, r"stream\.temperature_k: .* number.*, got .*NaN"),
        ({"temperature_k": 100_000.0}, r"stream\.temperature_k: expected .* equal to 10000, got 100000"),
        ({"checkpoint_min": 0.0}, "checkpoint_min: expected greater than 0"),
        ({"idle_s": float("nan")}, r"stream\.idle_s: .* number"),
        ({"timestep_fs": 0.002}, r"stream\.timestep_fs: expected .* equal to 0\.05, got 0\.002"),
    ],
)
def test_unfit_settings(options, words):
    with pytest.raises(InputError, match=words):
        stream_settings(**options)


def test_echoes_and_tensors_of_a_stream_in_parts(tmp_path):
    """Read in three goes, the second ended by a lost frame: as read in one."""
    nmr = {
        "window_ps": 0.06, "evolution_times_us": (3.0,), "orientation_degree": 11, "tensors_ps": 0.04,
        "field_directions": ((1.0, 2.0, 3.0),),
    }  # fmt: skip
    texts = dump_frames(20)
    for folder in ("one", "parts"):
        (tmp_path / folder).mkdir()
    one = stream(tmp_path / "one", texts, **nmr)[1]
    stream(tmp_path / "parts", texts[:7], **nmr)
    with pytest.raises(FileFormatError, match="expected a frame at step 120"):
        stream(tmp_path / "parts", texts[:12] + texts[13:], **nmr)
    parts = stream(tmp_path / "parts", texts, **nmr)[1]
    assert extra_of(one).keys() == extra_of(parts).keys() >= {"echo", "tensor_samples", "direction_0"}
    for group, arrays in extra_of(one).items():
        for name, value in arrays.items():
            np.testing.assert_allclose(extra_of(parts)[group][name], value, rtol=1e-12, atol=1e-12)
    a, b = (read_tensors(tmp_path / folder / "out" / "tensors.h5") for folder in ("one", "parts"))
    np.testing.assert_allclose(a[0], 0.04 * np.arange(10))
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)
    assert [p.name for p in (tmp_path / "parts" / "out").glob("tensors*")] == ["tensors.h5"]
    with pytest.raises(InputError, match=r"window_ps was 0\.06, is now 0\.1"):
        stream(tmp_path / "parts", texts, window_ps=0.1)


def test_changed_settings_and_strange_folders(tmp_path):
    texts = dump_frames(4)
    stream(tmp_path, texts)
    with pytest.raises(InputError, match="every was 1, is now 2"):
        stream(tmp_path, texts, every=2)
    (tmp_path / "out" / "checkpoint.h5").unlink()
    with pytest.raises(InputError, match="no checkpoint"):
        stream(tmp_path, texts)
    with pytest.raises(InputError, match="one frame to sample"):
        stream(tmp_path, texts[:1], folder=tmp_path / "single")
    for bad in ({"every": 0}, {"frames": 1}, {"timestep_fs": -1.0}):
        with pytest.raises(InputError, match="expected"):
            stream_settings(folder=Path("x"), **bad)
