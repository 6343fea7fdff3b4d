"""What a validation does, and for how long."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from lpsnmr.errors import InputError
from lpsnmr.md.settings import check_temperature, check_timestep
from lpsnmr.strict_model import AtLeastOne, Positive, checked_dataclass

__all__ = ["MELT_FROM", "STAGES", "ValidateSettings"]

STAGES = ("errors", "crystal", "cells", "rdf", "stability", "nve", "amorphous")
"""In the order in which they are done; D(T) comes with ``stability``."""
MELT_FROM = ("packed", "crystal")
SHORTEST_CELLS_PS = 2.0
"""Four samples: the fewest that have an interval."""
Repeat = tuple[AtLeastOne, AtLeastOne, AtLeastOne]


@checked_dataclass
class ValidateSettings:
    """Everything a validation depends on.

    Attributes
    ----------
    potential
        ``.uf3`` file.
    reference
        Labelled frames for the errors and the radial distributions; runs of 0 K count as ``static``.
    static
        Labelled strained cells (along a deformation) for the equation of state.
    structure, repeat
        Crystal of the MD stages and its supercell.
    crystals
        Crystals that are relaxed.
    cells_of, cells_ps, cells_equilibration_ps, cells_repeat
        Crystals whose cells MD at zero pressure finds at the temperature of their measurement, for how long
        after an equilibration, and in which supercell (None: 128 atoms).
    temperatures_k, stability_ns
        Of the stability and diffusion runs (NVT).
    nve_k, nve_ps
        Of the runs that measure the drift of the total energy.
    rdf_ps
        Length of each run whose radial distributions are compared with those of a reference run.
    melt_from, melt_density
        Where the melt comes from: ``packed``, whole PS4 units and Li packed at random at this density
        (g/cm³), a liquid from the start; or ``crystal``, as dense as it is, which must melt first.
    melt_k, melt_ps, anneal_k, anneal_ps, release_k, quench_ps, amorphous_k, amorphous_ps, amorphous_repeat
        Melt, annealing (if ``anneal_ps`` is not 0) and cooling to ``release_k`` at constant volume; the
        rest at zero pressure.
    timestep_fs, seed, style
        Of all MD; ``style`` is the pair style with its arguments.
    stages
        Out of ``STAGES``.
    """

    potential: Path
    reference: tuple[Path, ...] = ()
    static: tuple[Path, ...] = ()
    structure: str = "beta-Li3PS4"
    repeat: Repeat = (1, 1, 2)
    crystals: tuple[str, ...] = ("beta-Li3PS4", "gamma-Li3PS4")
    cells_of: tuple[str, ...] = ("beta-Li3PS4", "gamma-Li3PS4")
    cells_ps: Positive = 500.0
    cells_equilibration_ps: Positive = 50.0
    cells_repeat: Repeat | None = None
    temperatures_k: tuple[Positive, ...] = (300.0, 600.0, 900.0)
    stability_ns: Positive = 1.0
    nve_k: tuple[Positive, ...] = (300.0, 600.0)
    nve_ps: Positive = 200.0
    rdf_ps: Positive = 40.0
    melt_from: str = "packed"
    melt_density: Positive = 1.7
    melt_k: Positive = 600.0
    melt_ps: Positive = 5.0
    anneal_k: tuple[float, float] = (1100.0, 1000.0)
    anneal_ps: Annotated[float, Field(ge=0)] = 0.0
    release_k: float = 500.0
    quench_ps: Positive = 50.0
    amorphous_k: Positive = 300.0
    amorphous_ps: Positive = 20.0
    amorphous_repeat: Repeat = (1, 2, 2)
    timestep_fs: Positive = 2.0
    seed: int = 1
    style: str = "ufp 3"
    stages: tuple[str, ...] = STAGES

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        unknown = sorted(set(self.stages) - set(STAGES))
        if unknown or not self.stages:
            raise InputError(
                f"stages: expected some of {', '.join(STAGES)}, got {', '.join(unknown) or 'none'}"
            )
        if self.melt_from not in MELT_FROM:
            raise InputError(f"melt_from: expected {' or '.join(MELT_FROM)}, got {self.melt_from!r}")
        check_timestep(self.timestep_fs, "timestep_fs")
        if self.cells_ps < SHORTEST_CELLS_PS:
            raise InputError(f"cells_ps: expected at least {SHORTEST_CELLS_PS:g} ps, got {self.cells_ps:g}")
        annealing = self.anneal_k if self.anneal_ps else ()
        ladder = (self.melt_k, *annealing, self.release_k, self.amorphous_k)
        if not all(high > low for high, low in pairwise(ladder)):
            raise InputError(
                "quenched melt: expected falling temperatures of melt, annealing, release and end, got "
                + " > ".join(f"{t:g}" for t in ladder)
            )
        for kelvin in (*self.temperatures_k, *self.nve_k, *ladder):
            check_temperature(kelvin, "temperatures")
        for path in (*self.reference, *self.static):
            if not path.is_file():
                raise InputError(f"{path}: no such file; expected extended XYZ with labels")
        if not self.potential.is_file():
            raise InputError(f"{self.potential}: no such file; expected a .uf3 potential")

    def quick(self) -> "ValidateSettings":
        """Return settings that try every stage in about a minute; the figures mean nothing."""
        short = replace(self, stability_ns=0.003, nve_ps=2.0, rdf_ps=1.0)
        short = replace(
            short,
            cells_of=self.cells_of[-1:],
            cells_ps=SHORTEST_CELLS_PS,
            cells_equilibration_ps=0.5,
            cells_repeat=(2, 1, 1),
        )
        short = replace(
            short, melt_ps=0.5, anneal_ps=min(self.anneal_ps, 0.5), quench_ps=1.0, amorphous_ps=0.5
        )
        return replace(
            short,
            crystals=self.crystals[-1:],
            repeat=(1, 1, 1),
            amorphous_repeat=(1, 1, 1),
            temperatures_k=self.temperatures_k[:2],
            nve_k=self.nve_k[:1],
        )
