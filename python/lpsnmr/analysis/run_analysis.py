"""Everything one run says, as numbers: nothing is written here."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lpsnmr.analysis.doubts import doubted, notes_of_doubts
from lpsnmr.analysis.dynamics import Diffusion, JumpRates, analyze_diffusion
from lpsnmr.analysis.motion import (
    Motion,
    analyze_all_jumps,
    analyze_motion,
    memory_prior,
    rms_jump_length,
)
from lpsnmr.analysis.nmr import NmrDecay, NmrObservables, analyze_decay, analyze_observables
from lpsnmr.analysis.notes import Note, Notes
from lpsnmr.analysis.quantities import Quantity
from lpsnmr.analysis.settings import AnalysisSettings
from lpsnmr.errors import InputError
from lpsnmr.results import RESULTS_FILE, LagStatistics, Results, find_results_file

__all__ = ["Analysis", "analyze", "analyze_file", "extent"]

OF_DECAY = frozenset({"tau_ps", "gamma", "tau_mean_ps", "rate_nmr_per_s"})
"""Quantities that are the fit of C(t), and fall with it."""


@dataclass(frozen=True)
class Analysis:
    """What one run says.

    Attributes
    ----------
    results
        What was analysed.
    settings
        How.
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
    notes
        What the numbers do not say: why something is missing or doubtful.
    path
        The results file; None for results that come from elsewhere.
    """

    results: Results
    settings: AnalysisSettings
    decay: NmrDecay | None
    diffusion: Diffusion | None
    jump_distance_angstrom: float | None
    nmr: NmrObservables | None = None
    motion: Motion | None = None
    notes: list[Note] = field(default_factory=list)
    path: Path | None = None

    @property
    def title(self) -> str:
        """Name of the run, temperature, number of Li and length of the run in one line."""
        return f"{self.run_name}: {extent(self.results)}"

    @property
    def run_name(self) -> str:
        """Folder of a ``results.h5``, which all runs have; the name of any other file."""
        if self.path is None:
            return "results"
        return self.path.absolute().parent.name if self.path.name == RESULTS_FILE else self.path.name

    @property
    def label(self) -> str:
        """Temperature, or the name of the run where that is unknown: the run in a table."""
        temperature = self.results.best_temperature_k
        if np.isfinite(temperature):
            return f"{temperature:.0f} K"
        return self.run_name

    @property
    def quantities(self) -> list[Quantity]:
        """Every number with its interval: decay, diffusion, motion, then what else was sampled."""
        decay, diffusion = self.decay, self.diffusion
        no_decay, no_diffusion = self.about("NMR decay"), self.about("diffusion")
        about_fit = decay.at_bound if decay else ""
        no_rate = no_diffusion if diffusion is None or not diffusion.resolved else self.about("jump rate")
        found = [
            Quantity("tau_ps", "τ", "ps", decay.tau_ps if decay else None, no_decay),
            Quantity("gamma", "γ", "", decay.gamma if decay else None, no_decay),
            Quantity("tau_mean_ps", "τ_mean", "ps", decay.tau_mean_ps if decay else None, no_decay),
            Quantity("rate_nmr_per_s", "Γ_NMR", "1/s", decay.rate_per_s if decay else None, no_decay),
            Quantity(
                "diffusion_cm2_per_s", "D", "cm²/s",
                diffusion.diffusion_cm2_s if diffusion else None, no_diffusion,
            ),
            Quantity(
                "rate_jump_per_s", "Γ_D = 6D/a²", "1/s",
                diffusion.jump_rate_per_s if diffusion else None, no_rate,
            ),
            *(self.motion.quantities() if self.motion else ()),
            *(self.nmr.quantities() if self.nmr else ()),
        ]  # fmt: skip
        return doubted(found, self.results.duration_ps, about_fit, OF_DECAY)

    def quantity(self, key: str) -> Quantity:
        """Return one number by its key.

        Raises
        ------
        InputError
            When the run has none of this name.
        """
        found = {quantity.key: quantity for quantity in self.quantities}
        if key not in found:
            raise InputError(f"no quantity {key!r} in this run; it has {', '.join(found)}")
        return found[key]

    def about(self, part: str) -> str:
        """Return what the notes say of a part, or nothing."""
        return next((note.text for note in self.notes if note.part == part), "")


def extent(results: Results) -> str:
    """Return temperature, number of Li and length of a run in words."""
    temperature = results.best_temperature_k
    where = "T unknown" if np.isnan(temperature) else f"{temperature:.0f} K"
    return f"{where}, {results.n_li} {results.mobile}, {results.duration_ps:.5g} ps"


def analyze(
    results: Results, settings: AnalysisSettings | None = None, *, path: Path | None = None
) -> Analysis:
    """Return everything a run says; a part that cannot be computed is a note and the others stay.

    Parameters
    ----------
    results
        Results of a run or stream.
    settings
        How to fit; see ``AnalysisSettings``.
    path
        Where the results come from, for titles and tables.
    """
    settings = settings or AnalysisSettings()
    notes, about_motion = Notes(), Notes()
    jumps = analyze_all_jumps(results, settings.diffusion.level, about_motion)
    a = _jump_distance(results, settings.diffusion.jump_distance_angstrom, rms_jump_length(jumps))
    decay = _analyze_decay(results, settings, notes)
    diffusion = _analyze_diffusion(results, settings, jumps, a, notes)
    nmr = None
    if results.efg_correlation is not None:
        nmr = analyze_observables(results, decay, settings.decay, settings.observables, notes)
    motion = analyze_motion(results, jumps, diffusion, about_motion)
    said = [
        *notes,
        *(nmr.notes() if nmr else ()),
        *about_motion,
        *(motion.notes() if motion else ()),
    ]
    found = Analysis(results, settings, decay, diffusion, a, nmr, motion, said, path)
    return replace(found, notes=[*said, *notes_of_doubts(found.quantities)])


def analyze_file(path: str | os.PathLike[str], settings: AnalysisSettings | None = None) -> Analysis:
    """Analyse a results file, or the one in the output folder of a run.

    Raises
    ------
    FileFormatError
        For a file that is not a usable results file, or a folder without one.
    """
    found = find_results_file(path)
    return analyze(Results.read(found), settings, path=found)


def _jump_distance(results: Results, asked: float | None, found: float | None) -> float | None:
    """Return a of 6D/a²: asked for here, told to the run, of the jumps found, or of the crystal, Å."""
    known = results.jump_distance_angstrom
    told = known if results.provenance.get("jump_distance") == "given" else None
    return asked or told or found or known


def _analyze_decay(results: Results, settings: AnalysisSettings, notes: Notes) -> NmrDecay | None:
    lags = results.efg_correlation
    if lags is None:
        notes.add("NMR decay", "no EFG was sampled")
        return None

    def compute(lags: LagStatistics = lags) -> NmrDecay:
        lags.validate("efg_correlation", results.n_li)
        return analyze_decay(lags, results.duration_ps, results.nucleus, settings.decay)

    decay = notes.attempt("NMR decay", compute)
    if decay is not None and not decay.resolved:
        notes.add("NMR decay", decay.reason)
    return decay


def _analyze_diffusion(
    results: Results,
    settings: AnalysisSettings,
    jumps: dict[str, JumpRates],
    jump_distance_angstrom: float | None,
    notes: Notes,
) -> Diffusion | None:
    lags, asked = results.displacement, settings.diffusion
    if lags is None:
        notes.add("diffusion", "no displacement was sampled")
        return None

    def compute(lags: LagStatistics = lags) -> Diffusion:
        lags.validate("displacement", results.n_li)
        known = replace(asked, jump_distance_angstrom=jump_distance_angstrom)
        return analyze_diffusion(lags, results.duration_ps, known, memory_prior(jumps))

    found = notes.attempt("diffusion", compute)
    if found is None:
        return None
    if not results.drift_removed:
        notes.add("diffusion", "no framework: a drift of the whole cannot be told from motion, and is in D")
    if not found.resolved:
        notes.add("diffusion", found.reason)
    elif not found.linear:
        notes.add("diffusion", "the MSD is not straight within the lags used; D is an effective value")
    elif found.memory is None:
        notes.add(
            "memory of jumps",
            "no rate of jumps is known, so a memory of jumps back is not allowed for; where there is one D "
            "is too large, by more than its interval in a run of few residence times",
        )
    if jump_distance_angstrom is None:
        notes.add("jump rate", "the jump distance is unknown; give --jump-distance")
    return found
