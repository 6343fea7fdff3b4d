"""Structures from MD: a schedule of temperatures, a frame at every interval, and where it came from."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from mpi4py import MPI

from lpsnmr.elements import symbol_of
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.md.commands import INTEGRATOR, langevin_commands, pair_commands, system_commands
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.settings import MdSettings, PotentialSettings
from lpsnmr.potential import companion, read_uf3
from lpsnmr.structures.checks import check_distances
from lpsnmr.structures.origin import MADE
from lpsnmr.trajectory.data_file import write_data_file

__all__ = ["SamplingSettings", "Stage", "melt_quench", "melt_quench_stages", "sample"]


@dataclass(frozen=True)
class Stage:
    """A stretch of MD: length in ps, thermostat temperature at its begin and end in K.

    ``pressure_bar`` lets the cell breathe isotropically (Nosé–Hoover); None keeps it (Langevin).
    """

    length_ps: float
    start_k: float
    end_k: float
    pressure_bar: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no thermostat can do."""
        if not (self.length_ps > 0 and self.start_k > 0 and self.end_k > 0):
            raise InputError(
                f"stage: expected a length and temperatures above 0, got {self.length_ps} ps from "
                f"{self.start_k} to {self.end_k} K"
            )


@dataclass(frozen=True)
class SamplingSettings:
    """How frames are drawn.

    Attributes
    ----------
    potential
        Potential file.
    style
        Pair style and its arguments; ``ufp`` with the body order of the file when empty.
    timestep_fs, interval_ps, damping_ps
        MD step, time between frames, thermostat relaxation time.
    seed
        Seed of velocities and Langevin noise.
    minimum_angstrom
        The run ends with an error when two atoms of a frame come closer.
    """

    potential: Path
    style: str = ""
    timestep_fs: float = 2.0
    interval_ps: float = 0.5
    damping_ps: float = 0.1
    seed: int = 1
    minimum_angstrom: float = 1.3

    def __post_init__(self) -> None:
        """Refuse an interval shorter than a step."""
        if not (self.timestep_fs > 0 and self.interval_ps * 1e3 >= self.timestep_fs):
            raise InputError(
                f"sampling: expected a step above 0 and an interval of at least a step, got "
                f"{self.timestep_fs} fs and {self.interval_ps} ps"
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


def _thermostat(stage: Stage, settings: SamplingSettings, step: int) -> list[str]:
    t, damping = f"{stage.start_k:.6g} {stage.end_k:.6g}", f"{settings.damping_ps:.6g}"
    if stage.pressure_bar is not None:
        p = f"{stage.pressure_bar:.6g}"
        return [f"fix {INTEGRATOR} all npt temp {t} {damping} iso {p} {p} 1.0"]
    return langevin_commands(stage.start_k, stage.end_k, settings.damping_ps, settings.seed, step)


def _start(driver: LammpsDriver, atoms: Atoms, first_k: float, settings: SamplingSettings) -> None:
    """Bring the structure into LAMMPS with velocities of twice the temperature.

    Half of it goes into the potential energy of the atoms, which start at rest positions.
    """
    elements = [symbol_of(int(z)) for z in np.unique(atoms.numbers)]
    style = (
        settings.style
        or f"ufp {3 if read_uf3(settings.potential).triples or companion(settings.potential) else 2}"
    )
    pair = pair_commands(PotentialSettings(style=style), settings.potential, elements)
    md = MdSettings(timestep_fs=settings.timestep_fs, neighbor_every=2)
    with tempfile.TemporaryDirectory(prefix="lpsnmr-") as folder:
        data = Path(folder) / "start.data"
        write_data_file(data, atoms, elements)
        driver.commands(system_commands(md, data, pair, restart=False))
    driver.commands([f"velocity all create {2 * first_k:.6g} {settings.seed} mom yes rot no dist gaussian"])
    driver.define_types(elements)


def sample(
    atoms: Atoms, stages: Sequence[Stage], settings: SamplingSettings, run: str, discard_ps: float = 0.0
) -> Iterator[Atoms]:
    """Run MD in this process and yield a frame after every interval.

    Temperatures that change within a stage change linearly. The process runs alone: on several MPI ranks
    each one runs its own.

    Parameters
    ----------
    atoms
        Starting structure; not changed.
    stages
        Schedule, one after the other.
    settings
        How to draw.
    run
        Name of the run, for the headers.
    discard_ps
        Frames of the first ``discard_ps`` are not yielded.

    Yields
    ------
    ase.Atoms
        Wrapped positions, cell in the LAMMPS frame; ``info`` has ``run``, ``run_step`` (MD steps),
        ``run_T`` (thermostat, K) and ``made``.

    Raises
    ------
    InputError
        For an empty schedule.
    ComputeError
        When LAMMPS fails or atoms collapse; frames before that have been yielded.
    """
    if not stages:
        raise InputError("sampling: expected at least one stage")
    driver = LammpsDriver(MPI.COMM_SELF)
    try:
        _start(driver, atoms, stages[0].start_k, settings)
        for temperature in _advance(driver, stages, settings):
            frame = _to_atoms(driver)
            frame.info = _header(atoms, settings, run, driver.step, temperature)
            _check(frame, settings, run)
            if driver.step * settings.timestep_fs * 1e-3 > discard_ps:
                yield frame
    finally:
        driver.close()


def _advance(driver: LammpsDriver, stages: Sequence[Stage], settings: SamplingSettings) -> Iterator[float]:
    """Run the schedule, yielding the thermostat's temperature in the middle of every interval after it."""
    steps = max(1, round(settings.interval_ps * 1e3 / settings.timestep_fs))
    for stage in stages:
        intervals = max(1, round(stage.length_ps / settings.interval_ps))
        driver.unfix()
        driver.commands(_thermostat(stage, settings, driver.step))
        ramp = (driver.step, driver.step + intervals * steps)
        for n in range(intervals):
            driver.advance(steps, ramp)
            yield stage.start_k + (n + 0.5) / intervals * (stage.end_k - stage.start_k)


def _header(
    atoms: Atoms, settings: SamplingSettings, run: str, step: int, temperature: float
) -> dict[str, str | int | float]:
    """Return the header of a frame: that of the start, the run, and how it was made."""
    origin = str(atoms.info.get(MADE, "unknown"))
    return {
        **{k: v for k, v in atoms.info.items() if k not in {"source", MADE}},
        "run": run,
        "run_step": step,
        "run_T": round(temperature, 3),
        MADE: f"{origin} | MD {settings.potential.name} {settings.timestep_fs:g} fs seed {settings.seed}",
    }


def _to_atoms(driver: LammpsDriver) -> Atoms:
    state = driver.frame()
    atoms = Atoms(numbers=state.numbers, positions=state.positions, cell=state.cell, pbc=True)
    if not np.isfinite(atoms.positions).all():
        raise ComputeError(f"MD gave positions that are not finite at step {state.step}")
    atoms.wrap()
    return atoms


def _check(frame: Atoms, settings: SamplingSettings, run: str) -> None:
    try:
        check_distances(frame, settings.minimum_angstrom)
    except InputError as error:
        raise ComputeError(
            f"{run}: MD with {settings.potential.name} collapsed at step {frame.info['run_step']} and "
            f"{frame.info['run_T']:.0f} K: {error}"
        ) from error


def melt_quench(atoms: Atoms, stages: Sequence[Stage], settings: SamplingSettings) -> Atoms:
    """Run a schedule and return its last frame, which says how it was made.

    Examples
    --------
    A glass of 256 atoms: ``melt_quench(supercell(load_structure("beta-Li3PS4"), (1, 2, 4)),
    melt_quench_stages(), SamplingSettings(potential))``.
    """
    last = None
    for last in sample(atoms, stages, settings, "melt-quench"):  # noqa: B007
        pass
    if last is None:
        raise ComputeError("melt-quench: the schedule gave no frame")
    text = ", ".join(
        f"{s.length_ps:g} ps at {s.start_k:g} K"
        if s.start_k == s.end_k
        else f"{s.length_ps:g} ps from {s.start_k:g} to {s.end_k:g} K"
        for s in stages
    )
    last.info[MADE] = f"{last.info[MADE]}: {text}"
    return last
