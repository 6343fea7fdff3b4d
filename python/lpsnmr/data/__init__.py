"""Files shipped with lpsnmr: structures, reference data, fitted models."""

from lpsnmr.data.shipped import shipped_reference

__all__ = ["shipped_reference"]
