"""compute ufp/extrapolation against Python: ranks, cells, groups, lists, and fixes that act on it."""

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from ase.io.lammpsdata import write_lammps_data

from lpsnmr.potential import Extrapolation
from lpsnmr.structures import load_structure
from support.lammps_runs import assert_one_error, run_lmp

MODELS = files("lpsnmr.data") / "models"
UFX, UF3, UFD = (MODELS / f"lps.{end}" for end in ("ufx", "uf3", "ufd"))
ELEMENTS = ["Li", "P", "S"]
PAIR = f"pair_style ufp 3\npair_coeff * * {UF3} {UFD} Li P S"
DECK = """units metal
atom_style atomic
boundary {boundary}
read_data data.x
mass * 10
{pair}
{settings}
group chosen {group}
compute x chosen ufp/extrapolation {file} {elements}
thermo_style custom step c_x[*]
thermo_modify format float %.17g
dump all all custom 1 dump.x id c_x[*]
dump_modify all sort id format float %22.16g
{run}
"""


def crystal(shear=False, amplitude=0.15):
    """Return β-Li3PS4 off its sites, with an S pushed onto another."""
    atoms = load_structure("beta-Li3PS4")
    atoms.info, atoms.arrays = {}, {k: atoms.arrays[k] for k in ("numbers", "positions")}
    if shear:
        cell = atoms.cell.array @ np.array([[1, 0, 0], [0.12, 1, 0], [-0.1, 0.15, 1]])
        atoms.set_cell(cell, scale_atoms=True)
    atoms.rattle(amplitude, seed=3)
    sulfur = np.flatnonzero(atoms.numbers == 16)
    atoms.positions[sulfur[0]] = atoms.positions[sulfur[1]] + [0.6, 0.5, -0.5]
    return atoms


def run_x(atoms, folder, ranks=1, **changes):
    """Run the deck; return the finished process."""
    folder = Path(folder)
    write_lammps_data(folder / "data.x", atoms, specorder=ELEMENTS, masses=False, atom_style="atomic")
    values = {
        "boundary": "p p p",
        "pair": PAIR,
        "settings": "",
        "group": "type > 0",
        "file": UFX,
        "elements": "Li P S",
        "run": "run 0",
    } | changes
    return run_lmp(DECK.format(**values), folder, ranks)


def results_of(done, folder):
    """Return the last frame's (n, 2) columns and the global vector."""
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (Path(folder) / "dump.x").read_text().splitlines()
    n = int(lines[3])
    table = np.array([line.split() for line in lines[-n:]], dtype=float)
    text = done.stdout.splitlines()
    start = max(i for i, line in enumerate(text) if line.split()[:2] == ["Step", "c_x[1]"])
    return table[:, 1:], np.array(text[start + 1].split()[1:], dtype=float)


def expected_of(atoms):
    grades = Extrapolation(UFX).evaluate(atoms)
    return np.stack([grades.distance_excess, grades.grade], axis=1)


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("shear", [False, True])
def test_equal_to_python(tmp_path, ranks, shear):
    atoms = crystal(shear)
    table, vector = results_of(run_x(atoms, tmp_path, ranks), tmp_path)
    expected = expected_of(atoms)
    assert expected[:, 0].max() > 0.3
    assert expected[:, 1].max() > 1.0
    np.testing.assert_allclose(table, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(vector[:2], expected.max(axis=0), rtol=1e-10)
    assert vector[2:].tolist() == [(expected[:, 0] > 0).sum(), (expected[:, 1] > 1).sum()]


def test_group_and_open_boundary(tmp_path):
    atoms = crystal()
    atoms.pbc = (True, True, False)
    atoms.center(vacuum=3.0, axis=2)
    table, vector = results_of(run_x(atoms, tmp_path, 2, boundary="p p f", group="type 3"), tmp_path)
    expected = expected_of(atoms)
    expected[atoms.numbers != 16] = 0
    np.testing.assert_allclose(table, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(vector[:2], expected.max(axis=0), rtol=1e-10)


@pytest.mark.parametrize("ranks", [1, 2])
def test_without_the_pair_style(tmp_path, ranks):
    """A list of its own, as for rerun; a type that is not there for the potential."""
    atoms = crystal()
    atoms.symbols[0] = "Li"
    probe = atoms.copy()
    probe.symbols[atoms.numbers == 3] = "Na"
    folder = tmp_path
    write_lammps_data(folder / "data.x", probe, specorder=["P", "S", "Na"], masses=False, atom_style="atomic")
    values = {"boundary": "p p p", "group": "type > 0", "file": UFX, "elements": "P S NULL", "run": "run 0"}
    values |= {"pair": "pair_style zero 3.0\npair_coeff * *", "settings": "comm_modify cutoff 8.0"}
    table, _ = results_of(run_lmp(DECK.format(**values), folder, ranks), folder)
    rest = atoms[atoms.numbers != 3]
    np.testing.assert_allclose(table[atoms.numbers != 3], expected_of(rest), rtol=1e-10, atol=1e-12)
    assert not table[atoms.numbers == 3].any()


@pytest.mark.parametrize("short", ["1 1", "1 3", "2 3", "3 3"])
def test_pair_cutoff_too_short_for_some_types(tmp_path, short):
    """The list of the pair style reaches far enough for most types: not good enough."""
    atoms = crystal()
    pair = f"pair_style zero 8.0\npair_coeff * *\npair_coeff {short} 2.0"
    table, _ = results_of(run_x(atoms, tmp_path, 2, pair=pair), tmp_path)
    np.testing.assert_allclose(table, expected_of(atoms), rtol=1e-10, atol=1e-12)


AFTER_AN_ERROR = """
import sys
from mpi4py import MPI
import numpy as np
from lammps import lammps

lmp = lammps(cmdargs=["-screen", "none", "-log", "none"], comm=MPI.COMM_SELF)
lmp.commands_string(open("in.deck").read())
read = lambda: lmp.numpy.extract_compute("x", 1, 2)[:32].copy()
before = read()
place = lmp.numpy.extract_atom("x")
kept = place[20].copy()
place[20] = np.nan
lmp.command("reset_timestep 1")
try:
    read()
except Exception as error:
    assert "is not a number" in str(error), error
else:
    sys.exit("no error")
place[20] = kept
lmp.command("reset_timestep 2")
assert np.array_equal(read(), before)
print("the same grades")
"""


def test_an_error_that_was_caught_leaves_nothing_behind(tmp_path):
    """As in a notebook: atoms graded before the one with a broken position do not come back."""
    write_lammps_data(tmp_path / "data.x", crystal(), specorder=ELEMENTS, masses=False, atom_style="atomic")
    deck = f"""units metal
atom_style atomic
read_data data.x
mass * 10
{PAIR}
compute x all ufp/extrapolation {UFX} Li P S
run 0
"""
    (tmp_path / "in.deck").write_text(deck)
    done = subprocess.run(
        [sys.executable, "-c", AFTER_AN_ERROR], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the same grades\n"


def test_moving_atoms_and_rank_counts(tmp_path):
    """After atoms have changed ranks the columns are still those of the positions."""
    move = "timestep 0.002\nvelocity all create 900 1 loop all\nfix 1 all nve\nrun 40"
    positions = "dump p all custom 40 dump.p id x y z\ndump_modify p sort id format float %22.16g\n"
    results = []
    for ranks in (1, 2, 3):
        table, vector = results_of(
            run_x(crystal(amplitude=0.02)[1:], tmp_path, ranks, run=positions + move), tmp_path
        )
        results.append((table, vector))
        atoms = crystal(amplitude=0.02)[1:]
        atoms.positions = np.loadtxt((tmp_path / "dump.p").read_text().splitlines()[-len(atoms) :])[:, 1:]
        np.testing.assert_allclose(table, expected_of(atoms), rtol=1e-9, atol=1e-11)
    for table, vector in results[1:]:
        np.testing.assert_allclose(table, results[0][0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(vector, results[0][1], rtol=1e-6, atol=1e-9)


ACT = """
variable worst equal c_x[2]
variable calm equal "c_x[2] < 1.5"
fix stop all halt 2 v_worst > 1.5 error soft message yes
fix mean all ave/time 2 2 4 c_x[2] file mean.x
dump snap all custom 2 snap.x id type x y z c_x[2]
dump_modify snap skip v_calm
timestep 0.001
velocity all create 300 1 loop all
group one id {one}
fix 1 all nve
fix push one addforce {force} 0 0
thermo 10
run 200
"""


@pytest.mark.parametrize("ranks", [1, 2])
def test_stop_and_snapshot(tmp_path, ranks):
    """An S is torn out of its PS4: the run stops in time and leaves the structure behind."""
    atoms = load_structure("beta-Li3PS4")
    one = int(np.flatnonzero(atoms.numbers == 16)[0]) + 1
    done = run_x(atoms, tmp_path, ranks, run=ACT.format(one=one, force=40.0))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Fix halt condition for fix-id stop met on step" in done.stdout
    steps = [int(line) for line in _after(tmp_path / "snap.x", "ITEM: TIMESTEP")]
    assert steps
    assert min(steps) > 2
    means = np.loadtxt(tmp_path / "mean.x", ndmin=2)
    assert (np.diff(means[:, 1]) > 0).any()
    calm = run_x(atoms, tmp_path, ranks, run=ACT.format(one=one, force=0.0))
    assert "condition" not in calm.stdout
    assert not (tmp_path / "snap.x").read_text()


def _after(path, marker):
    lines = path.read_text().splitlines()
    return [lines[i + 1] for i, line in enumerate(lines) if line == marker]


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": "absent.ufx"}, "absent.ufx: cannot open extrapolation file"),
        ({"file": UF3}, "not JSON"),
        ({"elements": "Li P"}, "for each of the 3 atom types, got 2 name(s)"),
        ({"elements": "Li P Cl"}, "no element 'Cl' in the extrapolation file; it has: Li P S"),
        ({"pair": ""}, "the model reaches 6, further than the pair style"),
        ({"settings": "neigh_modify exclude type 1 1"}, "neigh_modify exclude would hide neighbors"),
    ],
)
def test_bad_decks(tmp_path, ranks, changes, words):
    assert_one_error(run_x(crystal(), tmp_path, ranks, **changes), "Compute ufp/extrapolation", words)


def test_another_potential_is_refused(tmp_path):
    text = Path(str(UF3)).read_text()
    (tmp_path / "other.uf3").write_text("# another\n" + text)
    shutil.copy(str(UF3), tmp_path / "copy.uf3")
    for name in ("other", "copy"):
        pair = f"pair_style ufp 3\npair_coeff * * {name}.uf3 Li P S"
        done = run_x(crystal(), tmp_path, 2, pair=pair, settings="comm_modify cutoff 8.0")
        if name == "copy":
            assert done.returncode == 0, done.stdout
        else:
            assert_one_error(done, "belongs to another potential")
    both = (
        "pair_style hybrid/overlay ufp 2 ufp 3\n"
        f"pair_coeff * * ufp 1 other.uf3 Li P S\npair_coeff * * ufp 2 {UF3} Li P S"
    )
    assert run_x(crystal(), tmp_path, 1, pair=both, settings="comm_modify cutoff 8.0").returncode == 0


def test_shipped_file_belongs_to_the_shipped_potential():
    import hashlib

    assert Extrapolation(UFX).potential_sha256 == hashlib.sha256(UF3.read_bytes()).hexdigest()
    sidecar = json.loads((MODELS / "lps.json").read_text())
    pairs = Extrapolation(UFX).shortest_distances
    for row in sidecar["short_range"]:
        assert pairs[tuple(row["pair"].split())] == pytest.approx(row["shortest_distance"])
