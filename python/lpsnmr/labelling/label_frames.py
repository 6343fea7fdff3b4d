"""Label many frames: restartable, parallel over frames."""

import json
import os
import signal
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

import ase

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.labelling.engines import AseEngine, Engine
from lpsnmr.labelling.gpaw_engine import GpawEngine
from lpsnmr.labelling.gpaw_settings import GpawSettings
from lpsnmr.labelling.label_store import LabelStore, labelled_frame
from lpsnmr.labelling.term_engine import TERMS, TermEngine
from lpsnmr.version import __version__

__all__ = ["EngineChoice", "LabelReport", "LabelStatus", "label_frames"]


GATHER_SECONDS = 20.0
"""While frames come in, the output is written anew at most this often; a frame has a file of its own."""


@dataclass(frozen=True)
class EngineChoice:
    """Which engine, in a form that another process can open.

    Attributes
    ----------
    name
        ``gpaw``, a name of ``TERMS`` (the correction alone), or what
        ``lpsnmr.labelling.engines.calculator_class`` takes.
    options
        Keyword arguments of an ASE calculator; ``functional`` of a dispersion correction.
    gpaw
        Recipe of the GPAW engine.
    gpaw_python
        Interpreter with GPAW; looked for when None.
    """

    name: str = "gpaw"
    options: Mapping[str, Any] = field(default_factory=dict)
    gpaw: GpawSettings = field(default_factory=GpawSettings)
    gpaw_python: str | None = None

    def open(self) -> Engine:
        """Return the engine."""
        if self.name == "gpaw":
            if self.options:
                raise InputError(f"engine gpaw takes no calculator options, got {dict(self.options)}")
            return GpawEngine(self.gpaw, self.gpaw_python)
        if self.name in TERMS:
            unknown = sorted(set(self.options) - {"functional"})
            if unknown:
                raise InputError(f"engine {self.name}: expected no option but functional, got {unknown[0]}")
            return TermEngine(self.name, **self.options)
        return AseEngine(self.name, self.options)


@dataclass(frozen=True)
class LabelStatus:
    """Where a labelling stands; ``eta_s`` is None until a frame is done in this call."""

    done: int
    failed: int
    total: int
    eta_s: float | None


@dataclass(frozen=True)
class LabelReport:
    """What a labelling did.

    Attributes
    ----------
    output
        The file with all labelled frames.
    labelled, kept
        Frames labelled by this call, and those found done.
    failed
        (index in the input, reason) of frames without labels.
    waiting
        Frames of other parts that are not done yet.
    seconds
        Duration of this call.
    """

    output: Path
    labelled: int
    kept: int
    failed: list[tuple[int, str]]
    waiting: int
    seconds: float


@dataclass(frozen=True)
class _Job:
    index: int
    key: str
    frame: ase.Atoms


_ENGINE: list[Engine] = []
"""The engine of a pool's process."""


def _open_engine(choice: EngineChoice, wanted: Connection) -> None:
    """Begin a process of a pool; Ctrl-C goes to all of them, but the one that started them decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_unwanted, args=(wanted,), daemon=True).start()
    _ENGINE.append(choice.open())


def _end_unwanted(wanted: Connection) -> None:
    """End this process when the other end is closed: by the process that started it, or with that."""
    wanted.poll(None)
    os._exit(1)


def _label_in_pool(job: _Job, store: LabelStore) -> str | None:
    return _label_one(_ENGINE[0], job, store)


def _label_one(engine: Engine, job: _Job, store: LabelStore) -> str | None:
    """Label one frame and write it, or write why not; return why not."""
    store.folder.mkdir(parents=True, exist_ok=True)
    try:
        labels = engine.label(job.frame, str(store.path(job.key, ".log")))
    except ComputeError as error:
        store.put_failure(job.key, str(error))
        return str(error)
    store.put(job.key, labelled_frame(job.frame, labels, engine.name, store.settings_id))
    return None


def _results(
    engine: Engine, choice: EngineChoice, todo: Sequence[_Job], store: LabelStore, jobs: int
) -> Generator[tuple[_Job, str | None], None, None]:
    """Yield each job with its failure as they finish; on ``jobs`` processes, or in this one."""
    if jobs == 1 or len(todo) < 2:
        for job in todo:
            yield job, _label_one(engine, job, store)
        return
    context = get_context("spawn")
    wanted, want = context.Pipe(duplex=False)
    workers = min(jobs, len(todo))
    pool = ProcessPoolExecutor(workers, context, initializer=_open_engine, initargs=(choice, wanted))
    try:
        running: dict[Future[str | None], _Job] = {
            pool.submit(_label_in_pool, job, store): job for job in todo
        }
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise ComputeError(
            "a labelling process ended unexpectedly (out of memory?); frames that are done are kept, and the "
            "same command goes on"
        ) from error
    except BaseException:
        want.close()  # the processes end amid their frames, where they would go on with those handed out
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        want.close()
        wanted.close()


def _check(frames: Sequence[ase.Atoms], jobs: int, part: tuple[int, int]) -> None:
    if not frames:
        raise InputError("no frame to label")
    if jobs < 1:
        raise InputError(f"jobs: expected at least 1, got {jobs}")
    if not 0 <= part[0] < part[1]:
        raise InputError(f"part: expected I/N with 0 <= I < N, got {part[0]}/{part[1]}")
    for n, frame in enumerate(frames):
        where = frame.info.get("source", f"frame {n}")
        if not frame.pbc.all():
            got = " ".join("T" if p else "F" for p in frame.pbc)
            raise InputError(f'{where}: expected a cell periodic along three axes (pbc="T T T"), got "{got}"')
        if frame.cell.rank < 3:
            raise InputError(f"{where}: expected a cell with three vectors, got {frame.cell.rank}")


def _open_jobs(
    frames: Sequence[ase.Atoms], keys: Sequence[str], mine: Iterable[int], store: LabelStore, retry: bool
) -> list[_Job]:
    """Return what is still to be labelled of the frames ``mine``, each structure once."""
    jobs: dict[str, _Job] = {}
    for n in mine:
        known = store.has(keys[n]) or (store.failure(keys[n]) is not None and not retry)
        if not known and keys[n] not in jobs:
            jobs[keys[n]] = _Job(n, keys[n], frames[n])
    return list(jobs.values())


def label_frames(
    frames: Sequence[ase.Atoms],
    output: Path,
    choice: EngineChoice,
    *,
    jobs: int = 1,
    part: tuple[int, int] = (0, 1),
    retry_failed: bool = False,
    progress: Callable[[LabelStatus], None] | None = None,
) -> LabelReport:
    """Label frames and write them to ``output``, with the settings beside it as JSON.

    Each frame goes to ``OUTPUT.frames/`` as soon as it is done; a call with the same frames and settings
    goes on where the last one stopped. A frame whose calculation fails is reported and never written.

    Parameters
    ----------
    frames
        Structures, periodic in three directions; their labels, if any, are ignored.
    output
        Target, extended XYZ: the done frames in the order of ``frames``.
    choice
        Engine and its settings.
    jobs
        Processes side by side.
    part
        (I, N): label only frames I, I + N, I + 2N, … (for several calls at a time).
    retry_failed
        Try frames again that failed before.
    progress
        Called after each frame.

    Raises
    ------
    InputError
        For no frame, a frame that is not periodic or has no cell, or an engine that is unknown or not
        installed.
    ComputeError
        When the engine as a whole does not work.
    """
    _check(frames, jobs, part)
    begin = gathered = time.monotonic()
    engine = choice.open()
    try:
        store = LabelStore(output.with_name(output.name + ".frames"), engine.provenance())
        keys = [store.key(frame) for frame in frames]
        mine = range(part[0], len(frames), part[1])
        todo = _open_jobs(frames, keys, mine, store, retry_failed)
        kept = sum(store.has(keys[n]) for n in mine)
        labelled = 0
        before = sum(store.failure(keys[n]) is not None for n in mine) if not retry_failed else 0
        with closing(_results(engine, choice, todo, store, jobs)) as results:
            for count, (_, failure) in enumerate(results, start=1):
                labelled += failure is None
                if time.monotonic() - gathered > GATHER_SECONDS:
                    store.gather(keys, output)
                    gathered = time.monotonic()
                if progress:
                    left = (time.monotonic() - begin) / count * (len(todo) - count)
                    progress(LabelStatus(kept + labelled, before + count - labelled, len(mine), left))
    finally:
        engine.close()
    written = store.gather(keys, output)
    failed = [(n, reason) for n in mine if (reason := store.failure(keys[n])) is not None]
    waiting = sum(not store.has(k) and store.failure(k) is None for k in keys)
    if written:
        _write_provenance(output, engine, store, keys, written)
    return LabelReport(output, labelled, kept, failed, waiting, time.monotonic() - begin)


def _write_provenance(output: Path, engine: Engine, store: LabelStore, keys: Sequence[str], n: int) -> None:
    record = {
        "format": "lpsnmr-labels-1",
        "lpsnmr": __version__,
        "engine": engine.name,
        "label_id": store.settings_id,
        "provenance": engine.provenance(),
        "units": {"energy": "eV", "forces": "eV/Å", "stress": "eV/Å³", "efg": "Hartree atomic units"},
        "frames": {"given": len(keys), "labelled": n},
        "failed": {str(k): reason for k, key in enumerate(keys) if (reason := store.failure(key))},
    }
    with written_aside(output.with_name(output.name + ".json")) as aside:
        aside.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
