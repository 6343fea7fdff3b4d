"""compute efg/atom against EfgModel, on any number of ranks, cell, list and pair style."""

from pathlib import Path

import numpy as np
import pytest
from ase.io.lammpsdata import write_lammps_data

from lammps_runs import run_lmp
from lpsnmr.efg import EfgModel
from lpsnmr.structures import load_structure

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
    from importlib.resources import files

    path = files("lpsnmr.data") / "models" / "li3ps4_pbe.efg"
    atoms = rattled_beta(shear, amplitude=0.15)
    model = EfgModel.default()
    done = run_efg(atoms, tmp_path, model=path, ranks=ranks)
    assert_equal_to_model(atoms, tmp_path, model, done)
    assert scalar_of(done) == model.n_flagged
    assert 0 < model.n_flagged < (atoms.numbers == 3).sum()
