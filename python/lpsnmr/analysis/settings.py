"""Settings of a whole analysis."""

from dataclasses import field

from lpsnmr.analysis.dynamics import DiffusionSettings
from lpsnmr.analysis.nmr import DecaySettings, ObservableSettings
from lpsnmr.strict_model import checked_dataclass

__all__ = ["AnalysisSettings"]


@checked_dataclass
class AnalysisSettings:
    """How a run is analysed.

    Attributes
    ----------
    decay
        Fit of C(t), and of echoes and single crystals.
    diffusion
        Fit of D, jump distance, and confidence of the jump rates. Without a jump distance the length of
        the jumps found is used, else that of the results file.
    observables
        What is asked beside the decay, such as Larmor frequencies for T1.
    """

    decay: DecaySettings = field(default_factory=DecaySettings)
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    observables: ObservableSettings = field(default_factory=ObservableSettings)
