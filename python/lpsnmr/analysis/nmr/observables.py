"""All NMR observables of one results file beside the decay of C(t)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import pi

import numpy as np

from lpsnmr.analysis.nmr.decay import DecaySettings, NmrDecay, analyze_curve
from lpsnmr.analysis.nmr.echo import EchoDecay, analyze_evolution_time
from lpsnmr.analysis.nmr.relaxation import Relaxation, analyze_relaxation, larmor_rad_s
from lpsnmr.analysis.nmr.second_order import CentralShift, central_shift
from lpsnmr.analysis.nmr.spectra import Spectrum, powder_spectrum
from lpsnmr.analysis.notes import Note, Notes
from lpsnmr.analysis.quantities import Quantity
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.efg.quadrupolar import frequency_rad_s_per_efg
from lpsnmr.errors import InputError
from lpsnmr.nuclides import larmor_mhz_at, nuclide
from lpsnmr.results import Results, SingleCrystal
from lpsnmr.sampling.orientations import lebedev_half_sphere
from lpsnmr.typing import Array

__all__ = ["NmrObservables", "ObservableSettings", "SingleCrystalDecay", "analyze_observables"]


MOMENTS = {
    "all": ("m2_khz2", "M2"),
    "hopping": ("m2_hopping_khz2", "M2 without vibrations"),
    "averaged": ("m2_averaged_khz2", "M2 averaged"),
}
"""Second moment: key and symbol."""
CENTRAL_DEGREE = 11
"""Of the orientations of the second-order shift, whose square has degree 8: the mean is exact."""
LEAST_SHARE = 0.01
"""Share of the magnetisation from which an exponential of the recovery is told."""


@dataclass(frozen=True)
class ObservableSettings:
    """What is asked beside the decay.

    Attributes
    ----------
    larmor_mhz
        Larmor frequencies of the nucleus for T1 and second-order shifts, MHz; goes before ``field_t``.
    field_t
        Magnetic fields for the same, T; by default those at which protons have 300 and 400 MHz.
    """

    larmor_mhz: tuple[float, ...] = ()
    field_t: tuple[float, ...] = (7.0459, 9.395)

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        larmor_rad_s(self.larmor_mhz)
        if not all(0 < field < float("inf") for field in self.field_t):
            raise InputError(f"fields: expected positive numbers (T), got {self.field_t}")

    def frequencies_mhz(self, nucleus: str) -> tuple[float, ...]:
        """Return the Larmor frequencies of a nucleus, MHz.

        Examples
        --------
        >>> ObservableSettings().frequencies_mhz("7Li"), ObservableSettings().frequencies_mhz("6Li")
        ((116.6, 155.5), (44.15, 58.87))
        """
        return self.larmor_mhz or tuple(larmor_mhz_at(field, nucleus) for field in self.field_t)


@dataclass(frozen=True)
class SingleCrystalDecay:
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
    central_shifts
        Second-order shift of the central line of the tensors averaged over the whole run, for each Larmor
        frequency at which it is above 0.1 ppm; none for integer spin.
    """

    echoes: list[EchoDecay] = field(default_factory=list)
    single_crystals: list[SingleCrystalDecay] = field(default_factory=list)
    spectra: list[Spectrum] = field(default_factory=list)
    relaxation: list[Relaxation] = field(default_factory=list)
    second_moment_khz2: dict[str, Interval] = field(default_factory=dict)
    central_shifts: list[CentralShift] = field(default_factory=list)

    def quantities(self) -> Iterator[Quantity]:
        """Yield the numbers of echoes, single crystals, relaxation and second moments."""
        for echo in self.echoes:
            time, decay = f"{echo.evolution_time_us:g}", echo.decay
            yield Quantity(f"tau_sae_{time}us_ps", f"τ_SAE({time} μs)", "ps", decay.tau_mean_ps, decay.reason)
            yield Quantity(
                f"sites_{time}us", f"sites, t_p = {time} μs", "", echo.number_of_sites, decay.reason
            )
        for crystal in self.single_crystals:
            along, decay = [f"{x:g}" for x in crystal.direction], crystal.decay
            yield Quantity(
                f"tau_mean_field_{'_'.join(along)}_ps", f"τ_mean, B ∥ [{' '.join(along)}]", "ps",
                decay.tau_mean_ps, decay.reason,
            )  # fmt: skip
        for relaxation in self.relaxation:
            mhz = f"{relaxation.larmor_mhz:g}"
            yield Quantity(f"t1_{mhz}mhz_s", f"T1({mhz} MHz)", "s", relaxation.t1_s)
        for name, (key, symbol) in MOMENTS.items():
            if name in self.second_moment_khz2:
                yield Quantity(key, symbol, "kHz²", self.second_moment_khz2[name])

    def notes(self) -> Iterator[Note]:
        """Yield why echoes or single crystals say nothing, or should be doubted."""
        for echo in self.echoes:
            name = _echo_name(echo.evolution_time_us)
            if not echo.decay.resolved:
                yield Note(name, echo.decay.reason)
            if not echo.converged:
                yield Note(
                    name,
                    f"phases reach {echo.largest_phase_rad:.2g} rad, beyond what the set of orientations "
                    "averages to 1e-3; sample with a larger sampling.orientation_degree or a shorter time",
                )
        for crystal in self.single_crystals:
            if not crystal.decay.resolved:
                yield Note(_crystal_name(crystal.direction), crystal.decay.reason)
        for relaxation in self.relaxation:
            if len(relaxation.shares) > 2:  # the two of spin 3/2 are in analysis.json
                parts = ", ".join(
                    f"{100 * share:.3g} % with {rate:.3g} 1/s"
                    for share, rate in zip(relaxation.shares, relaxation.rates_per_s, strict=True)
                    if share > LEAST_SHARE
                )
                yield Note(f"T1({relaxation.larmor_mhz:g} MHz)", f"of the begin of the recovery; {parts}")
        for shift in self.central_shifts:
            yield Note(
                f"central line ({shift.larmor_mhz:g} MHz)",
                f"second-order shift {shift.isotropic_ppm:.3g} ppm, at rest ± {shift.width_ppm:.3g} ppm "
                "(standard deviation), from the tensors averaged over the run",
            )


def analyze_observables(
    results: Results,
    decay: NmrDecay | None,
    settings: DecaySettings | None = None,
    asked: ObservableSettings | None = None,
    notes: Notes | None = None,
) -> NmrObservables:
    """Analyse what a run sampled for NMR.

    Parameters
    ----------
    results
        Results of a run or stream; older ones without echoes or tensor samples are fine.
    decay
        Decay of C(t) of the powder, from ``analyze_decay``; None when there is none.
    settings, asked
        Settings.
    notes
        Takes a note for each part that cannot be computed; such a part is left out.
    """
    settings, asked = settings or DecaySettings(), asked or ObservableSettings()
    notes = Notes() if notes is None else notes
    notes.attempt("echo", lambda: _note_on_spin(results, notes))
    relaxation, moments = None, None
    if decay is not None:
        relaxation = notes.attempt(
            "T1",
            lambda: analyze_relaxation(decay, asked.frequencies_mhz(results.nucleus), results.nucleus),
        )
        moments = notes.attempt("second moments", lambda: _second_moments(decay))
    return NmrObservables(
        echoes=_echoes(results, settings, notes),
        single_crystals=_single_crystals(results, settings, notes),
        spectra=notes.attempt("spectra", lambda: _spectra(results, settings)) or [],
        relaxation=relaxation or [],
        second_moment_khz2=moments or {},
        central_shifts=notes.attempt("central line", lambda: _central_shifts(results, asked)) or [],
    )


def _note_on_spin(results: Results, notes: Notes) -> None:
    """Say what echoes and moments mean beyond spin 3/2."""
    if results.echo is not None and nuclide(results.nucleus).spin > 1.5:
        notes.add(
            "echo",
            f"sin·sin of the innermost satellite; the pulse sequence for {results.nucleus} with spin "
            f"{nuclide(results.nucleus).spin:g} mixes several pairs of satellites, which is left out",
        )


def _echo_name(evolution_time_us: float) -> str:
    return f"echo, t_p = {evolution_time_us:g} μs"


def _crystal_name(direction: tuple[float, float, float]) -> str:
    return f"field along {direction}"


def _echoes(results: Results, settings: DecaySettings, notes: Notes) -> list[EchoDecay]:
    echo = results.echo
    if echo is None:
        return []
    found = []
    for index, time_us in enumerate(echo.evolution_times_us):

        def compute(index: int = index) -> EchoDecay:
            echo.validate("extra/echo", results.n_li)
            largest = _largest_frequency(results)
            return analyze_evolution_time(echo, index, results.duration_ps, largest, settings)

        decay = notes.attempt(_echo_name(float(time_us)), compute)
        if decay is not None:
            found.append(decay)
    return found


def _largest_frequency(results: Results) -> float:
    """Return ω_Q of a tensor of root mean square size along its axis, rad/s; 0 when unknown."""
    if results.efg_mean_square is None or not results.n_li:
        return 0.0
    # Tr V² = (3/2) V_zz² for η = 0
    v_zz = np.sqrt(float(results.efg_mean_square.mean()) / 1.5)
    return float(abs(frequency_rad_s_per_efg(results.nucleus)) * v_zz)


def _single_crystals(results: Results, settings: DecaySettings, notes: Notes) -> list[SingleCrystalDecay]:
    found = []
    for k, crystal in enumerate(results.single_crystals):

        def compute(k: int = k, crystal: SingleCrystal = crystal) -> SingleCrystalDecay:
            crystal.validate(f"extra/direction_{k}", results.n_li)
            factor = frequency_rad_s_per_efg(results.nucleus) ** 2
            lags = replace(
                crystal.lags,
                values=crystal.lags.values * factor,
                block_means=crystal.lags.block_means * factor,
            )
            return SingleCrystalDecay(crystal.direction, analyze_curve(lags, results.duration_ps, settings))

        decay = notes.attempt(_crystal_name(crystal.direction), compute)
        if decay is not None:
            found.append(decay)
    return found


def _spectra(results: Results, settings: DecaySettings) -> list[Spectrum]:
    means: list[tuple[float, Array]] = []
    samples = results.tensor_samples
    if samples is not None:
        samples.validate("extra/tensor_samples", results.n_li)
        for time_ps, kept in zip(samples.averaging_time_ps, samples.means, strict=True):
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


def _central_shifts(results: Results, asked: ObservableSettings) -> list[CentralShift]:
    if results.efg_mean is None or not results.n_li or not nuclide(results.nucleus).half_integer:
        return []
    directions, weights = lebedev_half_sphere(CENTRAL_DEGREE)
    found = [
        central_shift(results.efg_mean[None], directions, weights, mhz, results.nucleus)
        for mhz in asked.frequencies_mhz(results.nucleus)
    ]
    return [shift for shift in found if shift is not None]


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
