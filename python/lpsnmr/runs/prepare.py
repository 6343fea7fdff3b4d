"""From a configuration to files and hashes: everything a run needs before LAMMPS starts."""

import hashlib
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from ase import Atoms

from lpsnmr.efg import EfgModel
from lpsnmr.elements import symbol_of
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.hashing import add_arrays, sha256_of
from lpsnmr.potential import potential_hash
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.recipe import Recipe, check_elements, load_model, model_path, sites_of
from lpsnmr.sampling.sampler import LITHIUM
from lpsnmr.structures import (
    KnownSites,
    load_structure,
    mean_nearest_distance,
    report_structure,
    supercell,
)
from lpsnmr.trajectory.data_file import write_data_file

__all__ = ["PreparedRun", "jump_distance", "potential_path", "prepare_run", "steps_between_samples"]

DATA_FILE = "structure.data"


@dataclass(frozen=True)
class PreparedRun:
    """A configuration with its files found and read.

    Attributes
    ----------
    recipe
        What is sampled, and what the results say of it.
    model_file
        File of the EFG model.
    elements
        Element of LAMMPS type 1, 2, ….
    potential
        Potential file, or None when the deck or the commands name it.
    atoms
        Structure; None with a deck of the user.
    """

    recipe: Recipe
    model_file: Path
    elements: list[str]
    potential: Path | None
    atoms: Atoms | None

    @property
    def settings(self) -> RunSettings:
        """The configuration."""
        return self.recipe.settings

    @property
    def data_file(self) -> Path:
        """LAMMPS data file in the output folder."""
        return self.recipe.folder / DATA_FILE

    def write_data_file(self) -> None:
        """Write the structure where LAMMPS reads it; nothing with a deck."""
        if self.atoms is not None:
            write_data_file(self.data_file, self.atoms, self.elements)


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
    model = load_model(settings.efg.model)
    fingerprint = {**settings.fingerprint(), "efg.sha256": model.sha256}
    sites = sites_of(settings, fingerprint)
    if settings.md.input is not None:
        return _prepare_deck(settings, settings.md.input, model, fingerprint, sites)
    repeats = settings.structure.supercell
    atoms = _whole_structure(settings.structure.file, repeats)
    check_elements(model, atoms.numbers, settings.structure.file)
    potential = None
    if not settings.potential.commands:
        potential = potential_path(settings.potential.file)
        fingerprint["potential.sha256"] = potential_hash(potential)
    fingerprint["structure.sha256"] = _structure_sha256(atoms)
    if sites is not None:  # before any MD: is it the right cell?
        sites.in_cell(atoms.cell[:], settings.jumps.repeats or repeats, settings.jumps.separation_angstrom)
    recipe = Recipe(
        settings, model, repeats, settings.md.temperature_k, jump_distance(atoms), fingerprint, sites
    )
    elements = [symbol_of(int(z)) for z in np.unique(atoms.numbers)]
    return PreparedRun(recipe, model_path(settings.efg.model), elements, potential, atoms)


def _prepare_deck(
    settings: RunSettings, deck: Path, model: EfgModel, fingerprint: dict[str, str], sites: KnownSites | None
) -> PreparedRun:
    """Return a run of the user's own deck, whose crystal and unit cell are unknown."""
    if not deck.is_file():
        raise FileFormatError(f"{deck}: no such LAMMPS deck (md.input)")
    if not settings.md.elements:
        raise InputError("md.input needs md.elements: the element of each LAMMPS type, in order")
    fingerprint["md.input.sha256"] = sha256_of(deck)
    recipe = Recipe(settings, model, (1, 1, 1), settings.md.temperature_k, None, fingerprint, sites)
    return PreparedRun(recipe, model_path(settings.efg.model), list(settings.md.elements), None, None)


def _whole_structure(file: str, repeats: tuple[int, int, int]) -> Atoms:
    """Return the supercell of a structure with Li and whole PS4 units; refuse any other."""
    atoms = supercell(load_structure(file), repeats)
    report = report_structure(atoms)
    if report.n_intact != report.n_phosphorus:
        raise InputError(
            f"{file}: {report.n_intact} of {report.n_phosphorus} P have exactly four S; "
            "expected whole PS4 units"
        )
    if not (atoms.numbers == LITHIUM).any():
        raise InputError(f"{file}: holds no Li")
    return atoms


def jump_distance(atoms: Atoms) -> float:
    """Return the mean distance of a Li to its nearest Li, Å."""
    return mean_nearest_distance(atoms.positions[atoms.numbers == LITHIUM], atoms.cell[:])


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


def _structure_sha256(atoms: Atoms) -> str:
    digest = hashlib.sha256()
    add_arrays(
        digest,
        atoms.numbers.astype("<i4"),
        atoms.positions.astype("<f8"),
        np.asarray(atoms.cell[:], dtype="<f8"),
    )
    return digest.hexdigest()
