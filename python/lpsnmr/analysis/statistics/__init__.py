"""Resampling of lag functions and generalised least squares."""
