"""What is accumulated while a trajectory runs: correlators, echoes, means over windows, jump detectors."""

from lpsnmr.sampling.correlators import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.sampling.echo import EchoCorrelator, EchoStatistics
from lpsnmr.sampling.motion import MotionTracker, lags_from_arrays
from lpsnmr.sampling.orientations import LEBEDEV_DEGREES, lebedev_half_sphere, projections
from lpsnmr.sampling.settings import JumpSettings, SamplingSettings
from lpsnmr.sampling.states import State, join_states, slice_state
from lpsnmr.sampling.windows import TensorSamples, WindowMean

__all__ = [
    "LEBEDEV_DEGREES",
    "DisplacementCorrelator",
    "EchoCorrelator",
    "EchoStatistics",
    "JumpSettings",
    "MotionTracker",
    "MultiTauCorrelator",
    "SamplingSettings",
    "State",
    "TensorSamples",
    "WindowMean",
    "join_states",
    "lags_from_arrays",
    "lebedev_half_sphere",
    "projections",
    "slice_state",
]
