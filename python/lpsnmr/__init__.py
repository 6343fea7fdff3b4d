"""lpsnmr: from a crystal structure to the solid-state NMR observables of moving lithium.

This module imports nothing that takes time: LAMMPS imports it to find the plugin (see ``_plugin``).
"""

from lpsnmr.version import __version__ as __version__
