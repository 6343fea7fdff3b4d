"""Active learning: sample with the current potential, choose what teaches most, label, refit."""

from lpsnmr.learning.posterior import UfpPosterior, settings_of_potential

__all__ = ["UfpPosterior", "settings_of_potential"]
