"""The configuration of a run or stream: a TOML file, checked key by key."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.md.settings import HOTTEST_K, MdSettings, PotentialSettings
from lpsnmr.nuclides import nuclide
from lpsnmr.sampling.settings import JumpSettings, SamplingSettings
from lpsnmr.strict_model import StrictModel, complaints
from lpsnmr.structures.species import SpeciesSettings
from lpsnmr.trajectory.time_grid import LONGEST_STEP_FS, SHORTEST_STEP_FS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "EfgSettings",
    "OutputSettings",
    "RunSettings",
    "StreamSettings",
    "StructureSettings",
    "example_config",
    "load_config",
]


class StructureSettings(StrictModel):
    """Section ``[structure]``."""

    file: str = Field(
        default="beta-Li3PS4", description="shipped crystal (beta-Li3PS4, gamma-Li3PS4) or a structure file"
    )
    supercell: tuple[int, int, int] = Field(default=(1, 2, 2), description="repeats along the cell vectors")


class EfgSettings(StrictModel):
    """Section ``[efg]``."""

    model: str = Field(
        default="default", description="EFG model file, 'default' for the shipped one, or 'none'"
    )
    nucleus: str | None = Field(
        default=None, description="as species.nucleus, which goes before it; kept for older files"
    )

    @field_validator("nucleus")
    @classmethod
    def _known_nucleus(cls, value: str | None) -> str | None:
        if value is not None:
            nuclide(value)
        return value


class OutputSettings(StrictModel):
    """Section ``[output]``."""

    folder: Path = Field(default=Path("results"), description="folder of all files of the run")
    checkpoint_min: float = Field(
        default=5.0, gt=0, description="wall-clock time between checkpoints, minutes"
    )
    thermo_ps: float = Field(default=1.0, gt=0, description="time between lines of thermo.csv, ps")
    tensors_ps: float = Field(
        default=0.0, ge=0, description="time between EFG tensors kept in tensors.h5, ps; 0 keeps none"
    )


class StreamSettings(StrictModel):
    """Section ``[stream]``: what only ``lpsnmr stream`` needs to know."""

    elements: tuple[str, ...] = Field(
        default=(), description="elements of LAMMPS types 1, 2, …, for dumps without a column element"
    )
    timestep_fs: float | None = Field(
        default=None,
        ge=SHORTEST_STEP_FS,
        le=LONGEST_STEP_FS,
        description="MD time step, fs, for dumps without ITEM: TIME",
    )
    frame_ps: float | None = Field(
        default=None, gt=0, description="time between frames, ps, for files without steps and times"
    )
    units: Literal["metal", "real"] | None = Field(
        default=None, description="units of ITEM: TIME in dumps without ITEM: UNITS; metal (ps) by default"
    )
    topology: str | None = Field(
        default=None, description="structure file with the elements of XTC, TRR, DCD, NetCDF or imd:// frames"
    )
    join: Literal["steps", "append"] = Field(
        default="steps",
        description="files by their steps, or each after the one before with steps counted on",
    )
    tensors: bool = Field(default=True, description="EFG tensors; false follows the dynamics alone")
    accept_outside: bool = Field(
        default=False, description="go on though most environments are outside the EFG model's training data"
    )
    temperature_k: float | None = Field(
        default=None, gt=0, le=HOTTEST_K, description="temperature of the MD, K, noted in the results"
    )
    from_step: int = Field(default=0, description="skip frames of earlier steps")
    every: int | None = Field(
        default=None, ge=1, description="use every n-th frame; by default sampling.interval_ps tells, or 1"
    )
    frames: int | None = Field(default=None, ge=2, description="stop after this many samples")
    follow: bool = Field(default=True, description="wait for more at the end of the last dump")
    idle_s: float = Field(
        default=60.0, ge=0, description="stop following after so many seconds without anything new; 0: never"
    )


class RunSettings(StrictModel):
    """A whole configuration file, of a run or a stream or both."""

    structure: StructureSettings = StructureSettings()
    species: SpeciesSettings = SpeciesSettings()
    potential: PotentialSettings = PotentialSettings()
    efg: EfgSettings = EfgSettings()
    md: MdSettings = MdSettings()
    sampling: SamplingSettings = SamplingSettings()
    jumps: JumpSettings = JumpSettings()
    output: OutputSettings = OutputSettings()
    stream: StreamSettings = StreamSettings()

    @model_validator(mode="after")
    def _one_nucleus(self) -> "RunSettings":
        first, second = self.species.nucleus, self.efg.nucleus
        if first is not None and second is not None and first != second:
            raise InputError(
                f"species.nucleus and efg.nucleus: expected one of them, got {first} and {second}"
            )
        try:
            self.species.nucleus_of(second)
        except InputError as error:
            raise InputError(f"{'species' if first or not second else 'efg'}.{error}") from None
        return self

    @property
    def nucleus(self) -> str:
        """The nucleus, as ``lpsnmr.nuclides.nuclide`` reads it."""
        return self.species.nucleus_of(self.efg.nucleus)

    def species_told(self) -> dict[str, str]:
        """Return the settings of ``[species]`` that a resumed calculation must not change.

        Only those that are not the default: checkpoints of earlier versions know none of them. The nucleus is
        told elsewhere.
        """
        usual = SpeciesSettings()
        values = json.loads(self.species.model_dump_json(exclude={"nucleus", "quadrupole_barn", "spin"}))
        return {
            f"species.{key}": json.dumps(value)
            for key, value in values.items()
            if getattr(self.species, key) != getattr(usual, key)
        }

    def fingerprint(self) -> dict[str, str]:
        """Return the settings that a resumed run must not change, as ``section.key`` to JSON text.

        The length of the production and the sections ``[output]`` and ``[stream]`` are left out: a run may be
        made longer. File names are left out too: their contents count, see ``prepare_run``.
        """
        values = json.loads(
            self.model_dump_json(
                exclude={
                    "output": True,
                    "stream": True,
                    "md": {"production_ps", "input"},
                    "structure": {"file"},
                    "potential": {"file"},
                    "efg": {"model"},
                    "species": True,
                    "jumps": {"sites", "distance_angstrom"},
                }
            )
        )
        if self.jumps.repeats is None:
            del values["jumps"]["repeats"]
        values["efg"]["nucleus"] = self.nucleus
        for key in ("charges", "kspace_style"):  # checkpoints of earlier versions know neither
            if not values["potential"][key]:
                del values["potential"][key]
        told = {
            f"{section}.{key}": json.dumps(value)
            for section, content in values.items()
            for key, value in content.items()
        }
        return {**told, **self.species_told()}


Command = Literal["run", "stream"]


def load_config(
    path: str | os.PathLike[str] | None, overrides: Sequence[str] = (), command: Command = "run"
) -> RunSettings:
    """Read and check a configuration.

    Parameters
    ----------
    path
        TOML file; None takes every default. File names in it are relative to its folder.
    overrides
        ``"section.key=value"``, value in TOML syntax (a bare word is taken as text); file names in
        them are relative to the current folder.
    command
        Whose configuration it is. One file may serve both, but an override that would not be used is
        refused.

    Raises
    ------
    FileFormatError
        When the file is missing or no TOML.
    InputError
        For an unknown key or a value that does not fit; names the key, what was expected and got.
    """
    values: dict[str, Any] = {}
    if path is not None:
        values = _read_toml(Path(path))
        _resolve_paths(values, Path(path).resolve().parent)
    for override in overrides:
        _apply_override(values, override)
    try:
        settings = RunSettings.model_validate(values)
        check_used(settings, [override.partition("=")[0].strip() for override in overrides], command)
        return settings
    except ValidationError as error:
        where = "configuration" if path is None else os.fspath(path)
        raise InputError(f"{where}: {complaints(error, RunSettings)}") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            values: dict[str, Any] = tomllib.load(file)
            return values
    except OSError as error:
        raise FileFormatError(f"{path}: cannot read the configuration: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: not a TOML file: {error}") from error


PATH_KEYS = (
    ("structure", "file"),
    ("potential", "file"),
    ("efg", "model"),
    ("md", "input"),
    ("jumps", "sites"),
    ("stream", "topology"),
    ("output", "folder"),
)


def _resolve_paths(values: dict[str, Any], folder: Path) -> None:
    for section, key in PATH_KEYS:
        content = values.get(section)
        if not isinstance(content, dict) or not isinstance(content.get(key), str):
            continue
        if key in {"input", "folder"} or (folder / content[key]).exists():
            content[key] = str((folder / content[key]).resolve())


def _apply_override(values: dict[str, Any], override: str) -> None:
    name, separator, text = override.partition("=")
    section, dot, key = name.strip().partition(".")
    if not separator or not dot or not key:
        raise InputError(f"expected section.key=value, such as md.temperature_k=700, got {override!r}")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    content = values.setdefault(section, {})
    if not isinstance(content, dict):
        raise InputError(f"{section} is not a section of the configuration")
    content[key] = value


WITH_DECK = (
    "structure", "potential", "md.equilibration", "md.pressure_bar", "md.barostat", "md.barostat_damping_ps",
    "md.ensemble", "md.thermostat", "md.thermostat_damping_ps", "md.seed", "md.skin_angstrom",
    "md.neighbor_every",
)  # fmt: skip
OF_A_BAROSTAT = ("md.pressure_bar", "md.barostat", "md.barostat_damping_ps")
OF_DETECTORS = (
    "jumps.window_ps", "jumps.min_stay_ps", "jumps.core_radius_angstrom", "jumps.displacement_angstrom",
    "jumps.learn_ps", "jumps.separation_angstrom", "jumps.sites", "jumps.repeats",
)  # fmt: skip


def check_used(settings: RunSettings, keys: Sequence[str], command: Command) -> None:
    """Refuse keys given on the command line that would not be used; a file may hold them.

    Raises
    ------
    InputError
        Names the key, and why it has no meaning.
    """
    for unused, why in _unused(settings, command):
        for key in keys:
            if key in unused or key.partition(".")[0] in unused:
                raise InputError(f"{key}: not used {why}; expected a key that is used")


def _unused(settings: RunSettings, command: Command) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield sections and keys without a meaning, and why they have none."""
    md = settings.md
    if not settings.jumps.follow:
        yield OF_DETECTORS, "with jumps.follow = false"
    if not settings.sampling.evolution_times_us:
        yield ("sampling.orientation_degree",), "without evolution times of an echo"
    if command == "stream":
        about_the_md = {"temperature_k", "timestep_fs", "elements"}
        others = tuple(f"md.{key}" for key in MdSettings.model_fields if key not in about_the_md)
        yield ("potential", "output.thermo_ps", *others), "by lpsnmr stream"
        return
    yield ("stream",), "by lpsnmr run"
    if md.input is not None:
        yield WITH_DECK, "with md.input, which takes its place"
        return
    yield ("md.elements",), "without md.input"
    if settings.potential.commands:
        yield ("potential.file", "potential.style"), "with potential.commands"
    if md.equilibration == "nvt" or md.equilibration_ps == 0:
        yield OF_A_BAROSTAT, "without an npt equilibration"
    if md.ensemble == "nve":
        yield ("md.thermostat",), 'with md.ensemble = "nve"'


EXAMPLES = {
    "input": '"in.deck"',
    "nucleus": '"23Na"',
    "quadrupole_barn": "0.104",
    "spin": "1.5",
    "sites": '"crystal.cif"',
    "repeats": "[1, 2, 2]",
    "distance_angstrom": "3.25",
    "timestep_fs": "2.0",
    "temperature_k": "700.0",
    "every": "1",
    "frames": "1000",
    "frame_ps": "0.1",
    "units": '"real"',
    "topology": '"structure.data"',
}
"""What a key without a default may look like."""


def _toml(value: Any) -> str:
    """Return a value as it stands in a TOML file."""
    if isinstance(value, StrictModel):
        inside = ", ".join(f"{key} = {_toml(item)}" for key, item in value)
        return f"{{{inside}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_toml(item)}' for key, item in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(str(value) if isinstance(value, Path) else value)


HEADING = {"stream": "only lpsnmr stream reads this section; lpsnmr run does not"}


def example_config() -> str:
    """Return a TOML text with every key at its default, commented; it loads as it stands."""
    return "\n".join(_example_lines()) + "\n"


def _example_lines() -> Iterator[str]:
    yield "# lpsnmr run and stream: every key with its default. Delete what you do not change."
    for section, field in RunSettings.model_fields.items():
        yield f"\n[{section}]" + (f" # {HEADING[section]}" if section in HEADING else "")
        for key, item in field.annotation.model_fields.items():  # type: ignore[union-attr]
            value = item.get_default(call_default_factory=True)
            text = _toml(value)
            line = f"{key} = {text}" if value is not None else f"# {key} = {EXAMPLES[key]}"
            yield f"{line:<40} # {item.description}"
