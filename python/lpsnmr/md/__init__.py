"""Molecular dynamics with LAMMPS: settings, commands, driver.

Importing this package does not import LAMMPS; ``lpsnmr.md.driver`` does.
"""

from lpsnmr.md.schedule import Schedule, Stage
from lpsnmr.md.settings import MdSettings, PotentialSettings

__all__ = ["MdSettings", "PotentialSettings", "Schedule", "Stage"]
