"""All NMR observables of one results file beside the decay of C(t)."""

from dataclasses import dataclass, field
from math import pi

import numpy as np
from numpy.typing import NDArray

from lpsnmr.analysis.nmr.decay import DecaySettings, NmrDecay, analyze_curve
from lpsnmr.analysis.nmr.echo import EchoDecay, analyze_echo
from lpsnmr.analysis.nmr.relaxation import Relaxation, analyze_relaxation, larmor_rad_s
from lpsnmr.analysis.nmr.spectra import Spectrum, powder_spectrum
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.efg.quadrupolar import frequency_rad_s_per_efg
from lpsnmr.errors import InputError
from lpsnmr.results.results import LagStatistics, Results
from lpsnmr.sampling import EchoStatistics

__all__ = ["NmrObservables", "ObservableSettings", "SingleCrystal", "analyze_observables"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ObservableSettings:
    """What is asked beside the decay.

    Attributes
    ----------
    larmor_mhz
        Larmor frequencies of the nucleus for T1, MHz.
    """

    larmor_mhz: tuple[float, ...] = (116.6, 155.5)

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        larmor_rad_s(self.larmor_mhz)


@dataclass(frozen=True)
class SingleCrystal:
    """C(t) = ⟨ω_Q(0) ω_Q(t)⟩ for a field along ``direction`` (3,), in the axes of the cell."""

    direction: tuple[float, float, float]
    decay: NmrDecay


@dataclass(frozen=True)
class NmrObservables:
    """Echoes, single crystals, spectra and relaxation of one run.

    Attributes
    ----------
    echoes
        One per evolution time; empty when none was sampled.
    single_crystals
        One per field direction sampled.
    spectra
        By ascending averaging time; the last is of tensors averaged over the whole run.
    relaxation
        One per Larmor frequency; empty when the decay is not resolved.
    second_moment_khz2
        ⟨ν_Q²⟩ of the satellites from C(t), kHz², with intervals: ``"all"`` C(0), ``"hopping"`` without
        vibrations, ``"averaged"`` the plateau.
    """

    echoes: list[EchoDecay] = field(default_factory=list)
    single_crystals: list[SingleCrystal] = field(default_factory=list)
    spectra: list[Spectrum] = field(default_factory=list)
    relaxation: list[Relaxation] = field(default_factory=list)
    second_moment_khz2: dict[str, Interval] = field(default_factory=dict)


def analyze_observables(
    results: Results,
    decay: NmrDecay,
    settings: DecaySettings | None = None,
    asked: ObservableSettings | None = None,
) -> NmrObservables:
    """Analyse what a run sampled for NMR.

    Parameters
    ----------
    results
        Results of a run or stream; older ones without echoes or tensor samples are fine.
    decay
        Decay of C(t) of the powder, from ``analyze_decay``.
    settings, asked
        Settings.

    Raises
    ------
    InputError
        When a group of the results file is damaged.
    """
    settings, asked = settings or DecaySettings(), asked or ObservableSettings()
    return NmrObservables(
        echoes=_echoes(results, settings),
        single_crystals=_single_crystals(results, settings),
        spectra=_spectra(results, settings),
        relaxation=analyze_relaxation(decay, asked.larmor_mhz, results.nucleus),
        second_moment_khz2=_second_moments(decay),
    )


def _echoes(results: Results, settings: DecaySettings) -> list[EchoDecay]:
    if "echo" not in results.extra:
        return []
    echo = EchoStatistics.from_arrays(results.extra["echo"])
    largest = 0.0
    if results.efg_mean_square is not None and results.n_li:
        # Tr V² = (3/2) V_zz² for η = 0
        v_zz = np.sqrt(float(results.efg_mean_square.mean()) / 1.5)
        largest = abs(frequency_rad_s_per_efg(results.nucleus)) * v_zz
    return analyze_echo(echo, results.duration_ps, largest, settings)


def _single_crystals(results: Results, settings: DecaySettings) -> list[SingleCrystal]:
    found = []
    factor = frequency_rad_s_per_efg(results.nucleus) ** 2
    for name in sorted(n for n in results.extra if n.startswith("direction_")):
        arrays = results.extra[name]
        try:
            lags = LagStatistics(
                lag_ps=arrays["lag_ps"],
                values=arrays["values"] * factor,
                counts=arrays["counts"],
                block_means=arrays["block_means"] * factor,
                block_counts=arrays["block_counts"],
                block_length_ps=float(arrays["block_length_ps"]),
                coarse_graining="average",
            )
            x, y, z = (float(b) for b in arrays["direction"])
        except (KeyError, ValueError) as error:
            raise InputError(f"extra/{name}: incomplete or damaged: {error}") from error
        lags.validate(f"extra/{name}", results.n_li)
        found.append(SingleCrystal((x, y, z), analyze_curve(lags, results.duration_ps, settings)))
    return found


def _spectra(results: Results, settings: DecaySettings) -> list[Spectrum]:
    means: list[tuple[float, Array]] = []
    arrays = results.extra.get("tensor_samples", {})
    for level, time_ps in enumerate(arrays.get("averaging_time_ps", [])):
        kept = arrays.get(f"means_{level}")
        if kept is None or kept.ndim != 3 or kept.shape[1:] != (results.n_li, 5):
            raise InputError(f"extra/tensor_samples/means_{level}: expected shape (n, {results.n_li}, 5)")
        if len(kept):
            means.append((float(time_ps), kept))
    if results.efg_mean is not None and results.n_samples and results.n_li:
        means.append((results.n_samples * results.sample_interval_ps, results.efg_mean[None]))
    spectra: list[Spectrum] = []
    reach = None
    for time_ps, kept in means:
        spectrum = powder_spectrum(
            kept, time_ps, results.nucleus, reach_khz=reach,
            n_bootstrap=settings.n_bootstrap, level=settings.level, seed=settings.seed,
        )  # fmt: skip
        if reach is None:  # the least averaged is the widest: all share its frequencies
            step = spectrum.frequency_khz[1] - spectrum.frequency_khz[0]
            reach = float(spectrum.frequency_khz[-1] + 0.5 * step)
        spectra.append(spectrum)
    return spectra


def _second_moments(decay: NmrDecay) -> dict[str, Interval]:
    to_khz2 = 1.0 / (2.0 * pi * 1e3) ** 2
    found = {}
    if decay.initial is not None:
        found["all"] = decay.initial.scaled(to_khz2)
    if decay.fit is not None and decay.plateau is not None:
        total = decay.fit.interval(
            float(decay.fit.best.plateau[0] + decay.fit.best.amplitude[0]),
            [f.plateau + f.amplitude for f in decay.fit.fits],
            log=False,
        )
        found["hopping"] = total.scaled(to_khz2)
        found["averaged"] = decay.plateau.scaled(to_khz2)
    return found
