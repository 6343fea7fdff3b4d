"""Density terms in pair_style ufp: the numbers of the core on any ranks, shares, derivatives, errors."""

import hashlib

import numpy as np
import pytest
from ase import Atoms
from ase.io.lammpsdata import write_lammps_data

from lpsnmr._core import DensityPotential
from lpsnmr.potential import Ufp
from support.lammps_runs import assert_one_error, run_lmp, static_point
from support.pair_cases import ELEMENTS, assert_same, jittered_grid
from support.uf3_files import random_potential
from support.ufd_files import random_density

PAIR = "pair_style ufp 3\npair_coeff * * t.uf3 t.ufd Li P S"
CELLS = {
    "orthogonal": np.diag([10.4, 11.0, 12.2]),
    "triclinic": np.array([[10.4, 0, 0], [2.6, 9.9, 0], [-1.1, 3.0, 11.6]]),
}


@pytest.fixture(scope="module")
def atoms():
    return jittered_grid(np.random.default_rng(5), CELLS["triclinic"], (4, 4, 5), 0.3)


def write_files(folder, full=2.5, low=0.8, three_body=True, **options):
    """Write t.uf3 and t.ufd; some atoms are below first knots and in crowds that fade."""
    (folder / "t.uf3").write_text(random_potential(ELEMENTS, seed=11, low=low, three_body=three_body))
    base = hashlib.sha256((folder / "t.uf3").read_bytes()).hexdigest()
    (folder / "t.ufd").write_text(random_density(3, full=full, base=base, **options))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("density")
    write_files(path)
    return path


def assert_python_agrees(point, prediction):
    np.testing.assert_allclose(point["energy"], prediction.energy, rtol=1e-11, atol=1e-10)
    np.testing.assert_allclose(point["atom_energy"].sum(), prediction.energy, rtol=1e-11, atol=1e-9)
    np.testing.assert_allclose(point["forces"], prediction.forces, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("cell", CELLS)
def test_numbers_of_the_core_on_any_ranks(cell, ranks, folder):
    atoms = jittered_grid(np.random.default_rng(5), CELLS[cell], (4, 4, 5), 0.3)
    point = static_point(atoms, ELEMENTS, PAIR, folder, ranks)
    found = Ufp(folder / "t.uf3").predict(atoms)
    assert found.energy != pytest.approx(Ufp(folder / "t.uf3", 2).predict(atoms).energy)
    assert_python_agrees(point, found)
    # eV/Å³ of Voigt xx yy zz yz xz xy to bar of xx yy zz xy xz yz
    pressure = -found.stress[[0, 1, 2, 5, 4, 3]] * 1.602176634e6
    np.testing.assert_allclose(point["pressure"], pressure, rtol=1e-7, atol=1e-2)
    volume = atoms.get_volume()
    for shares in (point["stress"], point["centroid"][:, :6]):
        np.testing.assert_allclose(shares.sum(axis=0), -point["pressure"] * volume, rtol=1e-9, atol=1e-3)
    one = static_point(atoms, ELEMENTS, PAIR, folder)
    assert_same(point, one)


def test_centroid_stress_gives_the_neighbour_all(tmp_path):
    """With all energy at the centre, the heat flux wants r_ij times the force of i's terms with j."""
    write_files(tmp_path, centers=("P",), orders=("3",))
    atoms = Atoms("PS", [[5, 5, 5], [5.9, 6.4, 5.6]], cell=[12, 12, 12], pbc=True)
    base = static_point(atoms, ELEMENTS, PAIR.replace(" t.ufd", ""), tmp_path)
    both = static_point(atoms, ELEMENTS, PAIR, tmp_path)
    core = DensityPotential(str(tmp_path / "t.ufd"), ELEMENTS)
    own = core.compute(atoms.positions, atoms.cell.array, [True] * 3, [1, 2])
    assert np.abs(own["forces"]).max() > 1e-3
    r = atoms.positions[1] - atoms.positions[0]
    share = np.outer(r, own["forces"][1])[[0, 1, 2, 0, 0, 1, 1, 2, 2], [0, 1, 2, 1, 2, 2, 0, 0, 1]]
    extra = both["centroid"] - base["centroid"]
    # LAMMPS' stress/atom is minus the virial, in bar Å³
    np.testing.assert_allclose(extra[1], -share * 1.602176634e6, rtol=1e-7, atol=1e-3)
    np.testing.assert_allclose(extra[0], 0.0, atol=1e-3)


MOVE = """units metal
atom_style atomic
atom_modify map array
read_data data.static
{pair}
thermo_style custom step pe fmax
thermo_modify format float %22.16g
variable e equal pe
run 0
variable f equal fx[{atom}]
variable force equal $f
displace_atoms one move {h} 0 0
run 0
variable up equal $e
displace_atoms one move -{twice} 0 0
run 0
variable down equal $e
print "SLOPE $(-(v_up-v_down)/{twice}:%.14g) $(v_force:%.14g)"
"""


@pytest.mark.parametrize(("low", "full", "bound"), [(0.8, 1e3, 1e9), (2.4, 2.5, 1e9), (0.8, 1e3, 0.4)])
def test_forces_are_derivatives_in_lammps(low, full, bound, atoms, tmp_path):
    """Also below the first knots of V2, where terms fade, and where energies are bounded."""
    write_files(tmp_path, full=full, low=low, bound=bound)
    write_lammps_data(tmp_path / "data.static", atoms, specorder=ELEMENTS, masses=True, atom_style="atomic")
    for number in (3, 40, 71):
        deck = MOVE.format(pair=PAIR, atom=number, h=1e-5, twice=2e-5)
        deck = deck.replace("run 0\n", f"group one id {number}\nrun 0\n", 1)
        done = run_lmp(deck, tmp_path, 2)
        assert done.returncode == 0, done.stdout + done.stderr
        line = next(x for x in done.stdout.splitlines() if x.startswith("SLOPE"))
        slope, force = (float(x) for x in line.split()[1:])
        assert slope == pytest.approx(force, rel=1e-5, abs=2e-4)


def test_beside_pairs_alone_and_left_out_by_order_2(atoms, tmp_path):
    write_files(tmp_path, three_body=False)
    point = static_point(atoms, ELEMENTS, PAIR, tmp_path, 2)
    assert_python_agrees(point, Ufp(tmp_path / "t.uf3").predict(atoms))
    two = PAIR.replace("ufp 3", "ufp 2")
    without = static_point(atoms, ELEMENTS, two.replace(" t.ufd", ""), tmp_path)
    assert_same(static_point(atoms, ELEMENTS, two, tmp_path), without)
    assert np.abs(without["forces"] - point["forces"]).max() > 1e-3


def test_hybrid_overlay_and_null_types(atoms, folder):
    alone = static_point(atoms, ELEMENTS, PAIR, folder)
    overlay = (
        "pair_style hybrid/overlay ufp 3 zero 5.0\npair_coeff * * ufp t.uf3 t.ufd Li P S\npair_coeff * * zero"
    )
    assert_same(static_point(atoms, ELEMENTS, overlay, folder, 2), alone)


def test_dynamics_on_one_and_two_ranks(atoms, folder):
    """Lists are kept over many steps, atoms move between ranks."""
    deck = """units metal
atom_style atomic
read_data data.static
mass * 20
{pair}
neighbor 0.8 bin
timestep 0.0002
velocity all create 300 7
fix move all nve
thermo_style custom step pe
thermo_modify format float %20.14g
thermo 40
run 40
"""
    write_lammps_data(folder / "data.static", atoms, specorder=ELEMENTS, masses=False, atom_style="atomic")
    energies = []
    for ranks in (1, 2):
        done = run_lmp(deck.format(pair=PAIR), folder, ranks)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = [x.split() for x in done.stdout.splitlines() if x.split()[:1] in (["0"], ["40"])]
        energies.append([float(x[1]) for x in lines if len(x) == 2])
    assert len(energies[0]) == 2
    assert energies[0][0] != pytest.approx(energies[0][1], abs=1e-3)
    np.testing.assert_allclose(energies[0], energies[1], rtol=1e-9)


def run_static(folder, atoms, pair, extra="run 0\n", ranks=2):
    write_lammps_data(folder / "data.static", atoms, specorder=ELEMENTS, masses=True, atom_style="atomic")
    deck = f"units metal\natom_style atomic\nread_data data.static\n{pair}\n{extra}"
    return run_lmp(deck, folder, ranks)


def test_restart_knows_the_density_terms(atoms, tmp_path):
    write_files(tmp_path)
    done = run_static(tmp_path, atoms, PAIR, "thermo_style custom step pe\nrun 0\nwrite_restart r.bin\n")
    assert done.returncode == 0, done.stdout + done.stderr
    resume = "read_restart r.bin\n{}\nthermo_style custom step pe\nrun 0\n"
    energy = [x.split() for x in done.stdout.splitlines()]
    energy = next(x[1] for k, x in enumerate(energy) if energy[k - 1][:2] == ["Step", "PotEng"])
    again = run_lmp(resume.format(""), tmp_path, 2)
    assert again.returncode == 0, again.stdout + again.stderr
    assert energy in again.stdout
    alone = run_lmp(resume.format("pair_coeff * * t.uf3 Li P S"), tmp_path, 2)
    assert_one_error(alone, "the restart file was written with the potential", "t.ufd (SHA-256")
    (tmp_path / "t.ufd").write_text((tmp_path / "t.ufd").read_text() + "# changed\n")
    assert_one_error(run_lmp(resume.format(""), tmp_path, 2), "the restart file was written with")


@pytest.mark.parametrize(
    ("change", "files", "words"),
    [
        (("END", "EN"), "t.uf3 t.ufd", "expected CENTER or END, got 'EN'"),
        (("UNITS metal", "UNITS real"), "t.uf3 t.ufd", "the density terms are in units real"),
        (("BASE ", "BASE 0"), "t.uf3 t.ufd", "t.ufd:4: BASE: expected 64 hexadecimal digits"),
        (("", ""), "t.ufd", "t.ufd: density terms alone are no potential"),
        (("", ""), "t.uf3 t.ufd t.ufd", "density terms stand in another file of this pair_coeff already"),
        (("", ""), "other.uf3 t.ufd", "its density terms belong to a .uf3 file with SHA-256"),
        (("#lpsnmr-ufd 1", "#lpsnmr-ufd 9"), "t.uf3 t.ufd", "t.ufd:1: first line: expected '#lpsnmr-ufd 1'"),
        (("CENTER S", "CENTRE S"), "t.uf3 t.ufd", "t.ufd:5: expected CENTER or END, got 'CENTRE'"),
        (("FUNCTION 1000", "FUNCTION 1e999"), "t.uf3 t.ufd", "expected a finite number, got '1e999"),
    ],
)
def test_bad_files_stop_both_ranks(change, files, words, atoms, tmp_path):
    write_files(tmp_path, full=1000)
    (tmp_path / "other.uf3").write_text((tmp_path / "t.uf3").read_text() + "#\n")
    (tmp_path / "t.ufd").write_text((tmp_path / "t.ufd").read_text().replace(*change, 1))
    done = run_static(tmp_path, atoms, f"pair_style ufp 3\npair_coeff * * {files} Li P S")
    assert_one_error(done, "Pair style ufp: ", words)


def test_warning_where_the_density_terms_are_missing(atoms, tmp_path):
    write_files(tmp_path)
    text = "# lpsnmr-ufd: t.ufd belongs to this file\n" + (tmp_path / "t.uf3").read_text()
    (tmp_path / "t.uf3").write_text(text)
    done = run_static(tmp_path, atoms, PAIR.replace(" t.ufd", ""))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "WARNING: Pair style ufp: t.uf3 was fitted together with density terms" in done.stdout + done.stderr
    )
