"""Find a Python that has GPAW; make and keep the setups that do not come with it."""

import logging
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.labelling.gpaw_settings import lithium_dataset, stock_dataset

__all__ = ["GPAW_PYTHON", "HOW_TO_INSTALL", "clean_environment", "find_gpaw_python", "setup_folder"]

log = logging.getLogger(__name__)

GPAW_PYTHON: Final = "LPSNMR_GPAW_PYTHON"
"""Environment variable: the Python interpreter that has GPAW."""
CACHE: Final = "LPSNMR_CACHE"
"""Environment variable: the folder of things made once; ``~/.cache/lpsnmr`` by default."""
HOW_TO_INSTALL: Final = (
    "install it with 'apt-get install gpaw gpaw-data' (Debian, Ubuntu) or 'pip install gpaw' and "
    f"'gpaw install-data' in any Python, and name that Python by --gpaw-python or {GPAW_PYTHON} when it is "
    "not found by itself"
)
PROBE_SECONDS, DATASET_SECONDS = 120, 600
MPI_PREFIXES = ("PMI_", "PMIX_", "OMPI_", "MPI_", "MPIR_", "HYDRA_", "HYDI_", "MPICH_", "SLURM_")
GPAW_SETUP: Final = "from gpaw.atom.gpaw_setup import main; main()"
"""The ``gpaw-setup`` command, by the interpreter that has GPAW."""
STOCK_FOLDERS = ("/usr/local/share/gpaw-setups", "/usr/share/gpaw-setups")


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for another Python: without this one's paths and without an MPI launcher's."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "LAMMPS_PLUGIN_PATH")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith(MPI_PREFIXES)
    }
    return {**environment, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **(extra or {})}


def _script_interpreter(script: str) -> str | None:
    """Return the interpreter that a script's first line names."""
    try:
        with open(script, "rb") as file:
            first = file.readline(200).decode("utf-8", "replace").strip()
    except OSError:
        return None
    words = first[2:].split()
    if not first.startswith("#!") or not words:
        return None
    if Path(words[0]).name == "env":
        return shutil.which(words[-1])
    return words[0]


def _candidates() -> Iterator[str]:
    yield sys.executable
    script = shutil.which("gpaw")
    if script:
        interpreter = _script_interpreter(script)
        if interpreter:
            yield interpreter
    yield from ("/usr/bin/python3", "/usr/local/bin/python3")


def _why_not(python: str) -> str:
    """Return an empty text when the interpreter can import GPAW, else what it said."""
    try:
        done = subprocess.run(
            [python, "-c", "import gpaw, ase; from gpaw import GPAW"],
            capture_output=True,
            text=True,
            env=clean_environment(),
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def find_gpaw_python(named: str | os.PathLike[str] | None = None) -> str:
    """Return the path of a Python interpreter that can import GPAW.

    Looked at, in this order: ``named``, the environment variable ``LPSNMR_GPAW_PYTHON`` (either one alone
    when given), this interpreter, the one of the ``gpaw`` command, the system's.

    Raises
    ------
    InputError
        When none has GPAW; says what to install.
    """
    for source, given in (("--gpaw-python", named), (GPAW_PYTHON, os.environ.get(GPAW_PYTHON))):
        if given:
            found = shutil.which(os.fspath(given)) or os.fspath(given)
            reason = _why_not(found)
            if reason:
                raise InputError(f"{source}: {given} cannot import GPAW ({reason}); {HOW_TO_INSTALL}")
            return found
    tried: list[str] = []
    for python in _candidates():
        if python in tried or not Path(python).exists():
            continue
        if not _why_not(python):
            return python
        tried.append(python)
    raise InputError(f"GPAW is not installed (looked in {', '.join(tried)}); {HOW_TO_INSTALL}")


def cache_folder() -> Path:
    """Return the folder of things made once."""
    if os.environ.get(CACHE):
        return Path(os.environ[CACHE])
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lpsnmr"


def setup_folder(python: str, version: str, xc: str, elements: Iterable[str]) -> Path:
    """Return the folder with the setups that do not come with GPAW; make those that are not there (seconds).

    These are the three-electron lithium setup and, for a functional without stock setups, one of each other
    element.

    Parameters
    ----------
    python
        Interpreter with GPAW.
    version
        GPAW's version; each has its own setups.
    xc
        The functional they are made with.
    elements
        Chemical symbols.

    Raises
    ------
    ComputeError
        When GPAW's generator fails.
    """
    folder = cache_folder() / f"gpaw-{version}"
    for element in sorted(set(elements)):
        if element == "Li":
            command: list[str] = ["-m", "gpaw", "dataset", *lithium_dataset(xc)]
            _make_dataset(python, folder / f"Li.A.{xc}", command)
        elif (arguments := stock_dataset(xc, element)) is not None:
            _make_dataset(python, folder / f"{element}.{xc}", ["-c", GPAW_SETUP, *arguments])
    return folder


def _make_dataset(python: str, target: Path, command: Sequence[str]) -> None:
    """Let GPAW make a dataset unless it is there."""
    if target.is_file():
        return
    log.info("making the setup %s", target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as work:
        done = subprocess.run(
            [python, *command],
            cwd=work,
            capture_output=True,
            text=True,
            env=clean_environment({"GPAW_SETUP_PATH": setup_path()}),
            timeout=DATASET_SECONDS,
            check=False,
        )
        made = Path(work) / target.name
        if done.returncode or not made.is_file():
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["nothing"]
            raise ComputeError(
                f"GPAW did not make the setup {target.name} ({shlex.join(command)}): {said[0]}"
            )
        os.replace(made, target)


def setup_path(first: Path | None = None) -> str:
    """Return GPAW_SETUP_PATH with a folder put before the user's or the stock ones."""
    given = os.environ.get("GPAW_SETUP_PATH")
    rest = given.split(os.pathsep) if given else [f for f in STOCK_FOLDERS if Path(f).is_dir()]
    return os.pathsep.join([*([str(first)] if first else []), *rest])
