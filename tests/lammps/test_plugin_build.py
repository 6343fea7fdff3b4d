"""The installed plugin: shipped models by name, no symbols of MPI's C++ bindings, LAMMPS without mpi4py."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lpsnmr._plugin import plugin_folder

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
for line in (
    "units metal", "lattice sc 4", "region box block 0 3 0 3 0 3", "create_box 3 box", "create_atoms 1 box",
    "mass * 7", "pair_style ufp 3", "pair_coeff * * lps.uf3 lps.ufd Li P S",
    "compute efg all efg/atom li3ps4_pbe.efg Li P S",
):
    lmp.command(line)
print("models found")
"""


def test_plain_lammps_finds_shipped_models(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.strip().endswith("models found"), done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm of binutils")
def test_no_symbols_of_mpi_in_cpp():
    plugin = Path(plugin_folder()) / "ufpplugin.so"
    told = subprocess.run(
        ["nm", "-DC", "--undefined-only", plugin], capture_output=True, text=True, timeout=60, check=True
    )
    assert "MPI_Bcast" in told.stdout
    assert "MPI::" not in told.stdout


@pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")
def test_unknown_sizes_are_refused(tmp_path):
    done = subprocess.run(
        ["cmake", "-S", ROOT, "-B", tmp_path, "-DLPSNMR_PYTHON=OFF", "-DLPSNMR_LAMMPS_SIZES=bigbig"],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "LPSNMR_LAMMPS_SIZES" in done.stderr
    assert "got bigbig" in " ".join(done.stderr.split())
