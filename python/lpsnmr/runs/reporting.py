"""What a run tells while it goes: lines of ``thermo.csv`` and the progress."""

from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.loop import Place
from lpsnmr.runs.progress import RateMeter, Status
from lpsnmr.runs.session import RunSession
from lpsnmr.runs.thermo import ThermoFile
from lpsnmr.sampling.sampler import Sampler
from lpsnmr.structures.polyhedra import whole_polyhedra
from lpsnmr.trajectory.frames import Frame

__all__ = ["RunReporter", "stage_name"]


class RunReporter:
    """Writes and shows on rank 0; does nothing on the others.

    Parameters
    ----------
    session
        The output folder.
    driver
        The running LAMMPS.
    resumed_step
        Step of the checkpoint the run was resumed from, -1 without one.
    """

    def __init__(self, session: RunSession, driver: LammpsDriver, resumed_step: int) -> None:
        self._session, self._driver = session, driver
        path = session.folder / "thermo.csv"
        names = [kind.name for kind in session.recipe.settings.species.polyhedra]
        self._file = ThermoFile(path, resumed_step, names) if session.active else None
        thermo_ps = session.recipe.settings.output.thermo_ps
        self._thermo_steps = max(1, round(thermo_ps / driver.timestep_ps))
        self._written = driver.step // self._thermo_steps
        self._meter = RateMeter()

    def restart_clock(self) -> None:
        """Forget the rate measured so far; called when a stage begins."""
        self._meter = RateMeter()

    @property
    def due(self) -> bool:
        """Whether ``report`` would write or show anything."""
        return self._line_due or self._session.show_due

    @property
    def next_line(self) -> int:
        """MD step of the next line of ``thermo.csv``; the same on every rank."""
        return (self._driver.step // self._thermo_steps + 1) * self._thermo_steps

    @property
    def _line_due(self) -> bool:
        return self._file is not None and self._driver.step // self._thermo_steps != self._written

    def report(self, place: Place, frame: Frame, sampler: Sampler | None, *, show: bool = False) -> None:
        """Write a line and show the progress, each when it is due.

        Parameters
        ----------
        place
            Where in the schedule the run is.
        frame
            All atoms at the present step.
        sampler
            The sampler, once there is one.
        show
            Show the progress in any case.
        """
        if self._file is None:
            return
        step, stage = place.step, stage_name(place)
        kinds = self._session.recipe.settings.species.polyhedra
        intact, total = whole_polyhedra(frame.positions, frame.cell, frame.pbc, frame.numbers, kinds)
        thermo = self._driver.thermo()
        time_ps = (step - place.begin) * self._driver.timestep_ps
        if self._line_due:
            self._file.write(stage, step, time_ps, thermo, intact)
            self._written = step // self._thermo_steps
        if not (show or self._session.show_due):
            return
        rate = self._meter.update(step)
        self._session.show(
            Status(
                stage=stage,
                step=step - place.begin,
                last_step=place.end - place.begin,
                time_ps=time_ps,
                steps_per_s=rate,
                ns_per_day=rate * self._driver.timestep_ps * 86.4,
                eta_s=(place.end - step) / rate if rate > 0 else None,
                n_samples=0 if sampler is None else sampler.n_samples,
                temperature_k=thermo.get("Temp"),
                intact=intact,
                n_centers=total,
                polyhedra=" or ".join(kind.formula for kind in kinds),
                n_flagged=0 if sampler is None else sampler.n_flagged,
            )
        )

    def flush(self) -> None:
        """Hand the lines so far to the system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def stage_name(place: Place) -> str:
    """Return the name of a stage in checkpoints, ``thermo.csv`` and ``status.json``."""
    return "production" if place.last else "equilibration"
