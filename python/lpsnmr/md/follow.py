"""MD of one cell in LAMMPS, followed sample by sample; stops and goes on at any sample."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import ase
import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hashing import add_arrays
from lpsnmr.md.commands import pair_commands, system_commands, velocity_command
from lpsnmr.md.restarts import check_restart
from lpsnmr.md.schedule import Schedule, Stage
from lpsnmr.md.settings import MdSettings, PotentialSettings
from lpsnmr.potential import companion
from lpsnmr.structures.framework import Framework
from lpsnmr.structures.observe import RadialHistogram, bonded_sulfur, pairs_of
from lpsnmr.trajectory.data_file import write_data_file
from lpsnmr.typing import Array

if TYPE_CHECKING:
    from lpsnmr.md.loop import Place

__all__ = ["Followed", "MdPlan", "follow"]

Tick = Callable[[str, int, int], None]
ROW = ("time_ps", "intact", "own_sulfur", "p_msd", "Temp", "PotEng", "TotEng", "Press", "Volume")
RDF_EDGES = np.linspace(0.0, 7.0, 71)
LITHIUM, PHOSPHORUS = 3, 15
DAMPING_PS = 0.5
"""Relaxation time of the thermostat, ps: loose, so that it hardly slows Li down."""
DRIFT = "centre of mass of P and S"
"""What is taken off every position; states of another definition are not gone on from."""


@dataclass(frozen=True)
class MdPlan:
    """One run. ``ensemble`` is nvt, nve or npt; the first ``equilibration_ps`` are always nvt (or npt).

    ``final_k`` > 0 changes the temperature of an nvt or npt run linearly to that value. ``moving`` says that
    the start is a frame of MD and not atoms at rest: velocities are drawn at the temperature itself.
    """

    temperature_k: float
    length_ps: float
    ensemble: str = "nvt"
    equilibration_ps: float = 2.0
    timestep_fs: float = 2.0
    sample_ps: float = 0.5
    final_k: float = 0.0
    barostat: Literal["aniso", "tri", "iso"] = "tri"
    seed: int = 1
    style: str = "ufp 3"
    moving: bool = False

    @property
    def samples(self) -> int:
        """Number of samples of the whole run."""
        return max(1, round(self.length_ps / self.sample_ps))

    def schedule(self) -> Schedule:
        """Return the stages: equilibration, where it has a length, and the run that is followed."""
        first, last = self.temperature_k, self.final_k if self.final_k > 0 else self.temperature_k
        pressure = 0.0 if self.ensemble == "npt" else None
        thermostat: Literal["none", "langevin"] = "none" if self.ensemble == "nve" else "langevin"
        stages = [Stage(self.samples * self.sample_ps, first, last, pressure, thermostat)]
        if self.equilibration_ps > 0:
            stages.insert(0, Stage(self.equilibration_ps, first, first, pressure))
        return Schedule(
            tuple(stages),
            timestep_fs=self.timestep_fs,
            seed=self.seed,
            thermostat_damping_ps=DAMPING_PS,
            barostat=self.barostat,
        )


@dataclass(eq=False)
class Followed:
    """What was seen; arrays over the samples.

    ``rows`` (samples, 9) as in ``ROW``: ps, fraction of P with four S, fraction of P with its first S, mean
    square displacement of P in Å², K, eV, eV, bar, Å³. ``lithium`` (samples, n_Li, 3) unwrapped, Å, relative
    to the centre of mass of P and S. ``cells`` (samples, 3, 3), rows are the cell vectors, Å.
    """

    plan: MdPlan
    numbers: NDArray[np.int32]
    rows: Array
    lithium: Array
    cells: Array
    rdf: RadialHistogram
    last: ase.Atoms
    own: NDArray[np.bool_] = field(repr=False)

    def column(self, name: str) -> Array:
        """Return one column of ``rows``."""
        return np.asarray(self.rows[:, ROW.index(name)])


def follow(
    plan: MdPlan, atoms: ase.Atoms, potential: Path, folder: Path, name: str, tick: Tick | None = None,
    save_every: int = 40,
) -> Followed:  # fmt: skip
    """Run MD and sample it, going on from what ``folder`` holds of the same run.

    Parameters
    ----------
    plan
        Temperature, length, ensemble.
    atoms
        Periodic structure.
    potential
        ``.uf3`` file.
    folder, name
        ``NAME.data``, ``NAME.state.npz`` and restart files are kept there.
    tick
        Called with (name, samples done, samples in all).
    save_every
        Samples between two states on disk.

    Raises
    ------
    ComputeError
        When LAMMPS fails: lost atoms, energies that are not finite.
    """
    run = _Run(plan, atoms, potential, folder, name, save_every)
    try:
        for place in run.stretches():
            run.measure(place)
            if tick:
                tick(name, len(run.rows), plan.samples)
        return run.result()
    finally:
        run.close()


class _Run:
    """The state of a run between two samples."""

    def __init__(
        self, plan: MdPlan, atoms: ase.Atoms, potential: Path, folder: Path, name: str, save_every: int
    ) -> None:
        from lpsnmr.md.driver import LammpsDriver  # loads MPI

        self.plan, self.folder, self.name, self.save_every = plan, folder, name, save_every
        self.numbers = np.asarray(atoms.numbers, dtype=np.int32)
        self.framework = Framework(self.numbers)
        self.schedule = plan.schedule()
        self.data = folder / f"{name}.data"
        self.state = folder / f"{name}.state.npz"
        self.key = _key(plan, atoms, potential)
        self._first_cell = atoms.cell.array
        if plan.ensemble == "npt" and plan.barostat == "tri":
            atoms = _nudged(atoms)
        elements = write_data_file(self.data, atoms)
        pair = pair_commands(PotentialSettings(style=plan.style), potential, elements)
        self.driver = LammpsDriver(comm=_self())
        self.rows: list[list[float]] = []
        self.lithium: list[Array] = []
        self.cells: list[Array] = []
        self.rdf = RadialHistogram(pairs_of(self.numbers.tolist()), RDF_EDGES)
        self.restart: Path | None = None
        try:
            self._begin(self._load(), pair, elements)
        except BaseException:
            self.driver.close()
            raise

    def _begin(self, loaded: dict[str, Any] | None, pair: list[str], elements: list[str]) -> None:
        """Set LAMMPS up, from the start to the end of the equilibration or from a restart file."""
        driver = self.driver
        source = self.restart if loaded and self.restart else self.data
        settings = MdSettings(timestep_fs=self.plan.timestep_fs)
        driver.commands(system_commands(settings, source, pair, restart=loaded is not None))
        driver.define_types(elements)
        driver.advance(0)
        equilibration = self.schedule.steps(self.plan.equilibration_ps)
        if loaded:
            self.rows = loaded["rows"].tolist()
            self.lithium = list(loaded["lithium"])
            self.cells = list(loaded["cells"])
            self.rdf.sums, self.rdf.around = loaded["sums"], loaded["around"]
            self.rdf.frames = len(self.rows)
            self.own, self.start_step = loaded["own"], int(loaded["start_step"])
            self.origin = loaded["origin"]
            self._new_loop(self.start_step - equilibration)
        else:
            frame = driver.frame()
            self.own = bonded_sulfur(frame.positions, frame.cell, self.numbers)
            # twice the temperature for atoms at rest: half of it goes into their potential energy
            drawn = (1.0 if self.plan.moving else 2.0) * self.plan.temperature_k
            driver.commands([velocity_command(drawn, self.plan.seed)])
            self._new_loop(driver.step)
            self._equilibrate(equilibration)
            self.start_step = driver.step
            self.origin = self._moved()[self.numbers == PHOSPHORUS]
        self.loop.set_fixes(self.loop.last)

    def _new_loop(self, first_step: int) -> None:
        from lpsnmr.md.loop import MdLoop

        lengths = [self.schedule.steps(self.plan.equilibration_ps), self.plan.samples * self._interval]
        lengths = lengths[-len(self.schedule.stages) :]
        self.loop = MdLoop(
            self.driver, self.schedule, first_step=first_step, lengths=lengths, look=self._save_when_due
        )

    def _equilibrate(self, steps: int) -> None:
        """Run the first stage in one stretch; no sample, no checkpoint."""
        if steps > 0:
            self.loop.set_fixes(0)
            self.driver.advance(steps)
            self.driver.unfix()

    @property
    def _interval(self) -> int:
        return self.schedule.steps(self.plan.sample_ps)

    def _moved(self) -> Array:
        """Return unwrapped positions relative to the framework's centre of mass."""
        unwrapped = self.driver.frame().unwrapped
        if unwrapped is None:
            raise ComputeError(f"{self.name}: LAMMPS gave no unwrapped positions")
        return np.asarray(unwrapped - self.framework.position(unwrapped))

    def stretches(self) -> Iterator["Place"]:
        """Go to the end, yielding after every interval."""
        return self.loop.stretches(self.loop.last, self._interval)

    def _save_when_due(self, place: "Place") -> bool:
        if len(self.rows) % self.save_every == 0 or place.finished:
            self.save()
        return True

    def measure(self, place: "Place") -> None:
        """Add what is seen after one interval."""
        frame = self.driver.frame()
        thermo = self.driver.thermo()
        if not np.isfinite(thermo["PotEng"]):
            raise ComputeError(f"{self.name}: the energy is not finite after {frame.step} steps")
        bonds = bonded_sulfur(frame.positions, frame.cell, self.numbers)
        moved = self._moved()
        p_moved = moved[self.numbers == PHOSPHORUS] - self.origin
        self.rows.append(
            [
                (place.step - place.begin) * self.plan.timestep_fs * 1e-3,
                float(np.mean(bonds.sum(axis=1) == 4)) if len(bonds) else 1.0,
                float(np.mean((bonds == self.own).all(axis=1))) if len(bonds) else 1.0,
                float((p_moved**2).sum(axis=1).mean()) if len(bonds) else 0.0,
                *(thermo[k] for k in ROW[4:]),
            ]
        )
        self.lithium.append(moved[self.numbers == LITHIUM])
        self.cells.append(np.array(frame.cell))
        self.rdf.add(frame.positions, frame.cell, self.numbers)

    def save(self) -> None:
        """Write the state: first the restart file, then the arrays that name it, then drop the old one."""
        restart = self.folder / f"{self.name}.{self.driver.step}.restart"
        self.driver.write_restart(restart)
        try:
            check_restart(restart)
        except OSError as error:
            raise ComputeError(f"{self.name}: {error}") from error
        with written_aside(self.state) as aside, aside.open("wb") as file:
            np.savez(
                file,
                key=np.array(self.key),
                restart=np.array(restart.name),
                rows=np.array(self.rows),
                lithium=np.array(self.lithium),
                cells=np.array(self.cells),
                sums=self.rdf.sums,
                around=self.rdf.around,
                own=self.own,
                start_step=np.array(self.start_step),
                origin=self.origin,
            )
        if self.restart is not None and self.restart != restart:
            self.restart.unlink(missing_ok=True)
        self.restart = restart

    def _load(self) -> dict[str, Any] | None:
        try:
            with np.load(self.state, allow_pickle=False) as file:
                loaded = {k: file[k] for k in file.files}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None
        restart = self.folder / str(loaded.get("restart", ""))
        if str(loaded.get("key")) != self.key or not restart.is_file():
            return None
        if "cells" not in loaded:  # states of older versions
            if self.plan.ensemble == "npt":
                return None
            cell = np.asarray(self._first_cell)
            loaded["cells"] = np.repeat(cell[None], len(loaded["rows"]), axis=0)
        self.restart = restart
        return loaded

    def result(self) -> Followed:
        """Return everything."""
        frame = self.driver.frame()
        last = ase.Atoms(numbers=self.numbers, positions=frame.positions, cell=frame.cell, pbc=True)
        rows, lithium, cells = np.array(self.rows), np.array(self.lithium), np.array(self.cells)
        return Followed(self.plan, self.numbers, rows, lithium, cells, self.rdf, last, self.own)

    def close(self) -> None:
        """End LAMMPS."""
        self.driver.close()


def _self() -> Any:
    from mpi4py import MPI

    return MPI.COMM_SELF


def _key(plan: MdPlan, atoms: ase.Atoms, potential: Path) -> str:
    """Return a hash of all that the trajectory depends on but its length (a quench depends on it too)."""
    words = {
        **asdict(plan),
        "length_ps": plan.length_ps if plan.final_k else 0.0,
        "rows": ROW,
        "drift": DRIFT,
    }
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    add_arrays(digest, atoms.numbers, atoms.positions, atoms.cell.array)
    digest.update(potential.read_bytes())
    beside = companion(potential)
    if beside:
        digest.update(beside.read_bytes())
    return digest.hexdigest()


def _nudged(atoms: ase.Atoms) -> ase.Atoms:
    """Tilt an orthogonal cell by 1e-4 Å, so that LAMMPS lets all its angles move."""
    out: ase.Atoms = atoms.copy()
    cell = out.cell.array.copy()
    cell[1, 0] += 1e-4
    out.set_cell(cell, scale_atoms=True)
    return out
