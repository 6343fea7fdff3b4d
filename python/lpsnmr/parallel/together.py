"""MPI for the commands: ranks that end together, with the message seen, and MPI only under mpirun."""

import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from lpsnmr.errors import LpsnmrError
from lpsnmr.parallel.abort import abort

__all__ = ["abort_together", "communicator"]

logger = logging.getLogger(__name__)

LAUNCHERS = ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE")
"""Environment variables by which MPICH and Open MPI launchers are known."""

AGREE_S = 3.0
"""How long a failed rank waits for the others to fail too before it ends them."""


def communicator() -> Any:
    """Return ``MPI.COMM_WORLD`` when several ranks were started, else None (and MPI is not loaded)."""
    if not any(name in os.environ for name in LAUNCHERS):
        return None
    from mpi4py import MPI

    return MPI.COMM_WORLD if MPI.COMM_WORLD.size > 1 else None


@contextmanager
def abort_together(comm: Any) -> Iterator[None]:
    """End all ranks when one fails, so that none waits for ever: one line and status 2 for user errors.

    Errors pass through where ``comm`` is None or has one rank.
    """
    try:
        yield
    except (LpsnmrError, OSError) as error:
        if comm is None or comm.size == 1:
            raise
        logger.info("where it happened", exc_info=True)
        _end(comm, f"lpsnmr: error: {error}", status=2)
    except Exception:
        if comm is None or comm.size == 1:
            raise
        _end(comm, traceback.format_exc(), status=1)


def _end(comm: Any, message: str, status: int) -> NoReturn:
    """Exit with ``status``, by ``MPI_Abort`` only when some rank did not fail: it may swallow messages."""
    if _all_failed(comm):
        if comm.rank == 0:  # every rank names its own frame or file: one of them is enough
            click.echo(message, err=True)
        sys.exit(status)
    click.echo(message, err=True)
    abort(comm, status)


def _all_failed(comm: Any) -> bool:
    """Say whether every rank comes here within ``AGREE_S``."""
    request = comm.Ibarrier()
    end = time.monotonic() + AGREE_S
    while not request.Test():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
