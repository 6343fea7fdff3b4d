"""From results files to the numbers, tables and plots a user asks for."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lpsnmr.analysis.dynamics import (
    ArrheniusFit,
    Diffusion,
    DiffusionSettings,
    analyze_diffusion,
    fit_arrhenius,
)
from lpsnmr.analysis.motion import (
    Motion,
    analyze_motion,
    first_lag_ps,
    found_jump_distance,
)
from lpsnmr.analysis.nmr import (
    DecaySettings,
    NmrDecay,
    NmrObservables,
    ObservableSettings,
    analyze_decay,
    analyze_observables,
)
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.errors import InputError
from lpsnmr.report import files, nmr, plots
from lpsnmr.report.text import format_interval
from lpsnmr.results.results import Results

ACTIVATED = ("Γ_NMR", "D", "Γ_D = 6D/a²", "Γ_jump (sites)", "Γ_jump (displacement)", "Γ_rot (PS4)")
"""Quantities that get an Arrhenius fit."""

__all__ = ["Analysis", "SeriesAnalysis", "analyze_results", "analyze_series"]


@dataclass
class Analysis:
    """What one results file says.

    Attributes
    ----------
    path
        The results file.
    results
        Its contents.
    decay
        NMR decay; None when no EFG was sampled.
    diffusion
        Diffusion and jump rate; None when no displacement was sampled.
    jump_distance_angstrom
        a of Γ_D = 6D/a², Å; None when unknown.
    nmr
        Echoes, single crystals, spectra and relaxation; None when no EFG was sampled.
    motion
        Jumps and collective diffusion; None when the run did not follow them.
    files
        What was written.
    """

    path: Path
    results: Results
    decay: NmrDecay | None
    diffusion: Diffusion | None
    jump_distance_angstrom: float | None
    nmr: NmrObservables | None = None
    motion: Motion | None = None
    files: list[Path] = field(default_factory=list)

    @property
    def title(self) -> str:
        """File, temperature, number of Li and length of the run in one line."""
        results = self.results
        temperature = results.best_temperature_k
        where = "T unknown" if np.isnan(temperature) else f"{temperature:.0f} K"
        return f"{self.path.name}: {where}, {results.n_li} Li, {results.duration_ps:.5g} ps"

    def quantities(self) -> list[tuple[str, str, Interval | None]]:
        """Return (name, unit, interval) of every number, None where it is not resolved."""
        decay, diffusion = self.decay, self.diffusion
        return [
            ("τ", "ps", decay.tau_ps if decay else None),
            ("γ", "", decay.gamma if decay else None),
            ("τ_mean", "ps", decay.tau_mean_ps if decay else None),
            ("Γ_NMR", "1/s", decay.rate_per_s if decay else None),
            ("D", "cm²/s", diffusion.diffusion_cm2_s if diffusion else None),
            ("Γ_D = 6D/a²", "1/s", diffusion.jump_rate_per_s if diffusion else None),
            *(self.motion.quantities() if self.motion else []),
        ]

    def more_quantities(self) -> list[tuple[str, str, Interval | None]]:
        """Return (name, unit, interval) of echoes, single crystals, relaxation and second moments."""
        return [] if self.nmr is None else nmr.nmr_quantities(self.nmr)

    def notes(self) -> list[str]:
        """Return what the numbers do not say: why something is missing or doubtful."""
        notes = []
        if self.decay is None:
            notes.append("NMR decay: no EFG was sampled")
        elif not self.decay.resolved:
            notes.append(f"NMR decay: {self.decay.reason}")
        if self.diffusion is None:
            notes.append("diffusion: no displacement was sampled")
        elif not self.diffusion.resolved:
            notes.append(f"diffusion: {self.diffusion.reason}")
        elif not self.diffusion.linear:
            notes.append("diffusion: the MSD is not straight within the lags used; D is an effective value")
        if self.diffusion is not None and self.jump_distance_angstrom is None:
            notes.append("jump rate: the jump distance is unknown; give --jump-distance")
        if self.nmr is not None:
            notes += nmr.nmr_notes(self.nmr)
        if self.motion is not None:
            notes += self.motion.notes()
        return notes

    def summary_lines(self) -> list[str]:
        """Return the result in a few lines of plain text: decay constant, jump rate, files."""
        lines = [self.title]
        if self.decay is not None and self.decay.tau_mean_ps is not None:
            percent = f"{100 * self.decay.settings.level:g} %"
            lines.append(
                f"  NMR decay constant τ_mean = {format_interval(self.decay.tau_mean_ps)} ps ({percent})"
            )
            lines.append(f"  Kohlrausch τ = {format_interval(self.decay.tau_ps)} ps, "
                         f"γ = {format_interval(self.decay.gamma)}")  # fmt: skip
            lines.append(f"  NMR rate Γ_NMR = 1/τ_mean = {format_interval(self.decay.rate_per_s)} 1/s")
        if self.diffusion is not None and self.diffusion.diffusion_cm2_s is not None:
            lines.append(f"  diffusion D = {format_interval(self.diffusion.diffusion_cm2_s)} cm²/s")
        if self.diffusion is not None and self.diffusion.jump_rate_per_s is not None:
            lines.append(
                f"  jump rate Γ_D = 6D/a² = {format_interval(self.diffusion.jump_rate_per_s)} 1/s "
                f"(a = {self.jump_distance_angstrom:.3g} Å)"
            )
        sites = None if self.motion is None else self.motion.rate("jumps_sites")
        if sites is not None:
            lines.append(f"  jump rate Γ_jump (sites) = {format_interval(sites)} 1/s")
        lines += [f"  {note}" for note in self.notes()]
        lines += [f"  wrote {path}" for path in self.files]
        return lines


@dataclass
class SeriesAnalysis:
    """Several results files and, with two temperatures or more, the Arrhenius fits.

    Attributes
    ----------
    analyses
        One per file, in the order given.
    arrhenius
        Fit per quantity (``"Γ_NMR"``, ``"D"``, ``"Γ_D = 6D/a²"``) with enough temperatures.
    files
        What was written for the series; each analysis lists its own.
    """

    analyses: list[Analysis]
    arrhenius: dict[str, ArrheniusFit]
    files: list[Path] = field(default_factory=list)


def analyze_results(
    path: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    decay: DecaySettings | None = None,
    diffusion: DiffusionSettings | None = None,
    observables: ObservableSettings | None = None,
    make_plots: bool = True,
) -> Analysis:
    """Analyse one results file and write ``analysis.json``, CSV files and plots.

    Parameters
    ----------
    path
        Results file (``docs/reference/results-format.md``).
    out_dir
        Folder for the files; made when missing, files of the same name are replaced.
    decay, diffusion, observables
        Settings of the fits and of T1. Without a jump distance that of the results file is used.
    make_plots
        Whether to draw ``c_of_t.png`` and ``msd.png``.

    Raises
    ------
    FileFormatError
        For a file that is not a usable results file.
    InputError
        When the folder cannot be made, or the nucleus of the file is unknown.
    """
    settings = decay or DecaySettings(), diffusion or DiffusionSettings(), observables or ObservableSettings()
    analysis = _analyze(Path(path), *settings)
    folder = files.make_folder(out_dir)
    _write(analysis, folder, make_plots)
    analysis.files.append(files.write_json(folder / "analysis.json", files.describe(analysis)))
    return analysis


def analyze_series(
    paths: Sequence[str | os.PathLike[str]],
    out_dir: str | os.PathLike[str],
    *,
    decay: DecaySettings | None = None,
    diffusion: DiffusionSettings | None = None,
    observables: ObservableSettings | None = None,
    make_plots: bool = True,
) -> SeriesAnalysis:
    """Analyse several results files; fit and draw what depends on temperature.

    Each file gets a folder of its own below ``out_dir``, named after it; the numbers of all are in
    ``out_dir/analysis.json`` and ``out_dir/summary.csv``. Arguments are those of ``analyze_results``.

    Raises
    ------
    FileFormatError
        For a file that is not a usable results file; nothing is written then.
    InputError
        Without files, when the folder cannot be made, or when a nucleus is unknown.
    """
    if not paths:
        raise InputError("no results file given")
    settings = decay or DecaySettings(), diffusion or DiffusionSettings(), observables or ObservableSettings()
    analyses = [_analyze(Path(path), *settings) for path in paths]
    folder = files.make_folder(out_dir)
    for analysis, name in zip(analyses, _folder_names(analyses), strict=True):
        _write(analysis, files.make_folder(folder / name), make_plots)
    series = SeriesAnalysis(analyses, _arrhenius_fits(analyses, settings[0].level))
    series.files.append(files.write_summary(folder / "summary.csv", analyses))
    series.files.append(files.write_json(folder / "analysis.json", files.describe_series(series)))
    series.files += nmr.write_narrowing(folder, analyses, files.write_columns, make_plots)
    if make_plots and series.arrhenius:
        series.files.append(plots.plot_arrhenius(folder / "arrhenius.png", analyses, series.arrhenius))
    return series


def _analyze(
    path: Path, decay: DecaySettings, diffusion: DiffusionSettings, asked: ObservableSettings
) -> Analysis:
    results = Results.read(path)
    given = diffusion.jump_distance_angstrom
    try:
        told = results.jump_distance_angstrom if results.provenance.get("jump_distance") == "given" else None
        jump_distance = given or told or found_jump_distance(results) or results.jump_distance_angstrom
        settings = replace(
            diffusion,
            jump_distance_angstrom=jump_distance,
            min_lag_ps=first_lag_ps(results, diffusion.min_lag_ps, diffusion.max_lag_fraction),
        )
        fall = transport = more = None
        if results.efg_correlation is not None:
            fall = analyze_decay(results.efg_correlation, results.duration_ps, results.nucleus, decay)
            more = analyze_observables(results, fall, decay, asked)
        if results.displacement is not None:
            transport = analyze_diffusion(results.displacement, results.duration_ps, settings)
        motion = analyze_motion(results, transport, settings.level)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return Analysis(path, results, fall, transport, jump_distance, more, motion)


def _write(analysis: Analysis, folder: Path, make_plots: bool) -> None:
    if analysis.decay is not None:
        analysis.files.append(files.write_decay(folder / "c_of_t.csv", analysis.decay))
        if make_plots:
            analysis.files.append(plots.plot_decay(folder / "c_of_t.png", analysis.decay, analysis.title))
    if analysis.nmr is not None:
        written = nmr.write_nmr(analysis.nmr, folder, analysis.title, files.write_columns, make_plots)
        analysis.files += written
    if analysis.diffusion is not None:
        analysis.files.append(files.write_displacement(folder / "msd.csv", analysis.diffusion))
        if make_plots:
            analysis.files.append(
                plots.plot_displacement(folder / "msd.png", analysis.diffusion, analysis.title)
            )

    if analysis.motion is not None:
        analysis.files += analysis.motion.write(folder)
        if make_plots:
            analysis.files += plots.plot_motion(folder, analysis.motion, analysis.title)


def _folder_names(analyses: Sequence[Analysis]) -> list[str]:
    """Return the stems of the files; for stems that repeat, the folder they lie in is put before."""
    stems = [analysis.path.stem for analysis in analyses]
    names: list[str] = []
    for analysis, stem in zip(analyses, stems, strict=True):
        parent = analysis.path.absolute().parent.name
        base = stem if stems.count(stem) == 1 else f"{parent}-{stem}".lstrip("-")
        name, number = base, 2
        while name in names:
            name, number = f"{base}-{number}", number + 1
        names.append(name)
    return names


def _arrhenius_fits(analyses: Sequence[Analysis], level: float) -> dict[str, ArrheniusFit]:
    fits = {}
    tables = [{name: interval for name, _, interval in a.quantities()} for a in analyses]
    for name in ACTIVATED:
        found = [(a.results.best_temperature_k, t.get(name)) for a, t in zip(analyses, tables, strict=True)]
        points = [(t, y) for t, y in found if y is not None and np.isfinite(t)]
        if len({t for t, _ in points}) >= 2:
            fits[name] = fit_arrhenius([t for t, _ in points], [y for _, y in points], level)
    return fits
