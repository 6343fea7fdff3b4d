"""``lpsnmr stream``: follow dumps that LAMMPS is writing, to the same results as ``lpsnmr run``."""

import sys
from pathlib import Path

import click

from lpsnmr.sampling.jump_settings import JumpSettings
from lpsnmr.sampling.nmr_sampling import NmrSettings

__all__ = ["command"]

DEFAULT_JUMPS = JumpSettings()
NMR = NmrSettings()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("dumps", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), default=Path("results"), show_default=True,
    help="Folder of results and checkpoints.",
)  # fmt: skip
@click.option("--model", default="default", show_default=True, help="EFG model file, or the shipped one.")
@click.option(
    "--elements", help="Elements of LAMMPS types 1, 2, …, such as Li,P,S; needed without a column element."
)
@click.option("--timestep-fs", type=float, help="MD time step, fs; needed when the dump has no ITEM: TIME.")
@click.option("--temperature-k", type=float, help="Temperature of the MD, K, noted in the results.")
@click.option("--from-step", type=int, default=0, show_default=True, help="Skip frames of earlier steps.")
@click.option("--every", type=int, default=1, show_default=True, help="Use every n-th frame.")
@click.option("--frames", type=int, help="Stop after this many samples.")
@click.option(
    "--follow/--no-follow", default=True, show_default=True, help="Wait for more at the end of the last dump."
)
@click.option(
    "--idle-s", type=float, default=60.0, show_default=True,
    help="Stop following after this many seconds without anything new; 0 waits for ever.",
)  # fmt: skip
@click.option("--nucleus", default=NMR.nucleus, show_default=True, help="Nucleus of the analysis.")
@click.option(
    "--window-ps", type=float, default=NMR.window_ps, show_default=True,
    help="Average tensors so long before they enter echoes and spectra, ps.",
)  # fmt: skip
@click.option(
    "--evolution-time", "evolution_times_us", type=float, multiple=True, metavar="US",
    default=NMR.evolution_times_us, show_default=True,
    help="Evolution time of the spin-alignment echo, μs; may be given several times.",
)  # fmt: skip
@click.option("--no-echo", is_flag=True, help="Accumulate no spin-alignment echo.")
@click.option(
    "--orientation-degree", type=int, default=NMR.orientation_degree, show_default=True,
    help="Degree of the Lebedev set of orientations of the echo.",
)  # fmt: skip
@click.option(
    "--field-direction", "field_directions", type=(float, float, float), multiple=True, metavar="X Y Z",
    help="Field direction of a single crystal; may be given several times.",
)  # fmt: skip
@click.option(
    "--tensors-ps", type=float, default=NMR.tensors_ps, show_default=True,
    help="Time between EFG tensors kept in tensors.h5, ps; 0 keeps none.",
)  # fmt: skip
@click.option("--jump-distance", type=float, help="Mean distance between Li sites, Å, for the jump rate.")
@click.option(
    "--points-per-level", type=int, default=16, show_default=True, help="Lags per level of the correlators."
)
@click.option(
    "--jumps/--no-jumps", default=True, show_default=True,
    help="Count jumps of Li and rotations of PS4, and follow the collective displacement.",
)  # fmt: skip
@click.option(
    "--supercell", type=(int, int, int), default=(1, 1, 1), show_default=True,
    help="Repeats of the crystal's unit cell in the dump, to find its Li sites in one of them.",
)  # fmt: skip
@click.option(
    "--sites", type=click.Path(path_type=Path), metavar="FILE",
    help="Structure file (CIF, …) of the unit cell or of the whole cell whose Li positions are the sites.",
)  # fmt: skip
@click.option(
    "--jump-window", type=float, default=DEFAULT_JUMPS.window_ps, show_default=True, metavar="PS",
    help="Positions are averaged over windows of this length before jumps are looked for.",
)  # fmt: skip
@click.option(
    "--min-stay", type=float, default=DEFAULT_JUMPS.min_stay_ps, show_default=True, metavar="PS",
    help="A return after a shorter stay is a recrossing, not two jumps.",
)  # fmt: skip
@click.option(
    "--core-radius", type=float, default=DEFAULT_JUMPS.core_radius_angstrom, show_default=True, metavar="Å",
    help="An averaged position this close to a site is at the site.",
)  # fmt: skip
@click.option(
    "--jump-displacement", type=float, default=DEFAULT_JUMPS.displacement_angstrom, show_default=True,
    metavar="Å", help="Without sites: an averaged position this far from its mean has jumped.",
)  # fmt: skip
@click.option(
    "--checkpoint-min", type=float, default=5.0, show_default=True, help="Minutes between checkpoints."
)
@click.option("--fresh", is_flag=True, help="Start over instead of resuming what the folder holds.")
@click.option("--no-analysis", is_flag=True, help="Do not analyse at the end.")
def command(
    dumps: tuple[Path, ...],
    folder: Path,
    model: str,
    elements: str | None,
    idle_s: float,
    jump_distance: float | None,
    nucleus: str,
    window_ps: float,
    evolution_times_us: tuple[float, ...],
    no_echo: bool,
    orientation_degree: int,
    field_directions: tuple[tuple[float, float, float], ...],
    tensors_ps: float,
    jumps: bool,
    supercell: tuple[int, int, int],
    sites: Path | None,
    jump_window: float,
    min_stay: float,
    core_radius: float,
    jump_displacement: float,
    fresh: bool,
    no_analysis: bool,
    **options: object,
) -> None:
    """Read DUMPS in the order of time, the last one while LAMMPS still writes it.

    A dump is the text of `dump custom` (or `dump atom`) with the columns id, element (or type) and
    xu yu zu (or x y z ix iy iz): plain, gzip, zstd, or a FIFO. Atoms may come in any order. The same
    command resumes a stream that was stopped.

    \b
    lpsnmr stream dump.lps.gz -o stream --timestep-fs 2 --temperature-k 700
    mkfifo dump.lps; mpirun -np 2 lmp -in in.lps & lpsnmr stream dump.lps --timestep-fs 2
    """  # noqa: D301
    from lpsnmr.cli.display import ProgressDisplay
    from lpsnmr.cli.outcome import EXIT_STOPPED, report_outcome
    from lpsnmr.runs.prepare import load_model
    from lpsnmr.runs.stream import StreamSettings, stream_dumps
    from lpsnmr.structures import read_known_sites

    detectors = JumpSettings(
        window_ps=jump_window, min_stay_ps=min_stay, core_radius_angstrom=core_radius,
        displacement_angstrom=jump_displacement, repeats=supercell,
    )  # fmt: skip
    settings = StreamSettings(
        folder=folder,
        elements=None if elements is None else tuple(word for word in elements.replace(",", " ").split()),
        idle_s=None if idle_s == 0 else idle_s,
        jump_distance_angstrom=jump_distance,
        nmr=NmrSettings(
            nucleus=nucleus,
            window_ps=window_ps,
            evolution_times_us=() if no_echo else evolution_times_us,
            orientation_degree=orientation_degree,
            field_directions=field_directions,
            tensors_ps=tensors_ps,
        ),
        jumps=detectors if jumps else None,
        sites=None if sites is None else read_known_sites(sites),
        **options,  # type: ignore[arg-type]
    )
    with ProgressDisplay() as display:
        outcome = stream_dumps(dumps, load_model(model), settings, fresh=fresh, progress=display)
    report_outcome(outcome, not no_analysis)
    if not outcome.finished:
        sys.exit(EXIT_STOPPED)
