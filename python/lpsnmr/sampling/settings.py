"""What is sampled, and how jumps are told from vibrations: sections of the configuration."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from lpsnmr.errors import InputError
from lpsnmr.sampling.orientations import LEBEDEV_DEGREES, projections
from lpsnmr.strict_model import StrictModel

__all__ = ["JumpSettings", "SamplingSettings"]

Repeats = tuple[PositiveInt, PositiveInt, PositiveInt]


class SamplingSettings(StrictModel):
    """Section ``[sampling]``."""

    interval_ps: PositiveFloat = Field(
        default=0.1, description="time between samples, ps; a multiple of the time step"
    )
    points_per_level: Annotated[int, Field(ge=2, multiple_of=2)] = Field(
        default=16, description="lags per level of the multi-tau correlators; even"
    )
    window_ps: PositiveFloat = Field(
        default=1.0, description="tensors are averaged so long before echoes and spectra, ps"
    )
    evolution_times_us: tuple[PositiveFloat, ...] = Field(
        default=(2.0, 5.0, 10.0), description="evolution times of spin-alignment echoes, μs; [] for none"
    )
    orientation_degree: int = Field(
        default=35, description="degree of the Lebedev set of orientations of the echoes"
    )
    field_directions: tuple[tuple[float, float, float], ...] = Field(
        default=(), description="field directions of single crystals, such as [[0, 0, 1]]"
    )

    @field_validator("orientation_degree")
    @classmethod
    def _known_degree(cls, value: int) -> int:
        if value not in LEBEDEV_DEGREES:
            raise InputError(f"expected one of {', '.join(map(str, LEBEDEV_DEGREES))}")
        return value

    @field_validator("field_directions")
    @classmethod
    def _directions(
        cls, value: tuple[tuple[float, float, float], ...]
    ) -> tuple[tuple[float, float, float], ...]:
        for direction in value:
            projections(direction)
        return value


class JumpSettings(StrictModel):
    """Section ``[jumps]``: how jumps are told from vibrations."""

    follow: bool = Field(default=True, description="count jumps of ions and rotations of polyhedra")
    window_ps: PositiveFloat = Field(default=0.5, description="positions are averaged over windows, ps")
    min_stay_ps: PositiveFloat = Field(
        default=2.0, description="a return after a shorter stay is a recrossing, ps"
    )
    core_radius_angstrom: PositiveFloat = Field(
        default=0.8, description="this close to a site is at the site, Å"
    )
    displacement_angstrom: PositiveFloat = Field(
        default=1.5, description="without sites: an averaged position this far off has jumped, Å"
    )
    learn_ps: PositiveFloat = Field(default=50.0, description="sites are found in the first stretch, ps")
    separation_angstrom: PositiveFloat = Field(default=1.2, description="least distance between sites, Å")
    sites: str | None = Field(
        default=None, description="structure file (CIF, extXYZ, …) whose positions of the ion are the sites"
    )
    repeats: Repeats | None = Field(
        default=None,
        description="repeats of the crystal's unit cell, to find its sites in one of them; "
        "structure.supercell by default",
    )
    distance_angstrom: PositiveFloat | None = Field(
        default=None,
        description="mean distance between sites, Å, for D as a jump rate; found by default",
    )

    @property
    def unit_cells(self) -> tuple[int, int, int]:
        """Repeats of the unit cell in the simulation cell."""
        return self.repeats or (1, 1, 1)

    def fingerprint(self) -> dict[str, str]:
        """Return what a resumed stream must not change."""
        names = (
            "window_ps", "min_stay_ps", "core_radius_angstrom", "displacement_angstrom", "learn_ps",
            "separation_angstrom",
        )  # fmt: skip
        values = {f"jumps.{name}": str(getattr(self, name)) for name in names}
        return {**values, "jumps.repeats": str(self.unit_cells)}
