"""What a run tells while it goes: lines of ``thermo.csv`` and the progress."""

import time

from lpsnmr.md.driver import LammpsDriver
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.live import StatusFile
from lpsnmr.runs.progress import ProgressCallback, RateMeter, Status
from lpsnmr.runs.thermo import ThermoFile
from lpsnmr.sampling.sampler import Sampler
from lpsnmr.structures import intact_ps4
from lpsnmr.trajectory.frames import Frame

__all__ = ["RunReporter"]

SHOW_EVERY_S = 0.5


class RunReporter:
    """Writes and shows on rank 0, also to ``status.json``; does nothing on the others.

    Parameters
    ----------
    settings
        Configuration of the run.
    active
        True on rank 0.
    driver
        The running LAMMPS.
    progress
        Called with a ``Status`` about twice a second; may be None.
    resumed_step
        Step of the checkpoint the run was resumed from, -1 without one.
    """

    def __init__(
        self,
        settings: RunSettings,
        active: bool,
        driver: LammpsDriver,
        progress: ProgressCallback | None,
        resumed_step: int,
    ) -> None:
        self._driver = driver
        self._progress = progress
        self._file = ThermoFile(settings.output.folder / "thermo.csv", resumed_step) if active else None
        self._live = StatusFile(settings.output.folder) if active else None
        self._thermo_steps = max(1, round(settings.output.thermo_ps / driver.timestep_ps))
        self._written = driver.step // self._thermo_steps
        self._shown_at = 0.0
        self._meter = RateMeter()

    def restart_clock(self) -> None:
        """Forget the rate measured so far; called when a stage begins."""
        self._meter = RateMeter()

    @property
    def due(self) -> bool:
        """Whether ``report`` would write or show anything."""
        return self._line_due or self._show_due

    @property
    def next_line(self) -> int:
        """MD step of the next line of ``thermo.csv``; the same on every rank."""
        return (self._driver.step // self._thermo_steps + 1) * self._thermo_steps

    @property
    def _line_due(self) -> bool:
        return self._file is not None and self._driver.step // self._thermo_steps != self._written

    @property
    def _show_due(self) -> bool:
        return self._live is not None and time.monotonic() - self._shown_at > SHOW_EVERY_S

    def report(self, stage: str, begin: int, end: int, frame: Frame, sampler: Sampler | None) -> None:
        """Write a line and show the progress, each when it is due.

        Parameters
        ----------
        stage
            Name of the stage.
        begin, end
            Its first and last MD step.
        frame
            All atoms at the present step.
        sampler
            The sampler, once there is one.
        """
        if self._file is None:
            return
        step = self._driver.step
        intact, total = intact_ps4(frame.positions, frame.cell, frame.pbc, frame.numbers)
        thermo = self._driver.thermo()
        time_ps = (step - begin) * self._driver.timestep_ps
        if self._line_due:
            self._file.write(stage, step, time_ps, thermo, intact)
            self._written = step // self._thermo_steps
        if self._live is None or not self._show_due:
            return
        self._shown_at = time.monotonic()
        rate = self._meter.update(step)
        status = Status(
            stage=stage,
            step=step - begin,
            last_step=end - begin,
            time_ps=time_ps,
            steps_per_s=rate,
            ns_per_day=rate * self._driver.timestep_ps * 86.4,
            eta_s=(end - step) / rate if rate > 0 else None,
            n_samples=0 if sampler is None else sampler.n_samples,
            temperature_k=thermo.get("Temp"),
            intact=intact,
            n_phosphorus=total,
            n_flagged=0 if sampler is None else sampler.n_flagged,
        )
        self._live.update(status)
        if self._progress is not None:
            self._progress(status)

    def flush(self) -> None:
        """Hand the lines so far to the system."""
        if self._file is not None:
            self._file.flush()

    def ended(self, state: str) -> None:
        """Say in ``status.json`` how the run ended."""
        if self._live is not None:
            self._live.close(state)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
