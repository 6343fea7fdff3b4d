"""The phase of a labelled frame: what its header says, else what the name of its run stands for.

The only rule of phases: data cards, tables of errors and the weights of the EFG fit all ask here.
"""

import re
from collections import Counter
from collections.abc import Sequence

import ase

from lpsnmr.reference.splits import run_name

__all__ = ["DISORDERED", "PHASES", "common_phase", "order_of", "phase_of", "phase_of_run", "state_of"]

PHASES = (
    "β crystal",
    "γ crystal",
    "strained crystal at rest",
    "β cell above 1000 K",
    "γ cell above 1000 K",
    "melt",
    "quench",
    "clustering",
    "amorphous",
    "other",
)
"""What the name of a run can stand for; a header may say anything."""
DISORDERED = ("melt", "quench", "clustering", "amorphous")
"""Those of them that are no crystal."""
MELTS_FROM_K = 1500.0
"""A run at or above this temperature is a melt whatever it started from."""
GLASS = re.compile(r"glass|amorph|^am(\d|$)")


def phase_of_run(run: str, temperature: float | None) -> str:
    """Return the phase that the name of a run stands for, one of ``PHASES``.

    Names are made of words: ``b32``/``g32`` say the crystal and its atoms, ``eos``, ``quench``, ``melt``,
    ``glass`` and ``am32`` what was done to it; a ``b32_1800`` is a melt because β melts below. ``hot`` are
    the cells that a potential let cluster.

    Examples
    --------
    >>> [phase_of_run(*pair) for pair in [("ufp_g32_v+3_700", 700), ("b32_quench", 1800), ("b32_2500", 2500)]]
    ['γ crystal', 'quench', 'melt']
    """
    words = run.lower().split("_")
    if "eos" in words:
        return "strained crystal at rest"
    if "hot" in words:
        return "clustering"
    if any("quench" in word for word in words):
        return "quench"
    if any(GLASS.search(word) for word in words):
        return "amorphous"
    if any("melt" in word for word in words) or (temperature is not None and temperature >= MELTS_FROM_K):
        return "melt"
    for letter, name in (("b", "β"), ("g", "γ")):
        if any(word[:1] == letter and word[1:].isdigit() for word in words):
            hot = temperature is not None and temperature > 1000
            return f"{name} cell above 1000 K" if hot else f"{name} crystal"
    return "other"


def phase_of(frame: ase.Atoms) -> str:
    """Return ``phase`` of the header of a frame, else what name and temperature of its run stand for.

    Examples
    --------
    >>> phase_of(ase.Atoms("Li", info={"run": "b32_300", "run_T": 300.0}))
    'β crystal'
    >>> phase_of(ase.Atoms("Li", info={"run": "b32_300", "run_T": 300.0, "phase": "glass"}))
    'glass'
    """
    if "phase" in frame.info:
        return str(frame.info["phase"])
    temperature = frame.info.get("run_T")
    return phase_of_run(run_name(frame), None if temperature is None else float(temperature))


def common_phase(phases: Sequence[str]) -> str:
    """Return the phase of a run whose frames have these: the one of most frames, the first of equals."""
    return Counter(phases).most_common(1)[0][0]


def order_of(phase: str) -> str:
    """Return "crystal" or "disordered"; a phase that is none of ``PHASES`` keeps its own name.

    A name that says nothing ("other") counts as a crystal.

    Examples
    --------
    >>> [order_of(phase) for phase in ("γ cell above 1000 K", "quench", "other", "plastic")]
    ['crystal', 'disordered', 'crystal', 'plastic']
    """
    if phase in DISORDERED:
        return "disordered"
    return "crystal" if phase in PHASES else phase


def state_of(phase: str) -> str:
    """Return "crystal", "amorphous" or "melt"; melts, quenches and clusters are all melts.

    A phase that is none of ``PHASES`` keeps its own name.

    Examples
    --------
    >>> [state_of(phase) for phase in ("γ crystal", "quench", "amorphous", "plastic")]
    ['crystal', 'melt', 'amorphous', 'plastic']
    """
    if phase == "amorphous":
        return "amorphous"
    order = order_of(phase)
    return "melt" if order == "disordered" else order
