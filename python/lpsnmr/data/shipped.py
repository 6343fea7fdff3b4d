"""The reference frames that come with the package."""

from importlib.resources import files
from pathlib import Path

__all__ = ["shipped_pbesol", "shipped_reference"]

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
