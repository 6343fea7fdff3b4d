"""Analyse results files: tables, plots and files of numbers."""

from lpsnmr.report.analysis import Analysis, SeriesAnalysis, analyze_results, analyze_series

__all__ = ["Analysis", "SeriesAnalysis", "analyze_results", "analyze_series"]
