"""What a run loads before its first step: each rank pays for it at every start."""

import sys

import pytest

from support.shared_process import own

HEAVY = {"sklearn", "pandas", "matplotlib", "scipy.stats", "scipy.interpolate", "scipy.optimize", "ase.io"}


@pytest.mark.parametrize("module", ["lpsnmr.runs.run", "lpsnmr.runs.stream"])
def test_no_library_of_fits_and_reports_is_loaded(module, tmp_path):
    code = f"import sys, {module}; print(*sys.modules)"
    done = own([sys.executable, "-c", code], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "numpy" in done.stdout.split()
    assert HEAVY.isdisjoint(done.stdout.split())
