"""Kills on two ranks and of streams, full disks, rotated and reordered dumps, two runs in one folder."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lpsnmr.efg import EfgModel
from lpsnmr.errors import InputError
from lpsnmr.results import Results
from lpsnmr.results.tensor_file import read_tensors
from lpsnmr.runs.checkpoint import latest_checkpoint
from lpsnmr.runs.live import read_status
from lpsnmr.runs.stream import stream_dumps
from lpsnmr.structures import load_structure
from support.lpsnmr_runs import BIN, TIMEOUT_S, lpsnmr_command, results_of, run_here, run_lpsnmr, write_config
from support.results_groups import extra_of
from support.streams import stream_settings

TETHERED = '["pair_style zero 5.0", "pair_coeff * *", "fix tether all spring/self 1.0"]'
"""Harmonic motion: it is not chaotic, so that runs can be compared."""


def dump_text(n, rng=None, every=50):
    """Frames of a vibrating β cell; with ``rng`` the atoms come in another order each time."""
    crystal = load_structure("beta-Li3PS4")
    noise = np.random.default_rng(5)
    texts = []
    for k in range(n):
        x = crystal.positions + noise.normal(scale=0.05, size=(32, 3))
        rows = [f"{i + 1} {crystal.symbols[i]} {a!r} {b!r} {c!r}" for i, (a, b, c) in enumerate(x.tolist())]
        if rng is not None:
            rng.shuffle(rows)
        box = "".join(f"0 {length!r}\n" for length in crystal.cell.lengths().tolist())
        texts.append(
            f"ITEM: TIMESTEP\n{k * every}\nITEM: NUMBER OF ATOMS\n32\nITEM: BOX BOUNDS pp pp pp\n{box}"
            "ITEM: ATOMS id element xu yu zu\n" + "\n".join(rows) + "\n"
        )
    return texts


def stream(paths, folder, **options):
    settings = stream_settings(**{"folder": folder, "timestep_fs": 2.0, "follow": False, **options})
    stream_dumps(paths, settings, EfgModel.default())
    return Results.read(folder / "results.h5")


def assert_identical(a, b):
    """Nothing lost, nothing counted twice, and the same numbers to the last bit."""
    assert a.n_samples == b.n_samples
    for name in ("efg_correlation", "displacement"):
        for part in ("values", "counts", "block_means", "block_counts"):
            np.testing.assert_array_equal(getattr(getattr(a, name), part), getattr(getattr(b, name), part))
    assert extra_of(a).keys() == extra_of(b).keys()
    for group, arrays in extra_of(a).items():
        for name, value in arrays.items():
            np.testing.assert_array_equal(value, extra_of(b)[group][name], err_msg=f"{group}/{name}")


def descendants(pid):
    """Process ids of all children, children's children and so on, which we started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def assert_same_tensors(killed, whole, rows):
    """The thinned trajectory has every row once, at its time."""
    a, b = (read_tensors(folder / "tensors.h5") for folder in (killed, whole))
    assert len(a[0]) == rows
    np.testing.assert_allclose(a[0], b[0], atol=1e-12)
    np.testing.assert_array_equal(a[1], b[1])
    np.testing.assert_allclose(a[2], b[2], atol=1e-6)
    assert not list(killed.glob("tensors.*.part.h5"))


def kill_after_a_checkpoint(command, checkpoint, longest_s):
    """Start, wait for a new checkpoint and a random while, kill -9 all; return whether it still ran."""
    before = checkpoint.stat().st_ino if checkpoint.exists() else 0
    process = subprocess.Popen(
        command, cwd=checkpoint.parent.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + TIMEOUT_S
    while process.poll() is None and not (checkpoint.exists() and checkpoint.stat().st_ino != before):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(random.uniform(0.0, longest_s))
    running = process.poll() is None
    if running:
        for pid in [*reversed(descendants(process.pid)), process.pid]:  # the ranks before mpirun
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    process.wait(timeout=TIMEOUT_S)
    return running


EVERYTHING = (
    "sampling.window_ps=0.02", "sampling.orientation_degree=11",
    "sampling.field_directions=[[0,0,1],[1,1,0]]",
    "jumps.window_ps=0.1", "jumps.learn_ps=0.5", "output.tensors_ps=0.01",
)  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize("ranks", [1, 2])
def test_run_killed(tmp_path, ranks, seed):
    """With everything on, resumed it ends like an uninterrupted run: same counts, jumps and numbers.

    The trajectory is compared too: harmonic motion does not amplify the round-off of a restart.
    """
    write_config(tmp_path, equilibration_ps=0, production_ps=3.0)
    settings = ["sampling.interval_ps=0.002", f"potential.commands={TETHERED}", *EVERYTHING]
    words = [word for setting in settings for word in ("--set", setting)]
    killed = ["run", "run.toml", "--no-analysis", *words, "--set", "output.folder=killed"]
    often = [*killed, "--set", "output.checkpoint_min=0.002"]
    random.seed(seed)
    path = tmp_path / "killed" / "checkpoint.h5"
    kills = sum(kill_after_a_checkpoint(lpsnmr_command(*often, ranks=ranks), path, 0.3) for _ in range(2))
    assert kills > 0
    done = run_lpsnmr(tmp_path, *killed, ranks=ranks)
    assert done.returncode == 0, done.stderr
    run_here(tmp_path, *settings, f"output.folder={tmp_path / 'whole'}")
    a, b = results_of(tmp_path / "killed"), results_of(tmp_path / "whole")
    assert a.n_samples == b.n_samples == 1501
    for name in ("efg_correlation", "displacement"):
        np.testing.assert_array_equal(getattr(a, name).counts, getattr(b, name).counts)
        np.testing.assert_allclose(
            getattr(a, name).values, getattr(b, name).values, rtol=1e-8, atol=1e-9, err_msg=name
        )
    assert (
        extra_of(a).keys() == extra_of(b).keys() >= {"echo", "direction_1", "tensor_samples", "jumps_sites"}
    )
    for group, arrays in extra_of(b).items():
        for name, value in arrays.items():
            exact = value.dtype.kind in "ib"
            np.testing.assert_allclose(
                extra_of(a)[group][name], value, rtol=0 if exact else 1e-8, atol=0 if exact else 1e-8,
                err_msg=f"{group}/{name}",
            )  # fmt: skip
    assert_same_tensors(tmp_path / "killed", tmp_path / "whole", rows=301)


STREAM_EVERYTHING = [
    "--jump-window", "0.1", "--window-ps", "0.1", "--orientation-degree", "11", "--tensors-ps", "0.05",
    "--field-direction", "0", "0", "1", "--field-direction", "1", "1", "0",
]  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize("ranks", [1, 2])
def test_stream_killed_while_lammps_writes(tmp_path, ranks, seed):
    """The dump of LAMMPS on one or two ranks, in the order of its subdomains; killed twice, then whole."""
    from lpsnmr.trajectory.data_file import write_data_file

    write_data_file(tmp_path / "structure.data", load_structure("beta-Li3PS4"), ["Li", "P", "S"])
    (tmp_path / "in.lmp").write_text(
        "units metal\natom_style atomic\nread_data structure.data\npair_style lj/cut 5.0\n"
        "pair_coeff * * 0.02 1.9\nvelocity all create 600 11 mom yes\nfix 1 all nve\ntimestep 0.002\n"
        "dump d all custom 5 dump.lmp id element xu yu zu\n"
        "dump_modify d element Li P S time yes units yes format float %20.15g flush yes\nrun 4000\n"
    )
    lammps = subprocess.Popen(
        [BIN / "mpirun", "-np", str(ranks), BIN / "lmp", "-in", "in.lmp", "-log", "none"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        words = [
            "stream",
            "dump.lmp",
            "-o",
            "killed",
            "--no-analysis",
            "--frames",
            "801",
            *STREAM_EVERYTHING,
        ]
        command = lpsnmr_command(*words, "--checkpoint-min", "0.001")
        random.seed(seed)
        path = tmp_path / "killed" / "checkpoint.h5"
        kills = sum(kill_after_a_checkpoint(command, path, 0.2) for _ in range(2))
        assert kills > 0
        done = run_lpsnmr(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert lammps.wait(timeout=TIMEOUT_S) == 0
    finally:
        lammps.kill()
    words = ["stream", "dump.lmp", "-o", "whole", "--no-analysis", "--no-follow", *STREAM_EVERYTHING]
    done = run_lpsnmr(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    killed = results_of(tmp_path / "killed")
    assert killed.n_samples == 801
    assert extra_of(killed).keys() >= {
        "echo",
        "direction_1",
        "tensor_samples",
        "jumps_sites",
        "rotations_ps4",
    }
    assert_identical(killed, results_of(tmp_path / "whole"))
    assert_same_tensors(tmp_path / "killed", tmp_path / "whole", rows=161)


def limited(folder, size, *arguments):
    """Run the command line with a largest file size: writes beyond it fail as on a full disk.

    The limit is set after MPI has made its own files.
    """
    code = (
        "from mpi4py import MPI; import resource; from lpsnmr.cli.main import run\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); run()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize(
    ("size", "words", "tensors_ps"),
    [
        (2000, "is not a whole LAMMPS restart file", 0.0),
        (40_000, "cannot write", 0.0),
        (4000, "File too large", 0.002),
        (40_000, "File too large", 0.002),
    ],
)
def test_full_disk_in_a_run(tmp_path, size, words, tensors_ps):
    """A restart file cut short, tensors or a checkpoint: the one before stays and the run goes on from it."""
    write_config(tmp_path)
    tensors = f"output.tensors_ps={tensors_ps}"
    run_here(tmp_path, "md.production_ps=0.2", tensors)
    kept = latest_checkpoint(tmp_path / "out").step
    done = limited(tmp_path, size, "run", "run.toml", "--no-analysis", "--set", tensors)
    assert done.returncode == 2
    assert "cannot write the checkpoint at step 250" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert latest_checkpoint(tmp_path / "out").step == kept
    outcome = run_here(tmp_path, tensors)
    assert (outcome.finished, outcome.n_samples) == (True, 21)
    if tensors_ps:
        assert len(read_tensors(tmp_path / "out" / "tensors.h5")[0]) == 21


@pytest.mark.process
def test_full_disk_while_thermo_lines_are_written(tmp_path):
    """Between two checkpoints, by a line or by the flush of many."""
    write_config(tmp_path)
    words = ["md.production_ps=20", "output.thermo_ps=0.002", "output.checkpoint_min=1000"]
    options = [word for setting in words for word in ("--set", setting)]
    done = limited(tmp_path, 20_000, "run", "run.toml", "--no-analysis", *options)
    assert done.returncode == 2
    assert "out/thermo.csv: [Errno 27] File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert read_status(tmp_path / "out").state.startswith("failed: cannot write")


@pytest.mark.process
@pytest.mark.parametrize(("size", "tensors_ps"), [(20_000, 0.0), (4000, 0.1), (20_000, 0.1)])
def test_full_disk_in_a_stream(tmp_path, size, tensors_ps):
    texts = dump_text(30)
    (tmp_path / "dump").write_text("".join(texts))
    words = ["stream", "dump", "-o", "out", "--timestep-fs", "2", "--no-follow", "--no-analysis"]
    done = limited(tmp_path, size, *words, "--tensors-ps", str(tensors_ps))
    assert done.returncode == 2
    assert "cannot write to out" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob(".*part*"))
    whole = stream([tmp_path / "dump"], tmp_path / "whole")
    assert_identical(stream([tmp_path / "dump"], tmp_path / "out"), whole)


def test_rotated_dump(tmp_path):
    """The dump was moved away and begun anew: both, in the order of time, go on where the stream stopped."""
    texts = dump_text(30)
    (tmp_path / "all").write_text("".join(texts))
    whole = stream([tmp_path / "all"], tmp_path / "whole")
    (tmp_path / "dump").write_text("".join(texts[:12]))
    stream([tmp_path / "dump"], tmp_path / "out")
    (tmp_path / "dump").rename(tmp_path / "dump.1")
    (tmp_path / "dump").write_text("".join(texts[12:]))
    assert_identical(stream([tmp_path / "dump.1", tmp_path / "dump"], tmp_path / "out"), whole)
    # the new file alone would do as well, since it begins where the old one ended
    (tmp_path / "short").write_text("".join(texts[:12]))
    stream([tmp_path / "short"], tmp_path / "again")
    assert_identical(stream([tmp_path / "dump"], tmp_path / "again"), whole)


def test_atoms_in_any_order(tmp_path):
    (tmp_path / "sorted").write_text("".join(dump_text(12)))
    (tmp_path / "shuffled").write_text("".join(dump_text(12, random.Random(3))))
    a = stream([tmp_path / "sorted"], tmp_path / "a")
    assert_identical(stream([tmp_path / "shuffled"], tmp_path / "b"), a)


@pytest.mark.process
def test_two_runs_in_one_folder(tmp_path):
    write_config(tmp_path, production_ps=500.0)
    first = subprocess.Popen(
        lpsnmr_command("run", "run.toml", "--no-analysis"), cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while not (tmp_path / "out" / "thermo.csv").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = run_lpsnmr(tmp_path, "run", "run.toml", "--no-analysis")
        assert second.returncode == 2
        assert f"another lpsnmr (process {first.pid}) writes there" in second.stderr
        (tmp_path / "dump").write_text("".join(dump_text(3)))
        with pytest.raises(InputError, match="another lpsnmr"):
            stream([tmp_path / "dump"], tmp_path / "out")
    finally:
        first.kill()
        first.wait()
    # the lock goes with its process; a run and a stream do not share a folder either
    stream([tmp_path / "dump"], tmp_path / "streamed")
    (tmp_path / "out").rename(tmp_path / "old")
    (tmp_path / "streamed").rename(tmp_path / "out")
    with pytest.raises(InputError, match="holds a stream"):
        run_here(tmp_path)
