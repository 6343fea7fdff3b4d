"""The version is written once, and what is built and installed says the same."""

import importlib.metadata
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

import lpsnmr
from lpsnmr.cli.main import group

ROOT = Path(__file__).resolve().parents[2]


def test_command_and_package_say_the_same_version():
    told = CliRunner().invoke(group, ["--version"])
    assert told.output.split()[-1] == lpsnmr.__version__
    assert importlib.metadata.version("lpsnmr") == lpsnmr.__version__


def test_cmake_reads_the_version_of_the_package(tmp_path):
    cmake = shutil.which("cmake")
    if cmake is None:
        pytest.skip("no cmake on the path")
    (tmp_path / "cmake").mkdir()
    script = shutil.copy(ROOT / "cmake" / "project_version.cmake", tmp_path / "cmake")
    package = tmp_path / "python" / "lpsnmr"
    package.mkdir(parents=True)
    for text, expected in (('__version__ = "1.20.3"', "1.20.3"), ('__version__ = "2.0.1.dev4"', "2.0.1")):
        (package / "version.py").write_text(f'"""The version."""\n\n{text}\n')
        done = subprocess.run([cmake, "-P", script], capture_output=True, text=True, check=True)
        assert done.stderr.strip() == expected
    (package / "version.py").write_text("version = 3\n")
    assert (
        "expected a line __version__"
        in subprocess.run([cmake, "-P", script], capture_output=True, text=True).stderr
    )


@pytest.mark.parametrize("name", ["pyproject.toml", "CMakeLists.txt", "python/lpsnmr/__init__.py"])
def test_no_second_place_states_it(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r'(?m)^(version|__version__) *= *"\d', text)
    assert not re.search(r"project\(\s*lpsnmr\s+VERSION\s+\d", text)
