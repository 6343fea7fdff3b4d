"""MD of one cell in LAMMPS, followed sample by sample; stops and goes on at any sample."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import ase
import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import ComputeError
from lpsnmr.files.atomic import written_aside
from lpsnmr.md.commands import (
    equilibration_commands,
    pair_commands,
    production_commands,
    system_commands,
    velocity_command,
)
from lpsnmr.md.settings import MdSettings, PotentialSettings
from lpsnmr.potential import companion
from lpsnmr.structures.observe import RadialHistogram, bonded_sulfur, pairs_of
from lpsnmr.trajectory.data_file import write_data_file

__all__ = ["Followed", "MdPlan", "follow"]

Array = NDArray[np.float64]
Tick = Callable[[str, int, int], None]
ROW = ("time_ps", "intact", "own_sulfur", "p_msd", "Temp", "PotEng", "TotEng", "Press", "Volume")
RDF_EDGES = np.linspace(0.0, 7.0, 71)
LITHIUM, PHOSPHORUS = 3, 15


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


@dataclass(eq=False)
class Followed:
    """What was seen; arrays over the samples.

    ``rows`` (samples, 9) as in ``ROW``: ps, fraction of P with four S, fraction of P with its first S, mean
    square displacement of P in Å², K, eV, eV, bar, Å³. ``lithium`` (samples, n_Li, 3) unwrapped, Å, the mean
    motion of P and S taken off.
    """

    plan: MdPlan
    numbers: NDArray[np.int32]
    rows: Array
    lithium: Array
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
    run = _Run(plan, atoms, potential, folder, name)
    try:
        while len(run.rows) < run.total:
            run.sample()
            if tick:
                tick(name, len(run.rows), run.total)
            if len(run.rows) % save_every == 0 or len(run.rows) == run.total:
                run.save()
        return run.result()
    finally:
        run.close()


class _Run:
    """The state of a run between two samples."""

    def __init__(self, plan: MdPlan, atoms: ase.Atoms, potential: Path, folder: Path, name: str) -> None:
        from lpsnmr.md.driver import LammpsDriver  # loads MPI

        self.plan, self.folder, self.name = plan, folder, name
        self.numbers = np.asarray(atoms.numbers, dtype=np.int32)
        self.total = max(1, round(plan.length_ps / plan.sample_ps))
        self.settings = MdSettings(
            temperature_k=plan.temperature_k,
            timestep_fs=plan.timestep_fs,
            equilibration="npt" if plan.ensemble == "npt" else "nvt",
            barostat=plan.barostat,
            ensemble="nve" if plan.ensemble == "nve" else "nvt",
            thermostat="langevin",
            thermostat_damping_ps=0.5,
            seed=plan.seed,
        )
        self.data = folder / f"{name}.data"
        self.state = folder / f"{name}.state.npz"
        self.key = _key(plan, atoms, potential)
        if plan.ensemble == "npt" and plan.barostat == "tri":
            atoms = _nudged(atoms)
        elements = write_data_file(self.data, atoms)
        pair = pair_commands(PotentialSettings(style=plan.style), potential, elements)
        self.driver = LammpsDriver(comm=_self())
        self.rows: list[list[float]] = []
        self.lithium: list[Array] = []
        self.rdf = RadialHistogram(pairs_of(self.numbers.tolist()), RDF_EDGES)
        self.restart: Path | None = None
        try:
            self._begin(self._load(), pair, elements)
        except BaseException:
            self.driver.close()
            raise

    def _begin(self, loaded: dict[str, Any] | None, pair: list[str], elements: list[str]) -> None:
        source = self.restart if loaded and self.restart else self.data
        self.driver.commands(system_commands(self.settings, source, pair, restart=loaded is not None))
        self.driver.define_types(elements)
        self.driver.advance(0)
        if loaded:
            self.rows = loaded["rows"].tolist()
            self.lithium = list(loaded["lithium"])
            self.rdf.sums, self.rdf.around = loaded["sums"], loaded["around"]
            self.rdf.frames = len(self.rows)
            self.own, self.start_step = loaded["own"], int(loaded["start_step"])
            self.origin = loaded["origin"]
        else:
            frame = self.driver.frame()
            self.own = bonded_sulfur(frame.positions, frame.cell, self.numbers)
            # twice the temperature for atoms at rest: half of it goes into their potential energy
            drawn = (1.0 if self.plan.moving else 2.0) * self.plan.temperature_k
            hot = self.settings.model_copy(update={"temperature_k": drawn})
            self.driver.commands([velocity_command(hot)])
            self.driver.commands(equilibration_commands(self.settings, self.driver.step))
            self.driver.advance(self._steps(self.plan.equilibration_ps))
            self.driver.unfix()
            self.start_step = self.driver.step
            self.origin = self._moved()[self.numbers == PHOSPHORUS]
        self.driver.commands(self._production())

    def _moved(self) -> Array:
        """Return unwrapped positions, the mean motion of P and S taken off."""
        unwrapped = self.driver.frame().unwrapped
        if unwrapped is None:
            raise ComputeError(f"{self.name}: LAMMPS gave no unwrapped positions")
        return np.asarray(unwrapped - unwrapped[self.numbers != LITHIUM].mean(axis=0))

    def _production(self) -> list[str]:
        step = self.driver.step
        if self.plan.ensemble == "npt":
            lines = equilibration_commands(self.settings, step)
        else:
            lines = production_commands(self.settings, step)
        if self.plan.final_k > 0:
            first, last = f"{self.plan.temperature_k:.10g}", f"{self.plan.final_k:.10g}"
            lines = [line.replace(f" {first} {first} ", f" {first} {last} ") for line in lines]
        return lines

    def _ramp(self) -> tuple[int, int] | None:
        """Return the first and the last step of the change of temperature."""
        if not self.plan.final_k > 0:
            return None
        return self.start_step, self.start_step + self.total * self._steps(self.plan.sample_ps)

    def _steps(self, ps: float) -> int:
        return round(ps * 1e3 / self.plan.timestep_fs)

    def sample(self) -> None:
        """Advance by one interval and measure."""
        self.driver.advance(self._steps(self.plan.sample_ps), self._ramp())
        frame = self.driver.frame()
        thermo = self.driver.thermo()
        if not np.isfinite(thermo["PotEng"]):
            raise ComputeError(f"{self.name}: the energy is not finite after {frame.step} steps")
        bonds = bonded_sulfur(frame.positions, frame.cell, self.numbers)
        moved = self._moved()
        p_moved = moved[self.numbers == PHOSPHORUS] - self.origin
        self.rows.append(
            [
                (frame.step - self.start_step) * self.plan.timestep_fs * 1e-3,
                float(np.mean(bonds.sum(axis=1) == 4)) if len(bonds) else 1.0,
                float(np.mean((bonds == self.own).all(axis=1))) if len(bonds) else 1.0,
                float((p_moved**2).sum(axis=1).mean()) if len(bonds) else 0.0,
                *(thermo[k] for k in ROW[4:]),
            ]
        )
        self.lithium.append(moved[self.numbers == LITHIUM])
        self.rdf.add(frame.positions, frame.cell, self.numbers)

    def save(self) -> None:
        """Write the state: first the restart file, then the arrays that name it, then drop the old one."""
        restart = self.folder / f"{self.name}.{self.driver.step}.restart"
        self.driver.write_restart(restart)
        with written_aside(self.state) as aside, aside.open("wb") as file:
            np.savez(
                file,
                key=np.array(self.key),
                restart=np.array(restart.name),
                rows=np.array(self.rows),
                lithium=np.array(self.lithium),
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
        self.restart = restart
        return loaded

    def result(self) -> Followed:
        """Return everything."""
        frame = self.driver.frame()
        last = ase.Atoms(numbers=self.numbers, positions=frame.positions, cell=frame.cell, pbc=True)
        rows, lithium = np.array(self.rows), np.array(self.lithium)
        return Followed(self.plan, self.numbers, rows, lithium, self.rdf, last, self.own)

    def close(self) -> None:
        """End LAMMPS."""
        self.driver.close()


def _self() -> Any:
    from mpi4py import MPI

    return MPI.COMM_SELF


def _key(plan: MdPlan, atoms: ase.Atoms, potential: Path) -> str:
    """Return a hash of all that the trajectory depends on but its length (a quench depends on it too)."""
    words = {**asdict(plan), "length_ps": plan.length_ps if plan.final_k else 0.0, "rows": ROW}
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    for array in (atoms.numbers, atoms.positions, atoms.cell.array):
        digest.update(np.ascontiguousarray(array).tobytes())
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
