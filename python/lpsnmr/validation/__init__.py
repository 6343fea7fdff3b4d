"""Validate a potential as a careful user would: errors, crystals, and what MD does with it."""

from lpsnmr.validation.runner import validate
from lpsnmr.validation.settings import MELT_FROM, STAGES, ValidateSettings

__all__ = ["MELT_FROM", "STAGES", "ValidateSettings", "validate"]
