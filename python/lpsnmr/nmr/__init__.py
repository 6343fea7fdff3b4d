"""Quadrupolar frequencies, their correlation function and its decay."""

from lpsnmr.nmr.decay import DecaySettings, NmrDecay, analyze_decay
from lpsnmr.nmr.kohlrausch import KohlrauschFit, fit_kohlrausch, kohlrausch, mean_time
from lpsnmr.nmr.quadrupolar import frequency_correlation, frequency_rad_s_per_efg, quadrupolar_frequency

__all__ = [
    "DecaySettings",
    "KohlrauschFit",
    "NmrDecay",
    "analyze_decay",
    "fit_kohlrausch",
    "frequency_correlation",
    "frequency_rad_s_per_efg",
    "kohlrausch",
    "mean_time",
    "quadrupolar_frequency",
]
