"""Types of the compiled core; see the docstrings there for shapes and units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__version__: str

class CoreError(ValueError): ...

def neighbor_list(
    positions: Array,
    cell: Array,
    pbc: Sequence[bool],
    cutoff: float,
    centers: Sequence[int] | None = ...,
) -> tuple[NDArray[np.int64], NDArray[np.int32], Array, Array]: ...
