"""From results to quantities: NMR decay, diffusion, jump rates, with intervals. Nothing is written."""

from lpsnmr.analysis.notes import Note
from lpsnmr.analysis.quantities import Quantity
from lpsnmr.analysis.run_analysis import Analysis, analyze, analyze_file
from lpsnmr.analysis.series import SeriesAnalysis, analyze_series
from lpsnmr.analysis.settings import AnalysisSettings
from lpsnmr.analysis.statistics.resampling import Interval

__all__ = [
    "Analysis",
    "AnalysisSettings",
    "Interval",
    "Note",
    "Quantity",
    "SeriesAnalysis",
    "analyze",
    "analyze_file",
    "analyze_series",
]
