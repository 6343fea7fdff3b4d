"""Processes that live through many tests: a LAMMPS deck or an lpsnmr command without a start of its own.

A start costs a second or more (Python, NumPy, SciPy, MPI on each rank); a deck of a test takes
milliseconds. ``shared`` hands a request to ``mpirun -np N python worker.py``, which is started with the first
request and ends with the tests. The answer has what ``subprocess.run`` returns. A crash, MPI_Abort or
a hang ends that process as it would end one of its own, and the next request gets a new one.

Processes of their own stay where the process is what is tested: signals, limits, kills, launchers.
LPSNMR_OWN_PROCESSES=1 gives every request one.
"""

import atexit
import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent
WORKER = Path(__file__).with_name("worker.py")
TIMEOUT_S = 300
"""Longest wait for a start or an answer: only a hang takes as long, even where much else runs."""
END_S = 60
FRESH = os.environ.get("LPSNMR_OWN_PROCESSES", "0") not in ("", "0")
PROGRAMS = {"deck": [BIN / "lmp"], "command": [BIN / "lpsnmr"], "script": [sys.executable]}
INHERITED = dict(os.environ)


def launched(command, ranks):
    """Return the command line as words; under mpirun when ``ranks`` is given."""
    launcher = [] if ranks is None else [BIN / "mpirun", "-np", ranks]
    return [str(word) for word in (*launcher, *command)]


def own(command, folder, ranks=None, timeout_s=TIMEOUT_S):
    """Run a command in a process of its own."""
    return subprocess.run(
        launched(command, ranks), cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def changed_environment():
    """Return the variables that differ from those of the shared processes; None for one taken away."""
    names = (os.environ.keys() | INHERITED.keys()) - {"PYTEST_CURRENT_TEST"}
    return {k: os.environ.get(k) for k in sorted(names) if os.environ.get(k) != INHERITED.get(k)}


class Worker:
    """The ranks of one ``mpirun``, each with a socket; without ``ranks``, one Python without mpirun."""

    def __init__(self, ranks):
        self._home = tempfile.TemporaryDirectory(prefix="lpsnmr-tests-")
        self._folder, self._seen = Path(self._home.name), 0
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(self._folder / "door"))
            door.listen()
            door.settimeout(TIMEOUT_S)
            with (self._folder / "launcher").open("wb") as output:
                self._process = subprocess.Popen(
                    launched([sys.executable, WORKER, self._folder / "door", self._folder], ranks),
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                )  # fmt: skip
            self._channels = [door.accept()[0] for _ in range(ranks or 1)]
        self._streams = [channel.makefile("rw") for channel in self._channels]
        self._pids = [json.loads(stream.readline())["pid"] for stream in self._streams]
        self.alive = True

    def run(self, kind, words, folder, timeout_s):
        """Return the finished request as ``subprocess.run`` does, and raise its TimeoutExpired."""
        words = [str(word) for word in words]
        request = {"kind": kind, "words": words, "folder": str(folder), "environment": changed_environment()}
        for stream in self._streams:
            with contextlib.suppress(ConnectionError):  # seen below as the end of the stream
                print(json.dumps(request), file=stream, flush=True)
        statuses = self._statuses(time.monotonic() + timeout_s)
        if statuses is None:
            self.kill()
            raise subprocess.TimeoutExpired(words, timeout_s, *self._output())
        if not self.alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
            self.kill()
            if not any(statuses):
                statuses = [self._process.returncode or 1]
        return subprocess.CompletedProcess(words, max(statuses, key=abs), *self._output())

    def _statuses(self, deadline):
        """Wait for all ranks; those that died leave no status, and None says that time ran out."""
        statuses = []
        with selectors.DefaultSelector() as ready:
            for channel, stream in zip(self._channels, self._streams, strict=True):
                ready.register(channel, selectors.EVENT_READ, stream)
            while ready.get_map():
                for key, _ in ready.select(max(0.0, deadline - time.monotonic())):
                    ready.unregister(key.fileobj)
                    try:
                        line = key.data.readline()
                    except ConnectionResetError:  # it died with the request unread
                        line = ""
                    answer = json.loads(line) if line else {"last": True}
                    self.alive = self.alive and not answer["last"]
                    statuses += [answer["status"]] if "status" in answer else []
                if ready.get_map() and time.monotonic() > deadline:
                    return None
        return statuses

    def _output(self):
        """Return what the ranks wrote since the request, rank by rank, and the launcher's own words."""
        ranks = range(len(self._channels))
        out, err = (  # none of a rank that was ended before it read the request
            "".join(
                path.read_text(errors="replace")
                for path in (self._folder / f"{name}.{rank}" for rank in ranks)
                if path.exists()
            )
            for name in ("out", "err")
        )
        return out, err + (self._folder / "launcher").read_text(errors="replace")

    def kill(self):
        """End the processes whatever they do."""
        self.alive = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.poll() is None or self._process.returncode:
            for pid in self._pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait(END_S)
        for channel in (*self._streams, *self._channels):
            with contextlib.suppress(OSError):
                channel.close()

    def close(self):
        """Let the processes end by themselves."""
        for channel in (*self._streams, *self._channels):
            with contextlib.suppress(OSError):
                channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self.kill()
        self._home.cleanup()


WORKERS: dict = {}
MOST = 4
"""Processes kept: memory is not wasted on ranks that few tests want."""


def shared(kind, words, folder, ranks=None, timeout_s=TIMEOUT_S):
    """Run a request in a process that other tests use too; return what ``subprocess.run`` would.

    ``kind``: a "deck" with the words after ``lmp``, a "command" with those after ``lpsnmr``, or a "script" of
    Python. What reads variables LPSNMR_ may keep what it read, so that a test that sets some gets a process
    of its own.
    """
    if FRESH or any(name.startswith("LPSNMR_") for name in changed_environment()):
        return own([*PROGRAMS[kind], *words], folder, ranks, timeout_s)
    key = (kind, ranks)
    if key in WORKERS and not WORKERS[key].alive:
        WORKERS.pop(key).close()
    if key not in WORKERS:
        while len(WORKERS) >= MOST:
            WORKERS.pop(next(iter(WORKERS))).close()
        WORKERS[key] = Worker(ranks)
    WORKERS[key] = worker = WORKERS.pop(key)  # the last used is the last to go
    return worker.run(kind, words, folder, timeout_s)


@atexit.register
def close_all():
    """End the processes; they end too when this process is killed."""
    while WORKERS:
        WORKERS.popitem()[1].close()
