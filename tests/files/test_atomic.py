"""Files that appear whole, together, or not at all, and what killed processes left aside."""

import errno
import os
import subprocess
import sys

import pytest

from lpsnmr.errors import InputError
from lpsnmr.files.atomic import (
    WriteError,
    check_targets,
    remove_stale,
    written_aside,
    written_together,
)

FULL = OSError(28, "No space left on device")


def contents(folder):
    return {p.name: p.read_text() for p in folder.iterdir()}


@pytest.fixture
def earlier(tmp_path):
    """Two folders, one with files of an earlier time."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "one").write_text("old 1")
    (tmp_path / "a" / "gone").write_text("old")
    return tmp_path


def write(folder, error=None):
    with written_together("set") as files:
        for name in ("a/one", "a/two", "b/three"):
            with written_aside(files.aside(folder / name)) as aside:
                aside.write_text(f"new {name}")
                if error and name == "b/three":
                    raise error
        files.remove(folder / "a" / "gone")
        files.remove(folder / "a" / "never")


def test_a_set_appears_together(earlier):
    write(earlier)
    assert contents(earlier / "a") == {"one": "new a/one", "two": "new a/two"}
    assert contents(earlier / "b") == {"three": "new b/three"}


@pytest.mark.parametrize("error", [FULL, ValueError("x"), KeyboardInterrupt()])
def test_a_failure_leaves_the_earlier_files(earlier, error):
    with pytest.raises(WriteError if error is FULL else type(error)) as caught:
        write(earlier, error)
    if error is FULL:
        assert str(caught.value).startswith(
            f"{earlier}/b/three: [Errno 28] No space left on device; expected"
        )
    assert contents(earlier / "a") == {"one": "old 1", "gone": "old"}
    assert not list((earlier / "b").iterdir())


@pytest.mark.parametrize("links", [True, False])
def test_a_rename_that_fails_takes_the_others_back(earlier, monkeypatch, links):
    replace = os.replace

    def fail(source, target):
        if target == earlier / "b" / "three":
            raise PermissionError(1, "Operation not permitted", str(source), None, str(target))
        replace(source, target)

    def no_link(source, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "replace", fail)
    if not links:
        monkeypatch.setattr(os, "link", no_link)
    with pytest.raises(WriteError, match=r"b/three: \[Errno 1\] Operation not permitted"):
        write(earlier)
    # without links the earlier one cannot be put back, and is not lost either
    assert contents(earlier / "a") == {"one": "old 1" if links else "new a/one", "gone": "old"}
    assert not list((earlier / "b").iterdir())


def test_unwanted_files_come_back_when_one_cannot_be_removed(earlier, monkeypatch):
    (earlier / "c").mkdir()
    (earlier / "c" / "stays").write_text("old")
    replace = os.replace

    def fail(source, target):
        if source == earlier / "c" / "stays":
            raise PermissionError(1, "Operation not permitted", str(source), None, str(target))
        replace(source, target)

    def both():
        with written_together("set") as files:
            files.aside(earlier / "a" / "one").write_text("new")
            files.remove(earlier / "a" / "gone")
            files.remove(earlier / "c" / "stays")
            files.remove(earlier / "c" / "never")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(WriteError, match=r"c/stays: \[Errno 1\] Operation not permitted"):
            both()
    assert contents(earlier / "a") == {"one": "old 1", "gone": "old"}
    assert contents(earlier / "c") == {"stays": "old"}
    both()
    assert contents(earlier / "a") == {"one": "new"}
    assert not list((earlier / "c").iterdir())


def test_a_set_does_not_replace_a_folder(earlier):
    (earlier / "b" / "three").mkdir()
    with pytest.raises(InputError, match="b/three: expected the name of a file, got that of a folder"):
        write(earlier)
    assert contents(earlier / "a") == {"one": "old 1", "gone": "old"}


def test_two_spellings_of_one_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with written_together("set") as files:
        for path in ("one", tmp_path / "two"):
            files.aside(path).write_text("x")
    assert contents(tmp_path) == {"one": "x", "two": "x"}


def test_errors_of_other_files_pass(tmp_path):
    with pytest.raises(FileNotFoundError, match="other"), written_aside(tmp_path / "x"):
        (tmp_path / "other").read_text()


@pytest.mark.parametrize(
    ("error", "converted"),
    [
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), False),
        (ConnectionResetError(), False),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), False),
        (TimeoutError("slow"), False),
        (OSError(errno.EROFS, "Read-only file system"), True),
        (OSError(errno.EMFILE, "Too many open files"), True),
        (OSError("10 requested and 5 written"), True),  # numpy
    ],
)
def test_only_errors_of_files_are_those_of_the_file(tmp_path, error, converted):
    with pytest.raises(OSError, match=r".*") as caught, written_aside(tmp_path / "x"):
        raise error
    assert isinstance(caught.value, WriteError) == converted
    assert (caught.value is error) != converted
    assert not list(tmp_path.iterdir())


def test_targets_are_checked_before_the_work(tmp_path):
    (tmp_path / "folder").mkdir()
    check_targets(tmp_path / "x", tmp_path / "folder" / "y")
    for path, words in [
        (tmp_path / "folder", "expected the name of a file, got that of a folder"),
        (tmp_path / "none" / "x", "the folder .*none does not exist"),
        ("/proc/x", r"^/proc/x: \[Errno 2\]"),
    ]:
        with pytest.raises(InputError, match=words):
            check_targets(tmp_path / "x", path)
    assert [p.name for p in tmp_path.rglob("*")] == ["folder"]


def test_what_killed_processes_left_is_removed(tmp_path):
    """And nothing of those that live, nor of other files."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    old = [f".f.npz.{dead.pid}.part", f".f.npz.3.{dead.pid}.part", f".f.npz.{os.getpid()}.part"]
    kept = [f".f.npz.{os.getppid()}.part", f".g.npz.{dead.pid}.part", "f.npz", ".f.npz.x.part", ".f.npz.1"]
    for name in old + kept:
        (tmp_path / name).write_text("x")
    (tmp_path / f".f.npz.0.{dead.pid}.part").mkdir()
    (tmp_path / f".f.npz.0.{dead.pid}.part" / "whole").write_text("x")
    remove_stale(tmp_path / "f.npz")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kept)
