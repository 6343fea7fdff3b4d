"""End all ranks from one of them, with what it said seen."""

import os
import sys
import time
from typing import Any, NoReturn

__all__ = ["abort"]

DRAIN_S = 1.0
"""How long a message may take through the launcher's pipes: what is in them at an abort can be lost."""


def abort(comm: Any, status: int) -> NoReturn:
    """Call ``MPI_Abort`` once what was printed had time to arrive.

    Parameters
    ----------
    comm
        MPI communicator whose ranks are to end.
    status
        Exit status of this process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(DRAIN_S)
    comm.Abort(status)
    os._exit(status)  # MPICH 5 can return from MPI_Abort
