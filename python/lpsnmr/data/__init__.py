"""Files shipped with lpsnmr: structures, reference data, fitted models."""

from lpsnmr.data.shipped import shipped_pbesol, shipped_reference

__all__ = ["shipped_pbesol", "shipped_reference"]
