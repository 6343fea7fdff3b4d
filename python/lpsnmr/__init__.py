"""lpsnmr: from a crystal structure to the solid-state NMR observables of moving lithium.

This module stays free of imports: LAMMPS imports it to find the plugin (see ``_plugin``).
"""

__version__ = "0.1.0"
