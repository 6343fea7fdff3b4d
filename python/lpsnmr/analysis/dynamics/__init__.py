"""Diffusion, jump rates and activation energies of Li."""

from lpsnmr.analysis.dynamics.arrhenius import ArrheniusFit, fit_arrhenius
from lpsnmr.analysis.dynamics.collective import CollectiveDiffusion, analyze_collective
from lpsnmr.analysis.dynamics.diffusion import Diffusion, DiffusionSettings, analyze_diffusion
from lpsnmr.analysis.dynamics.jump_rates import JumpRates, analyze_jumps

__all__ = [
    "ArrheniusFit",
    "CollectiveDiffusion",
    "Diffusion",
    "DiffusionSettings",
    "JumpRates",
    "analyze_collective",
    "analyze_diffusion",
    "analyze_jumps",
    "fit_arrhenius",
]
