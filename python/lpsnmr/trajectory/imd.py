"""Frames of a running simulation over the network: IMD version 3, by ``imdclient`` (optional)."""

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.trajectory.frames import Frame, FrameSequence

__all__ = ["ImdReader", "imd_address"]

INSTALL = "pip install 'lpsnmr[trajectories]'"
_ADDRESS = re.compile(r"imd:/{1,2}([\w.\-]+):(\d{1,5})$")


def imd_address(path: str) -> tuple[str, int] | None:
    """Return host and port of ``imd://host:port`` (or with one slash), None for other names.

    Examples
    --------
    >>> imd_address("imd://localhost:8888")
    ('localhost', 8888)
    """
    found = _ADDRESS.match(path)
    return None if found is None else (found[1], int(found[2]))


class ImdReader:
    """Iterate over the frames that a simulation sends, such as one with LAMMPS' ``fix imd … version 3``.

    Parameters
    ----------
    address
        ``imd://host:port``.
    numbers
        (n,) int32, atomic numbers in the order in which positions come (by id from LAMMPS).
    stopped
        Called between frames; the iteration ends when it returns True.

    Raises
    ------
    InputError
        When ``imdclient`` is not installed, or no elements are given.
    FileFormatError
        When nobody answers, or no positions, box and time come.
    """

    has_steps = True

    def __init__(
        self,
        address: str,
        *,
        numbers: NDArray[np.int32] | None,
        stopped: Callable[[], bool] | None = None,
    ) -> None:
        found = imd_address(address)
        if found is None:
            raise InputError(f"{address}: expected imd://host:port")
        if numbers is None:
            raise InputError(f"{address}: the simulation sends no elements; give --topology FILE")
        self.path, self.reason = Path(address), ""
        self._host, self._port = found
        self._numbers, self._stopped = numbers, stopped or (lambda: False)
        self._sequence = FrameSequence(lambda message: FileFormatError(f"{address}: {message}"), False)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames as they come."""
        client = self._connected()
        try:
            while not self._stopped():
                try:
                    received = client.get_imdframe()
                except EOFError:
                    self.reason = "the simulation closed the connection"
                    return
                yield self._sequence.checked(self._to_frame(received))
            self.reason = "stopped"
        finally:
            client.stop()

    def _connected(self) -> Any:
        name = f"imd://{self._host}:{self._port}"
        try:
            kind = importlib.import_module("imdclient.IMDClient").IMDClient
        except ImportError as error:
            raise InputError(f"{name}: a live source needs imdclient: {INSTALL}") from error
        try:
            client = kind(self._host, self._port, len(self._numbers))
            told = client.get_imdsessioninfo()
        except Exception as error:  # the client raises several kinds
            why = " ".join(str(error).split()) or type(error).__name__
            raise FileFormatError(f"{name}: no simulation answers: {why}") from error
        missing = [part for part in ("time", "box", "positions") if not getattr(told, part)]
        if missing:
            client.stop()
            raise FileFormatError(f"{name}: sends no {', '.join(missing)}; expected time, box and positions")
        return client

    def _to_frame(self, received: Any) -> Frame:
        cell = np.array(received.box, dtype=np.float64)
        positions = np.array(received.positions, dtype=np.float64)
        if not (np.isfinite(positions).all() and abs(np.linalg.det(cell)) > 1e-6):
            raise FileFormatError(f"{self.path}: step {received.step}: a position or box that is not usable")
        return Frame(
            int(received.step),
            float(received.time),
            cell,
            (True, True, True),
            np.arange(1, len(positions) + 1, dtype=np.int64),
            self._numbers,
            positions,
        )
