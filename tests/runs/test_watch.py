"""``status.json`` and ``lpsnmr watch``."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from lpsnmr.errors import FileFormatError
from lpsnmr.report.watching import FolderWatcher
from lpsnmr.runs.live import StatusFile, read_status
from lpsnmr.runs.progress import Status
from support.lpsnmr_runs import TIMEOUT_S, lpsnmr_command, run_here, run_lpsnmr, write_config

STATUS = Status("production", 50, 200, 0.1, 1000.0, 172.8, 0.15, 6, 598.0, 4, 4, 0)


def test_round_trip_and_who_is_alive(tmp_path):
    assert read_status(tmp_path) is None
    file = StatusFile(tmp_path)
    file.update(STATUS)
    found = read_status(tmp_path)
    assert found.status == STATUS
    assert found.running
    content = json.loads((tmp_path / "status.json").read_text())
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (tmp_path / "status.json").write_text(json.dumps({**content, "process": child.pid}))
    assert not read_status(tmp_path).running
    file.close("finished")
    assert (read_status(tmp_path).state, read_status(tmp_path).status) == ("finished", STATUS)
    for bad in ("no json", "{}", json.dumps({**content, "status": {"stage": "x"}})):
        (tmp_path / "status.json").write_text(bad)
        with pytest.raises(FileFormatError, match=r"status\.json"):
            read_status(tmp_path)


def test_a_full_disk_does_not_stop_a_run_for_the_status(tmp_path, caplog):
    file = StatusFile(tmp_path / "gone")
    file.update(STATUS)
    file.update(STATUS)
    assert len([r for r in caplog.records if "cannot be written" in r.message]) == 1


def test_a_finished_run(tmp_path):
    write_config(tmp_path, production_ps=2.0)
    run_here(tmp_path)
    assert read_status(tmp_path / "out").state == "finished"
    watcher = FolderWatcher(tmp_path / "out")
    first = watcher.estimates()
    assert first.n_samples == 101
    assert watcher.estimates() is first  # not analysed again
    for arguments in (["--once"], []):  # without --once it ends because the run has
        done = run_lpsnmr(tmp_path, "watch", "out", *arguments)
        assert done.returncode == 0, done.stderr
        for words in (
            "finished",
            "101 samples",
            "whole PS4",
            "of 4",
            "ns/day",
            "temperature",
            "not resolved",
        ):
            assert words in done.stdout, words


@pytest.mark.process
def test_a_live_run_is_followed_until_it_is_killed(tmp_path):
    write_config(tmp_path, production_ps=500.0)
    run = subprocess.Popen(
        lpsnmr_command("run", "run.toml", "--no-analysis", "--set", "output.checkpoint_min=0.01"),
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while not (tmp_path / "out" / "results.h5").exists() and run.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        shown = run_lpsnmr(tmp_path, "watch", "out", "--once").stdout
        assert "running" in shown
        assert "production" in shown
        watch = subprocess.Popen(
            lpsnmr_command("watch", "out", "--every-s", "0.1"),
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(1.0)
        assert watch.poll() is None
    finally:
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
    out, err = watch.communicate(timeout=TIMEOUT_S)
    assert watch.returncode == 0, err
    assert "gone without a word: killed" in " ".join(out.split())


def test_nothing_there(tmp_path):
    done = run_lpsnmr(tmp_path, "watch", "absent")
    assert done.returncode == 2
    assert "no such folder" in done.stderr
    (tmp_path / "empty").mkdir()
    done = run_lpsnmr(tmp_path, "watch", "empty", "--once")
    assert "nothing written yet" in done.stdout
