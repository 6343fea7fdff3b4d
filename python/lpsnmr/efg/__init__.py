"""Electric field gradient models: features, fit, prediction, metrics."""

from lpsnmr.efg.metrics import tensor_errors
from lpsnmr.efg.model import EfgModel
from lpsnmr.efg.settings import EfgSettings

__all__ = ["EfgModel", "EfgSettings", "tensor_errors"]
