"""pair_style ufp against LAMMPS' own pair_style uf3, and against our core, on 1 to 4 ranks."""

import numpy as np
import pytest
from ase.build import bulk

from lpsnmr._core import UfpPotential
from lpsnmr.errors import InputError
from support.lammps_runs import assert_one_error, run_lmp, static_point
from support.pair_cases import ELEMENTS, SIMD, assert_same, jittered_grid
from support.uf3_files import random_potential


@pytest.fixture
def mixed(request):
    rng = np.random.default_rng(5)
    cell = np.array([[10.4, 0, 0], [2.1, 11.0, 0], [-1.7, 3.0, 12.2]])
    if request.param == "orthogonal":
        cell = np.diag(np.diag(cell))
    return jittered_grid(rng, cell, (4, 4, 5), 0.35)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_niobium_triclinic(nb_uf3, tmp_path, order, ranks):
    atoms = bulk("Nb", "bcc", 3.3, cubic=True) * (3, 3, 4)
    atoms.set_cell(atoms.cell.array @ [[1, 0, 0], [0.2, 1, 0], [-0.1, 0.15, 1]], scale_atoms=True)
    atoms.rattle(0.1, seed=2)
    got, expected = (
        static_point(
            atoms, ["Nb"], f"pair_style {style} {order}\npair_coeff * * {nb_uf3} Nb", tmp_path, ranks
        )
        for style in ("ufp", "uf3")
    )
    assert_same(got, expected)


@pytest.mark.parametrize(
    ("mixed", "ranks", "boundary"),
    [
        ("orthogonal", 1, "p p p"),
        ("orthogonal", 2, "p f p"),
        ("orthogonal", 3, "s s f"),
        ("triclinic", 1, "p p p"),
        ("triclinic", 2, "p p p"),
        ("triclinic", 2, "f p p"),
    ],
    indirect=["mixed"],
)
def test_three_elements(mixed, three_element_uf3, tmp_path, ranks, boundary):
    got, expected = (
        static_point(
            mixed,
            ELEMENTS,
            f"pair_style {style} 3\npair_coeff * * {three_element_uf3} Li P S",
            tmp_path,
            ranks,
            boundary,
        )
        for style in ("ufp", "uf3")
    )
    assert np.abs(expected["forces"]).max() > 0.1
    assert_same(got, expected)


@pytest.mark.parametrize("mixed", ["triclinic"], indirect=True)
@pytest.mark.parametrize("each_simd", SIMD[1:], indirect=True)  # the first is what the other tests use
def test_every_instruction_set(mixed, nb_uf3, three_element_uf3, tmp_path, each_simd):
    niobium = bulk("Nb", "bcc", 3.3, cubic=True) * (3, 3, 3)
    niobium.rattle(0.1, seed=2)
    for atoms, elements, path in ((niobium, ["Nb"], nb_uf3), (mixed, ELEMENTS, three_element_uf3)):
        pair = f"pair_style {{}} 3\npair_coeff * * {path} {' '.join(elements)}"
        got, expected = (static_point(atoms, elements, pair.format(s), tmp_path, 2) for s in ("ufp", "uf3"))
        assert_same(got, expected)


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("name", ["AVX2", "sse9"])
def test_unknown_instruction_set(three_element_uf3, tmp_path, monkeypatch, ranks, name):
    monkeypatch.setenv("LPSNMR_SIMD", name)
    deck = (
        "units metal\nregion b block 0 9 0 9 0 9\ncreate_box 3 b\nmass * 1\npair_style ufp\n"
        f"pair_coeff * * {three_element_uf3} Li P S\n"
    )
    assert_one_error(
        run_lmp(deck, tmp_path, ranks), "LPSNMR_SIMD: expected one of", "portable", f"got '{name}'"
    )
    potential = UfpPotential(str(three_element_uf3), ELEMENTS)
    with pytest.raises(InputError, match="LPSNMR_SIMD"):
        potential.compute(np.zeros((1, 3)), np.eye(3), (False,) * 3, [0])


@pytest.mark.parametrize("each_simd", SIMD, indirect=True)
def test_the_log_names_the_instruction_set_once(three_element_uf3, tmp_path, each_simd):
    deck = (
        "units metal\nregion b block 0 9 0 9 0 9\ncreate_box 3 b\nmass * 1\npair_style ufp\n"
        f"pair_coeff * * {three_element_uf3} Li P S\n"
    )
    assert run_lmp(deck, tmp_path, 2).stdout.count(f"{each_simd} loops") == 1


@pytest.mark.parametrize("mixed", ["triclinic"], indirect=True)
@pytest.mark.parametrize("options", [{"nonuniform": True}, {"anisotropic": True, "low": 2.4, "low_3b": 2.3}])
def test_core_is_the_same_potential(mixed, tmp_path, options):
    """Files beyond what uf3 takes: any knots, any cutoffs, atoms below the first knot."""
    path = tmp_path / "any.uf3"
    path.write_text(random_potential(ELEMENTS, seed=4, **options))
    pair = f"pair_style ufp\npair_coeff * * {path} Li P S"
    got = static_point(mixed, ELEMENTS, pair, tmp_path, ranks=2)
    species = [ELEMENTS.index(s) for s in mixed.symbols]
    core = UfpPotential(str(path), ELEMENTS).compute(mixed.positions, mixed.cell.array, (True,) * 3, species)
    np.testing.assert_allclose(got["energy"], core["energy"], rtol=1e-12)
    np.testing.assert_allclose(got["forces"], core["forces"], rtol=1e-9, atol=1e-10)
    bar = 1.6021765e6  # eV/Å³, the value of LAMMPS' metal units
    pressure = core["virial"] / mixed.get_volume() * bar
    np.testing.assert_allclose(got["pressure"], pressure, rtol=1e-9, atol=1e-5)
    # per-atom sums are the global quantities
    np.testing.assert_allclose(got["atom_energy"].sum(), core["energy"], rtol=1e-10)
    for name in ("stress", "centroid"):
        np.testing.assert_allclose(-got[name].sum(0)[:6] / mixed.get_volume(), pressure, rtol=1e-8, atol=1e-4)


def test_ranks_without_atoms(three_element_uf3, tmp_path):
    rng = np.random.default_rng(1)
    cluster = jittered_grid(rng, np.diag([5.0, 5.0, 5.0]), (2, 2, 2), 0.2)
    cluster.set_cell(np.diag([60.0, 60.0, 60.0]))
    pair = f"pair_style ufp 3\npair_coeff * * {three_element_uf3} Li P S"
    one = static_point(cluster, ELEMENTS, pair, tmp_path, 1, "f f f")
    # a grid of 1 x 2 x 2: three of the four ranks own nothing
    four = static_point(cluster, ELEMENTS, pair, tmp_path, 4, "f f f")
    assert_same(four, one)


def test_types_share_an_element_and_hybrid_null(three_element_uf3, tmp_path):
    rng = np.random.default_rng(8)
    atoms = jittered_grid(rng, np.diag([9.0, 9.5, 10.0]), (3, 3, 4), 0.3)
    plain = static_point(
        atoms, ELEMENTS, f"pair_style ufp\npair_coeff * * {three_element_uf3} Li P S", tmp_path
    )
    split = atoms.copy()
    lithium = [i for i, s in enumerate(atoms.symbols) if s == "Li"]
    split.symbols[lithium[::2]] = "Na"  # a second atom type, mapped to Li below
    pair = f"pair_style ufp 3\npair_coeff * * {three_element_uf3} Li P S Li"
    two_types = static_point(split, [*ELEMENTS, "Na"], pair, tmp_path)
    np.testing.assert_allclose(two_types["forces"], plain["forces"], rtol=1e-11, atol=1e-11)

    # hybrid: Li only by ufp, everything else by a pair style of zero strength
    hybrid = (
        "pair_style hybrid/overlay ufp 2 zero 5.0\n"
        f"pair_coeff * * ufp {three_element_uf3} Li NULL NULL\npair_coeff * * zero"
    )
    some = static_point(atoms, ELEMENTS, hybrid, tmp_path)
    only = atoms[lithium]
    alone = static_point(only, ["Li"], f"pair_style ufp 2\npair_coeff * * {three_element_uf3} Li", tmp_path)
    np.testing.assert_allclose(some["forces"][lithium], alone["forces"], rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(some["energy"], alone["energy"], rtol=1e-12)


def test_single_and_short_range_count(three_element_uf3, tmp_path):
    """``pair_write`` uses single(); ``compute pair`` counts the pairs below the first knot."""
    deck = f"""units metal
atom_style atomic
region box block 0 20 0 20 0 20
create_box 3 box
create_atoms 1 single 5 5 5
create_atoms 3 single 5.5 5 5
create_atoms 2 single 5 5 7.1
mass * 10
pair_style ufp 2
pair_coeff * * {three_element_uf3} Li P S
compute short all pair ufp
compute local all pair/local dist eng force
thermo_style custom pe c_short[1]
thermo_modify format float %20.15g
dump local all local 1 dump.local index c_local[*]
dump_modify local format float %20.15g
run 0
"""
    done = run_lmp(deck, tmp_path)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    energy, short = map(
        float, lines[next(i for i, s in enumerate(lines) if s.split()[:1] == ["PotEng"]) + 1].split()
    )
    assert short == 1.0
    table = np.loadtxt(tmp_path / "dump.local", skiprows=9)
    assert len(table) == 3
    np.testing.assert_allclose(table[:, 2].sum(), energy, rtol=1e-12)
    core = UfpPotential(str(three_element_uf3), ELEMENTS, 2)
    for distance, pair in ((0.5, (0, 2)), (2.1, (0, 1))):
        line = table[np.argmin(abs(table[:, 1] - distance))]
        value, slope = core.pair_energy(*pair, distance)
        np.testing.assert_allclose(line[2:], [2 * value, -2 * slope], rtol=1e-9)
