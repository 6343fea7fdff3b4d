"""What is accumulated while a trajectory runs: correlators, echoes, means over windows, jump detectors."""

from lpsnmr.sampling.correlators import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.sampling.echo import EchoCorrelator
from lpsnmr.sampling.motion import MotionTracker
from lpsnmr.sampling.orientations import LEBEDEV_DEGREES, lebedev_half_sphere, projections
from lpsnmr.sampling.settings import JumpSettings, SamplingSettings
from lpsnmr.sampling.states import State, join_states, slice_state
from lpsnmr.sampling.windows import TensorSampler, WindowMean

__all__ = [
    "LEBEDEV_DEGREES",
    "DisplacementCorrelator",
    "EchoCorrelator",
    "JumpSettings",
    "MotionTracker",
    "MultiTauCorrelator",
    "SamplingSettings",
    "State",
    "TensorSampler",
    "WindowMean",
    "join_states",
    "lebedev_half_sphere",
    "projections",
    "slice_state",
]
