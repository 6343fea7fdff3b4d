"""Checkpoints: round trip, the pair kept behind, damage, locks."""

import subprocess
import sys

import numpy as np
import pytest

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.lock import locked_folder
from lpsnmr.runs.checkpoint import (
    Checkpoint,
    check_fingerprint,
    latest_checkpoint,
    write_checkpoint,
)
from lpsnmr.runs.thermo import ThermoFile
from lpsnmr.sampling import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.sampling.sampler import SamplerState

RESTART = b"LammpS RestartT" + bytes(100) + b"LammpS RestartT"


def checkpoint(folder, step, n_samples=3):
    efg = MultiTauCorrelator(2, 5, sample_interval_ps=0.1)
    displacement = DisplacementCorrelator(2, sample_interval_ps=0.1)
    rng = np.random.default_rng(step)
    for _ in range(n_samples):
        efg.add(rng.normal(size=(2, 5)))
        displacement.add(rng.normal(size=(2, 3)))
    sums = {"cell": np.eye(3), "temperature": np.arange(3.0)}
    state = SamplerState(np.array([4, 9]), efg.state(), displacement.state(), step, 1, sums)
    name = f"restart.{step}.lmp"
    (folder / name).write_bytes(RESTART)
    return Checkpoint(step, "production", {"md.seed": "1"}, False, name, state, {"first_step": np.array(7)})


def test_round_trip(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    written = checkpoint(tmp_path, 10)
    write_checkpoint(tmp_path, written)
    read = latest_checkpoint(tmp_path)
    assert (read.step, read.stage, read.fingerprint, read.restart, read.finished) == (
        10, "production", {"md.seed": "1"}, "restart.10.lmp", False,
    )  # fmt: skip
    assert read.arrays["first_step"] == 7
    assert (read.sampler.last_step, read.sampler.n_flagged) == (10, 1)
    for part in ("efg", "displacement", "sums"):
        for key, value in getattr(written.sampler, part).items():
            np.testing.assert_array_equal(getattr(read.sampler, part)[key], value)
    MultiTauCorrelator.from_state(read.sampler.efg)


def test_the_one_before_is_kept_with_its_restart_file(tmp_path):
    for step in (10, 20, 30):
        write_checkpoint(tmp_path, checkpoint(tmp_path, step))
    assert sorted(p.name for p in tmp_path.glob("restart.*")) == ["restart.20.lmp", "restart.30.lmp"]
    assert latest_checkpoint(tmp_path).step == 30
    (tmp_path / "checkpoint.h5").write_bytes(b"damaged")
    assert latest_checkpoint(tmp_path).step == 20
    (tmp_path / "restart.20.lmp").write_bytes(RESTART[:-20])  # by a full disk
    with pytest.raises(FileFormatError, match=r"restart\.20\.lmp is not a whole LAMMPS restart file"):
        latest_checkpoint(tmp_path)
    (tmp_path / "restart.20.lmp").unlink()
    with pytest.raises(FileFormatError, match=r"no usable checkpoint.*restart\.20\.lmp is missing"):
        latest_checkpoint(tmp_path)


def test_failed_write_leaves_everything(tmp_path):
    write_checkpoint(tmp_path, checkpoint(tmp_path, 10))
    bad = checkpoint(tmp_path, 20)
    bad.arrays["object"] = np.array([object()])
    with pytest.raises(TypeError):
        write_checkpoint(tmp_path, bad)
    assert latest_checkpoint(tmp_path).step == 10
    assert not list(tmp_path.glob(".*part"))


def test_fingerprint_names_what_differs(tmp_path):
    saved = checkpoint(tmp_path, 1)
    check_fingerprint(saved, {"md.seed": "1"}, tmp_path)
    with pytest.raises(InputError, match=r"md\.seed was 1, is now 2; .*--fresh"):
        check_fingerprint(saved, {"md.seed": "2"}, tmp_path)
    with pytest.raises(InputError, match=r"new was absent, is now 3"):
        check_fingerprint(saved, {"md.seed": "1", "new": "3"}, tmp_path)


def test_one_process_a_folder(tmp_path):
    code = (
        "import sys; from pathlib import Path; from lpsnmr.files.lock import locked_folder\n"
        f"with locked_folder(Path({str(tmp_path)!r})): print('mine')"
    )
    with locked_folder(tmp_path):
        held = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
        )
        assert "another lpsnmr (process" in held.stderr
    free = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert free.stdout == "mine\n"


def test_thermo_file_drops_lines_that_will_come_again(tmp_path):
    path = tmp_path / "thermo.csv"
    file = ThermoFile(path, -1, ["ps4"])
    for step in (10, 20, 30):
        file.write("production", step, 0.1 * step, {"Temp": 300.0}, 4)
    file.close()
    with path.open("a") as half:
        half.write("production,40,4")  # cut by a kill
    ThermoFile(path, 20, ["ps4"]).close()
    assert [line.split(",")[1] for line in path.read_text().splitlines()] == ["step", "10", "20"]
    ThermoFile(path, -1, ["ps4"]).close()
    assert len(path.read_text().splitlines()) == 1
