"""Types of arrays that signatures name."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Indices"]

Array: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.int64]
