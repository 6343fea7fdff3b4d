"""compute efg/atom against EfgModel, on any number of ranks, cell, list and pair style."""

from importlib.resources import files
from pathlib import Path

import ase
import numpy as np
import pytest
from ase.io.lammpsdata import write_lammps_data

from lpsnmr.efg import EfgModel, EfgSettings
from lpsnmr.efg.files import TargetPart
from lpsnmr.structures import load_structure
from support.efg_cases import SETTINGS, open_range, random_model
from support.lammps_runs import run_lmp

ELEMENTS = ["Li", "P", "S"]
ZERO = "pair_style zero {cutoff}\npair_coeff * *"
DECK = """units metal
atom_style atomic
boundary {boundary}
newton {newton}
{before}
read_data data.efg
mass * 10
{pair}
{settings}
group chosen {group}
compute efg chosen efg/atom {model} {elements}
thermo_style custom step c_efg
thermo_modify format float %.17g
dump all all custom 1 dump.efg id c_efg[*]
dump_modify all sort id format float %22.16g
{run}
"""


def tensors_of(folder):
    """Return the tensors of the last frame of the dump: (n, 3, 3)."""
    lines = (Path(folder) / "dump.efg").read_text().splitlines()
    n = int(lines[3])
    table = np.array([line.split() for line in lines[-n:]], dtype=float)
    assert np.array_equal(table[:, 0], np.arange(1, n + 1))
    xx, yy, zz, xy, xz, yz = table[:, 1:].T
    return np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=1).reshape(n, 3, 3)


def scalar_of(done):
    lines = done.stdout.splitlines()
    start = max(i for i, line in enumerate(lines) if line.split() == ["Step", "c_efg"])
    return float(lines[start + 1].split()[1])


def run_efg(atoms, folder, model="model.efg", ranks=1, specorder=ELEMENTS, **changes):
    """Run the deck; return the finished process."""
    folder = Path(folder)
    if isinstance(model, EfgModel):
        model.save(folder / "model.efg")
        model = "model.efg"
    write_lammps_data(folder / "data.efg", atoms, specorder=specorder, masses=False, atom_style="atomic")
    values = {
        "boundary": "p p p",
        "newton": "on",
        "before": "",
        "pair": ZERO.format(cutoff=5.0),
        "settings": "",
        "group": "type > 0",
        "elements": " ".join(ELEMENTS),
        "run": "run 0",
    } | changes
    return run_lmp(DECK.format(model=model, **values), folder, ranks)


def assert_equal_to_model(atoms, folder, model, done, kept=None):
    """Compare the dump with EfgModel; the cell must be as LAMMPS wants it, so that nothing is turned."""
    assert not np.triu(atoms.cell.array, 1).any()
    assert done.returncode == 0, done.stdout + done.stderr
    got = tensors_of(folder)
    targets = atoms.numbers == 3 if kept is None else kept
    expected = model.predict(atoms, np.flatnonzero(targets).astype(np.int32))
    size = np.abs(expected).max()
    assert size > 0.1
    np.testing.assert_allclose(got[targets], expected, rtol=0, atol=1e-12 * size)
    assert np.count_nonzero(got[~targets]) == 0
    return expected


def rattled_beta(shear=False, repeat=(1, 1, 1), amplitude=0.08):
    """Return β-Li3PS4 off its lattice sites, exact to the digits of a data file."""
    atoms = load_structure("beta-Li3PS4").repeat(repeat)
    atoms.info, atoms.arrays = {}, {k: atoms.arrays[k] for k in ("numbers", "positions")}
    if shear:
        cell = atoms.cell.array @ np.array([[1, 0, 0], [0.12, 1, 0], [-0.1, 0.15, 1]])
        atoms.set_cell(cell, scale_atoms=True)
    atoms.rattle(amplitude, seed=3)
    return atoms


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("shear", [False, True])
def test_shipped_model(tmp_path, ranks, shear):
    path = files("lpsnmr.data") / "models" / "li3ps4_pbe.efg"
    atoms = rattled_beta(shear, amplitude=0.15)
    model = EfgModel.default()
    done = run_efg(atoms, tmp_path, model=path, ranks=ranks)
    assert_equal_to_model(atoms, tmp_path, model, done)
    assert scalar_of(done) == model.n_flagged
    assert 0 < model.n_flagged < (atoms.numbers == 3).sum()


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_random_models(tmp_path, name, ranks):
    """Bridges of two elements, shared cutoffs, no chain at all, fields; a triclinic cell."""
    atoms = rattled_beta(shear=True)
    model = random_model(SETTINGS[name])
    done = run_efg(atoms, tmp_path, model, ranks)
    assert_equal_to_model(atoms, tmp_path, model, done)
    assert scalar_of(done) == 0


@pytest.mark.parametrize("ranks", [1, 3])
def test_two_target_species(tmp_path, ranks):
    atoms = rattled_beta()
    model = random_model(SETTINGS["shared"], targets=("P", "Li"))
    done = run_efg(atoms, tmp_path, model, ranks)
    assert_equal_to_model(atoms, tmp_path, model, done, kept=atoms.numbers != 16)


DECKS = {
    "no pair style": {"pair": "", "settings": "comm_modify cutoff 3.0"},
    "short pairs": {"pair": ZERO.format(cutoff=2.5)},
    "neighbor nsq": {"settings": "neighbor 2.0 nsq"},
    "ufp": {"pair": "pair_style ufp\npair_coeff * * {lps} Li P S"},
    "exclusions": {"settings": "neigh_modify exclude type 1 1"},
    "forces on some only": {"settings": "group li type 1\natom_modify first li\nneigh_modify include li"},
    "newton off": {"newton": "off"},
    "neighbor multi": {"settings": "neighbor 2.0 multi\ncomm_modify mode multi"},
    "tiled": {"settings": "comm_style tiled\nbalance 1.0 rcb"},
    "slabs of unequal width": {"before": "processors 1 1 2", "settings": "balance 1.0 z 0.2"},
}


@pytest.mark.parametrize("name", ["small", "field"])
@pytest.mark.parametrize("case", DECKS)
def test_whatever_lammps_lists(tmp_path, case, name):
    """The search is the compute's own: lists, ghosts, exclusions and shapes of subdomains do not matter."""
    atoms = rattled_beta(repeat=(1, 2, 2))
    model = random_model(SETTINGS[name])
    lps = files("lpsnmr.data") / "models" / "lps_23body.uf3"
    changes = {key: value.replace("{lps}", str(lps)) for key, value in DECKS[case].items()}
    done = run_efg(atoms, tmp_path, model, 2, **changes)
    assert_equal_to_model(atoms, tmp_path, model, done)


@pytest.mark.parametrize("boundary", ["f f f", "p f p", "s s s"])
def test_open_boundaries_and_ranks_without_atoms(tmp_path, boundary):
    atoms = rattled_beta()
    atoms.pbc = [side == "p" for side in boundary.split()]
    cell = atoms.cell.array + np.diag([0 if p else 60.0 for p in atoms.pbc])
    atoms.set_cell(cell, scale_atoms=False)
    for d in np.flatnonzero(~atoms.pbc):
        atoms.positions[:, d] += 1.0 - atoms.positions[:, d].min()
    for d in np.flatnonzero(atoms.pbc):
        atoms.positions[:, d] %= cell[d, d]
    model = random_model()
    done = run_efg(atoms, tmp_path, model, 4, boundary=boundary)
    assert_equal_to_model(atoms, tmp_path, model, done)


def test_two_types_of_one_element_and_null(tmp_path):
    """A second Li type counts as Li; atoms of a NULL type are not there for the model."""
    atoms = rattled_beta()
    lithium = np.flatnonzero(atoms.numbers == 3)
    atoms.numbers[lithium[::2]] = 11
    atoms += ase.Atoms("Ar3", atoms.positions[lithium[:3]] + 0.6)
    order = np.random.default_rng(1).permutation(len(atoms))
    atoms = atoms[order]
    model = random_model()
    done = run_efg(
        atoms, tmp_path, model, 2, specorder=["S", "Na", "P", "Ar", "Li"], elements="S Li P NULL Li"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = atoms.numbers != 18
    there = atoms[seen]
    there.numbers[there.numbers == 11] = 3
    expected = np.zeros((len(there), 3, 3))
    expected[there.numbers == 3] = model.predict(there)
    got = tensors_of(tmp_path)
    np.testing.assert_allclose(got[seen], expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    assert np.count_nonzero(got[~seen]) == 0


def test_rank_that_has_nothing_but_null_atoms(tmp_path):
    atoms = rattled_beta()
    slab = len(atoms)
    height = atoms.cell[2, 2]
    atoms.set_cell(atoms.cell.array + np.diag([0.0, 0.0, 60.0]), scale_atoms=False)
    atoms.positions %= np.append(np.diag(atoms.cell.array)[:2], height)
    places = np.random.default_rng(0).uniform(0, 8.0, (20, 3))
    atoms += ase.Atoms("Ar20", places + np.array([0.0, 0.0, height + 45.0]))
    atoms.pbc = [True, True, False]
    model = random_model()
    deck = {"specorder": [*ELEMENTS, "Ar"], "elements": "Li P S NULL", "before": "processors 1 1 2"}
    done = run_efg(atoms, tmp_path, model, 2, boundary="p p f", **deck)
    assert done.returncode == 0, done.stdout + done.stderr
    expected = model.predict(atoms[:slab])
    got = tensors_of(tmp_path)[:slab][atoms.numbers[:slab] == 3]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_group_chooses_targets_only(tmp_path):
    atoms = rattled_beta()
    model = random_model()
    done = run_efg(atoms, tmp_path, model, 2, group="id 1 3 4 20")
    kept = np.zeros(len(atoms), dtype=bool)
    kept[[0, 2, 3, 19]] = True
    kept &= atoms.numbers == 3
    assert kept.any()
    assert_equal_to_model(atoms, tmp_path, model, done, kept=kept)


def test_flags_are_counted(tmp_path):
    """Ranges that some targets leave and one bridge: the count is that of EfgModel."""
    atoms = rattled_beta(repeat=(1, 2, 2), amplitude=0.2)
    settings = EfgSettings()
    targets = np.flatnonzero(atoms.numbers == 3)
    cell, pbc = atoms.cell.array, atoms.pbc.tolist()
    _, at_bridges, _ = settings.basis().environments(atoms.positions, cell, pbc, atoms.numbers, targets)
    coordination = np.sort(at_bridges[:, 1, 0])
    around, bridges = open_range(settings)
    around[0, 2] = 2.0
    bridges[0, 2, 0] = coordination[-2:].mean()
    weights = EfgModel.default().targets["Li"].weights
    model = EfgModel(settings, {"Li": TargetPart(weights, around, bridges)}, {})
    done = run_efg(atoms, tmp_path, model, 2)
    assert_equal_to_model(atoms, tmp_path, model, done)
    assert set(model.last_flags.tolist()) >= {0, 1, 8}
    assert scalar_of(done) == model.n_flagged


MOVING = """velocity all create 2000 87 loop all
fix integrate all nve
timestep 0.002
neighbor 0.7 bin
neigh_modify every 1 delay 0 check yes
dump where all custom 1 dump.where id x y z
dump_modify where sort id format float %22.16g
dump_modify where every 28
dump_modify all every 28
run 24
run 4
"""


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("name", ["small", "field"])
def test_while_atoms_move(tmp_path, ranks, name):
    """Atoms change rank and order, and have moved since they were last handed over."""
    atoms = rattled_beta(shear=True, repeat=(1, 2, 2))
    model = random_model(SETTINGS[name])
    done = run_efg(
        atoms,
        tmp_path,
        model,
        ranks,
        pair="pair_style lj/cut 2.5\npair_coeff * * 0.05 1.9",
        before="atom_modify map array sort 5 1.5",
        run=MOVING,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (tmp_path / "dump.where").read_text().splitlines()[-len(atoms) :]
    moved = atoms.copy()
    moved.positions = np.array([line.split()[1:] for line in lines], dtype=float)
    builds = [line.split()[-1] for line in done.stdout.splitlines() if "Neighbor list builds" in line]
    assert int(builds[0]) > 1
    assert_equal_to_model(moved, tmp_path, model, done)


def test_fix_ave_variable_reduce_and_clear(tmp_path):
    """What the columns are good for; and a second use after ``clear``."""
    atoms = rattled_beta()
    run = """variable zz atom c_efg[3]
compute sum all reduce sum c_efg[*]
compute flags all reduce max v_zz
fix mean all ave/atom 1 2 2 c_efg[*]
fix column all ave/time 1 1 1 c_sum[*] file column.txt format " %.16g"
fix histogram all ave/histo 1 1 1 -1e9 1e9 3 v_zz mode vector
undump all
dump all all custom 2 dump.efg id f_mean[*]
dump_modify all sort id format float %22.16g
thermo_style custom step c_efg c_sum[1] c_flags
run 2
"""
    model = random_model()
    done = run_efg(atoms, tmp_path, model, 2, run=run)
    expected = assert_equal_to_model(atoms, tmp_path, model, done)
    column = np.loadtxt(tmp_path / "column.txt")
    np.testing.assert_allclose(column[-1, 3], expected[:, 2, 2].sum(), rtol=1e-10)
    twice = DECK.format(
        model="model.efg",
        boundary="p p p",
        newton="on",
        before="",
        pair=ZERO.format(cutoff=5.0),
        settings="",
        group="type 1",
        elements="Li P S",
        run="run 0",
    )
    (tmp_path / "dump.efg").unlink()
    done = run_lmp(twice + "clear\n" + twice, tmp_path, 2)
    assert_equal_to_model(atoms, tmp_path, model, done)
