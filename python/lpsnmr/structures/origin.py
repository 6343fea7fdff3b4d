"""How a structure was made, told in its header and carried from step to step."""

from ase import Atoms

__all__ = ["MADE", "made", "with_step"]

MADE = "made"
"""Key of ``Atoms.info``: the steps from the crystal to the structure, separated by `` | ``."""


def made(atoms: Atoms) -> str:
    """Return how the structure was made, ``unknown`` when its header does not say."""
    return str(atoms.info.get(MADE, "unknown"))


def with_step(result: Atoms, before: Atoms, step: str) -> Atoms:
    """Give ``result`` the header of ``before`` with one more step; returns ``result`` itself.

    Labels and ``source`` of ``before`` are not carried over: the structure is another one.

    Examples
    --------
    >>> made(with_step(Atoms("Li"), Atoms("Li", info={"made": "a"}), "b"))
    'a | b'
    """
    kept = {k: v for k, v in before.info.items() if k not in {"source", "energy", "stress", "free_energy"}}
    result.info = {**kept, MADE: f"{before.info[MADE]} | {step}" if MADE in before.info else step}
    return result
