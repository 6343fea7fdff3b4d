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
from lpsnmr.md.commands import pair_commands, system_commands, velocity_command
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.loop import MdLoop
from lpsnmr.md.schedule import Schedule, Stage
from lpsnmr.md.settings import MdSettings, PotentialSettings, check_timestep
from lpsnmr.potential import companion, read_uf3
from lpsnmr.structures.checks import check_distances
from lpsnmr.structures.origin import MADE
from lpsnmr.trajectory.data_file import write_data_file

__all__ = ["FrameSettings", "melt_quench", "sample"]


@dataclass(frozen=True)
class FrameSettings:
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
        """Refuse an interval shorter than a step, and a step that is none."""
        if not (self.timestep_fs > 0 and self.interval_ps * 1e3 >= self.timestep_fs):
            raise InputError(
                f"sampling: expected a step above 0 and an interval of at least a step, got "
                f"{self.timestep_fs} fs and {self.interval_ps} ps"
            )
        check_timestep(self.timestep_fs, "sampling: timestep_fs")

    def schedule(self, stages: Sequence[Stage]) -> Schedule:
        """Return the schedule of these stages with this time step, seed and damping."""
        return Schedule(
            tuple(stages),
            timestep_fs=self.timestep_fs,
            seed=self.seed,
            thermostat_damping_ps=self.damping_ps,
        )


def _start(driver: LammpsDriver, atoms: Atoms, first_k: float, settings: FrameSettings) -> None:
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
    driver.commands([velocity_command(2 * first_k, settings.seed)])
    driver.define_types(elements)


def sample(
    atoms: Atoms, stages: Sequence[Stage], settings: FrameSettings, run: str, discard_ps: float = 0.0
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
    schedule = settings.schedule(stages)
    driver = LammpsDriver(MPI.COMM_SELF)
    try:
        _start(driver, atoms, stages[0].start_k, settings)
        for temperature in _advance(driver, schedule, settings.interval_ps):
            frame = _to_atoms(driver)
            frame.info = _header(atoms, settings, run, driver.step, temperature)
            _check(frame, settings, run)
            if driver.step * settings.timestep_fs * 1e-3 > discard_ps:
                yield frame
    finally:
        driver.close()


def _advance(driver: LammpsDriver, schedule: Schedule, interval_ps: float) -> Iterator[float]:
    """Run the schedule, yielding the thermostat's temperature in the middle of every interval after it."""
    steps = max(1, schedule.steps(interval_ps))
    lengths = [steps * stage.intervals(interval_ps) for stage in schedule.stages]
    for place in MdLoop(driver, schedule, first_step=driver.step, lengths=lengths).all_stretches(steps):
        share = (place.step - place.begin - 0.5 * steps) / (place.end - place.begin)
        yield place.stage.temperature_k(share)


def _header(
    atoms: Atoms, settings: FrameSettings, run: str, step: int, temperature: float
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


def _check(frame: Atoms, settings: FrameSettings, run: str) -> None:
    try:
        check_distances(frame, settings.minimum_angstrom)
    except InputError as error:
        raise ComputeError(
            f"{run}: MD with {settings.potential.name} collapsed at step {frame.info['run_step']} and "
            f"{frame.info['run_T']:.0f} K: {error}"
        ) from error


def melt_quench(atoms: Atoms, stages: Sequence[Stage], settings: FrameSettings) -> Atoms:
    """Run a schedule and return its last frame, which says how it was made.

    Examples
    --------
    A glass of 256 atoms: ``melt_quench(supercell(load_structure("beta-Li3PS4"), (1, 2, 4)),
    melt_quench_stages(), FrameSettings(potential))``.
    """
    last = None
    for last in sample(atoms, stages, settings, "melt-quench"):  # noqa: B007
        pass
    if last is None:
        raise ComputeError("melt-quench: the schedule gave no frame")
    last.info[MADE] = f"{last.info[MADE]}: {settings.schedule(stages)}"
    return last
