"""The LAMMPS commands of a run, as text; nothing here needs LAMMPS."""

from collections.abc import Sequence
from pathlib import Path

from lpsnmr.errors import InputError
from lpsnmr.md.schedule import Schedule
from lpsnmr.md.settings import MdSettings, PotentialSettings
from lpsnmr.potential import companion

__all__ = [
    "FIX_IDS",
    "langevin_commands",
    "pair_commands",
    "stage_commands",
    "system_commands",
    "velocity_command",
]

INTEGRATOR = "lpsnmr_integrate"
THERMOSTAT = "lpsnmr_thermostat"
REST = "lpsnmr_rest"
FIX_IDS = (INTEGRATOR, THERMOSTAT, REST)


def pair_commands(potential: PotentialSettings, file: Path | None, elements: Sequence[str]) -> list[str]:
    """Return ``pair_style`` and ``pair_coeff`` for the types ``elements``.

    ``pair_style ufp`` gets the density terms too that stand beside the potential as ``NAME.ufd``.

    Raises
    ------
    InputError
        For a potential with density terms and a style that does not evaluate them.
    """
    if potential.commands:
        return list(potential.commands)
    beside = companion(file) if file else None
    if beside and potential.style.split() not in (["ufp"], ["ufp", "3"]):
        raise InputError(
            f"{file}: it was fitted with the density terms beside it ({beside.name}), which pair_style "
            f"{potential.style} does not evaluate; expected ufp 3, or a potential without such terms, got "
            f"{potential.style} (lps_23body.uf3 is shipped beside lps.uf3)"
        )
    names = f'"{file}" "{beside}"' if beside else f'"{file}"'
    return [f"pair_style {potential.style}", f"pair_coeff * * {names} {' '.join(elements)}"]


def system_commands(
    settings: MdSettings,
    structure: Path,
    pair: Sequence[str],
    *,
    restart: bool,
    potential: PotentialSettings | None = None,
) -> list[str]:
    """Return the commands from ``units`` to ``thermo``, reading a data file or a restart file.

    ``potential`` says whether atoms have charges and which long-range solver acts on them.
    """
    potential = potential or PotentialSettings()
    # charges are spread over a mesh that reaches half a skin beyond the box: an atom must not be further off
    every = 1 if potential.kspace_style else settings.neighbor_every
    return [
        "units metal",
        f"atom_style {'charge' if potential.charges else 'atomic'}",
        "atom_modify map array",
        "boundary p p p",
        "newton on",
        f'{"read_restart" if restart else "read_data"} "{structure}"',
        *pair,
        *([f"kspace_style {potential.kspace_style}"] if potential.kspace_style else []),
        f"neighbor {settings.skin_angstrom:.10g} bin",
        f"neigh_modify every {every} delay 0 check yes",
        f"timestep {settings.timestep_fs * 1e-3:.10g}",
        "thermo_style custom step temp pe ke etotal press vol",
        "thermo_modify lost error flush no",
        "thermo 1000000000",
    ]


def velocity_command(temperature_k: float, seed: int) -> str:
    """Return the command that draws velocities with zero total momentum."""
    return f"velocity all create {temperature_k:.10g} {seed} mom yes rot no dist gaussian loop all"


def langevin_commands(first_k: float, last_k: float, damping_ps: float, seed: int, step: int) -> list[str]:
    """Return the fixes of Langevin dynamics at rest as a whole, from ``first_k`` to ``last_k``.

    The velocity of the whole is removed at every step. ``zero yes`` of fix langevin takes the same random
    force off every atom instead, which disturbs light ones more: 64 atoms of Li3PS4 become 1 % too hot.
    """
    # LAMMPS does not keep the generator of fix langevin in restart files: a new seed after each
    # resume, so that no noise is used twice
    noise = (seed + 7919 * (step + 1)) % 899_999_999 + 1
    return [
        f"fix {INTEGRATOR} all nve",
        f"fix {THERMOSTAT} all langevin {first_k:.10g} {last_k:.10g} {damping_ps:.10g} {noise}",
        f"fix {REST} all momentum 1 linear 1 1 1",
    ]


def stage_commands(schedule: Schedule, number: int, step: int) -> list[str]:
    """Return the fixes of one stage of a schedule.

    Parameters
    ----------
    schedule
        Stages, relaxation times and seed.
    number
        Which stage, from 0.
    step
        MD step at which the fixes are set.
    """
    stage = schedule.stages[number]
    kelvin = f"{stage.start_k:.10g} {stage.end_k:.10g}"
    damping = f"{schedule.thermostat_damping_ps:.10g}"
    if stage.pressure_bar is not None:
        bar = f"{stage.pressure_bar:.10g}"
        return [
            f"fix {INTEGRATOR} all npt temp {kelvin} {damping} "
            f"{schedule.barostat} {bar} {bar} {schedule.barostat_damping_ps:.10g}"
        ]
    if stage.thermostat == "none":
        return [f"fix {INTEGRATOR} all nve"]
    if stage.thermostat == "nose-hoover":
        return [f"fix {INTEGRATOR} all nvt temp {kelvin} {damping}"]
    return langevin_commands(stage.start_k, stage.end_k, schedule.thermostat_damping_ps, schedule.seed, step)
