"""Crystals, supercells and structure checks."""

from lpsnmr.structures.checks import intact_ps4, report_structure
from lpsnmr.structures.crystals import CRYSTALS, load_structure, supercell

__all__ = ["CRYSTALS", "intact_ps4", "load_structure", "report_structure", "supercell"]
