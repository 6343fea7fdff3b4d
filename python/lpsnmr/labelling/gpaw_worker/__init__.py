"""The half of the GPAW engine that runs in the Python that has GPAW.

It imports NumPy, ASE and GPAW and nothing else of lpsnmr, because that Python need not have lpsnmr. The
other half, ``lpsnmr.labelling.gpaw_engine``, starts it and talks to it by lines of JSON.
"""

__all__: list[str] = []
