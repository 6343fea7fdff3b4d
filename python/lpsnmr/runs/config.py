"""The configuration of a run: a TOML file, checked key by key, with every default written here."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.md.settings import MdSettings, PotentialSettings, StrictModel
from lpsnmr.sampling.jump_settings import JumpSettings
from lpsnmr.sampling.nmr_sampling import NmrSettings, check_nmr_settings
from lpsnmr.units import check_lithium

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "EfgSettings",
    "JumpSection",
    "OutputSettings",
    "RunSettings",
    "SamplingSettings",
    "StructureSettings",
    "example_config",
    "load_config",
]


DEFAULT_JUMPS = JumpSettings()


class StructureSettings(StrictModel):
    """Section ``[structure]``."""

    file: str = Field(
        default="beta-Li3PS4", description="shipped crystal (beta-Li3PS4, gamma-Li3PS4) or a structure file"
    )
    supercell: tuple[int, int, int] = Field(default=(1, 2, 2), description="repeats along the cell vectors")


class EfgSettings(StrictModel):
    """Section ``[efg]``."""

    model: str = Field(default="default", description="EFG model file, or 'default' for the shipped model")
    nucleus: str = Field(default="7Li", description="nucleus whose quadrupole moment is used")

    @field_validator("nucleus")
    @classmethod
    def _known_nucleus(cls, value: str) -> str:
        check_lithium(value)
        return value


class SamplingSettings(StrictModel):
    """Section ``[sampling]``."""

    interval_ps: float = Field(
        default=0.1, gt=0, description="time between samples, ps; a multiple of the time step"
    )
    points_per_level: int = Field(
        default=16, ge=2, multiple_of=2, description="lags per level of the multi-tau correlators; even"
    )
    window_ps: float = Field(
        default=1.0, gt=0, description="tensors are averaged so long before echoes and spectra, ps"
    )
    evolution_times_us: tuple[float, ...] = Field(
        default=(2.0, 5.0, 10.0), description="evolution times of spin-alignment echoes, μs; [] for none"
    )
    orientation_degree: int = Field(
        default=35, description="degree of the Lebedev set of orientations of the echoes"
    )
    field_directions: tuple[tuple[float, float, float], ...] = Field(
        default=(), description="field directions of single crystals, such as [[0, 0, 1]]"
    )

    @model_validator(mode="after")
    def _sensible(self) -> "SamplingSettings":
        check_nmr_settings(self)
        return self


class JumpSection(StrictModel):
    """Section ``[jumps]``: how jumps are told from vibrations."""

    follow: bool = Field(default=True, description="count jumps of Li and rotations of PS4")
    window_ps: float = Field(
        default=DEFAULT_JUMPS.window_ps, gt=0, description="positions are averaged over windows, ps"
    )
    min_stay_ps: float = Field(
        default=DEFAULT_JUMPS.min_stay_ps,
        gt=0,
        description="a return after a shorter stay is a recrossing, ps",
    )
    core_radius_angstrom: float = Field(
        default=DEFAULT_JUMPS.core_radius_angstrom, gt=0, description="this close to a site is at the site, Å"
    )
    displacement_angstrom: float = Field(
        default=DEFAULT_JUMPS.displacement_angstrom,
        gt=0,
        description="without sites: an averaged position this far off has jumped, Å",
    )
    learn_ps: float = Field(
        default=DEFAULT_JUMPS.learn_ps, gt=0, description="sites are found in the first stretch, ps"
    )
    separation_angstrom: float = Field(
        default=DEFAULT_JUMPS.separation_angstrom, gt=0, description="least distance between sites, Å"
    )

    sites: str | None = Field(
        default=None, description="structure file (CIF, extXYZ, …) whose Li positions are the sites"
    )

    def settings(self, repeats: tuple[int, int, int]) -> JumpSettings | None:
        """Return the settings of the detectors; None when jumps are not followed."""
        if not self.follow:
            return None
        return JumpSettings(**self.model_dump(exclude={"follow", "sites"}), repeats=repeats)


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


class RunSettings(StrictModel):
    """A whole configuration file."""

    structure: StructureSettings = StructureSettings()
    potential: PotentialSettings = PotentialSettings()
    efg: EfgSettings = EfgSettings()
    md: MdSettings = MdSettings()
    sampling: SamplingSettings = SamplingSettings()
    jumps: JumpSection = JumpSection()
    output: OutputSettings = OutputSettings()

    def nmr(self) -> NmrSettings:
        """Return what is sampled for NMR beyond the tensor correlation."""
        sampling = self.sampling
        return NmrSettings(
            nucleus=self.efg.nucleus,
            window_ps=sampling.window_ps,
            evolution_times_us=sampling.evolution_times_us,
            orientation_degree=sampling.orientation_degree,
            field_directions=sampling.field_directions,
            tensors_ps=self.output.tensors_ps,
        )

    def fingerprint(self) -> dict[str, str]:
        """Return the settings that a resumed run must not change, as ``section.key`` to JSON text.

        The length of the production and the section ``[output]`` are left out: a run may be made
        longer. File names are left out too: their contents count, see ``prepare_run``.
        """
        values = json.loads(
            self.model_dump_json(
                exclude={
                    "output": True,
                    "md": {"production_ps", "input"},
                    "structure": {"file"},
                    "potential": {"file"},
                    "efg": {"model"},
                    "jumps": {"sites"},
                }
            )
        )
        return {
            f"{section}.{key}": json.dumps(value)
            for section, content in values.items()
            for key, value in content.items()
        }


def load_config(path: str | os.PathLike[str] | None, overrides: Sequence[str] = ()) -> RunSettings:
    """Read and check a configuration.

    Parameters
    ----------
    path
        TOML file; None takes every default. File names in it are relative to its folder.
    overrides
        ``"section.key=value"``, value in TOML syntax (a bare word is taken as text); file names in
        them are relative to the current folder.

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
        return RunSettings.model_validate(values)
    except ValidationError as error:
        raise InputError(_explain(error, "configuration" if path is None else os.fspath(path))) from None


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


def _explain(error: ValidationError, where: str) -> str:
    problems = []
    for item in error.errors():
        location = list(item["loc"])
        key = ".".join(str(part) for part in location)
        if item["type"] == "extra_forbidden":
            problems.append(f"unknown key {key}; known: {', '.join(_known(location[:-1]))}")
        else:
            problems.append(f"{key}: {item['msg']}, got {item['input']!r}")
    return f"{where}: " + "; ".join(problems)


def _known(location: Sequence[Any]) -> list[str]:
    fields = RunSettings.model_fields
    for part in location:
        annotation = fields[str(part)].annotation
        fields = getattr(annotation, "model_fields", {})
    return list(fields)


EXAMPLES = {"input": "in.deck", "sites": "crystal.cif"}


def example_config() -> str:
    """Return a TOML text with every key at its default, commented; it loads as it stands."""
    return "\n".join(_example_lines()) + "\n"


def _example_lines() -> Iterator[str]:
    yield "# lpsnmr run: every key with its default. Delete what you do not change."
    for section, field in RunSettings.model_fields.items():
        yield f"\n[{section}]"
        for key, item in field.annotation.model_fields.items():  # type: ignore[union-attr]
            value = item.get_default(call_default_factory=True)
            text = json.dumps(
                list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
            )
            line = f"{key} = {text}" if value is not None else f'# {key} = "{EXAMPLES[key]}"'
            yield f"{line:<40} # {item.description}"
