"""How much memory a fit may use, and features that are kept in it or in a file."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from lpsnmr.errors import ComputeError
from lpsnmr.fitting.features import FeatureStore, SparseRows, scratch_matrix
from lpsnmr.fitting.memory import check_matrices, memory_left, memory_limit, room_for_features
from lpsnmr.parallel import OneRank

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
MB = 1 << 20


def tree(folder, groups, **files):
    """Write /proc/self/cgroup and files of control groups as the kernel does; return proc and cgroups."""
    (folder / "proc" / "self").mkdir(parents=True)
    (folder / "proc" / "self" / "cgroup").write_text(groups)
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return folder / "proc", folder / "cgroup"


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/job/step\n", {"job/step/memory.max": "max", "job/memory.max": f"{300 * MB}"}, 300 * MB),
        ("0::/job/step\n", {"job/step/memory.max": f"{200 * MB}", "job/memory.max": f"{300 * MB}"}, 200 * MB),
        ("0::/\n", {"memory.max": f"{100 * MB}"}, 100 * MB),  # inside a container
        ("0::/../../host/path\n", {"memory.max": f"{100 * MB}"}, 100 * MB),
        (
            "5:cpu,cpuacct:/x\n4:memory:/slurm/job_7\n0::/\n",
            {
                "memory/slurm/job_7/memory.limit_in_bytes": f"{50 * MB}",
                "memory/memory.limit_in_bytes": f"{1 << 63}",
            },
            50 * MB,
        ),
        ("4:memory:/host/docker/f00\n", {"memory/memory.limit_in_bytes": f"{60 * MB}"}, 60 * MB),
        ("0::/job\n", {"job/memory.max": "max"}, MACHINE),
        ("5:cpu:/job\n", {"job/memory.max": "1"}, MACHINE),
        ("nonsense\n", {}, MACHINE),
    ],
)
def test_the_least_of_machine_and_control_groups_counts(tmp_path, groups, files, limit):
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    assert soft == resource.RLIM_INFINITY
    assert memory_limit(*tree(tmp_path, groups, **files)) == limit


def test_without_a_kernel_that_tells(tmp_path):
    assert memory_limit(tmp_path / "none", tmp_path / "none") == MACHINE
    assert memory_left(tmp_path) is None


def test_memory_of_this_process():
    assert 0 < memory_left() <= MACHINE
    assert 0 < memory_limit() <= MACHINE


def test_a_limit_of_the_shell_counts():
    code = "from lpsnmr.fitting.memory import memory_limit; print(memory_limit())"
    done = subprocess.run(
        ["bash", "-c", f"ulimit -v 4000000; exec {sys.executable} -c '{code}'"],
        capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert int(done.stdout) == min(4_000_000 * 1024, memory_limit())


class Fake:
    """Ranks, all on this machine."""

    def __init__(self, size):
        self.size = size

    def gather(self, item):
        return [item] * self.size


def test_room_for_features_is_what_the_matrices_leave():
    assert room_for_features(100, 2, OneRank(), given=1_000_000) == 1_000_000 - 160_000
    assert room_for_features(100, 2, Fake(4), given=1_000_000) == (1_000_000 - 4 * 160_000) // 4
    assert room_for_features(1000, 2, OneRank(), given=1_000_000) == 0
    assert 0 < room_for_features(0, 0, OneRank()) <= 0.5 * MACHINE
    check_matrices(100, 2, OneRank(), given=160_000)


def test_sparse_rows_are_the_array():
    dense = np.zeros((7, 4))
    dense[2], dense[5, 1], dense[6, 3] = [1.0, -2.0, 0.0, 3.0], -1e-300, np.nan
    rows = SparseRows.of(dense)
    assert rows.index.tolist() == [2, 5, 6]
    np.testing.assert_array_equal(rows.dense(), dense)
    at, values = rows.chosen(np.array([0, 2, 3, 6]))
    assert at.tolist() == [1, 3]
    np.testing.assert_array_equal(values, dense[[2, 6]])
    assert rows.nbytes == 3 * 4 + 3 * 4 * 8


def test_a_store_keeps_what_fits_and_gives_up_when_memory_ends():
    rows = SparseRows.of(np.ones((10, 10)))
    store = FeatureStore(2 * rows.nbytes)
    for _ in range(2):
        for number in range(3):
            assert store.get(number, lambda: rows) is rows
    assert (store.evaluated, store.nbytes) == (4, 2 * rows.nbytes)
    calls = []

    def refuse_once():
        calls.append(1)
        if len(calls) == 1:
            raise MemoryError
        return rows

    assert store.get(7, refuse_once) is rows
    assert (len(calls), store.nbytes, store.limit) == (2, 0, 0)


def test_a_scratch_file_is_an_array_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    array = scratch_matrix(50, 3)
    array[:] = np.arange(150.0).reshape(50, 3)
    assert list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(array[[3, 49]], [[9.0, 10.0, 11.0], [147.0, 148.0, 149.0]])
    with pytest.raises(ComputeError, match=r"scratch file of 8e\+09 GB in .*; TMPDIR names another folder"):
        scratch_matrix(10**9, 10**9)
