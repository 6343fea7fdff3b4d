"""Write files aside and rename them into place, so that nothing on disk is ever half-written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["written_aside"]


@contextmanager
def written_aside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is flushed and renamed to ``path``.

    When the body raises, the temporary file is removed and ``path`` stays as it was.

    Parameters
    ----------
    path
        Final path; its folder must exist.

    Examples
    --------
    >>> with written_aside("/tmp/lpsnmr-doctest.txt") as aside:
    ...     _ = aside.write_text("whole")
    >>> Path("/tmp/lpsnmr-doctest.txt").read_text()
    'whole'
    """
    final = Path(path)
    aside = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        yield aside
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(aside, final)
    finally:
        aside.unlink(missing_ok=True)
