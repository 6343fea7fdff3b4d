"""Streams against evaluations outside the package, and in any convention and pieces: the same results."""

import itertools
import random
import socket
import subprocess
from importlib.resources import files
from pathlib import Path

import ase
import numpy as np
import pytest
from ase.io.lammpsdata import write_lammps_data
from click.testing import CliRunner

from lpsnmr.cli.stream import command
from lpsnmr.efg import EfgModel
from lpsnmr.errors import FileFormatError, InputError, LpsnmrError
from lpsnmr.results.results import Results
from lpsnmr.runs.stream import stream_dumps
from lpsnmr.structures import load_structure
from support.dump_text import dump_text
from support.lammps_runs import BIN, run_lmp
from support.results_groups import extra_of
from support.streams import stream_settings

MODEL = EfgModel.default()
ELEMENTS = ["Li", "P", "S"]
FRAMES = 24
EVERY = 50
CASES = Path(__file__).parents[1] / "trajectory" / "data"


def beta_walk(breathe=0.0, seed=4, wander=0.006):
    """β-Li3PS4 that vibrates, with Li that wander, in a cell that may breathe: cells, fractional, symbols."""
    crystal = load_structure("beta-Li3PS4")
    rng = np.random.default_rng(seed)
    start = crystal.get_scaled_positions(wrap=False) + rng.integers(-6, 7, (32, 3))
    walk = np.cumsum(rng.normal(scale=wander, size=(FRAMES, 32, 3)), axis=0)
    walk[:, crystal.numbers != 3] = 0.0
    fractional = (
        start + walk + rng.normal(scale=0.004, size=(FRAMES, 32, 3)) + 0.01 * np.arange(FRAMES)[:, None, None]
    )
    strain = 1.0 + breathe * rng.normal(size=(FRAMES, 3))
    return crystal.cell[:] * strain[:, None, :], fractional, list(crystal.symbols)


def texts_of(cells, fractional, symbols, columns, types=None):
    texts = []
    for k in range(FRAMES):
        image = np.floor(fractional[k]).astype(int)
        origin = -0.3 * cells[k].sum(axis=0)
        positions = fractional[k] @ cells[k] + origin
        texts.append(
            dump_text(
                EVERY * k, cells[k], origin, range(1, 33), symbols, positions, columns=columns, images=image,
                types=types,
            )
        )  # fmt: skip
    return texts


def streamed(folder, paths, **options):
    settings = stream_settings(folder=folder, follow=False, timestep_fs=2.0, **options)
    stream_dumps(paths, settings, MODEL)
    return Results.read(folder / "results.h5")


def msd_of(places, numbers):
    """Mean squared displacement of Li by lag, against the framework's centre of mass, in plain NumPy."""
    mass = ase.Atoms(numbers=numbers).get_masses() * np.isin(numbers, (15, 16))
    moved = places - (mass @ places / mass.sum())[:, None]
    moved = moved[:, numbers == 3]
    return np.array(
        [np.mean(np.sum((moved[lag:] - moved[: len(moved) - lag]) ** 2, axis=2)) for lag in range(16)]
    )


RERUN = """units metal
atom_style atomic
read_data data.beta
mass * 10
pair_style zero 5.0
pair_coeff * *
group li type 1
compute efg li efg/atom {model} Li P S
dump all all custom {every} dump.efg id c_efg[*]
dump_modify all sort id format float %22.16g
rerun dump.in dump x y z box yes
"""


def test_correlation_and_displacement_outside_the_package(tmp_path):
    """C(t) from ``compute efg/atom`` in a LAMMPS rerun, MSD from NumPy: those of the stream."""
    cells, fractional, symbols = beta_walk()
    types = [ELEMENTS.index(s) + 1 for s in symbols]
    (tmp_path / "dump.in").write_text("".join(texts_of(cells, fractional, symbols, "x", types)))
    beta = ase.Atoms(symbols, scaled_positions=fractional[0] % 1.0, cell=cells[0], pbc=True)
    write_lammps_data(tmp_path / "data.beta", beta, specorder=ELEMENTS, masses=False, atom_style="atomic")
    model = files("lpsnmr.data") / "models" / "li3ps4_pbe.efg"
    done = run_lmp(RERUN.format(model=model, every=EVERY), tmp_path)
    assert done.returncode == 0, done.stdout
    blocks = (tmp_path / "dump.efg").read_text().split("ITEM: ATOMS")[1:]
    rows = np.array([[line.split()[1:7] for line in b.split("\n")[1:33]] for b in blocks], dtype=float)
    xx, yy, zz, xy, xz, yz = np.moveaxis(rows, 2, 0)
    tensors = np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=-1)[:, np.array(types) == 1]
    assert tensors.shape == (FRAMES, 12, 9)
    expected = [np.mean(np.sum(tensors[lag:] * tensors[: FRAMES - lag], axis=2), axis=0) for lag in range(16)]
    results = streamed(tmp_path / "out", [tmp_path / "dump.in"], elements=("Li", "P", "S"))
    np.testing.assert_allclose(results.efg_correlation.values[:16], expected, rtol=1e-9)
    msd = msd_of(fractional @ cells[0], beta.numbers)
    np.testing.assert_allclose(results.displacement.values[:16].mean(axis=1), msd, atol=1e-9)


def same(a, b):
    """C(t), MSD and jumps alike."""
    for name in ("efg_correlation", "displacement"):
        np.testing.assert_allclose(getattr(a, name).values, getattr(b, name).values, rtol=1e-7, atol=1e-8)
        np.testing.assert_array_equal(getattr(a, name).counts, getattr(b, name).counts)
    here, there = extra_of(a), extra_of(b)
    assert here.keys() == there.keys()
    for group in ("jumps_sites", "jumps_displacement", "rotations_ps4", "collective_displacement"):
        for name, value in here[group].items():
            np.testing.assert_allclose(there[group][name], value, atol=1e-7, err_msg=f"{group}/{name}")


JUMPS = {"window_ps": 0.2, "learn_ps": 0.4, "min_stay_ps": 0.2}


def test_sites_are_found_again_in_a_breathing_cell(tmp_path):
    """Li far from their first image, in a cell that breathes by 2 %: nobody jumps, as in the cell at rest."""
    found = {}
    for name, breathe in (("rest", 0.0), ("breathing", 2e-2)):
        cells, fractional, symbols = beta_walk(breathe, wander=0.0)
        (tmp_path / name).write_text("".join(texts_of(cells, fractional, symbols, "xu")))
        settings = stream_settings(folder=tmp_path / f"out_{name}", follow=False, timestep_fs=2.0)
        settings = settings.model_copy(update={"jumps": settings.jumps.model_copy(update=JUMPS)})
        stream_dumps([tmp_path / name], settings, MODEL)
        found[name] = extra_of(Results.read(tmp_path / f"out_{name}" / "results.h5"))
    rest, breathing = (found[name]["jumps_sites"] for name in ("rest", "breathing"))
    np.testing.assert_allclose(breathing["sites_fractional"], rest["sites_fractional"], atol=1e-3)
    assert rest["windows"] == breathing["windows"] == 12
    for name in ("jumps", "site_occupation", "recrossings"):
        np.testing.assert_array_equal(breathing[name], rest[name])
    rotations = [extra["rotations_ps4"] for extra in found.values()]
    np.testing.assert_array_equal(rotations[0]["jumps"], rotations[1]["jumps"])


@pytest.mark.parametrize("breathe", [0.0, 4e-3])
def test_a_stream_of_any_convention_in_any_pieces(tmp_path, breathe):
    """Cut, overlapping, repeated, out of order: C(t), MSD and jumps are those of the whole, or an error."""
    walk = beta_walk(breathe)
    (tmp_path / "whole").write_text("".join(texts_of(*walk, "xsu")))
    whole = streamed(tmp_path / "out", [tmp_path / "whole"])
    cells, fractional, symbols = walk
    increments = np.diff(fractional, axis=0) @ (0.5 * (cells[1:] + cells[:-1]))
    places = np.concatenate([np.zeros((1, 32, 3)), np.cumsum(increments, axis=0)])
    numbers = ase.Atoms(symbols).numbers
    np.testing.assert_allclose(
        whole.displacement.values[:16].mean(axis=1), msd_of(places, numbers), atol=1e-8
    )
    rng = random.Random(breathe)
    for trial, columns in enumerate(["x", "xu", "xs", "x"]):
        texts = texts_of(*walk, columns)
        edges = [0, *sorted(rng.sample(range(2, FRAMES - 2), 2)), FRAMES]
        pieces = [(max(0, a - rng.randrange(3)), b) for a, b in itertools.pairwise(edges)]
        pieces += [rng.choice(pieces)]
        rng.shuffle(pieces)
        paths = []
        for k, (begin, end) in enumerate(pieces):
            paths.append(tmp_path / f"{trial}.{k}.dump")
            paths[-1].write_text("".join(texts[begin:end]))
        try:
            found = streamed(tmp_path / f"out{trial}", paths)
        except FileFormatError as error:
            message = str(error)
        else:
            same(found, whole)
            continue
        assert "in the order of their steps" in message


def test_frames_that_are_not_used_are_told(tmp_path):
    walk = beta_walk(2e-3)
    texts = texts_of(*walk, "xu")
    (tmp_path / "b").write_text("".join(texts[10:]))
    (tmp_path / "a").write_text("".join(texts[:13]))
    told = []
    settings = stream_settings(folder=tmp_path / "out", follow=False, timestep_fs=2.0, from_step=100, every=2)
    stream_dumps([tmp_path / "b", tmp_path / "a"], settings, MODEL, notify=told.append)
    text = "\n".join(told)
    for words in (
        "read in the order of their steps: a, b",
        "3 frames not used: the same as frames read before",
        "2 frames not used: before step 100 (--from-step)",
        "11 frames not used: between samples",
        "the cell changes: its volume by",
    ):
        assert words in text, text
    used = Results.read(tmp_path / "out" / "results.h5").n_samples
    assert used + 3 + 2 + 11 == 13 + 14


def test_resumed_while_the_cell_breathes(tmp_path):
    """Stopped after any number of frames and resumed: as in one go."""
    texts = texts_of(*beta_walk(3e-3), "x")
    (tmp_path / "dump").write_text("".join(texts))
    whole = streamed(tmp_path / "whole", [tmp_path / "dump"])
    for stop in (1, 5, 17):
        (tmp_path / "dump").write_text("".join(texts[: stop + 1]))
        streamed(tmp_path / f"out{stop}", [tmp_path / "dump"])
        (tmp_path / "dump").write_text("".join(texts))
        same(streamed(tmp_path / f"out{stop}", [tmp_path / "dump"]), whole)


def test_lithium_alone_is_refused_for_tensors_and_followed_on_demand(tmp_path):
    path = CASES / "lionly.dump.gz"
    with pytest.raises(InputError, match=r"lionly.*expected atoms of P, S too, got 6 Li only.*--no-tensors"):
        streamed(tmp_path / "out", [path])
    told = []
    settings = stream_settings(folder=tmp_path / "out", follow=False, timestep_fs=2.0, tensors=False)
    stream_dumps([path], settings, notify=told.append)
    results = Results.read(tmp_path / "out" / "results.h5")
    assert results.n_samples == 6
    assert not results.efg_correlation.values.any()
    assert results.displacement.values[1:].min() > 0
    assert any("a drift of the whole" in line for line in told)


def test_elements_in_another_order_are_refused(tmp_path):
    """P where S is: nearly every environment is outside the training data, and the option is named."""
    cells, fractional, symbols = beta_walk()
    types = [ELEMENTS.index(s) + 1 for s in symbols]
    (tmp_path / "dump").write_text("".join(texts_of(cells, fractional, symbols, "x", types)))
    swapped = {"elements": ("Li", "S", "P")}
    with pytest.raises(InputError, match=r"outside the range of .* --elements in another order"):
        streamed(tmp_path / "out", [tmp_path / "dump"], **swapped)
    results = streamed(tmp_path / "out", [tmp_path / "dump"], accept_outside=True, **swapped)
    assert results.n_samples == FRAMES


def test_units_of_the_time(tmp_path):
    texts = [f"ITEM: TIME\n{100.0 * k}\n{text}" for k, text in enumerate(texts_of(*beta_walk(), "x"))]
    (tmp_path / "dump").write_text("".join(texts))
    settings = stream_settings(folder=tmp_path / "out", follow=False)
    with pytest.raises(InputError, match=r"MD step is 2000 fs by ITEM: TIME.* Give --units real"):
        stream_dumps([tmp_path / "dump"], settings, MODEL)
    settings = stream_settings(folder=tmp_path / "out", follow=False, units="real")
    stream_dumps([tmp_path / "dump"], settings, MODEL)
    assert Results.read(tmp_path / "out" / "results.h5").sample_interval_ps == pytest.approx(0.1)


def test_other_formats_give_the_same_stream(tmp_path):
    cells, fractional, symbols = beta_walk()
    (tmp_path / "dump").write_text("".join(texts_of(cells, fractional, symbols, "xu")))
    whole = streamed(tmp_path / "whole", [tmp_path / "dump"])
    frames = [
        ase.Atoms(symbols, positions=f @ c, cell=c, pbc=True) for c, f in zip(cells, fractional, strict=True)
    ]
    ase.io.write(tmp_path / "a.traj", frames)
    settings = stream_settings(folder=tmp_path / "out", follow=False, frame_ps=0.1)
    stream_dumps([tmp_path / "a.traj"], settings, MODEL)
    found = Results.read(tmp_path / "out" / "results.h5")
    assert found.sample_interval_ps == pytest.approx(whole.sample_interval_ps)
    for name in ("efg_correlation", "displacement"):
        np.testing.assert_allclose(
            getattr(found, name).values, getattr(whole, name).values, rtol=1e-7, atol=1e-8
        )


def test_the_command_names_what_mends(tmp_path):
    run = CliRunner().invoke
    done = run(command, [str(CASES / "element_c.dump.gz"), "-o", str(tmp_path / "a"), "--timestep-fs", "2"])
    assert isinstance(done.exception, LpsnmrError)
    assert "give --elements" in str(done.exception)
    done = run(command, [str(CASES / "reset_a.dump.gz"), str(CASES / "reset_b.dump.gz"), "--timestep-fs", "2",
                         "-o", str(tmp_path / "b"), "--no-follow"])  # fmt: skip
    assert "--join append" in str(done.exception)


LIVE = """units metal
read_data data.live
pair_style lj/cut 4
pair_coeff * * 0.001 2
mass * 20
velocity all create 100 7
fix 1 all nve
timestep 0.002
fix 2 all imd {port} version 3 unwrap on nowait off time on box on coordinates on trate 10
dump 1 all custom 10 dump.live id type xu yu zu
dump_modify 1 sort id first no format float %.8f
run 100
"""


def test_a_live_simulation(tmp_path):
    """IMD version 3 from LAMMPS: the frames that its dump has too."""
    pytest.importorskip("imdclient")
    from lpsnmr.trajectory.dump import DumpReader
    from lpsnmr.trajectory.formats import ReaderOptions, open_trajectory

    beta = load_structure("beta-Li3PS4")
    write_lammps_data(tmp_path / "data.live", beta, specorder=ELEMENTS, masses=False, atom_style="atomic")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    (tmp_path / "in.live").write_text(LIVE.format(port=port))
    words = [BIN / "lmp", "-in", "in.live", "-screen", "none", "-nocite"]
    with subprocess.Popen(words, cwd=tmp_path) as lammps:
        options = ReaderOptions(numbers=np.asarray(beta.numbers, dtype=np.int32))
        frames = answered(Path(f"imd://localhost:{port}"), options, open_trajectory)
        assert lammps.wait(300) == 0
    written = {frame.step: frame for frame in DumpReader(tmp_path / "dump.live", elements=ELEMENTS)}
    assert len(frames) >= 9
    for frame in frames:
        np.testing.assert_allclose(frame.positions, written[frame.step].unwrapped, atol=2e-6)
        assert frame.time_ps == pytest.approx(0.002 * frame.step)


def answered(address, options, open_trajectory):
    """Return the frames once the simulation listens."""
    import time

    for _ in range(600):
        try:
            return list(open_trajectory(address, options))
        except FileFormatError:
            time.sleep(0.5)
    raise AssertionError("LAMMPS did not listen")
