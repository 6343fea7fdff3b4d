"""Multi-tau correlators and mean squared displacement accumulators."""

from lpsnmr.correlation.correlators import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.correlation.states import State, join_states, slice_state

__all__ = ["DisplacementCorrelator", "MultiTauCorrelator", "State", "join_states", "slice_state"]
