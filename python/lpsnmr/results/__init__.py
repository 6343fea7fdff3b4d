"""Results of a run: typed groups, the results file, and the file of tensors."""

from lpsnmr.results.collective import CollectiveDisplacement
from lpsnmr.results.echo import Echo
from lpsnmr.results.jumps import Jumps, Rotations, SiteJumps, SiteNetwork
from lpsnmr.results.lag_statistics import LagStatistics
from lpsnmr.results.results import RESULTS_FILE, Results, find_results_file
from lpsnmr.results.single_crystal import SingleCrystal
from lpsnmr.results.tensor_samples import TensorSamples

__all__ = [
    "RESULTS_FILE",
    "CollectiveDisplacement",
    "Echo",
    "Jumps",
    "LagStatistics",
    "Results",
    "Rotations",
    "SingleCrystal",
    "SiteJumps",
    "SiteNetwork",
    "TensorSamples",
    "find_results_file",
]
