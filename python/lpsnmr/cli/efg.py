"""``lpsnmr efg``: predict tensors for structures or dumps."""

from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress

from lpsnmr.efg.model import FAR_SIGMA, EfgModel
from lpsnmr.efg.output import Prediction, choose_nuclei, predict_frames, write_predictions
from lpsnmr.efg.structure_files import read_structures
from lpsnmr.efg.tensors import principal_values, quadrupolar_coupling_hz


@click.command("efg", epilog="Example: lpsnmr efg beta-Li3PS4.cif -o tensors.csv")
@click.argument("structures", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Result: .csv, .extxyz (efg in atomic units, for soprano), .mrsys (for mrsimulator) or .h5.",
)
@click.option(
    "-m",
    "--model",
    "model_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Model file (.efg).  [default: the shipped model of 7Li in Li-P-S solids]",
)
@click.option(
    "--nucleus",
    "nuclei",
    multiple=True,
    help="Isotope of C_Q, as 6Li; once per element.  [default: 7Li for Li, 23Na for Na, …]",
)
@click.option("--format", "file_format", help="ASE's name of the format, where the suffix does not tell it.")
@click.option(
    "--elements", help="Elements of LAMMPS atom types 1, 2, …, as Li,P,S; for LAMMPS files without elements."
)
@click.option(
    "--topology",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Structure file with the elements of XTC, TRR, DCD or NetCDF frames.",
)
@click.option("--index", default=":", show_default=True, help="Which frames of each file, as a Python slice.")
@click.option(
    "--uncertainty/--no-uncertainty",
    default=True,
    show_default=True,
    help="Tell σ of each tensor, where the model can; takes about 16 times as long as the tensors alone.",
)
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads per frame."
)
def command(
    structures: tuple[Path, ...],
    output: Path | None,
    model_path: Path | None,
    nuclei: tuple[str, ...],
    file_format: str | None,
    elements: str | None,
    topology: Path | None,
    index: str,
    uncertainty: bool,
    threads: int,
) -> None:
    """Predict the EFG tensor of every target atom in STRUCTURES.

    These are structure files that ASE reads, LAMMPS data files, LAMMPS dumps (text, compressed or binary),
    and XTC, TRR, DCD and NetCDF trajectories.

    Prints |C_Q| and asymmetry per frame, and how many environments lie outside what the model was trained
    on: nearer neighbours, or more or fewer neighbours, than in its training data. Their tensors are written
    with a flag that is not zero. σ is the standard deviation of a tensor component, calibrated on MD runs
    that were held out of the fit.
    """
    model = EfgModel.default() if model_path is None else EfgModel.load(model_path)
    chosen = choose_nuclei(model, nuclei)
    named = None if elements is None else [name.strip() for name in elements.split(",")]
    frames = [
        frame
        for path in structures
        for frame in read_structures(
            path, file_format=file_format, elements=named, topology=topology, index=index
        )
    ]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("frames", total=len(frames))
        predictions = predict_frames(
            model, frames, threads, lambda: progress.advance(task), uncertainty=uncertainty
        )
    if output is not None:
        write_predictions(output, predictions, model, chosen)
    for number, p in enumerate(predictions[:10]):
        for line in _summaries(p, chosen):
            click.echo(f"frame {number}: {line}")
    if len(predictions) > 10:
        click.echo(f"… {len(predictions) - 10} more frames")
    click.echo(f"{model.n_predicted} tensors, {model.n_flagged} outside the range of the training data")
    far = sum(int(np.count_nonzero(p.flags & FAR_SIGMA)) for p in predictions)
    if far:
        click.echo(f"{far} tensors with a sigma far above that of the training data (flag {FAR_SIGMA})")
    if output is not None:
        click.echo(f"written: {output}")


def _summaries(prediction: Prediction, nuclei: dict[str, str]) -> list[str]:
    """Return a line per target element of one frame."""
    lines = []
    symbols = np.array(prediction.atoms.get_chemical_symbols())[prediction.targets]
    for symbol in dict.fromkeys(symbols.tolist()):
        mine = symbols == symbol
        v_zz, eta, _ = principal_values(prediction.tensors[mine])
        cq = np.abs(quadrupolar_coupling_hz(v_zz, nuclei[symbol])) * 1e-3
        told = ""
        if prediction.sigma is not None:
            told = f", sigma {prediction.sigma[mine].mean():.3f} V/Å² per component"
        lines.append(
            f"{len(cq)} {nuclei[symbol]}, |C_Q| {cq.mean():.1f} kHz "
            f"({cq.min():.1f} to {cq.max():.1f}), eta {eta.mean():.2f}{told}"
        )
    return lines
