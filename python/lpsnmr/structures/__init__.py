"""Crystals, supercells, variants of them, and structure checks."""

from lpsnmr.structures.checks import close_contacts, intact_ps4, report_structure
from lpsnmr.structures.crystals import CRYSTALS, load_structure, supercell
from lpsnmr.structures.known_sites import KnownSites, read_known_sites
from lpsnmr.structures.origin import made
from lpsnmr.structures.packing import packed
from lpsnmr.structures.site_distances import mean_nearest_distance
from lpsnmr.structures.variants import lithium_disordered, rattled, strained, with_density

__all__ = [
    "CRYSTALS",
    "KnownSites",
    "close_contacts",
    "intact_ps4",
    "lithium_disordered",
    "load_structure",
    "made",
    "mean_nearest_distance",
    "packed",
    "rattled",
    "read_known_sites",
    "report_structure",
    "strained",
    "supercell",
    "with_density",
]
