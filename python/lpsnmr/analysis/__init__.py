"""From results to quantities: NMR decay, diffusion, jump rates, with intervals."""

from lpsnmr.analysis.analyze import Analysis, SeriesAnalysis, analyze_results, analyze_series

__all__ = ["Analysis", "SeriesAnalysis", "analyze_results", "analyze_series"]
