"""From a configuration to files and hashes: everything a run needs before LAMMPS starts."""

import hashlib
import json
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from ase import Atoms

from lpsnmr.efg import EfgModel
from lpsnmr.elements import symbol_of
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.potential import potential_hash
from lpsnmr.runs.config import RunSettings
from lpsnmr.sampling import JumpSettings
from lpsnmr.sampling.sampler import LITHIUM
from lpsnmr.structures import (
    KnownSites,
    load_structure,
    mean_nearest_distance,
    read_known_sites,
    report_structure,
    supercell,
)
from lpsnmr.trajectory.data_file import write_data_file
from lpsnmr.version import __version__

__all__ = ["PreparedRun", "load_model", "model_path", "potential_path", "prepare_run", "provenance"]

DATA_FILE = "structure.data"


@dataclass(frozen=True)
class PreparedRun:
    """A configuration with its files found and read.

    Attributes
    ----------
    settings
        The configuration.
    model
        EFG model.
    model_file
        Its file.
    elements
        Element of LAMMPS type 1, 2, ….
    potential
        Potential file, or None when the deck or the commands name it.
    atoms
        Structure; None with a deck of the user.
    jump_distance_angstrom
        Mean nearest Li–Li distance of the structure, Å; None with a deck.
    fingerprint
        What a resumed run must not change.
    sites
        Known sites of Li; None to find them.
    """

    settings: RunSettings
    model: EfgModel
    model_file: Path
    elements: list[str]
    potential: Path | None
    atoms: Atoms | None
    jump_distance_angstrom: float | None
    fingerprint: dict[str, str]
    sites: KnownSites | None = None

    @property
    def data_file(self) -> Path:
        """LAMMPS data file in the output folder."""
        return self.settings.output.folder / DATA_FILE

    @property
    def jumps(self) -> JumpSettings | None:
        """Settings of the jump detectors; with a deck the crystal's unit cell is unknown."""
        repeats = (1, 1, 1) if self.atoms is None else self.settings.structure.supercell
        return self.settings.jumps.settings(repeats)

    def write_data_file(self) -> None:
        """Write the structure where LAMMPS reads it; nothing with a deck."""
        if self.atoms is not None:
            write_data_file(self.data_file, self.atoms, self.elements)


def load_model(name: str) -> EfgModel:
    """Return the EFG model in a file, or the shipped one for ``"default"``."""
    return EfgModel.default() if name == "default" else EfgModel.load(name)


def model_path(name: str) -> Path:
    """Return the file of an EFG model, or of the shipped one for ``"default"``."""
    if name != "default":
        return Path(name).resolve()
    with as_file(files("lpsnmr.data") / "models" / "li3ps4_pbe.efg") as path:
        return path.resolve()


def potential_path(name: str) -> Path:
    """Return the potential file, or the shipped one for ``"default"``.

    Raises
    ------
    FileFormatError
        When there is no such file.
    """
    if name == "default":
        with as_file(files("lpsnmr.data") / "models" / "lps.uf3") as path:
            found = path
    else:
        found = Path(name)
    if not found.is_file():
        raise FileFormatError(f"{found}: no such potential file")
    return found.resolve()


def prepare_run(settings: RunSettings) -> PreparedRun:
    """Find, read and check all files of a run.

    Raises
    ------
    InputError
        When a file is missing or unfit, or settings do not fit together.
    """
    steps_between_samples(settings)
    model, model_file = load_model(settings.efg.model), model_path(settings.efg.model)
    fingerprint = {**settings.fingerprint(), "efg.sha256": model.sha256}
    sites = None
    if settings.jumps.sites is not None:
        sites = read_known_sites(settings.jumps.sites)
        fingerprint["jumps.sites.sha256"] = sites.sha256
    deck = settings.md.input
    if deck is not None:
        if not deck.is_file():
            raise FileFormatError(f"{deck}: no such LAMMPS deck (md.input)")
        if not settings.md.elements:
            raise InputError("md.input needs md.elements: the element of each LAMMPS type, in order")
        fingerprint["md.input.sha256"] = _sha256(deck)
        elements = list(settings.md.elements)
        return PreparedRun(settings, model, model_file, elements, None, None, None, fingerprint, sites)
    atoms = supercell(load_structure(settings.structure.file), settings.structure.supercell)
    report = report_structure(atoms)
    if report.n_intact != report.n_phosphorus:
        raise InputError(
            f"{settings.structure.file}: {report.n_intact} of {report.n_phosphorus} P have exactly four S; "
            "expected whole PS4 units"
        )
    lithium = atoms.positions[atoms.numbers == LITHIUM]
    if len(lithium) == 0:
        raise InputError(f"{settings.structure.file}: holds no Li")
    potential = None
    if not settings.potential.commands:
        potential = potential_path(settings.potential.file)
        fingerprint["potential.sha256"] = potential_hash(potential)
    fingerprint["structure.sha256"] = _structure_sha256(atoms)
    elements = [symbol_of(int(z)) for z in np.unique(atoms.numbers)]
    distance = mean_nearest_distance(lithium, atoms.cell[:])
    if sites is not None:  # before any MD: is it the right cell?
        sites.in_cell(atoms.cell[:], settings.structure.supercell, settings.jumps.separation_angstrom)
    return PreparedRun(settings, model, model_file, elements, potential, atoms, distance, fingerprint, sites)


def steps_between_samples(settings: RunSettings) -> int:
    """Return MD steps per sample.

    Raises
    ------
    InputError
        When the interval is no multiple of the time step, or the production is shorter than it.
    """
    timestep_ps = settings.md.timestep_fs * 1e-3
    steps = round(settings.sampling.interval_ps / timestep_ps)
    if steps < 1 or abs(steps * timestep_ps - settings.sampling.interval_ps) > 1e-6 * timestep_ps:
        raise InputError(
            f"sampling.interval_ps = {settings.sampling.interval_ps:g} is not a multiple of the time step "
            f"{timestep_ps:g} ps"
        )
    if settings.md.production_ps < settings.sampling.interval_ps:
        raise InputError("md.production_ps is shorter than sampling.interval_ps")
    return steps


def provenance(fingerprint: dict[str, str], **more: str | int | float) -> dict[str, str | int | float]:
    """Return versions, hashes and settings for the results file."""
    versions = {}
    for package in ("numpy", "scipy", "lammps", "mpi4py"):
        try:
            versions[f"version_{package}"] = version(package)
        except PackageNotFoundError:
            versions[f"version_{package}"] = "unknown"
    return {
        "version_lpsnmr": __version__,
        "version_python": platform.python_version(),
        **versions,
        "platform": f"{platform.system()} {platform.machine()}",
        "command": " ".join(Path(word).name if k == 0 else word for k, word in enumerate(sys.argv)),
        "settings": json.dumps(fingerprint, sort_keys=True),
        **more,
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _structure_sha256(atoms: Atoms) -> str:
    digest = hashlib.sha256()
    for array in (
        atoms.numbers.astype("<i4"),
        atoms.positions.astype("<f8"),
        np.asarray(atoms.cell[:], dtype="<f8"),
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
