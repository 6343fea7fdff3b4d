"""Hybrid styles, shares of the atoms, and the commands that act on a pair style, as the page says."""

import numpy as np
import pytest
from ase import Atoms

from support.lammps_runs import run_lmp, static_point
from support.pair_cases import ELEMENTS, assert_same, jittered_grid
from support.uf3_files import random_potential

KEYS = ("energy", "forces", "atom_energy", "stress", "centroid", "pressure")


@pytest.fixture(scope="module")
def atoms():
    cell = np.array([[9.4, 0, 0], [1.6, 9.9, 0], [-1.1, 2.0, 10.6]])
    return jittered_grid(np.random.default_rng(6), cell, (3, 3, 4), 0.3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two potentials, of other knots and cutoffs."""
    folder = tmp_path_factory.mktemp("hybrid")
    (folder / "a.uf3").write_text(random_potential(ELEMENTS, seed=41))
    (folder / "b.uf3").write_text(
        random_potential(ELEMENTS, seed=42, cutoff=4.2, cutoff_3b=3.9, nonuniform=True)
    )
    return folder


def total(*points):
    return {key: sum(point[key] for point in points) for key in KEYS}


@pytest.mark.parametrize("ranks", [1, 2])
def test_overlay_adds_up(folder, atoms, ranks):
    numbers = (3, 15, 16)
    zbl = "zbl 1.5 3.0" + "".join(
        f"\npair_coeff {a + 1} {b + 1} {{zbl}}{numbers[a]} {numbers[b]}"
        for a in range(3)
        for b in range(a, 3)
    )
    overlay = (
        "pair_style hybrid/overlay ufp 3 ufp 2 " + zbl.format(zbl="zbl ") + "\n"
        "pair_coeff * * ufp 1 a.uf3 Li P S\npair_coeff * * ufp 2 b.uf3 Li P S"
    )
    together = static_point(atoms, ELEMENTS, overlay, folder, ranks)
    alone = [
        static_point(atoms, ELEMENTS, pair, folder)
        for pair in (
            "pair_style ufp 3\npair_coeff * * a.uf3 Li P S",
            "pair_style ufp 2\npair_coeff * * b.uf3 Li P S",
            "pair_style " + zbl.format(zbl=""),
        )
    ]
    # the order of the summands differs, and ZBL is large
    expected = total(*alone)
    for key in KEYS:
        scale = max(1.0, np.abs(expected[key]).max())
        np.testing.assert_allclose(together[key], expected[key], rtol=1e-9, atol=1e-10 * scale)


@pytest.mark.parametrize("ranks", [1, 2])
def test_hybrid_divides_the_types(folder, atoms, ranks):
    """Two ufp and a third style between them: each sees its own types alone."""
    pair = (
        "pair_style hybrid ufp 3 ufp 3 zero 5.0\npair_coeff * * ufp 1 a.uf3 Li NULL NULL\n"
        "pair_coeff * * ufp 2 b.uf3 NULL P S\npair_coeff 1 2*3 zero"
    )
    together = static_point(atoms, ELEMENTS, pair, folder, ranks)
    lithium = atoms.numbers == 3
    first = static_point(atoms[lithium], ["Li"], "pair_style ufp 3\npair_coeff * * a.uf3 Li", folder)
    second = static_point(atoms[~lithium], ["P", "S"], "pair_style ufp 3\npair_coeff * * b.uf3 P S", folder)
    assert np.abs(first["forces"]).max() > 0.01
    for key in ("forces", "atom_energy", "stress", "centroid"):
        for part, rows in ((first, lithium), (second, ~lithium)):
            scale = max(1.0, np.abs(part[key]).max())
            np.testing.assert_allclose(together[key][rows], part[key], rtol=1e-10, atol=1e-10 * scale)
    assert together["energy"] == pytest.approx(first["energy"] + second["energy"], rel=1e-12)


def test_shares_of_a_trimer(folder):
    """Against their definitions: halves of pairs; r - centroid times the three-body force of each atom."""
    positions = np.array([[4.0, 4.1, 3.9], [5.7, 4.3, 4.2], [4.4, 6.0, 3.6]])
    trimer = Atoms("LiPS", positions, cell=np.diag([20.0, 20.0, 20.0]), pbc=True)
    two, three = (
        static_point(trimer, ELEMENTS, f"pair_style ufp {order}\npair_coeff * * a.uf3 Li P S", folder)
        for order in (2, 3)
    )
    volts = 1.6021765e6  # bar Å³ per eV, the value of LAMMPS' metal units
    triplets = three["forces"] - two["forces"]
    assert np.abs(triplets).max() > 0.1
    from_centroid = positions - positions.mean(axis=0)
    columns = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)]
    expected = np.array(
        [[-r[a] * f[b] for a, b in columns] for r, f in zip(from_centroid, triplets, strict=True)]
    )
    got = (three["centroid"] - two["centroid"]) / volts
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-10)
    # stress/atom shares each triplet in thirds: all atoms the same
    thirds = (three["stress"] - two["stress"]) / volts
    np.testing.assert_allclose(thirds, expected.sum(axis=0)[:6] / 3 * np.ones((3, 1)), rtol=1e-9, atol=1e-10)
    energy = three["atom_energy"] - two["atom_energy"]
    np.testing.assert_allclose(energy, np.full(3, energy.sum() / 3), rtol=1e-10)
    # pairs: force along each pair from the three dimers
    halves = np.zeros((3, 9))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        dimer = static_point(
            trimer[[i, j]],
            [ELEMENTS[i], ELEMENTS[j]],
            f"pair_style ufp 2\npair_coeff * * a.uf3 {ELEMENTS[i]} {ELEMENTS[j]}",
            folder,
        )
        share = np.array(
            [-0.5 * (positions[i] - positions[j])[a] * dimer["forces"][0][b] for a, b in columns]
        )
        halves[[i, j]] += share
    np.testing.assert_allclose(two["centroid"] / volts, halves, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(two["stress"] / volts, halves[:, :6], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("order", [2, 3])
def test_pair_modify_changes_nothing(folder, atoms, order):
    pair = f"pair_style ufp {order}\npair_coeff * * a.uf3 Li P S"
    plain = static_point(atoms, ELEMENTS, pair, folder)
    for words in ("shift yes mix arithmetic table 10", "tail yes", "nofdotr"):
        assert_same(static_point(atoms, ELEMENTS, f"{pair}\npair_modify {words}", folder), plain)
    off = static_point(atoms, ELEMENTS, f"{pair}\npair_modify compute no", folder)
    assert off["energy"] == 0
    assert not off["forces"].any()


COMMANDS = """units metal
atom_style atomic
read_data data.static
mass * 20
{pair}
compute pair all pair ufp
thermo_style custom pe c_pair c_pair[1]
thermo_modify format float %.15g
run 0
{command}
"""


@pytest.mark.parametrize("ranks", [1, 2])
def test_compute_pair(folder, atoms, ranks):
    static_point(atoms, ELEMENTS, "pair_style ufp 3\npair_coeff * * a.uf3 Li P S", folder)
    pair = "pair_style hybrid/overlay ufp 3 zero 5.0\npair_coeff * * ufp a.uf3 Li P S\npair_coeff * * zero"
    done = run_lmp(COMMANDS.format(pair=pair, command=""), folder, ranks)
    lines = done.stdout.splitlines()
    row = lines[next(i for i, line in enumerate(lines) if line.split()[:1] == ["PotEng"]) + 1]
    energy, of_pair, short = map(float, row.split())
    assert of_pair == pytest.approx(energy, rel=1e-13)
    assert short == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pair_write 1 1 10 r 1.0 3.0 t.txt x", "does not support"),
        ("compute l all pair/local eng\ndump l all local 1 l.txt c_l\nrun 0", "does not support"),
        ("compute g all group/group all\nthermo_style custom c_g\nrun 0", "does not support"),
    ],
)
def test_no_single_of_three_bodies(folder, atoms, command, words):
    static_point(atoms, ELEMENTS, "pair_style ufp 3\npair_coeff * * a.uf3 Li P S", folder)
    for order, good in ((2, True), (3, False)):
        pair = f"pair_style ufp {order}\npair_coeff * * a.uf3 Li P S"
        done = run_lmp(COMMANDS.format(pair=pair, command=command), folder, 2)
        if good:
            assert done.returncode == 0, done.stdout
        else:
            assert done.returncode != 0
            assert words in done.stdout + done.stderr
