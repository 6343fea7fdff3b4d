"""LAMMPS for a run: from the structure, the user's deck or a restart file to atoms with their fixes."""

from pathlib import Path
from typing import Any

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.md.commands import pair_commands, system_commands, velocity_command
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.runs.checkpoint import Checkpoint
from lpsnmr.runs.prepare import PreparedRun
from lpsnmr.runs.recipe import check_elements

__all__ = ["define_elements", "open_lammps"]

LOG_FILE = "log.lammps"


def open_lammps(prepared: PreparedRun, checkpoint: Checkpoint | None, comm: Any) -> LammpsDriver:
    """Return LAMMPS with its atoms, without the fixes of this package; collective.

    The log of a resumed run goes on where that of the run before ended.

    Raises
    ------
    InputError
        When a deck has other units or another time step than the settings, or cannot resume.
    ComputeError
        When LAMMPS fails.
    """
    folder = prepared.recipe.folder
    restart = None if checkpoint is None else (folder / checkpoint.restart).resolve()
    variables = {} if restart is None else {"restart": str(restart)}
    driver = LammpsDriver(comm, folder / LOG_FILE, variables, append=restart is not None)
    try:
        if prepared.settings.md.input is not None:
            _read_deck(driver, prepared.settings.md.input, prepared.settings.md.timestep_fs, restart)
        else:
            _build_system(driver, prepared, restart)
    except BaseException:
        driver.close()
        raise
    return driver


def _build_system(driver: LammpsDriver, prepared: PreparedRun, restart: Path | None) -> None:
    md = prepared.settings.md
    pair = pair_commands(prepared.settings.potential, prepared.potential, prepared.elements)
    structure = restart or prepared.data_file.resolve()
    potential = prepared.settings.potential
    driver.commands(system_commands(md, structure, pair, restart=restart is not None, potential=potential))
    if restart is None:
        driver.commands([velocity_command(md.temperature_k, md.seed)])


def _read_deck(driver: LammpsDriver, deck: Path, timestep_fs: float, restart: Path | None) -> None:
    if restart is not None and "restart" not in deck.read_text(encoding="utf-8", errors="replace"):
        raise InputError(f"{deck} cannot resume: it never uses the variable restart; use --fresh")
    driver.file(deck)
    if driver.units != "metal":
        raise InputError(f"{deck}: expected units metal, got {driver.units}")
    found_fs = driver.timestep_ps * 1e3
    if abs(found_fs - timestep_fs) > 1e-9:
        raise InputError(f"{deck} has the time step {found_fs:g} fs, but md.timestep_fs is {timestep_fs:g}")


def define_elements(driver: LammpsDriver, prepared: PreparedRun, checkpoint: Checkpoint | None) -> None:
    """Say which element each type is, and check that LAMMPS has what the run expects; collective.

    Raises
    ------
    InputError
        When the EFG model does not know an element of the atoms.
    ComputeError
        When a restart file is of another step than its checkpoint.
    """
    driver.define_types(prepared.elements)
    deck = prepared.settings.md.input
    if deck is not None:
        check_elements(prepared.recipe.model, driver.numbers, str(deck), prepared.settings.species)
    if checkpoint is not None and driver.step != checkpoint.step:
        raise ComputeError(
            f"{checkpoint.restart} is at step {driver.step}, its checkpoint at {checkpoint.step}"
        )
