"""Trajectories in the manner of publicly reported situations, with the right values (12 of 128 atoms)."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.structures.framework import Framework
from lpsnmr.trajectory.formats import ReaderOptions
from lpsnmr.trajectory.joined import Trajectory
from lpsnmr.trajectory.plan import REPEATED, REPLACED
from lpsnmr.trajectory.time_grid import GridSettings, TimeGrid, hint
from lpsnmr.trajectory.unwrap import Unwrapper

DATA = Path(__file__).parent / "data"


def read(*names, join="steps", **options):
    """Return the trajectory and its frames."""
    paths = [name if isinstance(name, Path) else DATA / f"{name}.dump.gz" for name in names]
    trajectory = Trajectory(paths, ReaderOptions(**options), join)
    return trajectory, list(trajectory)


def text_of(name):
    return gzip.decompress((DATA / f"{name}.dump.gz").read_bytes()).decode()


def steps_of(frames):
    return [frame.step for frame in frames]


def test_a_breathing_cell_moves_nothing():
    """Rigid crystal in a box that breathes, Li far from their first image: 0.03 Å² in every convention."""
    moved = {}
    for name in ("breathing_x", "breathing_xu"):
        _, frames = read(name)
        unwrapper = Unwrapper()
        frames = [unwrapper.follow(frame) for frame in frames]
        framework = Framework(frames[0].numbers)
        lithium = frames[0].numbers == 3
        places = np.array([f.unwrapped[lithium] - framework.position(f.unwrapped) for f in frames])
        moved[name] = places - places[0]
        assert unwrapper.strain[3] == pytest.approx(0.098, abs=0.01)  # the volume's whole range
    np.testing.assert_allclose(moved["breathing_x"], moved["breathing_xu"], atol=1e-6)
    msd = np.mean(np.sum(moved["breathing_xu"] ** 2, axis=2))
    assert msd < 0.1
    raw = np.array([frame.unwrapped[lithium] for frame in read("breathing_xu")[1]])
    assert np.mean(np.sum((raw - raw[0]) ** 2, axis=2)) > 2.0  # what the positions as they are would give


def test_steps_that_begin_anew():
    with pytest.raises(FileFormatError, match=r"reset_b.*begins again at step 0.*reset_a.*--join append"):
        read("reset_a", "reset_b")
    trajectory, frames = read("reset_a", "reset_b", join="append")
    assert steps_of(frames) == list(range(0, 800, 50))
    assert any("step 0 is counted as 400" in note for note in trajectory.notes)
    with pytest.raises(FileFormatError, match=r"reset_a"):
        read("reset_a", "reset_a", "reset_b")  # three runs from 0: the first two alike, the third not


def test_steps_that_begin_anew_after_a_later_start(tmp_path):
    """The first file begins late: the steps alone would put the second one before it."""
    late = tmp_path / "late.dump"
    late.write_text("".join(frame_texts("first_offset")[1:]))
    with pytest.raises(FileFormatError, match=r"come after 2050 to .* --join append"):
        read(late, "reset_b")


def frame_texts(name):
    parts = text_of(name).split("ITEM: TIMESTEP\n")
    return ["ITEM: TIMESTEP\n" + part for part in parts[1:]]


@pytest.mark.parametrize("order", [("order_a", "order_b"), ("order_b", "order_a")])
def test_files_in_any_order(order):
    trajectory, frames = read(*order)
    assert steps_of(frames) == list(range(3750, 5300, 50))
    assert trajectory.left_out[REPEATED] == 21
    assert ("order of their steps" in " ".join(trajectory.notes)) == (order[0] == "order_b")


def test_one_file_a_frame_in_the_order_of_a_shell(tmp_path):
    paths = []
    for k, text in enumerate(frame_texts("order_a")):
        paths.append(tmp_path / f"dump.{3750 + 50 * k}")
        paths[-1].write_text(text)
    trajectory, frames = read(*sorted(paths, key=lambda path: path.name[::-1]))
    assert steps_of(frames) == list(range(3750, 5050, 50))
    assert trajectory.left_out.total() == 0


def test_a_restart_in_the_file_of_the_first_run():
    trajectory, frames = read("append_restart")
    assert steps_of(frames) == list(range(250, 1000, 50))
    assert [frame.time_ps for frame in frames] == pytest.approx([0.002 * step for step in steps_of(frames)])
    assert trajectory.left_out[REPEATED] == 3
    trajectory, frames = read("append_duplicate")
    assert steps_of(frames) == sorted(set(steps_of(frames)))
    assert trajectory.left_out[REPEATED] == 1


def test_a_restart_that_went_another_way(tmp_path):
    """The frames of the first run after the restart are replaced, and counted."""
    texts = frame_texts("order_a")
    other = [text.replace("\n1 Li 1", "\n1 Li 2") for text in texts[5:9]]
    path = tmp_path / "both.dump"
    path.write_text("".join([*texts[:9], texts[4], *other, *texts[9:]]))
    trajectory, frames = read(path)
    assert steps_of(frames) == list(range(3750, 5050, 50))
    assert trajectory.left_out == {REPLACED: 4, REPEATED: 1}
    assert "from step 3950 on replaced by those of the restart" in trajectory.notes[-1]
    assert frames[6].positions[0, 0] != pytest.approx(float(texts[6].split("\n1 Li ")[1].split()[0]))


def test_two_runs_from_one_start(tmp_path):
    texts = frame_texts("order_a")
    other = [text.replace("\n1 Li 1", "\n1 Li 2") for text in texts[1:]]
    for name, parts in (("one", texts), ("two", [texts[0], *other])):
        (tmp_path / name).write_text("".join(parts))
    with pytest.raises(FileFormatError, match=r"two: begins at step 3750 .* another run by step 5000"):
        read(tmp_path / "one", tmp_path / "two")


def test_the_same_file_twice_counts_once():
    trajectory, frames = read("order_a", "order_a")
    assert len(frames) == len(set(steps_of(frames))) == 26
    assert trajectory.left_out[REPEATED] == 26


def test_elements_left_at_the_default():
    _, frames = read("element_c", elements=("Li", "P", "S"))
    assert np.bincount(frames[0].numbers)[[3, 15, 16]].tolist() == [6, 2, 4]
    with pytest.raises(FileFormatError, match=r"every atom is C, .*dump_modify element; give --elements"):
        read("element_c")


def test_elements_that_could_not_be_used_are_no_secret(tmp_path):
    """``--elements`` and a dump with names alone: they agree, or it is an error."""
    assert len(read("reset_a", elements=("Li", "P", "S"))[1]) == 8
    with pytest.raises(FileFormatError, match=r"element P in the dump, but --elements Li,S,Si"):
        read("reset_a", elements=("Li", "S", "Si"))


def test_type_labels(tmp_path):
    _, frames = read("typelabel")
    assert np.bincount(frames[0].numbers)[[3, 15, 16]].tolist() == [6, 2, 4]
    text = text_of("typelabel").replace(" Li ", " Li_01 ").replace(" S ", " S2- ")
    (tmp_path / "labels").write_text(text)
    np.testing.assert_array_equal(read(tmp_path / "labels")[1][0].numbers, frames[0].numbers)
    (tmp_path / "labels").write_text(text.replace(" P ", " phos "))
    with pytest.raises(FileFormatError, match="'phos' is not an element"):
        read(tmp_path / "labels")
    text = text_of("typelabel").replace("typelabel", "element typelabel")
    both = re.sub(r"(?m)^(\d+) (Li|P|S) ", r"\1 C \2 ", text)
    (tmp_path / "labels").write_text(both)
    np.testing.assert_array_equal(read(tmp_path / "labels")[1][0].numbers, frames[0].numbers)


def test_a_first_frame_off_the_grid():
    trajectory, frames = read("first_offset")
    grid = TimeGrid(GridSettings(timestep_fs=2.0))
    assert grid.place(frames[0]) == 2023
    grid.took(frames[1], grid.place(frames[1]))
    with pytest.raises(FileFormatError, match="expected a frame at step 2077, got step 2100"):
        grid.place(frames[2])
    assert hint(trajectory.known_steps) == (
        "the first frame, step 2023, is off the grid of the others, every 50 steps: --from-step 2050 leaves "
        "it out"
    )


def test_another_system(tmp_path):
    with pytest.raises(FileFormatError, match=r"lionly.*: 6 atoms, but .*reset_a.* has 12: another system"):
        read("reset_a", "lionly", join="append")
    texts = frame_texts("order_b")
    later = "".join(texts).replace(" Li ", " Na ")
    (tmp_path / "na").write_text(later)
    with pytest.raises(FileFormatError, match=r"na: begins again .* another frame"):
        read("order_a", tmp_path / "na")
    (tmp_path / "na").write_text("".join(texts[21:]).replace(" Li ", " Na "))
    with pytest.raises(FileFormatError, match=r"na: other atom ids or elements than .*order_a"):
        read("order_a", tmp_path / "na")
    wide = "".join(texts[21:]).replace("10.3190002441", "11.3190002441")
    (tmp_path / "wide").write_text(wide)
    with pytest.raises(
        FileFormatError, match=r"wide: does not continue .*order_a.* cell that is 7.8% longer"
    ):
        read("order_a", tmp_path / "wide")
    moved = re.sub(r"(?m)^(\d+) (Li|S) \S+", r"\1 \2 0.\1", "".join(texts[21:]))
    (tmp_path / "moved").write_text(moved)
    with pytest.raises(FileFormatError, match=r"moved: does not continue .* Å \(root mean square\)"):
        read("order_a", tmp_path / "moved")


def test_what_is_accepted_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\nworld\n")
    with pytest.raises(FileFormatError, match=r"notes.txt: .*LAMMPS dumps .*XTC, TRR, DCD, NetCDF"):
        read(tmp_path / "notes.txt")
    with pytest.raises(FileFormatError, match=r"absent: cannot open"):
        read(tmp_path / "absent")
    with pytest.raises(InputError, match="expected at least one trajectory"):
        Trajectory([], ReaderOptions())
    with pytest.raises(InputError, match="join: expected one of steps, append, got 'time'"):
        Trajectory([tmp_path], ReaderOptions(), "time")
