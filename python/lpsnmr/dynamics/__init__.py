"""Diffusion coefficients and jump rates."""
