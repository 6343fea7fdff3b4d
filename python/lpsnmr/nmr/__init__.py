"""Quadrupolar frequencies, their correlation, echoes, spectra and relaxation."""

from lpsnmr.nmr.decay import DecaySettings, NmrDecay, analyze_curve, analyze_decay, in_frequency
from lpsnmr.nmr.echo import EchoDecay, analyze_echo
from lpsnmr.nmr.kohlrausch import KohlrauschFit, fit_kohlrausch, kohlrausch, mean_time
from lpsnmr.nmr.models import ModelFit
from lpsnmr.nmr.observables import NmrObservables, ObservableSettings, analyze_observables
from lpsnmr.nmr.quadrupolar import frequency_correlation, frequency_rad_s_per_efg, quadrupolar_frequency
from lpsnmr.nmr.relaxation import Relaxation, analyze_relaxation, relaxation_rate, spectral_density
from lpsnmr.nmr.spectra import Spectrum, powder_spectrum, second_moment

__all__ = [
    "DecaySettings",
    "EchoDecay",
    "KohlrauschFit",
    "ModelFit",
    "NmrDecay",
    "NmrObservables",
    "ObservableSettings",
    "Relaxation",
    "Spectrum",
    "analyze_curve",
    "analyze_decay",
    "analyze_echo",
    "analyze_observables",
    "analyze_relaxation",
    "fit_kohlrausch",
    "frequency_correlation",
    "frequency_rad_s_per_efg",
    "in_frequency",
    "kohlrausch",
    "mean_time",
    "powder_spectrum",
    "quadrupolar_frequency",
    "relaxation_rate",
    "second_moment",
    "spectral_density",
]
