"""``status.json``: how far a run or stream is, for whoever watches its folder."""

import json
import logging
import os
import socket
import time
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lpsnmr.errors import FileFormatError
from lpsnmr.runs.progress import Status

__all__ = ["STATUS_FILE", "LiveStatus", "StatusFile", "read_status"]

logger = logging.getLogger(__name__)

STATUS_FILE = "status.json"
FORMAT = "lpsnmr-status"
RUNNING = "running"
RENAMED = {"n_phosphorus": "n_centers"}
"""How files of earlier versions call a number."""


@dataclass(frozen=True)
class LiveStatus:
    """What the file says.

    Attributes
    ----------
    state
        ``"running"``, or how it ended, in words.
    updated_s
        When, seconds since the epoch.
    process, host
        Who writes.
    status
        The progress; None before the first report.
    """

    state: str
    updated_s: float
    process: int
    host: str
    status: Status | None

    @property
    def running(self) -> bool:
        """Whether the writer says it runs and, when on this machine, is alive."""
        if self.state != RUNNING:
            return False
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


class StatusFile:
    """Writes ``status.json``, whole or not at all; never stops a run for it.

    Parameters
    ----------
    folder
        Output folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / STATUS_FILE
        self._status: Status | None = None
        self._warned = False

    @property
    def before(self) -> Status | None:
        """The progress that the file tells of; None without a readable one."""
        try:
            found = read_status(self._path.parent)
        except FileFormatError:
            return None
        return None if found is None else found.status

    def update(self, status: Status) -> None:
        """Write the progress."""
        self._status = status
        self._write(RUNNING)

    def close(self, state: str, status: Status | None = None) -> None:
        """Say how it ended; the last progress stays, unless there is a later one."""
        self._status = status or self._status
        self._write(state)

    def _write(self, state: str) -> None:
        content = {
            "format": FORMAT,
            "state": state,
            "updated_s": time.time(),
            "process": os.getpid(),
            "host": socket.gethostname(),
            "status": None if self._status is None else asdict(self._status),
        }
        aside = self._path.with_name(f".{STATUS_FILE}.{os.getpid()}.part")
        try:  # no fsync: after a crash of the machine nobody asks how far it was
            aside.write_text(json.dumps(content) + "\n", encoding="utf-8")
            os.replace(aside, self._path)
        except OSError as error:
            aside.unlink(missing_ok=True)
            if not self._warned:
                logger.warning("%s: cannot be written: %s", self._path, error.strerror)
            self._warned = True


def read_status(folder: Path) -> LiveStatus | None:
    """Return what ``status.json`` of an output folder says; None when there is none.

    Raises
    ------
    FileFormatError
        When it is not such a file.
    """
    path = folder / STATUS_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FileFormatError(f"{path}: expected an {FORMAT} file")
    try:
        values = content["status"]
        if values is not None:
            values = {RENAMED.get(name, name): value for name, value in values.items()}
            names = [f.name for f in fields(Status) if f.name in values or f.default is MISSING]
        status = None if values is None else Status(**{name: values[name] for name in names})
        return LiveStatus(
            str(content["state"]), float(content["updated_s"]), int(content["process"]),
            str(content["host"]), status,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path}: incomplete: {error}") from error
