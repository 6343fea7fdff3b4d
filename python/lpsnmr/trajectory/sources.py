"""Bytes of a file or FIFO, plain or compressed, which another program may still be writing."""

import bz2
import lzma
import os
import stat
import zlib
from pathlib import Path
from typing import Protocol

import zstandard

from lpsnmr.errors import FileFormatError

__all__ = ["ByteSource"]

CHUNK_PLAIN = 1 << 22
CHUNK_COMPRESSED = 1 << 18
MAGIC = {
    "gzip": b"\x1f\x8b",
    "zstd": b"\x28\xb5\x2f\xfd",
    "bzip2": b"BZh",
    "xz": b"\xfd7zXZ\x00",
}
"""What compressed files begin with."""
DAMAGE = (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError)
"""What decompressors raise on damaged data."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _new(kind: str) -> _Decompressor:
    """Return a decompressor of one of the kinds of ``MAGIC``."""
    if kind == "gzip":
        return zlib.decompressobj(wbits=31)
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    if kind == "xz":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ)
    decompressor: _Decompressor = zstandard.ZstdDecompressor().decompressobj()
    return decompressor


class ByteSource:
    """Read what has been written so far; compression is recognised by the first bytes.

    Parameters
    ----------
    path
        File or FIFO; must exist.

    Attributes
    ----------
    is_fifo
        True for a FIFO.
    ended
        True when nothing more can come: the writer of a FIFO has closed it.

    Raises
    ------
    FileFormatError
        When the file cannot be opened or read, is removed, replaced or truncated while it is being
        followed, or holds damaged compressed data.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.ended = False
        self._offset = 0
        self._head = b""
        self._kind = ""
        self._decompressor: _Decompressor | None = None
        try:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise FileFormatError(f"{self.path}: cannot open: {error.strerror}") from error
        status = os.fstat(self._fd)
        self.is_fifo = stat.S_ISFIFO(status.st_mode)
        self._inode = (status.st_dev, status.st_ino)
        if stat.S_ISDIR(status.st_mode):
            self.close()
            raise FileFormatError(f"{self.path}: expected a trajectory file or FIFO, got a folder")

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read(self) -> bytes:
        """Return the next piece of (decompressed) text, or ``b""`` when there is none right now."""
        while True:
            raw = self._read_raw()
            if not raw:
                return b""
            text = self._decompress(raw)
            if text:
                return text

    @property
    def incomplete(self) -> bool:
        """True when a compressed stream has begun and its end has not been read."""
        return bool(self._head) or (self._decompressor is not None and not self._decompressor.eof)

    @property
    def stream_ended(self) -> bool:
        """True when the end of a compressed stream is the last thing read: its writer closed it."""
        return self._decompressor is not None and self._decompressor.eof

    def check_unchanged(self) -> None:
        """Raise unless the path still names the open file and the file has not shrunk."""
        if self.is_fifo:
            return
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise FileFormatError(f"{self.path}: removed while it was being followed") from error
        if (status.st_dev, status.st_ino) != self._inode:
            raise FileFormatError(f"{self.path}: replaced by another file while it was being followed")
        if status.st_size < self._offset:
            raise FileFormatError(
                f"{self.path}: truncated while it was being followed: {self._offset} bytes were read, "
                f"now it has {status.st_size}"
            )

    def _read_raw(self) -> bytes:
        if self.ended:
            return b""
        try:
            raw = os.read(self._fd, CHUNK_COMPRESSED if self._decompressor else CHUNK_PLAIN)
        except BlockingIOError:
            return b""  # a FIFO whose writer is idle
        except OSError as error:
            raise FileFormatError(f"{self.path}: cannot read: {error.strerror}") from error
        self._offset += len(raw)
        if not raw and self.is_fifo and self._offset > 0:
            self.ended = True
        return raw

    def _decompress(self, raw: bytes) -> bytes:
        if not self._kind:
            self._head += raw
            raw = self._identify()
            if not raw:
                return b""
        if self._kind == "plain":
            return raw
        pieces = []
        try:
            while raw:
                if self._decompressor is None or self._decompressor.eof:
                    raw = raw.lstrip(b"\0")  # padding between members
                    if not raw:
                        break
                    self._decompressor = _new(self._kind)
                pieces.append(self._decompressor.decompress(raw))
                raw = self._decompressor.unused_data if self._decompressor.eof else b""
        except DAMAGE as error:
            raise FileFormatError(f"{self.path}: damaged {self._kind} data: {error}") from error
        return b"".join(pieces)

    def _identify(self) -> bytes:
        """Decide on the kind once enough bytes are there; return the bytes held back until then."""
        head = self._head
        known = [kind for kind, magic in MAGIC.items() if head.startswith(magic)]
        if not known and any(magic.startswith(head) for magic in MAGIC.values()):
            return b""
        self._kind = known[0] if known else "plain"
        self._head = b""
        return head
