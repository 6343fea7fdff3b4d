"""What a user may say about the MD run; validated once, here."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from lpsnmr.errors import InputError
from lpsnmr.strict_model import StrictModel

__all__ = [
    "HOTTEST_K",
    "LONGEST_STEP_FS",
    "SHORTEST_STEP_FS",
    "MdSettings",
    "PotentialSettings",
    "check_temperature",
    "check_timestep",
]

SHORTEST_STEP_FS, LONGEST_STEP_FS = 0.05, 10.0
"""A P–S bond vibrates in 50 to 60 fs; with fewer than some ten steps in that no MD can be followed. A step a
thousand times shorter than a period is a mistake in the unit."""
HOTTEST_K = 10_000.0
"""Nothing that these potentials are fitted to is hotter."""


def check_timestep(timestep_fs: float, what: str) -> None:
    """Raise InputError for a time step that is no MD step in fs; ``what`` names it."""
    if not timestep_fs >= SHORTEST_STEP_FS:
        raise InputError(f"{what}: expected at least {SHORTEST_STEP_FS:g} fs, got {timestep_fs:g}")
    if timestep_fs > LONGEST_STEP_FS:
        raise InputError(f"{what}: expected at most {LONGEST_STEP_FS:g} fs, got {timestep_fs:g}")


def check_temperature(temperature_k: float, what: str) -> None:
    """Raise InputError for a temperature that no MD here has; ``what`` names it."""
    if not 0.0 < temperature_k <= HOTTEST_K:
        raise InputError(
            f"{what}: expected a temperature above 0 and up to {HOTTEST_K:g} K, got {temperature_k:g}"
        )


class PotentialSettings(StrictModel):
    """Section ``[potential]``."""

    file: str = Field(default="default", description="potential file, or 'default' for the shipped potential")
    style: str = Field(default="ufp 3", pattern=r"\S", description="pair style and its arguments")
    commands: list[str] = Field(
        default=[],
        description="LAMMPS commands used instead of style and file, one pair_style and its pair_coeff lines",
    )
    charges: dict[str, float] = Field(
        default={}, description="charge of every element, e, for atom_style charge; {} for atom_style atomic"
    )
    kspace_style: str = Field(
        default="", description="long-range solver and its accuracy, such as 'pppm 1e-5'; '' for none"
    )

    @model_validator(mode="after")
    def _charged(self) -> "PotentialSettings":
        if self.kspace_style and not self.charges:
            raise InputError("kspace_style: expected charges too, got none")
        return self


class MdSettings(StrictModel):
    """Section ``[md]``."""

    temperature_k: float = Field(
        default=700.0, gt=0, le=HOTTEST_K, description="temperature of equilibration and production, K"
    )
    timestep_fs: float = Field(
        default=2.0, ge=SHORTEST_STEP_FS, le=LONGEST_STEP_FS, description="MD time step, fs"
    )
    equilibration_ps: float = Field(default=20.0, ge=0, description="length of the equilibration, ps")
    equilibration: Literal["nvt", "npt"] = Field(
        default="npt",
        description="npt: Nosé–Hoover at a pressure, then its mean cell; nvt: Langevin in the given cell",
    )
    pressure_bar: float = Field(default=0.0, description="pressure of an npt equilibration, bar")
    barostat: Literal["aniso", "tri", "iso"] = Field(
        default="aniso", description="cell motions of an npt equilibration"
    )
    barostat_damping_ps: float = Field(default=1.0, gt=0, description="barostat relaxation time, ps")
    production_ps: float = Field(default=200.0, gt=0, description="length of the sampled run, ps")
    ensemble: Literal["nvt", "nve"] = Field(default="nvt", description="ensemble of the sampled run")
    thermostat: Literal["nose-hoover", "langevin"] = Field(
        default="nose-hoover", description="thermostat of an nvt production"
    )
    thermostat_damping_ps: float = Field(default=0.2, gt=0, description="thermostat relaxation time, ps")
    seed: int = Field(
        default=20250101, gt=0, lt=900_000_000, description="seed of velocities and Langevin noise"
    )
    skin_angstrom: float = Field(default=1.0, gt=0, le=5, description="neighbour-list skin, Å")
    neighbor_every: int = Field(
        default=5, gt=0, description="steps between checks whether the neighbour list is stale"
    )
    input: Path | None = Field(
        default=None,
        description="own LAMMPS deck without the sampled run, instead of structure, potential and thermostat",
    )
    elements: list[str] = Field(default=[], description="with input: element of type 1, 2, ...")
