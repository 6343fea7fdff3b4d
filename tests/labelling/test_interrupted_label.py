"""Ctrl-C while frames are labelled: every label that is stored belongs to its frame."""

import os
import signal
import subprocess
import sys
import time

import ase.io
import pytest
from ase import Atoms

from lpsnmr.errors import ComputeError
from lpsnmr.labelling.gpaw_engine import GpawEngine
from lpsnmr.labelling.gpaw_settings import GpawSettings

TIMEOUT_S = 300

STAND_IN = """
import json, os, sys, time
if "gpaw_worker" not in sys.argv[2]:
    print(json.dumps({"gpaw": "0", "ase": "0"}))
    sys.exit()
print(json.dumps({"gpaw": "0", "ase": "0", "python": "3"}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    with open(os.environ["STAND_IN_JOBS"], "a") as file:
        print(os.getpid(), file=file)
    time.sleep(float(os.environ["STAND_IN_SECONDS"]))
    n, x = len(job["numbers"]), job["positions"][0][0]
    answer = {"energy": x, "forces": [[0, 0, 0]] * n, "stress": [0] * 6, "efg": [[0] * 9] * n}
    answer |= {"kpts": "1", "scf_iterations": 1, "setups": {}}
    answer["id"] = job["id"] - int(os.environ.get("STAND_IN_LATE", "0"))
    text = json.dumps(answer) + "\\n"
    if "STAND_IN_HALF" in os.environ:
        os.write(1, text[:20].encode())
        os._exit(9)
    os.write(1, text.encode())
"""
"""Answers a job with the x of its first atom as the energy, as slowly as GPAW in proportion."""

LABEL = """
import signal
from pathlib import Path
from ase import Atoms
from lpsnmr.labelling import EngineChoice, label_frames
from lpsnmr.labelling.gpaw_settings import GpawSettings
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    frames = [Atoms("H", [(0.1 + n / 10, 0, 0)], cell=[5] * 3, pbc=True) for n in range({n})]
    choice = EngineChoice("gpaw", gpaw=GpawSettings(setups=()), gpaw_python={python!r})
    label_frames(frames, Path("out.extxyz"), choice, jobs={jobs})
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Return an interpreter that takes the worker's jobs."""
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path / "stand_in.py"} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("STAND_IN_JOBS", str(tmp_path / "jobs"))
    monkeypatch.setenv("STAND_IN_SECONDS", "1")
    return str(python)


def stored(folder):
    return [ase.io.read(path) for path in sorted((folder / "out.extxyz.frames").glob("*.extxyz"))]


@pytest.mark.process
@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupt(stand_in, tmp_path, jobs):
    """What is stored has its own energy, what ran is not finished, and the same command labels the rest."""
    script, begun = tmp_path / "label.py", tmp_path / "jobs"
    script.write_text(LABEL.format(n=3 * jobs, python=stand_in, jobs=jobs))
    command = [sys.executable, script]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + TIMEOUT_S
    while not (begun.exists() and begun.read_text().count("\n") > jobs):  # amid a second frame
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=TIMEOUT_S)[1]
    frames = stored(tmp_path)
    assert 1 <= len(frames) < 2 * jobs + 1
    assert begun.read_text().count("\n") <= 2 * jobs  # no frame is begun after Ctrl-C
    assert subprocess.run(command, cwd=tmp_path, check=False, timeout=TIMEOUT_S).returncode == 0
    frames = stored(tmp_path)
    assert len(frames) == 3 * jobs
    for frame in frames:
        assert frame.get_potential_energy() == pytest.approx(frame.positions[0, 0], abs=1e-9)


def test_answer_to_another_job_is_refused(stand_in, tmp_path, monkeypatch):
    monkeypatch.setenv("STAND_IN_SECONDS", "0")
    engine = GpawEngine(GpawSettings(setups=()), stand_in)
    atoms = Atoms("H", cell=[5] * 3, pbc=True)
    monkeypatch.setenv("STAND_IN_LATE", "1")
    with pytest.raises(ComputeError, match="answered job 0, not 1"):
        engine.label(atoms, str(tmp_path / "log"))
    monkeypatch.delenv("STAND_IN_LATE")
    assert engine.label(atoms, str(tmp_path / "log")).energy == 0.0  # by a new process
    assert len(set((tmp_path / "jobs").read_text().split())) == 2
    engine.close()


def test_process_that_ends_amid_its_answer(stand_in, tmp_path, monkeypatch):
    monkeypatch.setenv("STAND_IN_SECONDS", "0")
    monkeypatch.setenv("STAND_IN_HALF", "1")
    engine = GpawEngine(GpawSettings(setups=()), stand_in)
    with pytest.raises(ComputeError, match="gave half an answer"):
        engine.label(Atoms("H", cell=[5] * 3, pbc=True), str(tmp_path / "log"))
    engine.close()
