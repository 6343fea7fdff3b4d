"""tools/check_includes.py finds includes that go the wrong way, and none in this repository."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_includes.py"


def run(*arguments):
    done = subprocess.run(
        [sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def write_core(root, files):
    """Write sources that each include the given paths."""
    for name, includes in files.items():
        path = root / "cpp" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f'#include "{other}"\n' for other in includes) + "#include <vector>\n")


GOOD = {
    "core/common/error.h": [],
    "core/ufp/kernel.h": ["core/common/error.h"],
    "core/ufp/kernel.cpp": ["core/ufp/kernel.h"],
    "core/tests/support/check.h": [],
    "core/tests/ufp/test_kernel.cpp": ["core/tests/support/check.h", "core/ufp/kernel.h"],
    "bindings/arrays.h": ["core/common/error.h"],
    "bindings/ufp.cpp": ["arrays.h", "core/ufp/kernel.h"],
    "pair_ufp/pair_ufp.cpp": ["core/ufp/kernel.h", "pair.h"],  # the last is a header of LAMMPS
}


def test_includes_of_the_core_go_one_way():
    code, told = run("--count")
    assert code == 0, told
    assert "arrows between folders" in told


@pytest.mark.parametrize(
    ("name", "other", "words"),
    [
        ("core/common/error.h", "core/ufp/kernel.h", "common stands below ufp"),
        ("core/ufp/kernel.h", "core/tests/support/check.h", "part of a test"),
        ("core/ufp/kernel.h", "core/ufp/gone.h", "which is not there"),
        (
            "core/common/error.h",
            "core/common/error.h",
            "a circle: core/common/error.h ->",
        ),
        ("core/ufp/kernel.h", "bindings/arrays.h", "known to nobody"),
        ("pair_ufp/pair_ufp.cpp", "bindings/arrays.h", "known to nobody"),
    ],
)
def test_wrong_includes_are_found(tmp_path, name, other, words):
    write_core(tmp_path, GOOD)
    assert run("--root", tmp_path) == (0, "")
    write_core(tmp_path, {name: [*GOOD[name], other]})
    code, told = run("--root", tmp_path)
    assert code == 1
    assert words in told
    assert f"{name}:" in told or "circle" in told


def test_circles_through_several_files_and_unknown_folders(tmp_path):
    write_core(
        tmp_path, {**GOOD, "core/common/a.h": ["core/common/b.h"], "core/common/b.h": ["core/common/a.h"]}
    )
    assert "a circle: core/common/a.h -> core/common/b.h -> core/common/a.h" in run("--root", tmp_path)[1]
    write_core(tmp_path, {"core/common/b.h": [], "core/magnets/x.h": []})
    code, told = run("--root", tmp_path)
    assert code == 1
    assert "magnets is not among the layers" in told
