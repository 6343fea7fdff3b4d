"""Dumps that are still being written: plain, gzip, zstd, FIFO; and what must not happen to them."""

import gzip
import os
import threading
import time
import zlib

import numpy as np
import pytest
import zstandard

from lpsnmr.errors import FileFormatError
from lpsnmr.trajectory.dump import DumpReader
from support.dump_text import simple_frames

FRAMES = 30


def encoder(kind):
    if kind == "gz":
        packer = zlib.compressobj(wbits=31)
        return packer.compress, lambda: packer.flush(zlib.Z_SYNC_FLUSH), packer.flush
    if kind == "zst":
        packer = zstandard.ZstdCompressor().compressobj()
        return packer.compress, lambda: packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), packer.flush
    return (lambda data: data), (lambda: b""), (lambda: b"")


def write_slowly(path, kind, text, mode="wb"):
    """Write in uneven pieces, so that lines and numbers are cut anywhere."""
    compress, flush, end = encoder(kind)
    with open(path, mode, buffering=0) as file:
        for begin in range(0, len(text), 997):
            file.write(compress(text[begin : begin + 997]) + flush())
            time.sleep(0.003)
        file.write(end())


@pytest.mark.parametrize("kind", ["plain", "gz", "zst"])
@pytest.mark.parametrize("fifo", [False, True])
def test_follow_while_written(tmp_path, kind, fifo):
    texts, positions = simple_frames(FRAMES)
    path = tmp_path / "dump"
    if fifo:
        os.mkfifo(path)
    writer = threading.Thread(target=write_slowly, args=(path, kind, "".join(texts).encode()))
    writer.start()
    reader = DumpReader(path, follow=True, idle_s=1.0 if kind == "plain" and not fifo else 20.0, poll_s=0.01)
    frames = list(reader)
    writer.join()
    assert [f.step for f in frames] == list(range(0, 10 * FRAMES, 10))
    np.testing.assert_allclose([f.unwrapped for f in frames], positions, rtol=1e-15)
    expected = "FIFO" if fifo else {"plain": "nothing new"}.get(kind, "compressed stream")
    assert expected in reader.reason


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_several_members(tmp_path, kind):
    texts, _ = simple_frames(4)
    path = tmp_path / "dump"
    pack = gzip.compress if kind == "gz" else zstandard.ZstdCompressor().compress
    path.write_bytes(b"".join(pack(t.encode()) for t in texts))
    assert len(list(DumpReader(path))) == 4


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_damaged_compression(tmp_path, kind):
    text = "".join(simple_frames(20)[0]).encode()
    pack = gzip.compress if kind == "gz" else zstandard.ZstdCompressor(write_checksum=True).compress
    data = bytearray(pack(text))
    path = tmp_path / "dump"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FileFormatError, match="ends inside frame"):
        list(DumpReader(path))
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"damaged|expected|ends inside"):
        list(DumpReader(path))


def follow_until(path, change):
    """Follow ``path``, apply ``change`` after the first frame, return what the reader raised."""
    reader = iter(DumpReader(path, follow=True, idle_s=10.0, poll_s=0.01))
    next(reader)
    change()
    with pytest.raises(FileFormatError) as caught:
        list(reader)
    return str(caught.value)


def test_file_changed_under_the_reader(tmp_path):
    text = simple_frames(1)[0][0]
    path = tmp_path / "dump"

    def replace():
        (tmp_path / "new").write_text(text)
        os.replace(tmp_path / "new", path)

    for change, words in [
        (replace, "replaced by another file"),
        (lambda: os.truncate(path, 10), "truncated while"),
        (path.unlink, "removed while"),
    ]:
        path.write_text(text)
        assert words in follow_until(path, change)


def test_idle_inside_a_frame_is_an_error(tmp_path):
    texts, _ = simple_frames(2)
    path = tmp_path / "dump"
    path.write_text(texts[0] + texts[1][:-30])
    with pytest.raises(FileFormatError, match="ends inside frame 2"):
        list(DumpReader(path, follow=True, idle_s=0.1, poll_s=0.01))


def test_stop_inside_a_frame_is_none(tmp_path):
    texts, _ = simple_frames(2)
    path = tmp_path / "dump"
    path.write_text(texts[0] + texts[1][:-30])
    begin = time.monotonic()
    reader = DumpReader(path, follow=True, idle_s=None, stopped=lambda: time.monotonic() > begin + 0.2)
    assert len(list(reader)) == 1
    assert reader.reason == "stopped"


def test_file_that_never_appears(tmp_path):
    with pytest.raises(FileFormatError, match="did not appear"):
        list(DumpReader(tmp_path / "absent", follow=True, idle_s=0.1, poll_s=0.01))
