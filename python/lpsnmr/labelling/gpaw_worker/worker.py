"""Read jobs from standard input, run GPAW, write answers to standard output; one JSON object per line."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
import traceback
from typing import Any, TextIO

__all__ = ["main"]

Job = dict[str, Any]


def main() -> None:
    """Serve jobs until standard input ends or the process that started this one is gone.

    The first line written says which versions run. A job has ``id``, ``numbers``, ``positions``, ``cell``
    (Å), ``settings`` and ``log``, the path of GPAW's own text; the answer has ``id`` and either the labels
    or ``error``. GPAW's chatter goes to standard error.
    """
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        import ase
        import gpaw
    except Exception as error:  # whatever a broken installation raises
        _write(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    _write(
        answers,
        {"gpaw": gpaw.__version__, "ase": ase.__version__, "python": sys.version.split()[0]},
    )
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer = _label(job)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # GPAW raises many kinds, SystemExit among them
            traceback.print_exc()
            text = " ".join(str(error).split()) or "no message"
            answer = {"error": f"{type(error).__name__}: {text[:300]}"}
        _write(answers, {"id": job["id"], **answer})


def _end_with_parent(parent: int) -> None:
    """End this process, also amid a calculation, when its parent is no longer ``parent``."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _write(file: TextIO, content: Job) -> None:
    file.write(json.dumps(content) + "\n")
    file.flush()


def _calculator(job: Job, atoms: Any) -> tuple[Any, tuple[int, ...]]:
    """Return a GPAW calculator for the job and its k-point counts."""
    from ase.units import Hartree
    from gpaw import GPAW, PW, Mixer

    s = job["settings"]
    lengths = atoms.cell.lengths()
    kpoints = tuple(max(1, math.ceil(s["kpoint_length_angstrom"] / length)) for length in lengths)
    calculator = GPAW(
        mode=PW(s["cutoff_hartree"] * Hartree),
        xc=s["xc"],
        setups=dict(s["setups"]),
        kpts={"size": kpoints, "gamma": kpoints == (1, 1, 1)},
        occupations={"name": "fermi-dirac", "width": s["smearing_ev"]},
        nbands=s["bands"],
        maxiter=s["max_iterations"],
        symmetry={"point_group": False},
        convergence={
            "energy": s["converged_energy_ev"],
            "density": s["converged_density"],
            "eigenstates": s["converged_eigenstates"],
        },
        mixer=Mixer(*s["mixer"]),
        txt=job["log"],
    )
    return calculator, kpoints


def _label(job: Job) -> Job:
    import numpy as np
    from ase import Atoms

    from .tensors import efg_tensors

    atoms = Atoms(numbers=job["numbers"], positions=job["positions"], cell=job["cell"], pbc=True)
    calculator, kpoints = _calculator(job, atoms)
    atoms.calc = calculator
    answer = {
        "energy": float(atoms.get_potential_energy()),
        "forces": np.asarray(atoms.get_forces()).tolist(),
        "stress": np.asarray(atoms.get_stress()).tolist(),
        "efg": efg_tensors(calculator).reshape(-1, 9).tolist(),
        "scf_iterations": int(calculator.scf.niter),
        "kpts": "x".join(map(str, kpoints)),
        "setups": {s.symbol: {"type": s.type, "fingerprint": s.fingerprint} for s in calculator.wfs.setups},
    }
    for label in ("energy", "forces", "stress", "efg"):
        if not np.isfinite(answer[label]).all():
            raise ValueError(f"{label} came out as something that is not a finite number")
    return answer
