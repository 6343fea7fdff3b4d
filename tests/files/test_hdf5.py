"""HDF5 files on a disk that fills: an ordinary error, wherever it happens."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest

from lpsnmr.files.hdf5 import write_hdf5

FULL_AT_ANY_MOMENT = """
import resource
from pathlib import Path
from test_hdf5 import fill
from lpsnmr.files.hdf5 import write_hdf5
path = Path("whole.h5")
write_hdf5(path, fill)
whole, failures = path.stat().st_size, 0
path.unlink()
for size in range(0, whole + 1, whole // 60):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        write_hdf5(path, fill)
    except OSError as error:
        failures += error.errno == 27
    path.unlink()
print(failures)
"""


@cache
def rows():
    """Return what fills the file; made once for sixty disks."""
    return np.random.default_rng(1).normal(size=(256, 6000)).round(1)


def fill(file, check):
    """Write chunks in halves, which are read and written again, too large for the cache of chunks."""
    data = file.create_dataset("x", (256, 6000), "f4", chunks=(64, 6000), compression="gzip")
    for low in range(0, 256, 32):
        data[low : low + 32] = rows()[low : low + 32]
        check()
    file["step"] = np.arange(256)


def test_contents(tmp_path):
    write_hdf5(tmp_path / "a.h5", fill)
    with h5py.File(tmp_path / "a.h5", "r") as file:
        expected = np.random.default_rng(1).normal(size=(256, 6000)).round(1).astype(np.float32)
        np.testing.assert_array_equal(file["x"][()], expected)
        assert file["step"][-1] == 255


def test_full_disk(tmp_path):
    """Sixty sizes of the disk, the last large enough: no crash and no success with data missing."""
    here = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", FULL_AT_ANY_MOMENT], cwd=tmp_path, env=here,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) >= 59


def test_error_of_the_caller(tmp_path):
    def bad(file, check):
        raise KeyError("x")

    with pytest.raises(KeyError):
        write_hdf5(tmp_path / "a.h5", bad)
