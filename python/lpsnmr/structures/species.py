"""Which ion moves, what it moves through, and which polyhedra are followed: section ``[species]``."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, field_validator, model_validator

from lpsnmr.elements import atomic_number
from lpsnmr.errors import InputError
from lpsnmr.nuclides import nuclide, usual_nuclide, with_own
from lpsnmr.strict_model import StrictModel

__all__ = ["PolyhedronSettings", "SpeciesSettings"]


class PolyhedronSettings(StrictModel):
    """One kind of polyhedra, such as PS4."""

    center: str = Field(description="element of the centre")
    ligand: str = Field(description="element of the corners")
    count: Annotated[int, Field(ge=2, le=12)] = Field(description="corners of a whole one")
    cutoff: PositiveFloat = Field(description="longest bond, Å")

    @field_validator("center", "ligand")
    @classmethod
    def _element(cls, value: str) -> str:
        atomic_number(value)
        return value

    @property
    def formula(self) -> str:
        """Such as ``PS4``."""
        return f"{self.center}{self.ligand}{self.count}"

    @property
    def name(self) -> str:
        """Formula in small letters, as it stands in names of groups and columns."""
        return self.formula.lower()


class SpeciesSettings(StrictModel):
    """Section ``[species]``."""

    mobile: str = Field(default="Li", description="element of the mobile ion")
    nucleus: str | None = Field(
        default=None, description="its nucleus; efg.nucleus or the usual isotope by default"
    )
    quadrupole_barn: float | None = Field(
        default=None, description="own quadrupole moment of the nucleus, barn, instead of the tabulated one"
    )
    spin: float | None = Field(default=None, description="own spin of the nucleus")
    charge: float = Field(default=1.0, description="charge of the mobile ion, e, for the conductivity")
    framework: Literal["auto"] | tuple[str, ...] = Field(
        default="auto", description='elements at rest on average; "auto": all but the mobile ion'
    )
    polyhedra: tuple[PolyhedronSettings, ...] = Field(
        default=(PolyhedronSettings(center="P", ligand="S", count=4, cutoff=2.7),),
        description="polyhedra that are counted and whose rotation is followed; [] for none",
    )

    @field_validator("mobile")
    @classmethod
    def _element(cls, value: str) -> str:
        atomic_number(value)
        return value

    @field_validator("charge")
    @classmethod
    def _charged(cls, value: float) -> float:
        if value == 0:
            raise InputError("expected a charge other than 0, got 0")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "SpeciesSettings":
        if self.framework != "auto":
            for symbol in self.framework:
                atomic_number(symbol)
            if self.mobile in self.framework:
                raise InputError(f"framework: expected elements other than the mobile ion {self.mobile}")
        names = [kind.name for kind in self.polyhedra]
        if len(set(names)) < len(names):
            raise InputError(f"polyhedra: expected each kind once, got {', '.join(names)}")
        if self.nucleus is not None or self.quadrupole_barn is not None or self.spin is not None:
            self.nucleus_of(None)
        return self

    @property
    def number(self) -> int:
        """Atomic number of the mobile ion."""
        return atomic_number(self.mobile)

    def nucleus_of(self, other: str | None) -> str:
        """Return the nucleus, as ``lpsnmr.nuclides.nuclide`` reads it.

        Parameters
        ----------
        other
            The one named elsewhere, used where this section names none.

        Raises
        ------
        InputError
            For a nucleus that is unknown or of another element.
        """
        name = self.nucleus or other or usual_nuclide(self.mobile).name
        name = with_own(name, self.quadrupole_barn, self.spin)
        if nuclide(name).element != self.mobile:
            raise InputError(
                f"nucleus: expected an isotope of {self.mobile}, whose tensors are predicted, got {name!r}"
            )
        return name

    def in_framework(self, symbol: str) -> bool:
        """Whether atoms of an element count for the centre of mass that is taken as at rest."""
        return symbol != self.mobile if self.framework == "auto" else symbol in self.framework
