"""Active learning: sample with the current potential, choose what teaches most, label, refit."""

from lpsnmr.active_learning.loop import learn
from lpsnmr.active_learning.plan import (
    LearnPlan,
    PlannedRun,
    default_plan_text,
    load_plan,
)
from lpsnmr.active_learning.posterior import UfpPosterior, settings_of_potential
from lpsnmr.active_learning.report import RoundReport, errors_on, format_rounds
from lpsnmr.active_learning.settings import LearnSettings

__all__ = [
    "LearnPlan",
    "LearnSettings",
    "PlannedRun",
    "RoundReport",
    "UfpPosterior",
    "default_plan_text",
    "errors_on",
    "format_rounds",
    "learn",
    "load_plan",
    "settings_of_potential",
]
