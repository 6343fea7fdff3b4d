"""``python -m lpsnmr`` is the command."""

import subprocess
import sys

import pytest


def module(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "lpsnmr", *arguments], capture_output=True, text=True, timeout=300, check=False
    )


def test_it_runs_commands():
    done = module("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "lpsnmr,")
    assert "Usage: lpsnmr [OPTIONS]" in module("--help").stdout


@pytest.mark.parametrize(
    ("argument", "words"),
    [("absent", "absent: no such file"), (".", ".: no results.h5 in this folder")],
)
def test_errors_are_one_line(argument, words, tmp_path):
    done = module("analyze", argument, "-o", str(tmp_path))
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
