"""One trajectory in every convention, cut, joined, reordered, repeated at random: the same or an error."""

import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.formats import ReaderOptions
from lpsnmr.trajectory.frames import Frame
from lpsnmr.trajectory.joined import Trajectory
from lpsnmr.trajectory.time_grid import GridSettings, TimeGrid, hint
from lpsnmr.trajectory.unwrap import Unwrapper
from support.dump_text import dump_text

ELEMENTS = ["Li", "Li", "P", "S", "S"]
FRAMES, EVERY = 16, 50


def walk(seed, breathe, box="restricted"):
    """Return cells, corners, fractional and Cartesian positions of a random walk in a breathing cell."""
    rng = np.random.default_rng(seed)
    cell = np.array([[8.0, 0, 0], [1.0, 9.0, 0], [-1.5, 0.7, 10.0]])
    if box == "orthogonal":
        cell = np.diag(np.diag(cell))
    strain = 1.0 + breathe * np.cumsum(rng.normal(size=(FRAMES, 3)), axis=0)
    cells = cell[None] * strain[:, None, :]
    origins = np.array([3.0, -2.0, 5.0]) - 0.5 * cells.sum(axis=1)  # breathes about a middle that is not 0
    steps = rng.normal(scale=0.02, size=(FRAMES, len(ELEMENTS), 3))
    fractional = np.cumsum(steps, axis=0) + rng.uniform(-20, 20, (1, len(ELEMENTS), 3))
    positions = np.einsum("kni,kij->knj", fractional, cells) + origins[:, None]
    return cells, origins, fractional, positions


def truth(cells, fractional):
    """Return the sum of increments of fractional coordinates, each in the mean of its two cells."""
    mean = 0.5 * (cells[1:] + cells[:-1])
    return np.concatenate(
        [np.zeros((1, *fractional.shape[1:])), np.cumsum(np.diff(fractional, axis=0) @ mean, axis=0)]
    )


def texts_of(cells, origins, fractional, positions, columns, box, images=True, time=False):
    out = []
    for k in range(FRAMES):
        image = np.floor(fractional[k]).astype(int)
        text = dump_text(
            EVERY * k, cells[k], origins[k], range(1, len(ELEMENTS) + 1), ELEMENTS, positions[k],
            columns=columns, images=image, box=box, time=0.1 * k if time else None,
        )  # fmt: skip
        if not images and columns in {"x", "xs"}:
            lines = text.split("\n")
            at = next(i for i, line in enumerate(lines) if line.startswith("ITEM: ATOMS"))
            lines[at] = lines[at].replace(" ix iy iz", "")
            lines[at + 1 :] = [" ".join(line.split()[:-3]) for line in lines[at + 1 :]]
            text = "\n".join(lines)
        out.append(text.replace("pp pp ff", "pp pp pp"))
    return out


def followed(paths, join="steps", **options):
    """Return steps and displacements since the first frame, as a stream would follow them."""
    trajectory = Trajectory(paths, ReaderOptions(**options), join)
    unwrapper, steps, places = Unwrapper(), [], []
    for frame in trajectory:
        frame = unwrapper.follow(frame)
        steps.append(frame.step)
        places.append(frame.unwrapped)
    return trajectory, steps, np.array(places) - places[0]


@settings(max_examples=60, deadline=None)
@given(
    columns=st.sampled_from(["x", "xu", "xs", "xsu"]),
    images=st.booleans(),
    box=st.sampled_from(["restricted", "general", "orthogonal"]),
    breathe=st.sampled_from([0.0, 1e-3, 1e-2]),
    seed=st.integers(0, 2**31),
)
def test_every_convention_gives_the_same_displacements(tmp_path_factory, columns, images, box, breathe, seed):
    parts = walk(seed, breathe, box)
    path = tmp_path_factory.mktemp("dump") / "dump"
    path.write_text("".join(texts_of(*parts, columns, box, images)))
    _, steps, moved = followed([path])
    assert steps == list(range(0, EVERY * FRAMES, EVERY))
    np.testing.assert_allclose(moved, truth(parts[0], parts[2]), atol=1e-8)


@settings(max_examples=120, deadline=None)
@given(
    columns=st.sampled_from(["x", "xu", "xsu"]),
    breathe=st.sampled_from([0.0, 2e-3]),
    cuts=st.lists(st.tuples(st.integers(0, FRAMES - 1), st.integers(1, FRAMES)), min_size=1, max_size=5),
    renumber=st.booleans(),
    join=st.sampled_from(["steps", "append"]),
    seed=st.integers(0, 2**20),
)
def test_pieces_give_the_whole_or_an_error(tmp_path_factory, columns, breathe, cuts, renumber, join, seed):
    """Pieces of one run, overlapping, repeated, out of order, some with steps that begin anew."""
    parts = walk(seed, breathe)
    texts = texts_of(*parts, columns, "restricted")
    folder = tmp_path_factory.mktemp("dump")
    paths, covered = [], set()
    for k, (begin, length) in enumerate(cuts):
        piece = range(begin, min(begin + length, FRAMES))
        text = "".join(texts[i] for i in piece)
        if renumber and k:
            for i in piece:
                text = text.replace(f"TIMESTEP\n{EVERY * i}\n", f"TIMESTEP\n@{EVERY * (i - begin)}\n")
        paths.append(folder / f"dump.{k}")
        paths[-1].write_text(text.replace("@", ""))
        covered |= set(piece)
    trajectory, steps, moved = outcome = followed_or_refused(paths, join)
    if outcome == REFUSED:
        return
    starts = [begin for begin, _ in cuts]
    if join == "append" and (renumber or starts != sorted(starts)):
        return  # joined on demand, whether they continue each other or not
    if renumber and len(cuts) > 1:
        check_frames(paths, parts, steps, cuts)
        return
    present = sorted(covered)
    if join == "steps":
        assert steps == [EVERY * k for k in present]
        expected = truth(parts[0][present], parts[2][present])
        np.testing.assert_allclose(moved, expected, atol=1e-7)
        total = sum(min(b + n, FRAMES) - b for b, n in cuts)
        assert len(steps) + trajectory.left_out.total() == total


REFUSED = (None, None, None)


def followed_or_refused(paths, join):
    try:
        return followed(paths, join)
    except FileFormatError as error:
        message = str(error)
    if not any(str(path) in message for path in paths):
        raise AssertionError(message)
    return REFUSED


def check_frames(paths, parts, steps, cuts):
    """Each frame is told by its places: between two frames lies the time that lay between them in the run."""
    if min(length for _, length in cuts) < 2 or max(begin for begin, _ in cuts) == FRAMES - 1:
        return  # files of one frame each are put in the order of their steps, whatever these are
    fractional = parts[2]
    found = []
    for frame in Trajectory(paths, ReaderOptions()):
        places = np.linalg.solve(frame.cell.T, (frame.positions - np.asarray(frame.origin)).T).T
        away = [np.abs(p - np.round(p)).max() for p in (places - fractional)]
        found.append(int(np.argmin(away)))
        assert away[found[-1]] < 1e-8
    np.testing.assert_array_equal(np.diff(steps), EVERY * np.diff(found))


def test_steps_and_displacements_when_pieces_begin_anew(tmp_path):
    """Three pieces, each from step 0, the second and third with the last frame of the one before."""
    parts = walk(3, 1e-3)
    texts = texts_of(*parts, "xu", "restricted", time=True)
    paths = []
    for k, (begin, end) in enumerate([(0, 6), (5, 11), (10, 16)]):
        paths.append(tmp_path / f"{k}.dump")
        renumbered = [
            text.replace(f"TIMESTEP\n{EVERY * i}\n", f"TIMESTEP\n{EVERY * (i - begin)}\n").replace(
                f"TIME\n{0.1 * i!r}\n", f"TIME\n{0.1 * (i - begin)!r}\n"
            )
            for i, text in enumerate(texts)
        ]
        paths[-1].write_text("".join(renumbered[begin:end]))
    trajectory, steps, moved = followed(paths, "append")
    assert steps == list(range(0, EVERY * FRAMES, EVERY))
    np.testing.assert_allclose(moved, truth(parts[0], parts[2]), atol=1e-8)
    assert trajectory.left_out.total() == 2
    frames = list(Trajectory(paths, ReaderOptions(), "append"))
    np.testing.assert_allclose([frame.time_ps for frame in frames], 0.1 * np.arange(FRAMES), atol=1e-9)
    with pytest.raises(FileFormatError, match="--join append"):
        followed(paths)


@pytest.mark.parametrize("breathe", [0.0, 3e-3])
def test_going_on_from_a_state(breathe):
    """Stopped and resumed at any frame: the same displacements."""
    cells, origins, fractional, _ = walk(5, breathe)
    numbers = np.array([3, 3, 15, 16, 16], dtype=np.int32)
    frames = [
        Frame(
            k, None, cells[k], (True, True, True), np.arange(1, 6), numbers,
            (fractional[k] - np.floor(fractional[k])) @ cells[k] + origins[k], None, tuple(origins[k]),
        )
        for k in range(FRAMES)
    ]  # fmt: skip
    whole = Unwrapper()
    expected = [whole.follow(frame) for frame in frames]
    for stop in (1, 7, 15):
        first = Unwrapper()
        for frame in frames[:stop]:
            first.follow(frame)
        second = Unwrapper(state=first.state())
        for frame, wanted in zip(frames[stop:], expected[stop:], strict=True):
            found = second.follow(frame)
            np.testing.assert_array_equal(found.unwrapped, wanted.unwrapped)
            assert (found.affine is None) == (breathe == 0.0)
            if found.affine is not None:
                np.testing.assert_array_equal(found.affine, wanted.affine)


def test_an_open_axis_does_not_hide_which_atom_moved():
    """Along an open axis atoms go as far as they like; the message names the one that cannot be followed."""
    unwrapper = Unwrapper()
    cell = np.eye(3) * 10.0
    unwrapper.add(np.zeros((3, 3)), cell, (True, True, False))
    with pytest.raises(InputError, match=r"atom 2 of the sorted frame moved by 0\.45"):
        unwrapper.add(np.array([[0, 0, 9.0], [4.5, 0, 0], [0, 1, 7.0]]), cell, (True, True, False))


def frame_at(step, time_ps=None):
    return Frame(
        step,
        time_ps,
        np.eye(3),
        (True, True, True),
        np.array([1]),
        np.array([3], dtype=np.int32),
        np.zeros((1, 3)),
    )


def placed(grid, frames):
    out = []
    for frame in frames:
        step = grid.place(frame)
        if step is not None:
            if grid.interval_steps:
                grid.took(frame, step)
            out.append(step)
    return out


def test_even_times_with_uneven_steps():
    """A run whose time step was changed, dumped at even times: placed by time, under even steps."""
    times = [frame_at(step, 0.1 * k) for k, step in enumerate([0, 50, 100, 200, 300, 325])]
    grid = TimeGrid(GridSettings())
    assert placed(grid, times) == [0, 50, 100, 150, 200, 250]
    assert grid.by_time
    assert grid.interval_ps == pytest.approx(0.1)
    grid = TimeGrid(GridSettings(every=2))
    assert placed(grid, times) == [0, 100, 200]
    uneven = [frame_at(step, time) for step, time in [(0, 0.0), (50, 0.1), (100, 0.2), (150, 0.25)]]
    with pytest.raises(FileFormatError, match=r"step 150 comes 0.05 ps after step 100, expected 0.1 ps"):
        placed(TimeGrid(GridSettings()), uneven)


@pytest.mark.parametrize(
    ("settings", "times", "words"),
    [
        ({}, (0.0, 100.0), r"MD step is 2000 fs by ITEM: TIME.*units real \(fs\)\? Give --units real"),
        ({}, (0.0, 1e-4), r"MD step is 0.002 fs by ITEM: TIME.*--units metal"),
        (
            {"timestep_fs": 25.0},
            None,
            r"--timestep-fs 25: expected 0.05 to 20 fs; the option is in fs, not ps",
        ),
        ({"timestep_fs": 0.002}, None, r"--timestep-fs 0.002: expected 0.05 to 20 fs"),
        ({"frame_ps": 100.0}, None, r"MD step is 2000 fs with --frame-ps 100"),
        (
            {"frame_ps": 0.1, "timestep_fs": 1.0},
            None,
            r"--frame-ps 0.1 contradicts a time step of 1 fs: 0.05 ps",
        ),
        ({}, None, r"no ITEM: TIME; give --timestep-fs \(or --frame-ps"),
        ({}, (0.1, 0.1), r"ITEM: TIME does not advance"),
    ],
)
def test_times_that_cannot_be(settings, times, words):
    grid = TimeGrid(GridSettings(**settings))
    frames = [frame_at(50 * k, None if times is None else times[k]) for k in range(2)]
    with pytest.raises(InputError, match=words):
        placed(grid, frames)


def test_frames_without_steps_may_be_any_time_apart():
    grid = TimeGrid(GridSettings(frame_ps=0.5))
    assert grid.place(frame_at(0), has_steps=False) == 0
    assert grid.place(frame_at(1), has_steps=False) == 1
    assert grid.interval_ps == 0.5


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([0, 50, 100, 150], ""),
        ([0, 50, 100, 120], "the last frame, step 120, .*--frames 3"),
        ([0, 50, 100, 200, 300, 400], "--every 2"),
        ([0, 50, 100, 200, 250, 300], "not after step 100; 1 are missing"),
        ([0, 10, 30], "not after step"),
    ],
)
def test_hints(steps, words):
    assert re.search(words, hint(steps))
    assert bool(words) == bool(hint(steps))


def test_a_growing_file_that_repeats_itself(tmp_path):
    """Followed while a restart appends: frames that were read are known again; another run is refused."""
    parts = walk(9, 0.0)
    texts = texts_of(*parts, "xu", "restricted")
    path = tmp_path / "dump"
    path.write_text("".join(texts[:6]))
    trajectory = Trajectory([path], ReaderOptions(follow=True, idle_s=0.3))
    frames = iter(trajectory)
    first = [next(frames) for _ in range(6)]
    with path.open("a") as file:
        file.write("".join(texts[3:9]))
    rest = list(frames)
    assert [f.step for f in first + rest] == list(range(0, 450, 50))
    assert trajectory.left_out.total() == 3
    trajectory = Trajectory([path], ReaderOptions(follow=True, idle_s=0.3))
    frames = iter(trajectory)
    for _ in range(9):
        next(frames)
    other = texts_of(*walk(10, 0.0), "xu", "restricted")
    with path.open("a") as file:
        file.write(other[5])
    with pytest.raises(
        FileFormatError, match=r"step 250 after step 400, and no frame read before it is the same"
    ):
        next(frames)


def test_damage_in_any_of_several_files(tmp_path):
    parts = walk(11, 0.0)
    texts = texts_of(*parts, "xu", "restricted")
    rng = random.Random(1)
    for _ in range(20):
        k = rng.randrange(3)
        pieces = ["".join(texts[a:b]) for a, b in ((0, 6), (5, 11), (10, 16))]
        lines = pieces[k].split("\n")
        del lines[rng.randrange(10, len(lines) - 10)]
        pieces[k] = "\n".join(lines)
        paths = []
        for n, piece in enumerate(pieces):
            paths.append(tmp_path / f"{n}.dump")
            paths[-1].write_text(piece)
        with pytest.raises(FileFormatError, match=rf"{k}\.dump"):
            followed(paths)
