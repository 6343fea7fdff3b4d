"""The checkpoint of the sums of one rank."""

import logging
import time
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lpsnmr.files.atomic import written_aside
from lpsnmr.fitting.folds import Sums
from lpsnmr.fitting.walk import Walk

__all__ = ["SumStore"]

log = logging.getLogger(__name__)


class SumStore:
    """The checkpoint of one rank."""

    def __init__(self, path: Path, key: str, seconds: float) -> None:
        self.path, self.key, self.seconds = path, key, seconds
        self.written = time.monotonic()

    @classmethod
    def of(cls, walk: Walk, key: str) -> "SumStore | None":
        """Return the store of this rank, or None when no checkpoints are wanted."""
        path = walk.execution.checkpoint
        if path is None:
            return None
        ranks = walk.ranks
        own = path if ranks.size == 1 else path.with_name(f"{path.name}.{ranks.rank}")
        return cls(own, f"{key} {ranks.rank}/{ranks.size}", walk.execution.checkpoint_s)

    def is_due(self) -> bool:
        """Tell whether the last write is long enough ago."""
        return time.monotonic() - self.written >= self.seconds

    def save(self, sums: Sums, done: int) -> None:
        """Write the sums of the first ``done`` frames."""
        arrays: dict[str, NDArray[np.generic]] = {"key": np.array(self.key), "done": np.array(done)}
        for k, s in enumerate(sums.everything()):
            arrays.update({f"{name}{k}": array for name, array in s.state().items()})
        with written_aside(self.path) as aside, aside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        self.written = time.monotonic()

    def load(self, sums: Sums) -> int:
        """Fill the sums from disk; return the number of frames they hold, 0 when there is no match."""
        if not self.path.exists():
            return 0
        try:
            with np.load(self.path, allow_pickle=False) as file:
                if str(file["key"]) != self.key:
                    log.warning("%s: of another fit; starting anew", self.path)
                    return 0
                for k, s in enumerate(sums.everything()):
                    s.restore({name: file[f"{name}{k}"] for name in s.state()})
                done = int(file["done"])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            log.warning("%s: not readable (%s); starting anew", self.path, error)
            for s in sums.everything():
                s.reset()
            return 0
        log.info("%s: going on after %d frames", self.path, done)
        return done
