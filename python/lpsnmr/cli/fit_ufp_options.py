"""Options of ``lpsnmr fit-ufp`` and what their words mean."""

import itertools
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from lpsnmr.cli.options import MEMORY_OPTION, SEED, number_option
from lpsnmr.errors import InputError
from lpsnmr.potential import (
    BasisSettings,
    DataSet,
    DensityBlock,
    DensityChannel,
    FitSettings,
    PriorSettings,
    WeightSettings,
)
from lpsnmr.reference import read_reference, run_name

__all__ = ["add_options", "check_runs", "parse_second", "parse_settings", "refuse_idle"]


def _floats(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, ...]:
    """Turn numbers separated by commas into a tuple."""
    try:
        return tuple(float(word) for word in value.split(","))
    except ValueError:
        raise InputError(
            f"--{param.name}: expected numbers separated by commas, got {value!r}".replace("_", "-")
        ) from None


def _parse_triples(texts: tuple[str, ...]) -> dict[str, Any]:
    """Turn ``A-B=4.0`` and ``A-B-C=4.0,3.7[,0.4]`` into the lists of BasisSettings."""
    pairs, triples, spacings = [], [], []
    for text in texts:
        names, _, values = text.partition("=")
        elements, words = names.split("-"), values.split(",")
        if "=" not in text or (len(elements), len(words)) not in ((2, 1), (3, 2), (3, 3)):
            raise InputError(
                "--triple: expected CENTRE-NEIGHBOUR=CUTOFF or CENTRE-J-K=CUTOFF_J,CUTOFF_K[,SPACING], "
                f"got {text!r}"
            )
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            raise InputError(f"--triple: expected numbers in Å after '=', got {text!r}") from None
        if len(elements) == 2:
            pairs.append((elements[0], elements[1], numbers[0]))
        else:
            triples.append((elements[0], elements[1], elements[2], numbers[0], numbers[1]))
        if len(numbers) == 3:
            spacings.append((elements[0], elements[1], elements[2], numbers[2]))
    return {
        "three_body_cutoffs": tuple(pairs),
        "triple_cutoffs": tuple(triples),
        "triple_spacings": tuple(spacings),
    }


def _parse_density(text: str) -> DensityBlock:
    """Turn ``S=4:P,5.0,2,2;S,5.0,2,2`` into a block."""
    form = "CENTRE=ORDERS:ELEMENT,CUTOFF,FUNCTIONS,L[,SHORTEST];..."
    head, colon, tail = text.partition(":")
    center, equals, orders = head.partition("=")
    channels = []
    try:
        for part in tail.split(";"):
            element, cutoff, functions, highest_l, *start = part.strip().split(",")
            if len(start) > 1:
                raise ValueError
            channels.append(
                DensityChannel(element, float(cutoff), int(functions), int(highest_l), *map(float, start))
            )
        number = int(orders)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"--density: expected {form}, got {text!r}") from None
    if not (colon and equals and center):
        raise InputError(f"--density: expected {form}, got {text!r}")
    return DensityBlock(center, number, tuple(channels))


def _parse_weights(texts: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """Turn ``RUN=W`` into pairs."""
    out = []
    for text in texts:
        run, _, value = text.rpartition("=")
        try:
            out.append((run, float(value)))
        except ValueError:
            raise InputError(f"--weigh: expected RUN=WEIGHT, got {text!r}") from None
        if not run:
            raise InputError(f"--weigh: expected RUN=WEIGHT, got {text!r}")
    return tuple(out)


def parse_second(text: str) -> DataSet:
    """Read ``FILE[,WEIGHT[,SCALE]]``."""
    name, *numbers = text.split(",")
    try:
        weight, scale = (float(n) for n in [*numbers, *["0.05", "1"][len(numbers) :]])
    except ValueError:
        raise InputError(f"--second: expected FILE[,WEIGHT[,SCALE]], got {text!r}") from None
    return DataSet(read_reference(name, require=("energy", "forces")), weight, scale, Path(name).name)


def check_runs(data: Sequence[DataSet], settings: FitSettings) -> list[str]:
    """Refuse a run of ``--weigh`` that is not there; return a remark for each pattern that matches none."""
    runs = sorted({run_name(frame) for d in data for frame in d.frames})
    remarks = []
    for pattern, _ in settings.run_weights:
        if any(fnmatchcase(run, pattern) for run in runs):
            continue
        more = f", … ({len(runs)} in all)" if len(runs) > 6 else ""
        remark = (
            f"--weigh: expected a name or pattern of runs of the data, got {pattern!r}, which matches "
            f"none; there are {', '.join(runs[:6])}{more}"
        )
        if not set(pattern) & set("*?["):
            raise InputError(remark)
        remarks.append(remark)
    return remarks


def refuse_idle(o: dict[str, Any]) -> None:
    """Refuse options that have no meaning with the others."""
    if o["triple"] and o["body_order"] == 2:
        raise InputError("--triple: expected --body-order 3 with it, got 2, which has no triples")
    if o["density"]:
        return
    for name in ("prior_density", "prior_anchor"):
        if len(o[name]) > 1:
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option}: expected --density with several values, got none to choose them for")


def parse_settings(o: dict[str, Any]) -> FitSettings:
    """Build the settings from the options."""
    basis = BasisSettings(
        elements=tuple(o["elements"].replace(",", " ").split()),
        body_order=o["body_order"],
        two_body_start=o["two_body_start"],
        two_body_cutoff=o["two_body_cutoff"],
        two_body_spacing=o["two_body_spacing"],
        three_body_start=o["three_body_start"],
        three_body_cutoff=o["three_body_cutoff"],
        three_body_spacing=o["three_body_spacing"],
        **_parse_triples(o["triple"]),
        density=tuple(_parse_density(text) for text in o["density"]),
    )
    names = [f"prior_{name}" for name in ("2b_ridge", "2b_curvature", "3b_ridge", "3b_curvature", "density")]
    names.append("prior_anchor")
    widths = [o[name] for name in names]
    return FitSettings(
        basis=basis,
        priors=tuple(PriorSettings(*values) for values in itertools.product(*widths)),
        weights=WeightSettings(o["energy_error"] * 1e-3, o["force_error"], o["stress_error"]),
        folds=o["folds"],
        steps_per_block=o["steps_per_block"],
        seed=o["seed"],
        monotone_core=o["monotone_core"],
        search=o["search"],
        bootstrap=o["bootstrap"],
        run_weights=_parse_weights(o["weigh"]),
        labels=o["labels"],
    )


OPTIONS = (
    click.option(
        "-o",
        "--output",
        required=True,
        type=click.Path(path_type=Path),
        help="Target .uf3 file; a .json sidecar and a .ufx file go beside it.",
    ),
    click.option(
        "--labels",
        default="pbe",
        show_default=True,
        metavar="FUNCTIONAL[+TERM]",
        help="Which labels of REFERENCE: those of pbe or pbesol, alone or with a term (d4, d3bj, …) that "
        "lpsnmr add-terms has added to the frames.",
    ),
    click.option("--elements", help="Elements of the potential.  [default: those of the data]"),
    number_option("--body-order", 3, "2: pairs alone; 3: pairs and triples."),
    number_option("--two-body-cutoff", 6.0, "Å."),
    number_option("--two-body-start", 0.6, "First two-body knot, Å."),
    number_option("--two-body-spacing", 0.2, "Distance of two-body knots, Å."),
    number_option("--three-body-cutoff", 4.0, "Cutoff of r_ij and r_ik, Å."),
    number_option("--three-body-start", 1.0, "First three-body knot, Å."),
    number_option("--three-body-spacing", 0.5, "Distance of three-body knots, Å."),
    click.option(
        "--triple",
        multiple=True,
        metavar="A-B=R | A-B-C=R,R[,H]",
        help="Cutoff (Å) of neighbours B around centre A, or of j = B and k = C around A; 0: no three-body "
        "term; H: their distance of knots. May be repeated; the second form wins.",
    ),
    click.option(
        "--density",
        multiple=True,
        metavar="A=ORDERS:B,R,N,L[,R0];...",
        help="Products of the densities of neighbours around A: body orders 3, 4 or 34; for each neighbour B "
        "cutoff (Å), number of radial functions, highest l, shortest distance (1.7 Å), below which "
        "the functions fall to zero. May be repeated; a .ufd file goes beside the .uf3 file.",
    ),
    number_option("--energy-error", 3.0, "Expected error of energies, meV/atom; sets their weight."),
    number_option("--force-error", 0.1, "Expected error of forces, eV/Å."),
    number_option("--stress-error", 0.1, "Expected error of stress, GPa."),
    click.option(
        "--prior-2b-ridge",
        callback=_floats,
        default="1",
        show_default=True,
        help="Width of two-body coefficients around ZBL, eV.",
    ),
    click.option(
        "--prior-2b-curvature",
        callback=_floats,
        default="0.1",
        show_default=True,
        help="Width of their second differences, eV.",
    ),
    click.option(
        "--prior-3b-ridge",
        callback=_floats,
        default="0.5",
        show_default=True,
        help="Width of three-body coefficients around zero, eV.",
    ),
    click.option(
        "--prior-3b-curvature",
        callback=_floats,
        default="0.3",
        show_default=True,
        help="Width of their second differences, eV. Several numbers separated by commas here, or for any "
        "other width: cross-validation chooses.",
    ),
    click.option(
        "--prior-density",
        callback=_floats,
        default="0.03",
        show_default=True,
        help="Width of density coefficients scaled to forces of 1 eV/Å, eV/Å; several: as above.",
    ),
    click.option(
        "--prior-anchor",
        callback=_floats,
        default="10",
        show_default=True,
        help="With density terms: how tightly V2 and V3 are held to their own fit without them; several: as "
        "above.",
    ),
    click.option(
        "--monotone-core/--free-core",
        default=True,
        show_default=True,
        help="Make V2 fall below the shortest distance of the data.",
    ),
    number_option("--folds", 5, "Folds of the cross-validation; 0: none."),
    click.option(
        "--steps-per-block", type=int, help="Cut runs into blocks of so many MD steps; whole runs by default."
    ),
    click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the folds."),
    click.option(
        "--second",
        multiple=True,
        metavar="FILE[,WEIGHT[,SCALE]]",
        help="Further frames with energy and forces, their weight (0.05) and a factor on their labels (1). "
        "Left out with the blocks they belong to; no errors are measured on them.",
    ),
    click.option("--committee", is_flag=True, help="Also write the potential of each fold."),
    click.option(
        "--weigh",
        multiple=True,
        metavar="RUN=W",
        help="Weight of the frames of the runs that match RUN (b32_*); the last match counts.",
    ),
    number_option(
        "--search", 0, "Go on from the best prior: change one width after the other, at most so many trials."
    ),
    number_option(
        "--bootstrap", 0, "Further committee members, each fitted to blocks drawn with replacement."
    ),
    click.option(
        "--extrapolation/--no-extrapolation",
        default=True,
        show_default=True,
        help="Write the .ufx file from which compute ufp/extrapolation tells how far atoms are outside the "
        "data.",
    ),
    number_option("--threads", 1, "Threads that evaluate features."),
    MEMORY_OPTION,
    number_option(
        "--checkpoint-s",
        60.0,
        "Seconds between checkpoints of the sums (NAME.part.npz); the same command goes on from them.",
    ),
    click.option(
        "--report/--no-report",
        default=True,
        show_default=True,
        help="Write the one-page report NAME.report.png and NAME.report.html.",
    ),
)


def add_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with all options of the fit."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function
