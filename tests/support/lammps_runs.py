"""Run LAMMPS decks with ranks and a time-out, and look at what came out."""

from pathlib import Path

import numpy as np
from ase.io.lammpsdata import write_lammps_data

from support.shared_process import BIN, TIMEOUT_S, own, shared


def run_lmp(deck, folder, ranks=1, name="in.test", own_process=False):
    """Run a deck; return the finished process with its output as text.

    A LAMMPS of its own in a process that other tests use too; with ``own_process`` the program ``lmp``.
    """
    (Path(folder) / name).write_text(deck)
    words = ["-in", name, "-nocite"]
    if own_process:
        return own([BIN / "lmp", *words], folder, ranks, TIMEOUT_S)
    return shared("deck", words, folder, ranks, TIMEOUT_S)


def assert_one_error(done, *words):
    """The run failed with one message, and all the words stand in the output."""
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert text.count("ERROR") == 1, text
    for part in words:
        assert part in text


STATIC = """units metal
atom_style atomic
boundary {boundary}
newton on
read_data {data}
{pair}
compute pe all pe/atom
compute stress all stress/atom NULL
compute centroid all centroid/stress/atom NULL
thermo_style custom step pe pxx pyy pzz pxy pxz pyz
thermo_modify format float %22.16g
dump all all custom 1 dump.static id fx fy fz c_pe c_stress[*] c_centroid[*]
dump_modify all sort id format float %22.16g
run 0
"""


def static_point(atoms, specorder, pair, folder, ranks=1, boundary="p p p"):
    """Return energy, pressure, forces and per-atom arrays of one configuration."""
    folder = Path(folder)
    write_lammps_data(folder / "data.static", atoms, specorder=specorder, masses=True, atom_style="atomic")
    done = run_lmp(STATIC.format(boundary=boundary, data="data.static", pair=pair), folder, ranks)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:2] == ["Step", "PotEng"])
    thermo = np.array(lines[start + 1].split(), dtype=float)
    table = np.loadtxt(folder / "dump.static", skiprows=9, ndmin=2)
    return {
        "energy": thermo[1],
        "pressure": thermo[2:],
        "forces": table[:, 1:4],
        "atom_energy": table[:, 4],
        "stress": table[:, 5:11],
        "centroid": table[:, 11:20],
    }
