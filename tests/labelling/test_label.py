"""Labelling many frames: what is written, what is kept, what fails, in parts and in parallel."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator
from click.testing import CliRunner

from lpsnmr.cli.label import command
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.labelling import EngineChoice, label_frames
from lpsnmr.labelling.engines import _hashes
from lpsnmr.labelling.gpaw_engine import GpawEngine
from lpsnmr.labelling.gpaw_python import find_gpaw_python
from lpsnmr.labelling.gpaw_settings import GpawSettings
from lpsnmr.labelling.label_store import LabelStore
from lpsnmr.potential import BasisSettings, DataSet, FitSettings, UfpCalculator, fit_ufp, save_fit
from lpsnmr.reference import read_reference


@pytest.fixture
def copper():
    frames = []
    for n in range(4):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.05, seed=n)
        atoms.info = {"run": "cu", "run_step": 10 * n, "run_T": 300.0}
        frames.append(atoms)
    return frames


def test_labels_are_those_of_the_calculator(copper, tmp_path):
    report = label_frames(copper, tmp_path / "out.extxyz", EngineChoice("emt"))
    assert (report.labelled, report.kept, report.failed, report.waiting) == (4, 0, [], 0)
    labelled = read_reference(tmp_path / "out.extxyz", require=("energy", "forces", "stress"))
    for before, after in zip(copper, labelled, strict=True):
        before.calc = EMT()
        assert after.calc.results["energy"] == pytest.approx(before.get_potential_energy(), abs=1e-12)
        assert np.allclose(after.calc.results["forces"], before.get_forces(), atol=1e-7)
        assert np.allclose(after.calc.results["stress"], before.get_stress(), atol=1e-12)
        assert np.allclose(after.positions, before.positions, atol=1e-7)
        assert after.info["run_step"] == before.info["run_step"]
        assert "efg" not in after.arrays
    record = json.loads((tmp_path / "out.extxyz.json").read_text())
    assert record["provenance"]["engine"] == "emt"
    assert labelled[0].info["label_id"] == record["label_id"]


def test_done_frames_are_kept_and_old_labels_ignored(copper, tmp_path):
    output = tmp_path / "out.extxyz"
    label_frames(copper[:2], output, EngineChoice("emt"))
    first = output.read_bytes()
    again = ase.io.read(output, ":")  # with labels of another method, in another order
    for atoms in again:
        atoms.calc.results["energy"] = -77.0
    report = label_frames([copper[3], *again[::-1]], output, EngineChoice("emt"))
    assert (report.labelled, report.kept) == (1, 2)
    frames = ase.io.read(output, ":")
    assert [f.info["run_step"] for f in frames] == [30, 10, 0]
    assert frames[2].get_potential_energy() != -77.0
    assert label_frames(copper[:2], output, EngineChoice("emt")).labelled == 0
    assert output.read_bytes() == first


def test_labels_of_the_input_may_be_anything(copper, tmp_path):
    """As a program leaves them that did not converge."""
    copper[0].calc = SinglePointCalculator(copper[0], energy=np.nan, forces=np.full((4, 3), np.nan))
    ase.io.write(tmp_path / "in.extxyz", copper[0], format="extxyz")
    words = [str(tmp_path / "in.extxyz"), "--engine", "emt", "-o", str(tmp_path / "out.extxyz")]
    assert CliRunner().invoke(command, words).exit_code == 0
    [frame] = read_reference(tmp_path / "out.extxyz", require=("energy", "forces"))
    assert frame.info["run_step"] == 0


@pytest.mark.parametrize("pbc", [(True, True, False), (False, False, False)])
def test_frames_that_are_not_periodic_are_refused(copper, tmp_path, pbc):
    copper[1].pbc = pbc
    ase.io.write(tmp_path / "in.extxyz", copper[:2], format="extxyz")
    words = [str(tmp_path / "in.extxyz"), "--engine", "emt", "-o", str(tmp_path / "out.extxyz")]
    with pytest.raises(
        InputError, match=r"in.extxyz: frame 1: expected a cell periodic .*, got \"[TF] [TF] F\""
    ):
        raise CliRunner().invoke(command, words).exception
    assert [p.name for p in tmp_path.iterdir()] == ["in.extxyz"]


@pytest.mark.parametrize("name", ["out.extxyz", "out.extxyz.json"])
def test_a_folder_in_the_way_is_seen_before_the_work(copper, tmp_path, name):
    (tmp_path / name).mkdir()
    ase.io.write(tmp_path / "in.extxyz", copper[0], format="extxyz")
    words = [str(tmp_path / "in.extxyz"), "--engine", "emt", "-o", str(tmp_path / "out.extxyz")]
    with pytest.raises(InputError, match=rf"{name}: expected the name of a file, got that of a folder"):
        raise CliRunner().invoke(command, words).exception
    (tmp_path / name).rmdir()
    (tmp_path / "out.extxyz.frames").write_text("")
    with pytest.raises(InputError, match=r"out.extxyz.frames: expected a folder"):
        raise CliRunner().invoke(command, words).exception
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.extxyz", "out.extxyz.frames"]


def test_other_settings_are_other_labels(copper, tmp_path):
    output = tmp_path / "out.extxyz"
    for epsilon in (1.0, 2.0):
        choice = EngineChoice("lj", {"epsilon": epsilon, "sigma": 2.2, "rc": 5.0})
        report = label_frames(copper[:1], output, choice)
        assert (report.labelled, report.kept) == (1, 0)
        copper[0].calc = LennardJones(epsilon=epsilon, sigma=2.2, rc=5.0)
        found = read_reference(output, require=("energy",))[0].calc.results["energy"]
        assert found == pytest.approx(copper[0].get_potential_energy())


def test_a_changed_potential_file_is_other_labels(copper, tmp_path):
    """The file named by an option counts by its contents, and so do the density terms beside it."""
    output, path = tmp_path / "out.extxyz", tmp_path / "p.uf3"
    settings = FitSettings(BasisSettings(("Cu",), body_order=2), folds=0)
    frames = [f.copy() for f in copper]
    for frame in frames:
        frame.calc = EMT()
        results = {"energy": frame.get_potential_energy(), "forces": frame.get_forces()}
        frame.calc = SinglePointCalculator(frame, **results)
    data = [DataSet(frames)]
    save_fit(path, fit_ufp(data, settings), settings, data, [[]], extrapolation=False)
    choice = EngineChoice("ufp", {"potential": str(path)})
    assert label_frames(copper[:1], output, choice).labelled == 1
    assert label_frames(copper[:1], output, choice).kept == 1
    data = [DataSet(frames, scale=2.0)]
    save_fit(path, fit_ufp(data, settings), settings, data, [[]], extrapolation=False)
    assert label_frames(copper[:1], output, choice).labelled == 1
    energy = read_reference(output, require=("energy",))[0].calc.results["energy"]
    copper[0].calc = UfpCalculator(str(path))
    assert energy == pytest.approx(copper[0].get_potential_energy())
    before = choice.open().provenance()
    (tmp_path / "p.ufd").write_text("terms")
    assert _hashes({"potential": str(path), "other": 1.0}) != before["sha256"]


def test_a_failed_frame_is_reported_and_not_written(copper, tmp_path):
    output = tmp_path / "out.extxyz"
    unknown = Atoms("U", cell=[5, 5, 5], pbc=True)  # EMT does not know it
    report = label_frames([copper[0], unknown, copper[1]], output, EngineChoice("emt"))
    assert report.labelled == 2
    [(index, reason)] = report.failed
    assert index == 1
    assert "U" in reason
    assert len(ase.io.read(output, ":")) == 2
    seen = []
    again = label_frames([copper[0], unknown], output, EngineChoice("emt"), progress=seen.append)
    assert again.failed[0][0] == 1
    assert not seen  # not tried again
    label_frames([unknown], output, EngineChoice("emt"), retry_failed=True, progress=seen.append)
    assert len(seen) == 1
    assert json.loads((tmp_path / "out.extxyz.json").read_text())["failed"].keys() == {"1"}


def test_parts_and_processes_give_the_same_file(copper, tmp_path):
    label_frames(copper, tmp_path / "one.extxyz", EngineChoice("emt"))
    label_frames(copper, tmp_path / "two.extxyz", EngineChoice("emt"), jobs=2)
    report = label_frames(copper, tmp_path / "parts.extxyz", EngineChoice("emt"), part=(0, 2))
    assert (report.labelled, report.waiting) == (2, 2)
    label_frames(copper, tmp_path / "parts.extxyz", EngineChoice("emt"), part=(1, 2))
    expected = ase.io.read(tmp_path / "one.extxyz", ":")
    for name in ("two", "parts"):
        frames = ase.io.read(tmp_path / f"{name}.extxyz", ":")
        assert [f.info["run_step"] for f in frames] == [f.info["run_step"] for f in expected]
        for a, b in zip(frames, expected, strict=True):  # EMT's sums depend on the frames before
            assert np.allclose(a.get_forces(), b.get_forces(), rtol=0, atol=1.1e-8)
            assert np.array_equal(a.positions, b.positions)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": []}, "no frame"),
        ({"jobs": 0}, "at least 1"),
        ({"part": (2, 2)}, "I/N"),
        ({"choice": EngineChoice("nonsense")}, "engine"),
        ({"choice": EngineChoice("ufp")}, "refused"),
        ({"frames": [Atoms("Cu")]}, "cell"),
        ({"frames": [Atoms("Cu", pbc=True)]}, "frame 0: expected a cell with three vectors, got 0"),
    ],
)
def test_bad_arguments(copper, tmp_path, arguments, message):
    values = {"frames": copper, "choice": EngineChoice("emt"), **arguments}
    with pytest.raises(InputError, match=message):
        label_frames(output=tmp_path / "out.extxyz", **values)
    assert not list(tmp_path.iterdir())


def test_command(copper, tmp_path):
    source, output = tmp_path / "in.extxyz", tmp_path / "out.extxyz"
    ase.io.write(source, copper, format="extxyz")
    result = CliRunner().invoke(command, [str(source), "-o", str(output), "--engine", "emt"])
    assert result.exit_code == 0, result.output
    assert "4 frames labelled" in result.output
    for arguments, message in [
        ([str(source), "-o", str(source)], "also an input"),
        ([str(source), "-o", str(output), "--part", "1of2"], "I/N"),
        ([str(source), "-o", str(output), "--engine", "lj", "--option", "rc=five"], "JSON"),
    ]:
        assert message in str(CliRunner().invoke(command, arguments).exception)


# ---- the GPAW engine against a stand-in for GPAW, so that its plumbing is tested everywhere

STAND_IN = """
import os, time, numpy as np
def sleep_here(pid):
    with open(os.environ["STAND_IN_PIDS"], "a") as file: print(pid, file=file)
    time.sleep(100)
__version__ = "0.stand-in"
class PW:
    def __init__(self, cutoff): self.cutoff = cutoff
class Mixer:
    def __init__(self, *a): pass
class GPAW:
    def __init__(self, **k): raise_for = k["txt"]; self.k = k
    def get_potential_energy(self, atoms=None, force_consistent=False):
        n = len(atoms)
        if n == 2: raise RuntimeError("Did not converge!")
        if n == 3: os._exit(9)
        if n == 4: sleep_here(os.getpid())
        print("chatter on standard output")
        return -1.5 * n
    def get_forces(self, atoms=None): return np.zeros((len(atoms), 3))
    def get_stress(self, atoms=None): return np.array([float("nan")] + [0.0] * 5)
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Return a Python that has a package called gpaw."""
    (tmp_path / "gpaw").mkdir()
    (tmp_path / "gpaw" / "__init__.py").write_text(STAND_IN)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("LPSNMR_CACHE", str(tmp_path / "cache"))
    return str(python)


def test_worker_failures_end_a_frame_and_not_the_work(stand_in, tmp_path):
    engine = GpawEngine(GpawSettings(setups=()), stand_in)
    assert engine.name == "gpaw-0.stand-in"
    for n, message in [(2, "Did not converge"), (3, "status 9"), (2, "Did not converge"), (1, "efg|density")]:
        atoms = Atoms(f"H{n}", positions=np.arange(n)[:, None] * [0, 0, 1.0], cell=[9, 9, 9], pbc=True)
        with pytest.raises(ComputeError, match=message):
            engine.label(atoms, str(tmp_path / "log"))
    engine.close()


LABEL_SLOWLY = """
from pathlib import Path
import numpy as np
from ase import Atoms
from lpsnmr.labelling import EngineChoice, label_frames
from lpsnmr.labelling.gpaw_settings import GpawSettings
if __name__ == "__main__":
    places = [np.arange(12.0).reshape(4, 3) * (1 + n / 10) for n in range(3)]
    frames = [Atoms("H4", r, cell=[40] * 3, pbc=True) for r in places]
    choice = EngineChoice("gpaw", gpaw=GpawSettings(setups=()), gpaw_python={python!r})
    label_frames(frames, Path({folder!r}) / "out.extxyz", choice, jobs={jobs})
"""


def _gone(pid, seconds=60.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.mark.process
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_command_leaves_no_process_behind(stand_in, tmp_path, monkeypatch, jobs):
    pids = tmp_path / "pids"
    monkeypatch.setenv("STAND_IN_PIDS", str(pids))
    script = tmp_path / "label.py"
    script.write_text(LABEL_SLOWLY.format(folder=str(tmp_path), python=stand_in, jobs=jobs))
    process = subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while not (pids.exists() and pids.read_text().count("\n") == jobs):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert all(_gone(int(pid)) for pid in pids.read_text().split())


def test_lithium_setup_that_cannot_be_made(stand_in, tmp_path):
    engine = GpawEngine(GpawSettings(), stand_in)
    with pytest.raises(ComputeError, match="gpaw dataset Li"):
        engine.label(Atoms("Li", cell=[9, 9, 9], pbc=True), str(tmp_path / "log"))


def test_without_gpaw_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("LPSNMR_GPAW_PYTHON", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="apt-get install gpaw gpaw-data"):
        find_gpaw_python()
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(InputError, match=r"cannot import GPAW.*--gpaw-python"):
        find_gpaw_python(bare)
    monkeypatch.delenv("LPSNMR_GPAW_PYTHON")
    monkeypatch.setattr("lpsnmr.labelling.gpaw_python._candidates", lambda: iter([str(bare)]))
    with pytest.raises(InputError, match=r"GPAW is not installed \(looked in .*bare.*apt-get"):
        find_gpaw_python()


def test_gpaw_settings_enter_the_name_of_a_frame(copper, tmp_path):
    def key(**changes):
        return LabelStore(tmp_path, {"settings": GpawSettings(**changes).as_dict()}).key(copper[0])

    assert key() == key()
    assert len({key(), key(cutoff_hartree=20), key(setups=()), key(mixer=(0.1, 5, 1.0))}) == 4
    with pytest.raises(InputError, match="cutoff_hartree"):
        GpawSettings(cutoff_hartree=0)
    moved = copper[0].copy()
    moved.positions[0, 0] += 1e-6
    store = LabelStore(tmp_path, {})
    assert store.key(moved) != store.key(copper[0])
    assert not os.listdir(tmp_path)
