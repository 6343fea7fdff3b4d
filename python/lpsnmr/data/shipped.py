"""The models and reference frames that come with the package."""

from importlib.resources import files
from pathlib import Path

__all__ = ["find_model", "shipped_models", "shipped_pbesol", "shipped_reference"]

MODEL_FILES = (".uf3", ".ufd", ".ufx", ".efg")

SETS = (
    "lps_gpaw_pbe.extxyz",
    "lps_gpaw_pbe_later.extxyz",
    "lps_gpaw_pbe_hot.extxyz",
    "lps_gpaw_pbe_melt.extxyz",
)
"""In the order of labelling; no frame is in two of them."""


def shipped_reference() -> tuple[Path, ...]:
    """Return the files of the shipped reference frames; the potential is fitted to all of them."""
    folder = Path(str(files("lpsnmr.data"))) / "reference"
    return tuple(folder / name for name in SETS)


def shipped_pbesol() -> Path:
    """Return the file of those shipped frames that are labelled with PBEsol too, for differences to PBE."""
    return Path(str(files("lpsnmr.data"))) / "reference" / "lps_gpaw_pbesol.extxyz"


def shipped_models() -> tuple[Path, ...]:
    """Return the files of the shipped potentials and EFG models, sorted by name."""
    folder = Path(str(files("lpsnmr.data"))) / "models"
    return tuple(sorted(path for path in folder.iterdir() if path.suffix in MODEL_FILES))


def find_model(name: str) -> Path:
    """Return a potential or EFG model file: as given, or the shipped one of this bare name.

    The same rule as in LAMMPS decks, where the plugin looks in this package last.

    Examples
    --------
    >>> find_model("lps.uf3").parent.name
    'models'
    """
    given = Path(name)
    if given.exists() or given.name != name:
        return given
    return next((path for path in shipped_models() if path.name == name), given)
