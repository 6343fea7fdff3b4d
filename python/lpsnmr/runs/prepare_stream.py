"""From a configuration to what a stream needs: one file may serve a run and the stream of its dump."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lpsnmr.elements import symbol_of
from lpsnmr.errors import InputError
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.prepare import jump_distance
from lpsnmr.runs.recipe import NO_MODEL, NoTensors, Recipe, check_surroundings, load_model, sites_of
from lpsnmr.sampling.sampler import TensorModel
from lpsnmr.structures import load_structure, supercell
from lpsnmr.trajectory.frames import Frame
from lpsnmr.trajectory.time_grid import GridSettings

__all__ = ["PreparedStream", "prepare_stream"]

LATER = ("frame_ps", "units", "join")
"""Settings that a resumed stream must not change and that checkpoints of earlier versions lack."""


@dataclass(frozen=True)
class PreparedStream:
    """A configuration, read as one of a stream.

    Attributes
    ----------
    recipe
        What is sampled, and what the results say of it.
    grid
        Time step, and which frames are taken.
    elements
        Element of LAMMPS type 1, 2, …; None when the dumps must have the column ``element``.
    structure
        The cell that the configuration names; None when it names none.
    numbers
        (n,) int32, atomic numbers of a topology, for files that hold no elements; None without one.
    """

    recipe: Recipe
    grid: GridSettings
    elements: tuple[str, ...] | None
    structure: Atoms | None
    numbers: NDArray[np.int32] | None = None

    def check_frame(self, frame: Frame, path: Path) -> None:
        """Refuse a dump of other atoms than the configuration names.

        Raises
        ------
        InputError
            Names both.
        """
        check_surroundings(self.recipe.model, frame.numbers, str(path))
        if self.structure is None:
            return
        here = Counter(symbol_of(int(z)) for z in frame.numbers)
        named = Counter(self.structure.get_chemical_symbols())
        if here != named:
            settings = self.recipe.settings.structure
            raise InputError(
                f"{path}: expected the atoms of {settings.file} repeated {_times(settings.supercell)}, "
                f"{_formula(named)}, got {_formula(here)} (section [structure])"
            )


def _times(repeats: tuple[int, int, int]) -> str:
    return " × ".join(map(str, repeats))


def _formula(counts: Counter[str]) -> str:
    return " ".join(f"{symbol}{n}" for symbol, n in sorted(counts.items()))


def prepare_stream(settings: RunSettings, model: TensorModel | None = None) -> PreparedStream:
    """Find and check what a stream takes from a configuration.

    Sections ``[efg]``, ``[sampling]``, ``[jumps]`` and ``[output]`` mean what they mean for a run. From
    ``[md]`` come temperature, time step and elements, where they stand there and ``[stream]`` says nothing
    else; from ``[structure]``, where it stands there and no deck of the user's takes its place, the repeats
    of the unit cell and the distance between Li sites, and the dump must have its atoms. The rest of ``[md]``
    and all of ``[potential]`` tell how the MD is run, and are left to it.

    Parameters
    ----------
    settings
        Configuration.
    model
        EFG model; by default the one of ``efg.model``.

    Raises
    ------
    InputError
        When a file is missing or unfit.
    """
    stream, md = settings.stream, settings.md
    named = bool(settings.structure.model_fields_set) and md.input is None
    structure = None
    if named:
        structure = supercell(load_structure(settings.structure.file), settings.structure.supercell)
    repeats = settings.structure.supercell if named else (1, 1, 1)
    elements = stream.elements or tuple(md.elements) or None
    timestep_fs = stream.timestep_fs
    if timestep_fs is None and "timestep_fs" in md.model_fields_set:
        timestep_fs = md.timestep_fs
    temperature_k = stream.temperature_k
    if temperature_k is None and "temperature_k" in md.model_fields_set:
        temperature_k = md.temperature_k
    every = stream.every
    by_time = every is None and "interval_ps" in settings.sampling.model_fields_set
    if every is None and not by_time:
        every = 1
    chosen: TensorModel = NoTensors()
    if stream.tensors and (model is not None or settings.efg.model != NO_MODEL):
        chosen = model or load_model(settings.efg.model)
    distance = None if structure is None else jump_distance(structure, settings.species)
    recipe = Recipe(settings, chosen, repeats, temperature_k, distance, {}, None)
    fingerprint = _fingerprint(recipe, elements, timestep_fs, every)
    sites = sites_of(settings, fingerprint)
    recipe = Recipe(settings, chosen, repeats, temperature_k, distance, fingerprint, sites)
    topology = structure if stream.topology is None else load_structure(stream.topology, elements)
    numbers = None if topology is None else np.asarray(topology.numbers, dtype=np.int32)
    grid = GridSettings(timestep_fs, stream.frame_ps, every, settings.sampling.interval_ps)
    return PreparedStream(recipe, grid, elements, structure, numbers)


def _fingerprint(
    recipe: Recipe, elements: tuple[str, ...] | None, timestep_fs: float | None, every: int | None
) -> dict[str, str]:
    """Return what a resumed stream must not change; the names are those of all checkpoints so far."""
    settings, sampling = recipe.settings, recipe.settings.sampling
    read = {
        "elements": elements,
        "timestep_fs": timestep_fs,
        "from_step": settings.stream.from_step,
        "every": every,
        "points_per_level": sampling.points_per_level,
        "nucleus": settings.nucleus,
    }
    names = ("window_ps", "evolution_times_us", "orientation_degree", "field_directions")
    jumps = {"jumps.follow": "False"} if recipe.jumps is None else recipe.jumps.fingerprint()
    by_time = {"interval_ps": str(sampling.interval_ps)} if every is None else {}
    stream = settings.stream  # what earlier versions had not counts only where it is not the default
    usual = type(stream)()
    told = {
        name: str(getattr(stream, name)) for name in LATER if getattr(stream, name) != getattr(usual, name)
    }
    return {
        **{name: str(value) for name, value in read.items()},
        **{name: str(getattr(sampling, name)) for name in names},
        **jumps,
        **by_time,
        **told,
        **settings.species_told(),
        "efg.sha256": recipe.model.sha256,
    }
