"""How much memory a fit may use: that of the machine, or less where job, container or user say so."""

import os
import platform
import resource
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lpsnmr.errors import InputError
from lpsnmr.parallel.ranks import Ranks

__all__ = ["check_matrices", "memory_left", "memory_limit", "room_for_features"]

SHARE = 0.5
"""Part of the memory beside the matrices that kept features may take, when nobody says how much."""


def memory_limit(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the most bytes the processes here may use together.

    The least of the memory of the machine, of the limits of the control groups this process is in (version 2:
    ``memory.max``, version 1: ``memory.limit_in_bytes``, all levels up to the root), and of ``ulimit -v``.

    Parameters
    ----------
    proc, cgroups
        Where the kernel tells what there is.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    own = [soft] if soft != resource.RLIM_INFINITY else []
    return min([machine, *own, *_group_limits(proc, cgroups)])


def memory_left(proc: Path = Path("/proc")) -> int | None:
    """Return how many bytes of the machine nobody uses at present; None where the kernel does not tell."""
    try:
        for line in (proc / "meminfo").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _group_limits(proc: Path, cgroups: Path) -> Iterator[int]:
    """Yield the limits of the control groups of this process, bytes."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            roots, name = [cgroups, cgroups / "unified"], "memory.max"
        elif "memory" in controllers.split(","):
            roots, name = [cgroups / "memory"], "memory.limit_in_bytes"
        else:
            continue
        # in a container the path may be that of the host: then only the root of the mount is there
        steps = [part for part in path.split("/") if part not in ("", "..")]
        for root in roots:
            for depth in range(len(steps) + 1):
                value = _read_limit(root.joinpath(*steps[:depth], name))
                if value is not None:
                    yield value


def _read_limit(path: Path) -> int | None:
    """Return the bytes in a file of a control group; None for "max" and for a file that is not there."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdecimal() else None


def _by_machine(ranks: Ranks, given: int | None) -> tuple[Counter[tuple[str, int]], tuple[str, int]]:
    """Return how many ranks there are of each (machine, bytes), and which of them is this rank's."""
    limit = memory_limit()
    own = platform.node(), limit if given is None else min(given, limit)
    return Counter(ranks.gather(own)), own


def check_matrices(size: int, matrices: int, ranks: Ranks, given: int | None = None) -> None:
    """Refuse a fit whose matrices the memory cannot hold; the system would end it amid the work.

    Ranks on machines of one name share its memory. All ranks come to the same answer.

    Parameters
    ----------
    size, matrices
        Unknowns, and how many matrices of size² float64 are held.
    given
        Bytes that the user allows the ranks of a machine; what the machine or job has when None.

    Raises
    ------
    InputError
        For matrices that do not fit.
    """
    machines, _ = _by_machine(ranks, given)
    for (_, there), here in machines.items():
        if here * matrices * size**2 * 8 > there:
            shared, fewer = (f" on each of {here} ranks", "fewer ranks, ") if here > 1 else ("", "")
            raise InputError(
                f"{size} coefficients: expected matrices that fit into the {there / 1e9:.3g} GB of memory, "
                f"got {matrices} of {size**2 * 8 / 1e9:.3g} GB{shared}; {fewer}fewer folds or wider spacings "
                "need less"
            )


def room_for_features(size: int, matrices: int, ranks: Ranks, given: int | None = None) -> int:
    """Return how many bytes of features this rank may keep beside its matrices; arguments as above.

    All that is given, or half of what the machine or job has and nobody uses at present.
    """
    machines, own = _by_machine(ranks, given)
    here = max(machines[own], 1)
    left = own[1]
    if given is None:
        unused = memory_left()
        left = left if unused is None else min(left, unused)
    rest = max(left - here * matrices * size**2 * 8, 0) // here
    return rest if given is not None else int(SHARE * rest)
