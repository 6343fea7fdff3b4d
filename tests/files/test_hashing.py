"""Hashes are those of the bytes."""

import hashlib

import numpy as np

from lpsnmr.files.hashing import add_arrays, sha256_of


def test_files_one_after_the_other(tmp_path):
    for name, text in (("a", b"one"), ("b", b"two\n")):
        (tmp_path / name).write_bytes(text)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"one").hexdigest()
    assert sha256_of(str(tmp_path / "a"), tmp_path / "b") == hashlib.sha256(b"onetwo\n").hexdigest()


def test_arrays_count_by_content_and_not_by_layout():
    a = np.arange(6.0).reshape(2, 3)
    digest, other = hashlib.sha256(), hashlib.sha256()
    add_arrays(digest, a, a.T)
    add_arrays(other, np.asfortranarray(a), np.ascontiguousarray(a.T))
    assert digest.digest() == other.digest() == hashlib.sha256(a.tobytes() + a.T.tobytes()).digest()
