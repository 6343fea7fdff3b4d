"""Decay of the quadrupolar correlation, echoes, spectra and relaxation."""

from lpsnmr.analysis.nmr.decay import (
    DecaySettings,
    NmrDecay,
    analyze_curve,
    analyze_decay,
    in_frequency,
)
from lpsnmr.analysis.nmr.echo import EchoDecay, analyze_echo
from lpsnmr.analysis.nmr.kohlrausch import (
    KohlrauschFit,
    fit_kohlrausch,
    kohlrausch,
    mean_time,
)
from lpsnmr.analysis.nmr.models import ModelFit
from lpsnmr.analysis.nmr.observables import (
    NmrObservables,
    ObservableSettings,
    SingleCrystalDecay,
    analyze_observables,
)
from lpsnmr.analysis.nmr.relaxation import (
    Relaxation,
    analyze_relaxation,
    relaxation_rate,
    spectral_density,
)
from lpsnmr.analysis.nmr.spectra import Spectrum, powder_spectrum, second_moment

__all__ = [
    "DecaySettings",
    "EchoDecay",
    "KohlrauschFit",
    "ModelFit",
    "NmrDecay",
    "NmrObservables",
    "ObservableSettings",
    "Relaxation",
    "SingleCrystalDecay",
    "Spectrum",
    "analyze_curve",
    "analyze_decay",
    "analyze_echo",
    "analyze_observables",
    "analyze_relaxation",
    "fit_kohlrausch",
    "in_frequency",
    "kohlrausch",
    "mean_time",
    "powder_spectrum",
    "relaxation_rate",
    "second_moment",
    "spectral_density",
]
