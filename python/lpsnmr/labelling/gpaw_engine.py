"""The GPAW engine: a worker process in the Python that has GPAW, spoken to by lines of JSON."""

import json
import os
import subprocess
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from threading import Thread
from typing import Any

import ase
import numpy as np

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.labelling.engines import Labels
from lpsnmr.labelling.gpaw_python import (
    HOW_TO_INSTALL,
    clean_environment,
    find_gpaw_python,
    setup_folder,
    setup_path,
)
from lpsnmr.labelling.gpaw_settings import GpawSettings, lithium_dataset, stock_dataset

__all__ = ["GpawEngine"]

START = "import sys; sys.path.append(sys.argv[1]); from gpaw_worker.worker import main; main()"


class GpawEngine:
    """Labels from GPAW; one worker process, which lives until ``close``.

    Parameters
    ----------
    settings
        The recipe.
    python
        Interpreter with GPAW; looked for when None.

    Raises
    ------
    InputError
        When no Python with GPAW is found.
    ComputeError
        When the worker or the lithium setup fails to start.
    """

    def __init__(self, settings: GpawSettings | None = None, python: str | None = None) -> None:
        self.settings = settings or GpawSettings()
        self.python = find_gpaw_python(python)
        self._process: subprocess.Popen[str] | None = None
        self._said: deque[str] = deque(maxlen=50)
        self._jobs = 0
        self.versions = self._versions()
        self.name = f"gpaw-{self.versions['gpaw']}"

    def _versions(self) -> dict[str, str]:
        code = (
            "import sys, json, gpaw, ase; print(json.dumps(dict(gpaw=gpaw.__version__, ase=ase.__version__)))"
        )
        done = subprocess.run(
            [self.python, "-c", code],
            capture_output=True,
            text=True,
            env=clean_environment(),
            check=False,
            timeout=120,
        )
        try:
            versions: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
        except (ValueError, IndexError) as error:
            raise ComputeError(
                f"{self.python} does not tell the version of its GPAW: {done.stderr}"
            ) from error
        return versions

    def provenance(self) -> dict[str, Any]:
        """Return versions, settings and how the lithium setup is made."""
        record = {"engine": "gpaw", **self.versions, "settings": self.settings.as_dict()}
        if ("Li", "A") in self.settings.setups:
            record["lithium_setup"] = "gpaw dataset " + " ".join(lithium_dataset(self.settings.xc))
        made = stock_dataset(self.settings.xc, "ELEMENT")
        if made is not None:
            record["other_setups"] = "gpaw-setup " + " ".join(made)
        return record

    def _make_setups(self, elements: Iterable[str]) -> Path:
        """Return the folder of made setups, those of ``elements`` among them."""
        wanted = {e for e in elements if e != "Li" or ("Li", "A") in self.settings.setups}
        return setup_folder(self.python, self.versions["gpaw"], self.settings.xc, wanted)

    def _start(self) -> subprocess.Popen[str]:
        folder = self._make_setups(())
        process = subprocess.Popen(
            [self.python, "-c", START, str(Path(__file__).parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment({"GPAW_SETUP_PATH": setup_path(folder)}),
            start_new_session=True,
        )
        self._said.clear()
        Thread(target=self._listen, args=(process,), daemon=True).start()
        self._process = process
        hello = self._answer(process)
        if "error" in hello:
            self.close()
            raise InputError(f"{self.python} cannot import GPAW: {hello['error']}; {HOW_TO_INSTALL}")
        return process

    def _listen(self, process: subprocess.Popen[str]) -> None:
        if process.stderr is not None:
            for line in process.stderr:
                if line.strip():
                    self._said.append(line.strip())

    def _answer(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            status = process.wait()
            self._process = None
            said = self._said[-1] if self._said else "no message"
            raise ComputeError(f"the GPAW process ended (status {status}): {said}")
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise ComputeError(f"the GPAW process gave half an answer: {line[:80]!r}") from error
        return answer

    def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a job; without one the process ends, as its answer may still come."""
        try:
            process = self._process or self._start()
            try:
                if process.stdin is not None:
                    process.stdin.write(json.dumps(job) + "\n")
                    process.stdin.flush()
            except BrokenPipeError:
                pass  # the process is gone; its status is read below
            answer = self._answer(process)
            if answer.get("id") != job["id"]:
                raise ComputeError(f"the GPAW process answered job {answer.get('id')}, not {job['id']}")
        except BaseException:
            self._kill()
            raise
        return answer

    def label(self, atoms: ase.Atoms, log: str) -> Labels:
        """Run GPAW on a frame; its text goes to ``log``."""
        self._jobs += 1
        self._make_setups(atoms.get_chemical_symbols())
        job = {
            "id": self._jobs,
            "numbers": atoms.numbers.tolist(),
            "positions": atoms.positions.tolist(),
            "cell": atoms.cell.array.tolist(),
            "settings": self.settings.as_dict(),
            "log": os.path.abspath(log),
        }
        answer = self._ask(job)
        if "error" in answer:
            raise ComputeError(answer["error"])
        setups = ";".join(
            f"{symbol}:{entry['type']}:{entry['fingerprint'] or 'none'}"
            for symbol, entry in sorted(answer["setups"].items())
        )
        return Labels(
            energy=answer["energy"],
            forces=np.array(answer["forces"]),
            stress=np.array(answer["stress"]),
            efg=np.array(answer["efg"]),
            details={
                "kpts": answer["kpts"],
                "scf_iterations": answer["scf_iterations"],
                "setups": setups,
                **({"functional": self.settings.xc} if self.settings.xc != "PBE" else {}),
            },
        )

    def close(self) -> None:
        """End the worker; a calculation that runs is stopped."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin,):
            if stream is not None:
                stream.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _kill(self) -> None:
        """End the worker at once; the next job starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
