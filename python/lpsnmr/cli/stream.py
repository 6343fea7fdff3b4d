"""``lpsnmr stream``: follow dumps that LAMMPS is writing, to the same results as ``lpsnmr run``."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from lpsnmr.cli.options import CONFIG_OVERRIDES
from lpsnmr.errors import InputError
from lpsnmr.runs.config import RunSettings, load_config

__all__ = ["command"]

SHORT: dict[str, str] = {}
"""Name of an option: the key of the configuration that it is short for."""


def _words(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str] | None:
    """Read words separated by commas or spaces."""
    return None if value is None else value.replace(",", " ").split()


def short(name: str, key: str, text: str, **options: Any) -> Callable[[Any], Any]:
    """Return an option that is short for a key of the configuration."""
    section, _, entry = key.partition(".")
    default = getattr(getattr(RunSettings(), section), entry)
    variable = name.rpartition("/")[0] or name
    SHORT[variable.split()[-1].removeprefix("--").replace("-", "_")] = key
    if isinstance(default, tuple):
        default = ", ".join(f"{value:g}" for value in default) if default else None
    if isinstance(default, bool):
        default = variable.removeprefix("--") if default else name.rpartition("--")[2]
    told = key if default is None else f"{key}; {default}"
    # an empty value is one that was not given: then the file or the default counts
    return click.option(*name.split(), default=() if options.get("multiple") else None,
                        help=f"{text} [{told}]", **options)  # fmt: skip


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("dumps", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE",
    help="Configuration (TOML) with the sections of lpsnmr run; the options below go before it.",
)  # fmt: skip
@CONFIG_OVERRIDES
@short("-o --output", "output.folder", "Folder of results and checkpoints.", metavar="FOLDER")
@short("--model", "efg.model", "EFG model file, or the shipped one.", metavar="FILE")
@short("--elements", "stream.elements", "Elements of LAMMPS types 1, 2, …, such as Li,P,S; needed without "
       "a column element.", callback=_words, metavar="LIST")  # fmt: skip
@short("--timestep-fs", "stream.timestep_fs", "MD time step, fs; needed when the dump has no ITEM: TIME.",
       type=float)  # fmt: skip
@short("--frame-ps", "stream.frame_ps", "Time between frames, ps, for files that have neither steps nor "
       "times.", type=float)  # fmt: skip
@short("--units", "stream.units", "Units of ITEM: TIME where no ITEM: UNITS tells: metal (ps) or real (fs).",
       type=click.Choice(["metal", "real"]))  # fmt: skip
@short("--topology", "stream.topology", "Structure file with the elements of XTC, TRR, DCD, NetCDF or imd:// "
       "frames.", metavar="FILE")  # fmt: skip
@short("--join", "stream.join", "Put files in the order of their steps, or append each to the one before, "
       "with steps that begin anew counted on.", type=click.Choice(["steps", "append"]))  # fmt: skip
@short("--tensors/--no-tensors", "stream.tensors", "Predict EFG tensors, or follow the dynamics of Li alone.")
@short("--accept-outside/--refuse-outside", "stream.accept_outside", "Go on when most environments are "
       "outside the EFG model's training data.")  # fmt: skip
@short("--temperature-k", "stream.temperature_k", "Temperature of the MD, K, noted in the results.",
       type=float)  # fmt: skip
@short("--from-step", "stream.from_step", "Skip frames of earlier steps.", type=int)
@short("--every", "stream.every", "Use every n-th frame.", type=int)
@short("--frames", "stream.frames", "Stop after this many samples.", type=int)
@short("--follow/--no-follow", "stream.follow", "Wait for more at the end of the last dump.")
@short("--idle-s", "stream.idle_s", "Stop following after this many seconds without anything new; 0 waits "
       "for ever.", type=float)  # fmt: skip
@short("--nucleus", "efg.nucleus", "Nucleus of the analysis.", metavar="ISOTOPE")
@short("--window-ps", "sampling.window_ps", "Average tensors so long before echoes and spectra, ps.",
       type=float)  # fmt: skip
@short("--evolution-time", "sampling.evolution_times_us", "Evolution time of the spin-alignment echo, μs; "
       "may be given several times.", type=float, multiple=True, metavar="US")  # fmt: skip
@click.option("--no-echo", is_flag=True, help="Accumulate no spin-alignment echo.")
@short("--orientation-degree", "sampling.orientation_degree", "Degree of the Lebedev set of orientations of "
       "the echo.", type=int)  # fmt: skip
@short("--field-direction", "sampling.field_directions", "Field direction of a single crystal; may be given "
       "several times.", type=(float, float, float), multiple=True, metavar="X Y Z")  # fmt: skip
@short("--tensors-ps", "output.tensors_ps", "Time between EFG tensors kept in tensors.h5, ps; 0 keeps none.",
       type=float)  # fmt: skip
@short("--jump-distance", "jumps.distance_angstrom", "Mean distance between Li sites, Å, for D as a jump "
       "rate; goes before the one found.", type=float)  # fmt: skip
@short("--points-per-level", "sampling.points_per_level", "Lags per level of the correlators.", type=int)
@short("--jumps/--no-jumps", "jumps.follow", "Count jumps of Li and rotations of PS4, and follow the "
       "collective displacement.")  # fmt: skip
@short("--supercell", "jumps.repeats", "Repeats of the crystal's unit cell in the dump, to find its Li "
       "sites in one of them.", type=(int, int, int))  # fmt: skip
@short("--sites", "jumps.sites", "Structure file (CIF, …) of the unit cell or of the whole cell whose Li "
       "positions are the sites.", metavar="FILE")  # fmt: skip
@short("--jump-window", "jumps.window_ps", "Positions are averaged over windows of this length before jumps "
       "are looked for.", type=float, metavar="PS")  # fmt: skip
@short("--min-stay", "jumps.min_stay_ps", "A return after a shorter stay is a recrossing, not two jumps.",
       type=float, metavar="PS")  # fmt: skip
@short("--core-radius", "jumps.core_radius_angstrom", "An averaged position this close to a site is at the "
       "site.", type=float, metavar="Å")  # fmt: skip
@short("--jump-displacement", "jumps.displacement_angstrom", "Without sites: an averaged position this far "
       "from its mean has jumped.", type=float, metavar="Å")  # fmt: skip
@short("--checkpoint-min", "output.checkpoint_min", "Minutes between checkpoints.", type=float)
@click.option("--fresh", is_flag=True, help="Start over instead of resuming what the folder holds.")
@click.option("--no-analysis", is_flag=True, help="Do not analyse at the end.")
def command(
    dumps: tuple[Path, ...],
    config: Path | None,
    overrides: tuple[str, ...],
    no_echo: bool,
    fresh: bool,
    no_analysis: bool,
    **given: Any,
) -> None:
    """Read DUMPS as one trajectory, the last one while LAMMPS still writes it.

    A dump is the text of `dump custom` (or `dump atom`) with the columns id, element, typelabel or type, and
    xu yu zu (or x y z ix iy iz): plain, gzip, zstd, bzip2, xz, or a FIFO; or a binary dump. Atoms may come in
    any order. Extended XYZ, ASE .traj, XDATCAR, XTC, TRR, DCD, NetCDF and imd://host:port are read too. The
    same command resumes a stream that was stopped.

    \b
    lpsnmr stream dump.lps.gz -o stream --timestep-fs 2 --temperature-k 700
    lpsnmr stream dump.lps --config my.toml --set jumps.learn_ps=20
    mkfifo dump.lps; mpirun -np 2 lmp -in in.lps & lpsnmr stream dump.lps --timestep-fs 2
    """  # noqa: D301
    from lpsnmr.cli.display import ProgressDisplay
    from lpsnmr.cli.outcome import EXIT_STOPPED, report_outcome
    from lpsnmr.runs.stream import stream_dumps

    settings = load_config(config, [*overrides, *_short_forms(given, no_echo, overrides)], "stream")
    with ProgressDisplay() as display:
        outcome = stream_dumps(dumps, settings, fresh=fresh, progress=display, notify=display.say)
    report_outcome(outcome, not no_analysis)
    if not outcome.finished:
        sys.exit(EXIT_STOPPED)


def _short_forms(given: dict[str, Any], no_echo: bool, overrides: Sequence[str]) -> list[str]:
    """Return the options given as ``section.key=value``; refuse two that say different things of one key."""
    values = {name: value for name, value in given.items() if value is not None and value != ()}
    if no_echo and "evolution_time" in values:
        raise InputError("--evolution-time: not used with --no-echo; expected one of the two")
    forms = {SHORT[name]: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    if no_echo:
        forms[SHORT["evolution_time"]] = "[]"
    for key in forms:
        if any(override.partition("=")[0].strip() == key for override in overrides):
            raise InputError(f"{key}: given by --set and by its short form; expected one of the two")
    return [f"{key}={value}" for key, value in forms.items()]
