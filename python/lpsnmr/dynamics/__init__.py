"""Diffusion, jump rates and activation energies of Li."""

from lpsnmr.dynamics.arrhenius import ArrheniusFit, fit_arrhenius
from lpsnmr.dynamics.diffusion import Diffusion, DiffusionSettings, analyze_diffusion
from lpsnmr.dynamics.sites import mean_nearest_distance

__all__ = [
    "ArrheniusFit",
    "Diffusion",
    "DiffusionSettings",
    "analyze_diffusion",
    "fit_arrhenius",
    "mean_nearest_distance",
]
