"""Which steps a trajectory file holds, found without reading its atoms."""

import itertools
import stat
from pathlib import Path

from lpsnmr.errors import FileFormatError
from lpsnmr.trajectory.sources import ByteSource

__all__ = ["ascending_runs", "dump_steps"]

_MARK = b"ITEM: TIMESTEP"
_LONGEST_LINE = 64


def dump_steps(path: Path) -> list[int] | None:
    """Return the steps of a text dump as far as it is written; None for a FIFO or a file that is not there.

    Damage ends the list: the reader tells where and what it is.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        source = ByteSource(path)
    except (OSError, FileFormatError):
        return None
    steps: list[int] = []
    rest = b""
    try:
        while text := source.read():
            rest += text
            rest = _take_steps(rest, steps)
    except (FileFormatError, ValueError):
        pass
    finally:
        source.close()
    return steps


def _take_steps(text: bytes, steps: list[int]) -> bytes:
    """Append the steps in ``text``; return its end, where a step may be cut."""
    at = 0
    while (found := text.find(_MARK, at)) >= 0:
        begin = text.find(b"\n", found)
        end = text.find(b"\n", begin + 1) if begin >= 0 else -1
        if end < 0:
            if len(text) - found > 4 * _LONGEST_LINE:
                raise ValueError("no step after ITEM: TIMESTEP")
            return text[found:]
        steps.append(int(text[begin + 1 : end][:_LONGEST_LINE]))
        at = end
    return text[max(at, len(text) - len(_MARK)) :]


def ascending_runs(steps: list[int]) -> list[tuple[int, int]]:
    """Return the half-open ranges of frames in which steps ascend.

    Examples
    --------
    >>> ascending_runs([0, 50, 100, 50, 100, 150])
    [(0, 3), (3, 6)]
    """
    breaks = [k for k in range(1, len(steps)) if steps[k] <= steps[k - 1]]
    edges = [0, *breaks, len(steps)]
    return [(a, b) for a, b in itertools.pairwise(edges) if b > a]
