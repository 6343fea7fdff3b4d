"""``lpsnmr structures``: crystals, supercells, strained, disordered and amorphous cells, checked."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import click
import numpy as np
from ase import Atoms
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lpsnmr.cli.options import SEED, number_option
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.md.schedule import Stage, melt_quench_stages
from lpsnmr.md.scheduled_frames import FrameSettings, melt_quench
from lpsnmr.runs.prepare import potential_path
from lpsnmr.structures import (
    close_contacts,
    lithium_disordered,
    load_structure,
    made,
    packed,
    rattled,
    report_structure,
    strained,
    supercell,
    with_density,
)
from lpsnmr.structures.checks import PHOSPHORUS, PS_BOND_CUTOFF_ANGSTROM
from lpsnmr.structures.disorder import bonded_sulfur, crystal_peak

EPILOG = """
\b
Examples:
  lpsnmr structures beta-Li3PS4 --supercell 1 1 2 -o beta64.extxyz
  lpsnmr structures gamma-Li3PS4 --volume-strain -0.03,0,0.03 --strain 0,0,0,0,0,0.02 -o strained.extxyz
  lpsnmr structures beta-Li3PS4 --li-disorder 0.5 --rattle 0.05 --count 10 -o disordered.extxyz
  lpsnmr structures beta-Li3PS4 --density 1.7 --pack --count 4 -o packed.extxyz
  lpsnmr structures beta-Li3PS4 --supercell 1 2 2 --density 1.7 --pack --melt-quench --melt-k 700 \
      --quench-ps 100 --pressure-bar 1 -o glass.extxyz

SOURCE is beta-Li3PS4, gamma-Li3PS4 or a structure file that ASE reads.
"""

MOST_PHOSPHORUS = 600
"""Cells of up to so many P are searched for reflections, which takes some seconds and grows as its square."""
LARGEST_AT_RANDOM = 0.8
"""Where P at random have reflections like that, they cannot be told from those of a crystal."""
MELT_OPTIONS = (
    "potential", "melt_k", "melt_ps", "anneal_k", "anneal_ps", "quench_ps", "final_k", "final_ps",
    "pressure_bar", "release_k",
)  # fmt: skip


@dataclass(frozen=True)
class Steps:
    """What is done to each copy of the cell, in this order."""

    strains: tuple[tuple[float, ...] | None, ...]
    pack: bool
    li_disorder: float
    rattle: float
    stages: tuple[Stage, ...]
    potential: Path | None
    require_ps4: float


def _strains(volume: str | None, given: tuple[str, ...]) -> tuple[tuple[float, ...] | None, ...]:
    """Return the strains asked for; (None,) when there are none."""
    result: list[tuple[float, ...] | None] = []
    try:
        for word in volume.split(",") if volume else []:
            if not -1 < float(word) < math.inf:
                raise InputError(f"--volume-strain: expected relative changes above -1, got {word}")
            linear = (1 + float(word)) ** (1 / 3) - 1
            result.append((linear, linear, linear, 0.0, 0.0, 0.0))
        result += [tuple(float(word) for word in text.split(",")) for text in given]
    except InputError:
        raise
    except ValueError:
        raise InputError(
            f"strain: expected numbers separated by commas, got {volume or ''} {' '.join(given)}"
        ) from None
    return tuple(result) or (None,)


def _checked(atoms: Atoms, steps: Steps) -> Atoms:
    """Return the structure when it passes, with its numbers in the header."""
    report = report_structure(atoms)
    contacts = close_contacts(atoms)
    if contacts:
        raise ComputeError(f"{made(atoms)}: too close: {', '.join(contacts)}")
    share = report.n_intact / report.n_phosphorus if report.n_phosphorus else 1.0
    if share < steps.require_ps4:
        raise ComputeError(
            f"{made(atoms)}: {report.n_intact} of {report.n_phosphorus} P have exactly four S; "
            f"expected a share of at least {steps.require_ps4:g} (--require-ps4)"
        )
    atoms.info["density_g_per_cm3"] = round(report.density, 4)
    atoms.info["ps4_intact"] = f"{report.n_intact}/{report.n_phosphorus}"
    return atoms


def _build(cell: Atoms, steps: Steps, count: int, seed: int) -> Iterator[Atoms]:
    """Yield every structure, checked."""
    for number, (strain, copy) in enumerate(itertools.product(steps.strains, range(count))):
        own_seed = seed + number
        atoms = cell if strain is None else strained(cell, strain)
        if steps.pack:
            atoms = packed(atoms, own_seed)
        if steps.li_disorder:
            atoms = lithium_disordered(atoms, steps.li_disorder, own_seed)
        if steps.rattle:
            atoms = rattled(atoms, steps.rattle, own_seed)
        if steps.potential is not None:
            settings = FrameSettings(steps.potential, seed=own_seed)
            atoms = melt_quench(atoms, steps.stages, settings)
        atoms = atoms.copy()
        atoms.info["name"] = f"{copy}" if strain is None else f"strain{number // count}-{copy}"
        yield _checked(atoms, steps)


def _line(number: int, atoms: Atoms, disordered: bool) -> str:
    report = report_structure(atoms)
    pairs = " ".join(f"{pair} {value:.2f}" for pair, value in report.shortest_pairs.items())
    return (
        f"{number:>4} {len(atoms):>6} atoms {report.density:.3f} g/cm3  PS4 {report.n_intact}/"
        f"{report.n_phosphorus}  shortest (Å): {pairs}\n{_disorder(atoms) if disordered else ''}"
        f"     {made(atoms)}"
    )


def _disorder(atoms: Atoms) -> str:
    """Say what a packed or molten cell is: who shares S, and whether P are those of a crystal."""
    phosphorus = atoms.positions[atoms.numbers == PHOSPHORUS]
    if len(phosphorus) == 0:
        return ""
    cell = np.asarray(atoms.cell.array)
    around = bonded_sulfur(atoms.positions, cell, atoms.numbers, PS_BOND_CUTOFF_ANGSTROM).sum(axis=0)
    said = f"     S: {np.sum(around > 1)} bridging, {np.sum(around == 0)} free; strongest reflection of P "
    if len(phosphorus) > MOST_PHOSPHORUS:
        return f"{said}not looked for, more than {MOST_PHOSPHORUS} P\n"
    peak, random = crystal_peak(phosphorus, cell)
    if random > LARGEST_AT_RANDOM:
        return f"{said}tells nothing, too few P\n"
    return f"{said}{peak:.2f} (1: crystal at rest, {random:.2f}: P at random)\n"


def _refuse_idle_options(ctx: click.Context, melt: bool) -> None:
    """Refuse options of the melt without a melt."""
    given = [
        name
        for name in MELT_OPTIONS
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if given and not melt:
        raise InputError(f"--{given[0].replace('_', '-')}: expected --melt-quench with it, got none")


def _schedule(o: dict[str, Any]) -> tuple[Stage, ...]:
    return tuple(
        melt_quench_stages(
            o["melt_k"],
            o["melt_ps"],
            o["quench_ps"],
            o["final_k"],
            o["final_ps"],
            o["pressure_bar"],
            anneal_k=o["anneal_k"],
            anneal_ps=o["anneal_ps"],
            release_k=o["release_k"],
        )
    )


@click.command("structures", epilog=EPILOG)
@click.argument("source")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Target, extended XYZ.")
@click.option(
    "--supercell", "repeats", type=int, nargs=3, default=(1, 1, 1), show_default=True, help="Repeats."
)
@click.option("--density", type=float, help="Scale the cell to this density first, g/cm³.")
@click.option("--volume-strain", metavar="V,V,...", help="Relative changes of volume, one structure each.")
@click.option(
    "--strain",
    multiple=True,
    metavar="XX,YY,ZZ,YZ,XZ,XY",
    help="Strain tensor (shears are half the angle); may be repeated, one structure each.",
)
@click.option("--pack", is_flag=True, help="Pack its PS4 units and Li into the cell at random.")
@number_option("--li-disorder", 0.0, "Share of Li moved to other voids.")
@number_option("--rattle", 0.0, "Gaussian displacements, Å.")
@number_option("--count", 1, "Copies of each, with other seeds.")
@click.option("--seed", type=SEED, default=1, show_default=True, help="First seed.")
@click.option("--melt-quench", "melt", is_flag=True, help="Melt and cool each by MD.")
@click.option("--potential", default="default", show_default=True, help="Melt-quench: .uf3 file.")
@number_option("--melt-k", 2000.0, "Temperature of the melt, K.")
@number_option("--melt-ps", 20.0, "Time in the melt, ps.")
@click.option("--anneal-k", type=float, nargs=2, default=(1100.0, 1000.0), show_default=True,
              help="Temperatures between which P find four S again, K.")  # fmt: skip
@number_option("--anneal-ps", 0.0, "Time of that, ps; 0: none.")
@number_option("--quench-ps", 40.0, "Time of the cooling, ps.")
@number_option("--final-k", 300.0, "Temperature at the end, K.")
@number_option("--final-ps", 20.0, "Time at the end, ps.")
@click.option("--pressure-bar", type=float, help="Let the cell breathe at this pressure below --release-k.")
@number_option("--release-k", 500.0, "See --pressure-bar, K.")
@click.option(
    "--require-ps4",
    type=float,
    help="Smallest share of P with exactly four S; 1 by default, 0 with --melt-quench.",
)
def command(source: str, output: Path, repeats: tuple[int, int, int], **o: Any) -> None:
    """Make structures from SOURCE and write them as extended XYZ.

    Each one says in its header (made) how it was made. Distances, density and PS4 units are checked and
    printed, and of packed and molten cells also shared S and the strongest reflection of P, which tells a
    glass from a crystal; a structure that fails ends the command with an error and nothing is written.
    """
    _refuse_idle_options(click.get_current_context(), o["melt"])
    if o["count"] < 1:
        raise InputError(f"--count: expected at least 1, got {o['count']}")
    if not output.parent.is_dir():
        raise InputError(f"--output: the folder {output.parent} does not exist")
    cell = supercell(load_structure(source), repeats)
    if o["density"] is not None:
        cell = with_density(cell, o["density"])
    required = o["require_ps4"] if o["require_ps4"] is not None else 0.0 if o["melt"] else 1.0
    steps = Steps(
        _strains(o["volume_strain"], o["strain"]),
        o["pack"],
        o["li_disorder"],
        o["rattle"],
        _schedule(o) if o["melt"] else (),
        potential_path(o["potential"]) if o["melt"] else None,
        required,
    )
    columns = (TextColumn("structures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    made_structures = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("structures", total=len(steps.strains) * o["count"])
        for atoms in _build(cell, steps, o["count"], o["seed"]):
            made_structures.append(atoms)
            bar.advance(task)
    with written_aside(output) as aside:
        ase.io.write(aside, made_structures, format="extxyz")
    for number, atoms in enumerate(made_structures):
        click.echo(_line(number, atoms, steps.pack or bool(steps.stages)))
    click.echo(f"written: {output} ({len(made_structures)} structures)")
