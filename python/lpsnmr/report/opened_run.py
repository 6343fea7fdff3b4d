"""A finished or running run in the hands of a Python user: numbers, curves, tables and plots."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from lpsnmr.analysis import Analysis, AnalysisSettings, Quantity, SeriesAnalysis, analyze
from lpsnmr.analysis.dynamics import Diffusion
from lpsnmr.analysis.nmr import NmrDecay
from lpsnmr.analysis.run_analysis import extent
from lpsnmr.errors import InputError, MissingPackageError
from lpsnmr.files.templates import render
from lpsnmr.report.plots import draw_decay, draw_displacement
from lpsnmr.report.text import build_table
from lpsnmr.results import RESULTS_FILE, Results, find_results_file
from lpsnmr.typing import Array

__all__ = ["Curve", "OpenedRun", "open_run"]

T = TypeVar("T")
TABLE_WIDTH = 100


@dataclass(frozen=True, repr=False)
class Curve:
    """A function of lag time with its errors and its fit.

    Attributes
    ----------
    lag_ps
        (L,) float64, ps, ascending from 0.
    values, errors
        (L,) float64, mean over all Li and its standard error, in ``unit``; errors are NaN where there is
        too little to estimate them.
    fit
        (L,) float64, the fitted curve; NaN where nothing was fitted.
    used
        (L,) bool, lags that entered the fit.
    unit
        Of the values, such as ``"(rad/s)²"``.
    """

    lag_ps: Array
    values: Array
    errors: Array
    fit: Array
    used: NDArray[np.bool_]
    unit: str

    def __repr__(self) -> str:
        """Return the number of lags and their range."""
        last = f", up to {self.lag_ps[-1]:g} ps" if len(self.lag_ps) else ""
        return f"<Curve: {len(self.lag_ps)} lags{last}, {int(self.used.sum())} fitted, {self.unit}>"


def open_run(path: str | os.PathLike[str], settings: AnalysisSettings | None = None) -> "OpenedRun":
    """Open the results of a run or stream; the analysis is done when something of it is first asked for.

    Parameters
    ----------
    path
        Output folder, or its ``results.h5``. A running run is fine: what is there is as old as its last
        checkpoint.
    settings
        How to fit; by default as ``lpsnmr analyze`` does.

    Raises
    ------
    FileFormatError
        When there is no usable results file.
    """
    return OpenedRun(path, settings)


class OpenedRun:
    """One run: its results as they are, and what they say.

    Parameters
    ----------
    path, settings
        As for ``open_run``.

    Attributes
    ----------
    path
        The results file.
    results
        Its contents, ``lpsnmr.Results``.
    settings
        How it is analysed.
    """

    def __init__(self, path: str | os.PathLike[str], settings: AnalysisSettings | None = None) -> None:
        self.path = find_results_file(path)
        self.results = Results.read(self.path)
        self.settings = settings or AnalysisSettings()

    @cached_property
    def analysis(self) -> Analysis:
        """Everything the run says, ``lpsnmr.Analysis``: also echoes, spectra, T1 and jumps."""
        return analyze(self.results, self.settings, path=self.path)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """Every number by its key, such as ``"tau_mean_ps"``."""
        return {quantity.key: quantity for quantity in self.analysis.quantities}

    @property
    def notes(self) -> list[str]:
        """What the numbers do not say: why something is missing or doubtful."""
        return [str(note) for note in self.analysis.notes]

    @property
    def tau(self) -> Quantity:
        """Kohlrausch time τ of C(t), ps."""
        return self._number("tau_ps", "τ", "ps")

    @property
    def gamma(self) -> Quantity:
        """Kohlrausch exponent γ of C(t)."""
        return self._number("gamma", "γ", "")

    @property
    def tau_mean(self) -> Quantity:
        """Mean decay time τ_mean = (τ/γ) Γ(1/γ), ps."""
        return self._number("tau_mean_ps", "τ_mean", "ps")

    @property
    def nmr_rate(self) -> Quantity:
        """Γ_NMR = 1/τ_mean, 1/s."""
        return self._number("rate_nmr_per_s", "Γ_NMR", "1/s")

    @property
    def diffusion(self) -> Quantity:
        """Self-diffusion coefficient D, cm²/s."""
        return self._number("diffusion_cm2_per_s", "D", "cm²/s")

    @property
    def jump_rate(self) -> Quantity:
        """Γ_D = 6D/a², 1/s."""
        return self._number("rate_jump_per_s", "Γ_D = 6D/a²", "1/s")

    @property
    def site_jump_rate(self) -> Quantity:
        """Jumps between sites per Li, counted, 1/s."""
        return self._number("rate_jump_sites_per_s", "Γ_jump (sites)", "1/s")

    @property
    def haven_ratio(self) -> Quantity:
        """D/D_σ."""
        return self._number("haven_ratio", "Haven ratio D/D_σ", "")

    @property
    def conductivity(self) -> Quantity:
        """Ionic conductivity σ from the collective displacement, S/cm."""
        return self._number("conductivity_s_per_cm", "σ", "S/cm")

    @property
    def c_of_t(self) -> Curve:
        """C(t) = ⟨ω_Q(0) ω_Q(t)⟩ of the powder, (rad/s)².

        Raises
        ------
        InputError
            When the run has none.
        """
        decay = self._decay
        return Curve(
            decay.lag_ps, decay.correlation, decay.standard_error, decay.fitted, decay.used, "(rad/s)²"
        )

    @property
    def msd(self) -> Curve:
        """Mean squared displacement of Li, Å².

        Raises
        ------
        InputError
            When the run has none.
        """
        found = self._diffusion
        return Curve(found.lag_ps, found.msd, found.standard_error, found.fitted, found.used, "Å²")

    def plot_c_of_t(self, ax: Any = None) -> Any:
        """Draw C(t)/(2π)² in kHz² with its fit; return the matplotlib axes.

        Parameters
        ----------
        ax
            Axes to draw into; None makes a figure.
        """
        decay = self._decay
        return self._drawn(ax, lambda axes: draw_decay(axes, decay))

    def plot_msd(self, ax: Any = None) -> Any:
        """Draw the mean squared displacement with its fit; return the matplotlib axes.

        Parameters
        ----------
        ax
            Axes to draw into; None makes a figure.
        """
        found = self._diffusion
        return self._drawn(ax, lambda axes: draw_displacement(axes, found))

    def table(self) -> str:
        """Return the numbers as a table of plain text, as ``lpsnmr analyze`` prints it."""
        console = Console(file=io.StringIO(), width=TABLE_WIDTH, color_system=None, force_terminal=False)
        with console.capture() as capture:
            console.print(build_table(SeriesAnalysis([self.analysis])))
        return capture.get()

    def to_dataframe(self) -> Any:
        """Return the numbers as a ``pandas.DataFrame``, one row per key.

        Columns: symbol, unit, value, low, high, resolved, why_not.

        Raises
        ------
        MissingPackageError
            Without pandas.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingPackageError(
                "to_dataframe needs pandas; install it with: pip install 'lpsnmr[notebook]'"
            ) from error
        columns = ("symbol", "unit", "value", "low", "high", "resolved", "why_not")
        rows = {key: [getattr(q, name) for name in columns] for key, q in self.quantities.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(columns))
        return frame.rename_axis("key")

    def __repr__(self) -> str:
        """Return name, temperature, number of Li and length in one line; nothing is analysed for it."""
        return f"<OpenedRun {self._title}>"

    def _repr_html_(self) -> str:
        """Return the numbers and the notes for a notebook."""
        return render(
            "run.html", title=self._title, quantities=list(self.quantities.values()), notes=self.notes
        )

    @property
    def name(self) -> str:
        """Name of the output folder, or of a results file of another name."""
        return self.path.absolute().parent.name if self.path.name == RESULTS_FILE else self.path.stem

    @property
    def _title(self) -> str:
        return f"{self.name}: {extent(self.results)}"

    def _number(self, key: str, symbol: str, unit: str) -> Quantity:
        """Return a number that every run may be asked for, sampled or not."""
        return self.quantities.get(key) or Quantity(key, symbol, unit, None, "not sampled in this run")

    @property
    def _decay(self) -> NmrDecay:
        return self._required(self.analysis.decay, "C(t)", "NMR decay")

    @property
    def _diffusion(self) -> Diffusion:
        return self._required(self.analysis.diffusion, "MSD", "diffusion")

    def _required(self, part: T | None, name: str, about: str) -> T:
        if part is None:
            raise InputError(f"{self.path} has no {name}: {self.analysis.about(about)}")
        return part

    def _drawn(self, ax: Any, draw: Callable[[Any], None]) -> Any:
        if ax is None:
            from matplotlib import pyplot

            _, ax = pyplot.subplots(layout="constrained")
        draw(ax)
        ax.set(xlabel="lag t (ps)", title=self._title)
        return ax
