"""What an analysis leaves in a folder: JSON, CSV files and plots."""

import os
from collections.abc import Sequence
from pathlib import Path

from lpsnmr.analysis import Analysis, SeriesAnalysis
from lpsnmr.report import files, plots
from lpsnmr.report.describe import describe, describe_series
from lpsnmr.report.motion import write_motion
from lpsnmr.report.nmr import write_narrowing, write_nmr

__all__ = ["write_analysis", "write_series"]


def write_analysis(
    analysis: Analysis, folder: str | os.PathLike[str], *, make_plots: bool = True
) -> list[Path]:
    """Write ``analysis.json``, CSV files and plots of one run.

    Parameters
    ----------
    analysis
        From ``lpsnmr.analysis.analyze``.
    folder
        Made when missing; files of the same name are replaced.
    make_plots
        Whether to draw PNG files.

    Returns
    -------
    list[Path]
        What was written.

    Raises
    ------
    InputError
        When the folder cannot be made.
    """
    target = files.make_folder(folder)
    written = _write_parts(analysis, target, make_plots)
    return [*written, files.write_json(target / "analysis.json", describe(analysis))]


def write_series(
    series: SeriesAnalysis, folder: str | os.PathLike[str], *, make_plots: bool = True
) -> list[Path]:
    """Write the files of several runs and what depends on temperature.

    Each run gets a folder of its own below ``folder``, named after its results file; the numbers of all are
    in ``analysis.json`` and ``summary.csv``. Arguments and errors are those of ``write_analysis``.
    """
    target = files.make_folder(folder)
    written: list[Path] = []
    for analysis, name in zip(series.analyses, _folder_names(series.analyses), strict=True):
        written += _write_parts(analysis, files.make_folder(target / name), make_plots)
    written.append(files.write_summary(target / "summary.csv", series.analyses))
    written.append(files.write_json(target / "analysis.json", describe_series(series)))
    written += write_narrowing(target, series.analyses, make_plots)
    if make_plots and series.arrhenius:
        written.append(plots.plot_arrhenius(target / "arrhenius.png", series.analyses, series.arrhenius))
    return written


def _write_parts(analysis: Analysis, folder: Path, make_plots: bool) -> list[Path]:
    """Write the CSV files and plots of every part there is."""
    title = analysis.title
    written: list[Path] = []
    if analysis.decay is not None:
        written.append(files.write_decay(folder / "c_of_t.csv", analysis.decay))
        if make_plots:
            written.append(plots.plot_decay(folder / "c_of_t.png", analysis.decay, title))
    if analysis.nmr is not None:
        written += write_nmr(analysis.nmr, folder, title, make_plots)
    if analysis.diffusion is not None:
        written.append(files.write_displacement(folder / "msd.csv", analysis.diffusion))
        if make_plots:
            written.append(plots.plot_displacement(folder / "msd.png", analysis.diffusion, title))
    if analysis.motion is not None:
        written += write_motion(analysis.motion, folder, title, make_plots)
    return written


def _folder_names(analyses: Sequence[Analysis]) -> list[str]:
    """Return the stems of the files; for stems that repeat, the folder they lie in is put before."""
    paths = [analysis.path or Path("results") for analysis in analyses]
    stems = [path.stem for path in paths]
    names: list[str] = []
    for path, stem in zip(paths, stems, strict=True):
        parent = path.absolute().parent.name
        base = stem if stems.count(stem) == 1 else f"{parent}-{stem}".lstrip("-")
        name, number = base, 2
        while name in names:
            name, number = f"{base}-{number}", number + 1
        names.append(name)
    return names
