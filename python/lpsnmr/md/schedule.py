"""The schedule of an MD run: stages one after the other, each with its length, temperatures and ensemble."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from lpsnmr.errors import InputError
from lpsnmr.md.settings import MdSettings, check_temperature, check_timestep

__all__ = ["Schedule", "Stage", "equilibration_and_production", "melt_quench_stages"]

Thermostat = Literal["langevin", "nose-hoover", "none"]
Barostat = Literal["iso", "aniso", "tri"]


@dataclass(frozen=True)
class Stage:
    """A stretch of MD at one ensemble.

    Attributes
    ----------
    length_ps
        Length, ps.
    start_k, end_k
        Temperature of the thermostat at its begin and end, K; in between it changes linearly.
    pressure_bar
        Pressure at which the cell breathes, bar (then the thermostat is that of Nosé and Hoover); None keeps
        the cell.
    thermostat
        In a cell that is kept; ``"none"`` is NVE.
    """

    length_ps: float
    start_k: float
    end_k: float
    pressure_bar: float | None = None
    thermostat: Thermostat = "langevin"

    def __post_init__(self) -> None:
        """Refuse what no thermostat can do."""
        if not (self.length_ps > 0 and self.start_k > 0 and self.end_k > 0):
            raise InputError(
                f"stage: expected a length and temperatures above 0, got {self.length_ps} ps from "
                f"{self.start_k} to {self.end_k} K"
            )
        for temperature in (self.start_k, self.end_k):
            check_temperature(temperature, "stage")

    @property
    def changes(self) -> bool:
        """Whether the temperature changes from begin to end."""
        return self.start_k != self.end_k

    def temperature_k(self, share: float) -> float:
        """Return the temperature of the thermostat after a share of the length, 0 to 1."""
        return self.start_k + share * (self.end_k - self.start_k)

    def intervals(self, interval_ps: float) -> int:
        """Return the number of whole intervals that come closest to the length, at least one."""
        return max(1, round(self.length_ps / interval_ps))

    def __str__(self) -> str:
        """Return length and temperatures in words."""
        kelvin = f"from {self.start_k:g} to {self.end_k:g} K" if self.changes else f"at {self.start_k:g} K"
        return f"{self.length_ps:g} ps {kelvin}"


@dataclass(frozen=True)
class Schedule:
    """Stages one after the other, and what they have in common.

    Attributes
    ----------
    stages
        In the order of time.
    timestep_fs
        MD time step, fs.
    seed
        Seed of velocities and Langevin noise.
    thermostat_damping_ps, barostat_damping_ps
        Relaxation times, ps.
    barostat
        What breathes where there is a pressure: the volume (``iso``), three lengths, or the angles too.
    """

    stages: tuple[Stage, ...]
    timestep_fs: float = 2.0
    seed: int = 1
    thermostat_damping_ps: float = 0.1
    barostat: Barostat = "iso"
    barostat_damping_ps: float = 1.0

    def __post_init__(self) -> None:
        """Refuse an empty one."""
        if not self.stages:
            raise InputError("sampling: expected at least one stage")
        check_timestep(self.timestep_fs, "timestep_fs")

    def steps(self, length_ps: float) -> int:
        """Return the number of MD steps that come closest to a length."""
        return round(length_ps * 1e3 / self.timestep_fs)

    def ends(self, lengths: Sequence[int] | None = None) -> list[int]:
        """Return the step after the last of each stage, counted from the begin.

        ``lengths`` has the steps of each stage; by default they come closest to its length in ps.
        """
        chosen = [self.steps(stage.length_ps) for stage in self.stages] if lengths is None else lengths
        return list(accumulate(chosen))

    def __str__(self) -> str:
        """Return all stages in words."""
        return ", ".join(map(str, self.stages))


def equilibration_and_production(settings: MdSettings, production_ps: float) -> Schedule:
    """Return the schedule of ``lpsnmr run``: an equilibration, unless it has no length, and the sampled run.

    Parameters
    ----------
    settings
        Section ``[md]``.
    production_ps
        Length of the sampled run: ``md.production_ps`` cut to whole samples.
    """
    kelvin = settings.temperature_k
    stages = []
    if settings.equilibration_ps > 0:
        pressure = settings.pressure_bar if settings.equilibration == "npt" else None
        stages.append(Stage(settings.equilibration_ps, kelvin, kelvin, pressure))
    thermostat: Thermostat = "none" if settings.ensemble == "nve" else settings.thermostat
    stages.append(Stage(production_ps, kelvin, kelvin, thermostat=thermostat))
    return Schedule(
        tuple(stages),
        timestep_fs=settings.timestep_fs,
        seed=settings.seed,
        thermostat_damping_ps=settings.thermostat_damping_ps,
        barostat=settings.barostat,
        barostat_damping_ps=settings.barostat_damping_ps,
    )


def melt_quench_stages(
    melt_k: float = 2000.0,
    melt_ps: float = 20.0,
    quench_ps: float = 40.0,
    final_k: float = 300.0,
    final_ps: float = 20.0,
    pressure_bar: float | None = None,
    *,
    anneal_k: tuple[float, float] = (1100.0, 1000.0),
    anneal_ps: float = 0.0,
    release_k: float = 500.0,
) -> list[Stage]:
    """Return the schedule melt, anneal, linear cooling, hold.

    In the melt PS4 units meet and exchange S; while it is annealed between the two temperatures ``anneal_k``
    P find four S again (not by default: with the shipped potential it crystallises then). The cell is kept
    until the cooling has reached ``release_k``; below it, and in the hold, it breathes at ``pressure_bar``
    when that is given (a hot cell without walls evaporates).

    Parameters
    ----------
    melt_k, melt_ps
        Temperature (K) and length (ps) of the melt.
    quench_ps, final_k, final_ps
        Length of the cooling, temperature at its end, length of the hold.
    pressure_bar
        Pressure of the last stages; None keeps the cell throughout.
    anneal_k, anneal_ps
        Temperatures at the begin and the end of the annealing, and its length; 0 leaves it out.
    release_k
        Temperature below which the cell may breathe.

    Raises
    ------
    InputError
        For temperatures that do not fall.

    Examples
    --------
    >>> [stage.start_k for stage in melt_quench_stages(pressure_bar=1.0)]
    [2000.0, 2000.0, 500.0, 300.0]
    """
    ladder = [melt_k, *(anneal_k if anneal_ps > 0 else ()), final_k]
    if ladder != sorted(ladder, reverse=True) or not melt_k > final_k:
        raise InputError(
            "melt-quench: expected a melt hotter than the end and annealing that falls between them, "
            f"got {' > '.join(f'{t:g}' for t in ladder)} K"
        )
    top = ladder[-2]
    stages = [Stage(melt_ps, melt_k, melt_k)]
    if anneal_ps > 0:
        stages.append(Stage(anneal_ps, *anneal_k))
    middle = min(max(release_k, final_k), top)
    for begin, end, pressure in ((top, middle, None), (middle, final_k, pressure_bar)):
        if begin > end:
            stages.append(Stage(quench_ps * (begin - end) / (top - final_k), begin, end, pressure))
    return [*stages, Stage(final_ps, final_k, final_k, pressure_bar)]
