"""The same trajectory in every format that is read, and every format damaged by the thousand."""

import bz2
import functools
import gzip
import lzma
import os
import random
import re
import warnings

import ase
import ase.io
import numpy as np
import pytest
import zstandard

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.structures import load_structure
from lpsnmr.trajectory import mda_files
from lpsnmr.trajectory.binary_dump import BinaryDumpReader
from lpsnmr.trajectory.data_file import write_data_file
from lpsnmr.trajectory.dump import DumpReader
from lpsnmr.trajectory.formats import ReaderOptions, format_of, open_trajectory
from lpsnmr.trajectory.imd import imd_address
from lpsnmr.trajectory.joined import Trajectory
from lpsnmr.trajectory.unwrap import Unwrapper
from support.damage import damaged, is_refused
from support.dump_text import dump_text
from support.lammps_runs import run_lmp

FRAMES = 6
CELL = np.array([[11.0, 0, 0], [1.0, 12.0, 0], [-1.5, 0.5, 13.0]])
SYMBOLS = ["Li"] * 4 + ["P"] + ["S"] * 4


def images():
    """Frames of a random walk through the boundary."""
    rng = np.random.default_rng(2)
    positions = rng.uniform(0, 10, (len(SYMBOLS), 3))
    frames = []
    for _ in range(FRAMES):
        positions = positions + rng.normal(scale=0.5, size=positions.shape)
        frames.append(ase.Atoms(SYMBOLS, positions=positions, cell=CELL, pbc=True))
    return frames


PACKERS = {
    ".gz": functools.partial(gzip.compress, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def write(path, kind):
    """Write the walk in a format."""
    frames = images()
    name = path / {"xdatcar": "XDATCAR"}.get(kind, f"walk.{kind}")
    if kind.startswith("dump"):
        text = "".join(
            dump_text(
                10 * k, CELL, np.zeros(3), range(1, len(SYMBOLS) + 1), SYMBOLS, f.positions, box="restricted",
                time=0.02 * k,
            )
            for k, f in enumerate(frames)
        ).replace("pp pp ff", "pp pp pp").encode()  # fmt: skip
        pack = PACKERS.get(name.suffix, bytes)
        name.write_bytes(pack(text))
    elif kind in {"extxyz", "extxyz.gz"}:
        for k, frame in enumerate(frames):
            frame.info["step"] = 10 * k
        ase.io.write(name, frames, format="extxyz")
    elif kind == "traj":
        ase.io.write(name, frames)
    elif kind == "xdatcar":
        ase.io.write(name, frames, format="vasp-xdatcar")
    else:
        write_with_mda(name, frames)
    write_data_file(path / "structure.data", frames[0], ["Li", "P", "S"])
    return name


def write_with_mda(name, frames):
    mda = pytest.importorskip("MDAnalysis")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = mda.Universe.empty(len(SYMBOLS), trajectory=True)
        options = {"precision": 4} if name.suffix == ".xtc" else {}
        if name.suffix == ".dcd":
            options = {"dt": 0.02, "nsavc": 10, "istart": 0}
        with mda.Writer(str(name), len(SYMBOLS), **options) as writer:
            for k, frame in enumerate(frames):
                universe.atoms.positions = frame.positions
                universe.trajectory.ts.dimensions = frame.cell.cellpar()
                universe.trajectory.ts.time = 0.02 * k
                universe.trajectory.ts.data["step"] = 10 * k
                writer.write(universe.atoms)


DUMPS = ["dump", "dump.gz", "dump.bz2", "dump.xz", "dump.zst"]
KINDS = [*DUMPS, "extxyz", "extxyz.gz", "traj", "xdatcar", "xtc", "trr", "dcd", "nc"]
STEPLESS = {"traj", "xdatcar", "nc"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_walk(tmp_path, kind):
    path = write(tmp_path, kind)
    numbers = np.asarray(load_structure(tmp_path / "structure.data").numbers, dtype=np.int32)
    trajectory = Trajectory([path], ReaderOptions(numbers=numbers))
    unwrapper = Unwrapper()
    frames = [unwrapper.follow(frame) for frame in trajectory]
    truth = np.array([frame.positions for frame in images()])
    found = np.array([frame.unwrapped for frame in frames])
    atol = {"xtc": 2e-3, "trr": 2e-5, "dcd": 2e-5, "nc": 2e-5, "xdatcar": 2e-6}.get(kind, 1e-6)
    np.testing.assert_allclose(found - found[0], truth - truth[0], atol=atol)
    np.testing.assert_array_equal(frames[0].numbers, images()[0].numbers)
    np.testing.assert_allclose(frames[0].cell, CELL, atol=1e-4)
    assert [f.step for f in frames] == [k * (1 if kind in STEPLESS else 10) for k in range(FRAMES)]
    assert trajectory.has_steps == (kind not in STEPLESS)
    if kind in {"xtc", "trr", "nc"} or kind in DUMPS:
        np.testing.assert_allclose([f.time_ps for f in frames], 0.02 * np.arange(FRAMES), atol=1e-6)


@pytest.mark.parametrize("kind", ["xtc", "trr", "dcd", "nc"])
def test_formats_without_elements_need_a_topology(tmp_path, kind):
    path = write(tmp_path, kind)
    with pytest.raises(InputError, match=rf"walk.{kind}: {kind} files hold no elements; give --topology"):
        open_trajectory(path, ReaderOptions())
    with pytest.raises(FileFormatError, match=r"9 atoms, but the topology has 4"):
        list(open_trajectory(path, ReaderOptions(numbers=np.full(4, 3, dtype=np.int32))))


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    """In a process that cannot import it."""
    path = write(tmp_path, "xtc")
    (tmp_path / "MDAnalysis.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(mda_files, "_worker", mda_files._Worker())
    with pytest.raises(InputError, match=r"need MDAnalysis: pip install 'lpsnmr\[trajectories\]'"):
        list(open_trajectory(path, ReaderOptions(numbers=np.full(9, 3, dtype=np.int32))))
    mda_files._worker.end()


def test_a_reader_that_crashes_ends_alone(tmp_path):
    """A TRR file whose damage crashes the C code that reads it: an error, and the next file is read."""
    path = write(tmp_path, "trr")
    good = path.read_bytes()
    options = ReaderOptions(numbers=np.full(9, 3, dtype=np.int32))
    messages = set()
    for seed in range(40):
        path.write_bytes(damaged(random.Random(seed), good))
        if is_refused(
            lambda file: messages.add(refusal(file, options)) or list(open_trajectory(file, options)), path
        ):
            continue
    assert any("crashed" in message for message in messages)
    path.write_bytes(good)
    assert len(list(open_trajectory(path, options))) == FRAMES


def refusal(path, options):
    try:
        list(open_trajectory(path, options))
    except FileFormatError as error:
        return str(error)
    return ""


def test_times_in_single_precision_are_even(tmp_path):
    """0.1 ps apart at 100 ns, where single precision holds steps of 0.008 ps."""
    mda = pytest.importorskip("MDAnalysis")
    frames = images()
    path = tmp_path / "late.xtc"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = mda.Universe.empty(len(SYMBOLS), trajectory=True)
        with mda.Writer(str(path), len(SYMBOLS)) as writer:
            for k in range(200):
                universe.atoms.positions = frames[k % FRAMES].positions
                universe.trajectory.ts.dimensions = frames[0].cell.cellpar()
                universe.trajectory.ts.time = 1e5 + 0.1 * k
                universe.trajectory.ts.data["step"] = 50_000_000 + 50 * k
                writer.write(universe.atoms)
    numbers = np.asarray(frames[0].numbers, dtype=np.int32)
    times = np.array([f.time_ps for f in open_trajectory(path, ReaderOptions(numbers=numbers))])
    np.testing.assert_allclose(np.diff(times), 0.1, rtol=1e-3)
    assert np.ptp(np.diff(times)) < 1e-9


def test_formats_are_known_by_what_is_in_them(tmp_path):
    for kind in KINDS:
        path = write(tmp_path, kind)
        plain = tmp_path / "without_a_name"
        plain.write_bytes(path.read_bytes())
        expected = "dump" if kind.startswith("dump") else {"xdatcar": "dump"}.get(kind, kind.split(".")[0])
        if kind != "extxyz.gz":
            assert format_of(plain) == expected, kind
    assert format_of(tmp_path / "to_come.dump") == "dump"


BINARY = """units metal
atom_style atomic
region b prism 0 11 0 12 0 13 1.0 -1.5 0.5
create_box 3 b
create_atoms 1 random 6 5 b
create_atoms 3 random 7 9 b
mass * 20
pair_style zero 4
pair_coeff * *
velocity all create 900 7
fix 1 all nve
timestep 0.002
dump 1 all custom 5 a.bin id type {columns}
dump 2 all custom 5 a.txt id type {columns}
dump_modify 1 time yes units yes
dump_modify 2 time yes units yes format float %.17g
run 20
"""


@pytest.mark.parametrize("columns", ["x y z ix iy iz", "xu yu zu", "xs ys zs", "xsu ysu zsu", "x y z vx"])
@pytest.mark.parametrize("ranks", [1, 2])
def test_binary_dumps_are_those_of_text(tmp_path, columns, ranks):
    done = run_lmp(BINARY.format(columns=columns), tmp_path, ranks)
    assert done.returncode == 0, done.stdout
    binary = BinaryDumpReader(tmp_path / "a.bin", elements=["Li", "P", "S"])
    assert binary.steps() == [0, 5, 10, 15, 20]
    pairs = zip(binary, DumpReader(tmp_path / "a.txt", elements=["Li", "P", "S"]), strict=True)
    for a, b in pairs:
        assert (a.step, a.pbc, a.origin) == (b.step, b.pbc, b.origin)
        assert a.time_ps == pytest.approx(b.time_ps)
        for name in ("ids", "numbers"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-12)
        np.testing.assert_allclose(a.cell, b.cell, atol=1e-13)
        assert (a.unwrapped is None) == (b.unwrapped is None)
        if a.unwrapped is not None:
            np.testing.assert_allclose(a.unwrapped, b.unwrapped, atol=1e-12)
    with pytest.raises(FileFormatError, match="binary dumps hold no elements"):
        list(BinaryDumpReader(tmp_path / "a.bin"))
    with pytest.raises(FileFormatError, match="atom type 3, but elements are given for 2"):
        list(BinaryDumpReader(tmp_path / "a.bin", elements=["Li", "P"]))


def test_frames_without_a_cell_or_of_other_atoms(tmp_path):
    frames = images()
    path = tmp_path / "a.extxyz"
    frames[2].cell[:] = 0
    ase.io.write(path, frames, format="extxyz")
    with pytest.raises(FileFormatError, match=r"a.extxyz: frame 2: no three-dimensional cell"):
        list(open_trajectory(path, ReaderOptions()))
    frames = images()
    frames[3].symbols[0] = "S"
    ase.io.write(path, frames, format="extxyz")
    with pytest.raises(FileFormatError, match=r"frame 3: the elements are not those of the first"):
        list(open_trajectory(path, ReaderOptions()))
    ase.io.write(path, images(), format="extxyz")
    with pytest.raises(FileFormatError, match=r"element Li, but --elements says \['P', 'S'\]"):
        list(open_trajectory(path, ReaderOptions(elements=("P", "S"))))


def test_atoms_of_extended_xyz_in_any_order(tmp_path):
    """A column ``id`` puts them in order, as LAMMPS' own ids do."""
    rng = np.random.default_rng(0)
    shuffled = []
    for frame in images():
        frame.arrays["id"] = np.arange(1, len(frame) + 1)
        shuffled.append(frame[rng.permutation(len(frame))])
    ase.io.write(tmp_path / "a.extxyz", shuffled, format="extxyz")
    frames = list(open_trajectory(tmp_path / "a.extxyz", ReaderOptions()))
    for frame, truth in zip(frames, images(), strict=True):
        np.testing.assert_allclose(frame.positions, truth.positions, atol=1e-7)


MDA_KINDS = ["xtc", "trr", "dcd", "nc"]


@pytest.mark.parametrize(
    ("kinds", "times"),
    [
        ([kind for kind in KINDS if kind not in {"extxyz.gz", *MDA_KINDS}], 2000),
        pytest.param(MDA_KINDS, 160, marks=pytest.mark.slow),  # each crash costs the start of a process
    ],
    ids=["own", "MDAnalysis"],
)
def test_damaged_trajectories_by_the_thousand(tmp_path, kinds, times):
    """Each format, damaged: frames, or one line that names the file; never a traceback, never a hang."""
    good = {path.name: path.read_bytes() for path in (write(tmp_path, kind) for kind in kinds)}
    if "dump" in kinds:
        run_lmp(BINARY.format(columns="x y z"), tmp_path)
        good["a.bin"] = (tmp_path / "a.bin").read_bytes()
    numbers = np.asarray(images()[0].numbers, dtype=np.int32)
    options = ReaderOptions(elements=("Li", "P", "S"), numbers=numbers)
    rng, refused = random.Random(4), dict.fromkeys(good, 0)
    folder = tmp_path / "damaged"
    folder.mkdir()

    def read(path):
        return list(Trajectory([path], options))

    for k in range(times):
        name = list(good)[k % len(good)]
        (folder / name).write_bytes(damaged(rng, good[name]))
        refused[name] += is_refused(read, folder / name)
    assert min(refused.values()) > 10, refused
    for name in good:  # that it was the damage
        (folder / name).write_bytes(good[name])
        assert not is_refused(read, folder / name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  4\n", "  400000000\n", "4 + 1 + 400000000 atoms in its header, but "),
        (" S ", " S999999999 ", "expected elements in its header, got 'S999999999'"),
        (" S ", "", "expected a number of atoms for each of Li P in its header"),
    ],
)
def test_an_xdatcar_of_too_many_atoms(tmp_path, old, new, message):
    """The reader below makes as many atoms as are announced, however few there are."""
    path = write(tmp_path, "xdatcar")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FileFormatError, match=re.escape(message)):
        list(open_trajectory(path, ReaderOptions()))


def test_addresses():
    assert imd_address("imd:/node7:8888") == ("node7", 8888)
    assert imd_address("dump.lps") is None
    with pytest.raises(InputError, match="the simulation sends no elements; give --topology"):
        open_trajectory(__import__("pathlib").Path("imd://localhost:1"), ReaderOptions())
    numbers = np.full(3, 3, dtype=np.int32)
    pytest.importorskip("imdclient")
    with pytest.raises(FileFormatError, match="imd://localhost:1: no simulation answers"):
        list(open_trajectory(__import__("pathlib").Path("imd://localhost:1"), ReaderOptions(numbers=numbers)))
