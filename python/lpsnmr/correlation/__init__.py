"""Multi-tau correlators, displacement accumulators, echoes and means over windows."""

from lpsnmr.correlation.correlators import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.correlation.echo import EchoCorrelator, EchoStatistics
from lpsnmr.correlation.orientations import LEBEDEV_DEGREES, lebedev_half_sphere, projections
from lpsnmr.correlation.states import State, join_states, slice_state
from lpsnmr.correlation.windows import TensorSamples, WindowMean

__all__ = [
    "LEBEDEV_DEGREES",
    "DisplacementCorrelator",
    "EchoCorrelator",
    "EchoStatistics",
    "MultiTauCorrelator",
    "State",
    "TensorSamples",
    "WindowMean",
    "join_states",
    "lebedev_half_sphere",
    "projections",
    "slice_state",
]
