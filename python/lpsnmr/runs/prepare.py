"""From a configuration to files and hashes: everything a run needs before LAMMPS starts."""

import hashlib
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lpsnmr.data.shipped import find_model
from lpsnmr.elements import symbol_of
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.hashing import add_arrays, sha256_of
from lpsnmr.potential import potential_hash, read_uf3
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.recipe import NO_MODEL, NoTensors, Recipe, check_elements, load_model, model_path, sites_of
from lpsnmr.sampling.sampler import TensorModel
from lpsnmr.structures import (
    KnownSites,
    load_structure,
    mean_nearest_distance,
    supercell,
)
from lpsnmr.structures.checks import check_distances
from lpsnmr.structures.framework import Framework
from lpsnmr.structures.polyhedra import tell_broken
from lpsnmr.structures.species import SpeciesSettings
from lpsnmr.trajectory.data_file import write_data_file

__all__ = [
    "PreparedRun",
    "jump_distance",
    "potential_path",
    "prepare_run",
    "steps_between_samples",
    "tell_no_framework",
]

DATA_FILE = "structure.data"
NEUTRAL = 1e-6
"""Largest charge of a neutral cell, e per atom."""


@dataclass(frozen=True)
class PreparedRun:
    """A configuration with its files found and read.

    Attributes
    ----------
    recipe
        What is sampled, and what the results say of it.
    model_file
        File of the EFG model; None without one.
    elements
        Element of LAMMPS type 1, 2, ….
    potential
        Potential file, or None when the deck or the commands name it.
    atoms
        Structure; None with a deck of the user.
    notes
        What the user should know of the structure.
    """

    recipe: Recipe
    model_file: Path | None
    elements: list[str]
    potential: Path | None
    atoms: Atoms | None
    notes: tuple[str, ...] = ()

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
            charges = self.settings.potential.charges
            write_data_file(self.data_file, self.atoms, self.elements, charges or None)


def potential_path(name: str) -> Path:
    """Return the potential file: as given, a shipped one by its bare name, or lps.uf3 for ``"default"``.

    Raises
    ------
    FileFormatError
        When there is no such file.
    """
    if name == "default":
        with as_file(files("lpsnmr.data") / "models" / "lps.uf3") as path:
            found = path
    else:
        found = find_model(name)
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
    model: TensorModel = NoTensors() if settings.efg.model == NO_MODEL else load_model(settings.efg.model)
    fingerprint = {**settings.fingerprint(), "efg.sha256": model.sha256}
    sites = sites_of(settings, fingerprint)
    if settings.md.input is not None:
        return _prepare_deck(settings, settings.md.input, model, fingerprint, sites)
    repeats = settings.structure.supercell
    species = settings.species
    atoms = _checked_structure(settings.structure.file, repeats, species)
    check_elements(model, atoms.numbers, settings.structure.file, species)
    _check_charges(settings.potential.charges, atoms, settings.structure.file)
    potential = None
    if not settings.potential.commands:
        potential = potential_path(settings.potential.file)
        _check_potential(potential, atoms, settings.structure.file)
        fingerprint["potential.sha256"] = potential_hash(potential)
    fingerprint["structure.sha256"] = _structure_sha256(atoms)
    if sites is not None:  # before any MD: is it the right cell?
        sites.in_cell(atoms.cell[:], settings.jumps.repeats or repeats, settings.jumps.separation_angstrom)
    recipe = Recipe(
        settings, model, repeats, settings.md.temperature_k, jump_distance(atoms, species), fingerprint, sites
    )
    elements = [symbol_of(int(z)) for z in np.unique(atoms.numbers)]
    return PreparedRun(
        recipe, _model_file(settings), elements, potential, atoms, tuple(_about(atoms, species))
    )


def _model_file(settings: RunSettings) -> Path | None:
    return None if settings.efg.model == NO_MODEL else model_path(settings.efg.model)


def _about(atoms: Atoms, species: SpeciesSettings) -> list[str]:
    """Return what the user should know of a structure: broken polyhedra, and no framework."""
    numbers = np.asarray(atoms.numbers, dtype=np.int32)
    broken = tell_broken(atoms.positions, atoms.cell[:], tuple(atoms.pbc), numbers, species.polyhedra)
    return [text for text in (broken, tell_no_framework(numbers, species)) if text]


def tell_no_framework(numbers: NDArray[np.int32], species: SpeciesSettings) -> str:
    """Return what to say of atoms without a framework; nothing where there is one."""
    if Framework(numbers, species):
        return ""
    return (
        f"no framework: no atoms but {species.mobile} count for it (species.framework), so that a drift of "
        "the whole cannot be told from motion, and stays"
    )


def _check_charges(charges: dict[str, float], atoms: Atoms, structure: str) -> None:
    """Refuse charges that leave out an element or do not sum to zero, before any MD."""
    if not charges:
        return
    symbols = atoms.get_chemical_symbols()
    missing = [symbol for symbol in dict.fromkeys(symbols) if symbol not in charges]
    if missing:
        raise InputError(
            f"potential.charges: expected one for every element, got none for {', '.join(missing)}"
        )
    total = sum(charges[symbol] for symbol in symbols)
    if abs(total) > NEUTRAL * len(atoms):
        raise InputError(f"potential.charges: expected a neutral cell of {structure}, got {total:+.4g} e")


def _check_potential(potential: Path, atoms: Atoms, structure: str) -> None:
    """Refuse a structure with elements that a potential file does not name, before any MD."""
    if potential.suffix != ".uf3":
        return  # another style's file: LAMMPS knows
    known = read_uf3(potential).elements
    foreign = [symbol for symbol in dict.fromkeys(atoms.get_chemical_symbols()) if symbol not in known]
    if foreign:
        raise InputError(
            f"{structure}: the potential {potential.name} does not know {', '.join(foreign)}; expected "
            f"atoms of {', '.join(known)} only (potential.file)"
        )


def _prepare_deck(
    settings: RunSettings,
    deck: Path,
    model: TensorModel,
    fingerprint: dict[str, str],
    sites: KnownSites | None,
) -> PreparedRun:
    """Return a run of the user's own deck, whose crystal and unit cell are unknown."""
    if not deck.is_file():
        raise FileFormatError(f"{deck}: no such LAMMPS deck (md.input)")
    if not settings.md.elements:
        raise InputError("md.input needs md.elements: the element of each LAMMPS type, in order")
    fingerprint["md.input.sha256"] = sha256_of(deck)
    recipe = Recipe(settings, model, (1, 1, 1), settings.md.temperature_k, None, fingerprint, sites)
    return PreparedRun(recipe, _model_file(settings), list(settings.md.elements), None, None)


def _checked_structure(file: str, repeats: tuple[int, int, int], species: SpeciesSettings) -> Atoms:
    """Return the supercell of a structure; refuse one with atoms on each other or without the mobile ion."""
    atoms = supercell(load_structure(file), repeats)
    check_distances(atoms)
    if not (atoms.numbers == species.number).any():
        raise InputError(f"{file}: holds no {species.mobile} (species.mobile)")
    return atoms


def jump_distance(atoms: Atoms, species: SpeciesSettings) -> float | None:
    """Return the mean distance of a mobile ion to the nearest other, Å; None where there are none."""
    mobile = atoms.positions[atoms.numbers == species.number]
    return mean_nearest_distance(mobile, atoms.cell[:]) if len(mobile) else None


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
