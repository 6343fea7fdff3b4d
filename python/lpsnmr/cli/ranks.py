"""MPI for commands that need no LAMMPS: used only when they were started by mpirun."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from lpsnmr.errors import LpsnmrError

__all__ = ["abort_together", "communicator"]

LAUNCHERS = ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE")
"""Environment variables by which MPICH and Open MPI launchers are known."""


def communicator() -> Any:
    """Return ``MPI.COMM_WORLD`` when several ranks were started, else None (and MPI is not loaded)."""
    if not any(name in os.environ for name in LAUNCHERS):
        return None
    from mpi4py import MPI

    return MPI.COMM_WORLD if MPI.COMM_WORLD.size > 1 else None


@contextmanager
def abort_together(comm: Any) -> Iterator[None]:
    """End all ranks when one fails, so that none waits for ever: one line and status 2 for user errors."""
    try:
        yield
    except (LpsnmrError, OSError) as error:
        if comm is None:
            raise
        if comm.rank != 0:
            time.sleep(1.0)  # rank 0 most likely has the same message, and prints it first
        click.echo(f"lpsnmr: error: {error}", err=True)
        sys.stderr.flush()
        comm.Abort(2)
    except Exception:
        if comm is None:
            raise
        traceback.print_exc()
        sys.stderr.flush()
        comm.Abort(1)
