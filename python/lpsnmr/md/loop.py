"""The one loop of MD: stage after stage, stretch after stretch, with checkpoints and a way to stop.

A run, a validation, the sampling of structures and their quenches all go through it; what they measure
between two stretches, and when they write a checkpoint, is theirs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lpsnmr.md.commands import stage_commands
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.schedule import Schedule, Stage

__all__ = ["MdLoop", "Place"]


@dataclass(frozen=True)
class Place:
    """Where in a schedule a run is, after a stretch.

    Attributes
    ----------
    number, stage
        Which stage, from 0, and the stage itself.
    step
        MD step.
    begin, end
        First and last MD step of the stage.
    last
        Whether it is the last stage.
    """

    number: int
    stage: Stage
    step: int
    begin: int
    end: int
    last: bool

    @property
    def finished(self) -> bool:
        """Whether the schedule is at its end."""
        return self.last and self.step >= self.end


class MdLoop:
    """Goes through a schedule in a LAMMPS that has its atoms; every method is collective.

    Parameters
    ----------
    driver
        LAMMPS with atoms, potential and time step.
    schedule
        What to do.
    first_step
        MD step at which the schedule begins; with a restart it lies before the present one.
    lengths
        MD steps of each stage; by default those that come closest to its length in ps.
    sets_fixes
        False for a deck that has its own.
    look
        Called after each stretch with the place, once whoever iterates has measured: writes a checkpoint when
        one is due; the loop ends when it returns False.
    """

    def __init__(
        self,
        driver: LammpsDriver,
        schedule: Schedule,
        *,
        first_step: int,
        lengths: Sequence[int] | None = None,
        sets_fixes: bool = True,
        look: Callable[[Place], bool] | None = None,
    ) -> None:
        self.driver, self.schedule = driver, schedule
        self.bounds = [first_step, *(first_step + end for end in schedule.ends(lengths))]
        self._sets_fixes, self._look = sets_fixes, look
        self.stopped = False

    @property
    def place(self) -> Place:
        """Where the run is; between two stages at the end of the first of them."""
        step = self.driver.step
        numbers = range(len(self.schedule.stages))
        number = next((k for k in numbers if step <= self.bounds[k + 1]), numbers[-1])
        return self._at(number)

    @property
    def last(self) -> int:
        """Number of the last stage."""
        return len(self.schedule.stages) - 1

    def _at(self, number: int) -> Place:
        return Place(
            number,
            self.schedule.stages[number],
            self.driver.step,
            self.bounds[number],
            self.bounds[number + 1],
            number == self.last,
        )

    def set_fixes(self, number: int) -> None:
        """Take off the fixes of the stage before and set those of a stage."""
        if self._sets_fixes:
            self.driver.unfix()
            self.driver.commands(stage_commands(self.schedule, number, self.driver.step))

    def stretches(self, number: int, advance: int | Callable[[], object]) -> Iterator[Place]:
        """Go to the end of a stage whose fixes are set, yielding the place after every stretch.

        Parameters
        ----------
        number
            Which stage.
        advance
            Longest stretch in MD steps; or what runs the MD for a while, never beyond the end of the stage.
        """
        end = self.bounds[number + 1]
        ramp = (self.bounds[number], end) if self.schedule.stages[number].changes else None
        while self.driver.step < end:
            if callable(advance):
                advance()
            else:
                self.driver.advance(min(advance, end - self.driver.step), ramp)
            yield self._at(number)
            if self._look is not None and not self._look(self._at(number)):
                self.stopped = True
                return

    def all_stretches(self, steps: int) -> Iterator[Place]:
        """Go through all stages from the present one on, in stretches of so many MD steps at most."""
        for number in range(self.place.number, len(self.schedule.stages)):
            if self.driver.step < self.bounds[number + 1]:
                self.set_fixes(number)
                yield from self.stretches(number, steps)
            if self.stopped:
                return
