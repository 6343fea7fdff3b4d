"""Write files aside and rename them into place, so that nothing on disk is ever half-written."""

import errno
import glob
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from lpsnmr.errors import InputError

__all__ = ["FileSet", "WriteError", "check_targets", "remove_stale", "written_aside", "written_together"]

PathLike = str | os.PathLike[str]
FILE_ERRORS = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM),
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP),
        *(errno.EMFILE, errno.ENFILE, errno.EBUSY, errno.ETXTBSY, errno.ESTALE),
    )
)
"""Numbers of errors that come from files, not from networks, pipes or processes."""


class WriteError(InputError, OSError):
    """A file cannot be written: disk full, no permission, a folder of that name."""

    path: Path

    @classmethod
    def of(cls, path: Path, error: OSError) -> "WriteError":
        """Return the error of the system with the name of the file that the user knows."""
        reason = error.strerror or str(error)
        number = "" if error.errno is None else f"[Errno {error.errno}] "
        new = cls(
            f"{path}: {number}{reason}; expected a folder that can be written to, with room for the file"
        )
        new.path, new.errno = path, error.errno
        return new


def _aside(path: Path) -> Path:
    """Return the name under which this process writes a file before it is renamed."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def written_aside(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is flushed and renamed to ``path``.

    When the body raises, the temporary file is removed and ``path`` stays as it was.

    Parameters
    ----------
    path
        Final path; its folder must exist.

    Raises
    ------
    WriteError
        When the system refuses; names ``path``. Errors of other files, and of what is no file, pass.

    Examples
    --------
    >>> with written_aside("/tmp/lpsnmr-doctest.txt") as aside:
    ...     _ = aside.write_text("whole")
    >>> Path("/tmp/lpsnmr-doctest.txt").read_text()
    'whole'
    """
    final = Path(path)
    aside = _aside(final)
    try:
        try:
            yield aside
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(aside, final)
        finally:
            aside.unlink(missing_ok=True)
    except WriteError:
        raise
    except OSError as error:
        if not _is_of(error, aside):
            raise
        raise WriteError.of(final, error) from error


def _is_of(error: OSError, path: Path) -> bool:
    """Tell whether an error is of a file: by its name, or without one by its kind."""
    if error.filename is not None:
        return Path(os.fsdecode(error.filename)) == path
    if error.errno is None:
        return type(error) is OSError  # numpy says so that fewer bytes were written
    return error.errno in FILE_ERRORS


class FileSet:
    """Files that appear together; from ``written_together``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._hidden: dict[Path, Path] = {}  # folder -> the hidden one in it
        self._unwanted: list[Path] = []

    def aside(self, path: PathLike) -> Path:
        """Return where to write a file: under its own name, in a hidden folder beside it."""
        final = Path(path)
        if final.parent not in self._hidden:
            hidden = _aside(final.parent / f"{self._name}.{len(self._hidden)}")
            shutil.rmtree(hidden, ignore_errors=True)
            try:
                hidden.mkdir()
            except OSError as error:
                raise WriteError.of(final, error) from error
            self._hidden[final.parent] = hidden
        return self._hidden[final.parent] / final.name

    def remove(self, path: PathLike) -> None:
        """Remove a file of an earlier time, if there is one, when the others appear."""
        self._unwanted.append(Path(path))

    def final(self, path: Path) -> Path:
        """Return where a path from ``aside`` is going to be; other paths as they are."""
        folders = [folder for folder, hidden in self._hidden.items() if hidden == path.parent]
        return folders[0] / path.name if folders else path

    def publish(self) -> None:
        """Rename all files into place; when one cannot be, put back those that were there before."""
        pairs = [(p, self.final(p)) for hidden in self._hidden.values() for p in sorted(hidden.iterdir())]
        _refuse_folders([*(final for _, final in pairs), *self._unwanted])
        unwanted = [(self.aside(path), path) for path in self._unwanted if os.path.lexists(path)]
        fresh, replaced = [], []
        final = Path()
        try:
            for aside, final in pairs:
                before = aside.with_name(f"{aside.name}.before")
                if not final.exists():
                    fresh.append(final)
                else:
                    with suppress(OSError):  # a file system without links: that file cannot be put back
                        os.link(final, before)
                        replaced.append((before, final))
                os.replace(aside, final)
            for gone, final in unwanted:
                os.replace(final, gone)
                replaced.append((gone, final))
        except OSError as error:
            for path in fresh:
                path.unlink(missing_ok=True)
            for before, path in reversed(replaced):
                os.replace(before, path)
            raise WriteError.of(final, error) from error

    def discard(self) -> None:
        """Remove the hidden folders and what is left in them."""
        for hidden in self._hidden.values():
            shutil.rmtree(hidden, ignore_errors=True)


@contextmanager
def written_together(name: str) -> Iterator[FileSet]:
    """Yield a set of files that are written aside and, on success, renamed into place one after the other.

    When the body raises, none appears and those of an earlier time stay as they were; so too, as far as the
    system renames them back, when a rename fails.

    Parameters
    ----------
    name
        Names the hidden folders ``.NAME.0.PID.part``, which ``remove_stale`` knows.

    Raises
    ------
    WriteError
        When the system refuses; names the file as it would be called in the end.

    Examples
    --------
    >>> with written_together("lpsnmr-doctest") as files:
    ...     _ = files.aside("/tmp/lpsnmr-doctest.a").write_text("1")
    ...     _ = files.aside("/tmp/lpsnmr-doctest.b").write_text("2")
    >>> Path("/tmp/lpsnmr-doctest.b").read_text()
    '2'
    """
    files = FileSet(name)
    try:
        yield files
        files.publish()
    except OSError as error:
        path = error.path if isinstance(error, WriteError) else Path(os.fsdecode(error.filename or ""))
        final = files.final(path)
        if final == path:
            raise
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        raise WriteError.of(final, cause) from error
    finally:
        files.discard()


def check_targets(*paths: PathLike) -> None:
    """Refuse names that no file can be written under, before the work that makes the files.

    Raises
    ------
    InputError
        For a folder of that name, or a folder around it that is missing, full or not to be written to.
    """
    finals = [Path(path) for path in paths]
    _refuse_folders(finals)
    for path in finals:
        if not path.parent.is_dir():
            raise InputError(f"{path}: the folder {path.parent} does not exist")
    for path in {p.parent: p for p in reversed(finals)}.values():
        probe = _aside(path)
        try:
            try:
                probe.write_bytes(bytes(4096))
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError.of(path, error) from error


def _refuse_folders(paths: Sequence[Path]) -> None:
    """Refuse names that are those of folders."""
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path}: expected the name of a file, got that of a folder")


def remove_stale(path: PathLike) -> None:
    """Remove what killed processes have left aside of a file (``.NAME.PID.part``, ``.NAME.*.PID.part``).

    What belongs to another process of this machine that is alive stays; that this process has something of
    ``path`` aside is not allowed.
    """
    final = Path(path)
    for old in final.parent.glob(f".{glob.escape(final.name)}.*part"):
        number = old.name.split(".")[-2]
        if not number.isdigit() or (int(number) != os.getpid() and _is_alive(int(number))):
            continue
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    """Tell whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
