"""Diffusion, jump rates and activation energies of Li."""

from lpsnmr.dynamics.arrhenius import ArrheniusFit, fit_arrhenius
from lpsnmr.dynamics.collective import CollectiveDiffusion, analyze_collective
from lpsnmr.dynamics.diffusion import Diffusion, DiffusionSettings, analyze_diffusion
from lpsnmr.dynamics.jump_rates import JumpRates, analyze_jumps
from lpsnmr.dynamics.jump_settings import JumpSettings
from lpsnmr.dynamics.motion import MotionTracker, lags_from_arrays
from lpsnmr.dynamics.sites import mean_nearest_distance

__all__ = [
    "ArrheniusFit",
    "CollectiveDiffusion",
    "Diffusion",
    "DiffusionSettings",
    "JumpRates",
    "JumpSettings",
    "MotionTracker",
    "analyze_collective",
    "analyze_diffusion",
    "analyze_jumps",
    "fit_arrhenius",
    "lags_from_arrays",
    "mean_nearest_distance",
]
