"""Density terms: the kernel against a slow oracle, features against the kernel, files, symmetries."""

import numpy as np
import pytest
from scipy.interpolate import BSpline
from scipy.spatial.transform import Rotation

from lpsnmr._core import DensityBasis, DensityPotential, read_ufd_blocks
from lpsnmr.errors import InputError
from lpsnmr.files.hashing import sha256_of
from lpsnmr.potential import (
    BasisSettings,
    DensityBlock,
    DensityChannel,
    Layout,
    Ufp,
    blocks_from_coefficients,
    read_ufd,
    write_uf3,
    write_ufd,
)
from lpsnmr.potential.density import radial_coefficients
from lpsnmr.potential.rows import calibrate
from oracles.density_terms import atom_energies
from support.ufd_files import random_density
from support.ufp_cases import SMALL, random_structure

ELEMENTS = ["Li", "P", "S"]
CASES = {
    "triclinic": lambda: random_structure(1, n=20),
    "small": lambda: random_structure(2, SMALL, n=3),
    "open": lambda: random_structure(3, pbc=False),
    "one atom": lambda: random_structure(4, SMALL, n=1),
    "close": lambda: random_structure(5, n=30, least=0.75),
}
FADES = {"never": (1e3, 1e9), "fading": (2.5, 1e9), "gone": (0.01, 1e9), "bounded": (1e3, 0.4)}


@pytest.fixture(scope="module", params=FADES)
def density(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("ufd") / "t.ufd"
    path.write_text(random_density(7, full=FADES[request.param][0], bound=FADES[request.param][1]))
    return path


def evaluate(path, atoms, elements=ELEMENTS):
    species = [elements.index(s) for s in atoms.get_chemical_symbols()]
    core = DensityPotential(str(path), elements)
    return core.compute(atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species)


@pytest.mark.parametrize("case", CASES)
def test_energies_are_those_of_the_oracle(case, density):
    atoms = CASES[case]()
    expected = atom_energies(read_ufd_blocks(str(density))["blocks"], atoms)
    found = evaluate(density, atoms)
    np.testing.assert_allclose(found["atom_energy"], expected, rtol=1e-11, atol=1e-11)
    assert found["energy"] == pytest.approx(expected.sum(), rel=1e-11, abs=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_features_times_coefficients_are_the_kernel(case, density):
    """Where no energy is bounded: a bound is not linear."""
    atoms = CASES[case]()
    if "BOUND -0.4" in density.read_text():
        density = density.with_name("free.ufd")
        density.write_text(random_density(7))
    blocks = read_ufd_blocks(str(density))["blocks"]
    basis = DensityBasis(ELEMENTS, [(c, orders, channels) for c, orders, channels, *_ in blocks])
    coefficients = np.concatenate([b[3] for b in blocks])
    assert basis.columns == len(coefficients)
    species = [ELEMENTS.index(s) for s in atoms.get_chemical_symbols()]
    rows, largest = basis.features(atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species)
    total = coefficients @ rows
    found = evaluate(density, atoms)
    scale = max(1.0, np.abs(found["forces"]).max(), np.abs(found["virial"]).max())
    assert total[0] == pytest.approx(found["energy"], rel=1e-12, abs=1e-10)
    np.testing.assert_allclose(total[1:7], found["virial"], rtol=0, atol=1e-11 * scale)
    np.testing.assert_allclose(total[7:].reshape(-1, 3), found["forces"], rtol=0, atol=1e-11 * scale)
    assert largest.shape == (basis.functions,)


@pytest.mark.parametrize("case", ["triclinic", "small", "open", "close"])
def test_forces_and_virial_are_derivatives(case, density):
    atoms = CASES[case]()
    found = evaluate(density, atoms)
    np.testing.assert_allclose(found["forces"].sum(axis=0), 0, atol=1e-9)
    h = 1e-5
    scale = max(1.0, np.abs(found["forces"]).max(), np.abs(found["virial"]).max())

    def energy(deformation, shift):
        moved = atoms.copy()
        moved.set_cell(atoms.cell.array @ deformation)
        moved.positions = (atoms.positions + shift) @ deformation
        return evaluate(density, moved)["energy"]

    for atom in range(0, len(atoms), 4):
        for axis in range(3):
            step = np.zeros((len(atoms), 3))
            step[atom, axis] = h
            slope = (energy(np.eye(3), step) - energy(np.eye(3), -step)) / (2 * h)
            assert -slope == pytest.approx(found["forces"][atom, axis], rel=1e-6, abs=2e-7 * scale)
    for c, (a, b) in enumerate([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]):
        strain = np.zeros((3, 3))
        strain[a, b] += 0.5 * h
        strain[b, a] += 0.5 * h
        slope = (energy(np.eye(3) + strain, 0.0) - energy(np.eye(3) - strain, 0.0)) / (2 * h)
        assert -slope == pytest.approx(found["virial"][c], rel=1e-6, abs=2e-7 * scale)


def test_rotation_permutation_translation(density):
    atoms = random_structure(3, n=16, pbc=False)
    found = evaluate(density, atoms)
    turn = Rotation.from_rotvec([0.4, -1.1, 0.7]).as_matrix()
    order = np.random.default_rng(0).permutation(len(atoms))
    moved = atoms[order]
    moved.positions = moved.positions @ turn.T + [3.0, -2.0, 7.0]
    other = evaluate(density, moved)
    assert other["energy"] == pytest.approx(found["energy"], rel=1e-12)
    np.testing.assert_allclose(other["forces"], found["forces"][order] @ turn.T, rtol=0, atol=1e-9)
    species_order = ["S", "Li", "P"]
    assert evaluate(density, atoms, species_order)["energy"] == pytest.approx(found["energy"], rel=1e-12)


def test_supercell_has_twice_the_energy(density):
    atoms = random_structure(9, n=6)
    assert evaluate(density, atoms.repeat((2, 1, 1)))["energy"] == pytest.approx(
        2 * evaluate(density, atoms)["energy"], rel=1e-11
    )


@pytest.mark.parametrize(("edge", "inwards"), [(0.8, 1), (4.4, -1)])
def test_smooth_at_first_knot_and_cutoff(edge, inwards, tmp_path):
    """Value and two derivatives vanish: crossing by d moves an atom with a force like d squared."""
    path = tmp_path / "t.ufd"
    path.write_text(random_density(7, orders=("34",), centers=("P",)))
    core = DensityPotential(str(path), ELEMENTS)

    def pull(r):
        positions = np.array([[0, 0, 0], [0, r, 0], [1.7, 0, 0.5]])
        return core.compute(positions, np.eye(3) * 50, [False] * 3, [1, 2, 2])["forces"][1, 1]

    assert pull(edge) == pull(edge - inwards * 0.01) == 0.0
    assert pull(edge + inwards * 0.02) / pull(edge + inwards * 0.01) == pytest.approx(4.0, rel=0.1)


def test_bounded_however_close_the_atoms_are(tmp_path):
    """Crowds fade: the energy of a centre cannot grow with the number of its neighbours."""
    path = tmp_path / "t.ufd"
    path.write_text(random_density(7, full=2.0))
    rng = np.random.default_rng(1)
    largest = 0.0
    for size in (2.0, 1.0, 0.5):
        positions = rng.uniform(0, 4 * size, (40, 3))
        species = rng.integers(0, 3, 40).tolist()
        out = DensityPotential(str(path), ELEMENTS).compute(positions, np.eye(3), [False] * 3, species)
        largest = max(largest, np.abs(out["atom_energy"]).max())
    path.write_text(random_density(7, full=1e9))
    out = DensityPotential(str(path), ELEMENTS).compute(positions, np.eye(3), [False] * 3, species)
    assert largest < 100 < np.abs(out["atom_energy"]).max()


CHANNELS = (
    DensityChannel("Li", 4.5, 2, 1),
    DensityChannel("P", 4.0, 1, 0),
    DensityChannel("S", 5.0, 2, 2, 1.4),
)
BLOCKS = (
    DensityBlock("S", 34, CHANNELS),
    DensityBlock("P", 3, CHANNELS[1:]),
    DensityBlock("Li", 4, CHANNELS[:1]),
)


@pytest.mark.parametrize("channel", [*CHANNELS, DensityChannel("S", 6.0, 4, 2)])
def test_radial_functions_follow_their_form(channel):
    """The clamped B-splines where data are; below they fall to zero and stay bounded."""
    values = radial_coefficients(channel)
    n = channel.functions
    assert values.shape == (n, channel.intervals - 3)
    h = (channel.cutoff - channel.first_knot) / channel.intervals
    knots = channel.first_knot + h * np.arange(-3, channel.intervals + 4)
    r = np.linspace(channel.start + 2 * h, channel.cutoff, 200)
    inner = np.linspace(channel.start, channel.cutoff, n + 1)
    shapes = BSpline(np.r_[[channel.start] * 3, inner, [channel.cutoff] * 3], np.eye(n + 3)[:, :n], 3)
    for f in range(n):
        spline = BSpline(knots, np.r_[[0.0] * 3, values[f], [0.0] * 3], 3)
        np.testing.assert_allclose(spline(r), shapes(r)[:, f], atol=0.02)
        below = spline(np.linspace(channel.first_knot, channel.start, 50))
        assert abs(below[0]) < 1e-9
        assert np.abs(below).max() < 1.5


def test_written_files_are_the_features(tmp_path):
    settings = BasisSettings(body_order=2, two_body_cutoff=5.0, density=BLOCKS)
    frames = [random_structure(k, n=14) for k in range(3)]
    layout = calibrate(
        Layout.from_settings(settings), [f for f in frames if f.info.update(source="x") is None]
    )
    assert layout.columns == layout.basis.columns + layout.density.columns
    assert (layout.density.largest > 0).all()
    coefficients = np.random.default_rng(5).normal(size=layout.columns)
    uf3, ufd = tmp_path / "t.uf3", tmp_path / "t.ufd"
    write_uf3(uf3, blocks_from_coefficients(layout, coefficients))
    write_ufd(ufd, layout.density, coefficients[layout.basis.columns :], sha256_of(uf3), ["words"])
    again = read_ufd(ufd)
    assert again.base == sha256_of(uf3)
    np.testing.assert_array_equal(
        np.concatenate([b.coefficients for b in again.blocks]), coefficients[layout.basis.columns :]
    )
    # one frame of training, and a denser one, where terms fade
    for atoms in (frames[0], random_structure(11, np.eye(3) * 6.0, n=20)):
        species = layout.species(atoms.get_chemical_symbols())
        rows = coefficients @ layout.features(atoms.positions, atoms.cell.array, atoms.pbc.tolist(), species)
        found = Ufp(uf3).predict(atoms)
        scale = np.abs(found.forces).max()
        assert rows[0] == pytest.approx(found.energy, rel=1e-11)
        np.testing.assert_allclose(rows[7:].reshape(-1, 3), found.forces, rtol=0, atol=1e-11 * scale)
    before = ufd.read_bytes()
    write_ufd(ufd, layout.density, coefficients[layout.basis.columns :], sha256_of(uf3), ["words"])
    assert ufd.read_bytes() == before
    # energies of atoms outside of what training showed bend
    ranges = np.array([[-0.1, 0.2], [-0.1, 0.1], [-0.2, 0.0]])
    write_ufd(ufd, layout.density.bounded(ranges), coefficients[layout.basis.columns :], sha256_of(uf3))
    assert read_ufd(ufd).blocks[0].bound == pytest.approx((-0.13, 0.23, 0.06))
    base = Ufp(uf3)._core.compute(atoms.positions, atoms.cell.array, [True] * 3, species)["atom_energy"]
    extra = Ufp(uf3).predict(atoms).atom_energy - base
    for k, element in enumerate(("S", "P", "Li")):
        own = extra[np.array(atoms.get_chemical_symbols()) == element]
        low, high, room = read_ufd(ufd).blocks[k].bound
        assert low - room <= own.min() <= own.max() <= high + room
    # body order 2 is V2 alone
    assert Ufp(uf3, 2).predict(frames[0]).energy != pytest.approx(Ufp(uf3).predict(frames[0]).energy)
    uf3.write_text(uf3.read_text() + "# changed\n")
    with pytest.raises(InputError, match=r"belong to a \.uf3 file with SHA-256"):
        Ufp(uf3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("#lpsnmr-ufd 1", "#lpsnmr-ufd 2"), ":1: first line: expected '#lpsnmr-ufd 1'"),
        (("UNITS metal", "UNITS"), r":3: expected 'UNITS style', got 1 word"),
        (("BASE -", "BASE abc"), ":4: BASE: expected 64 hexadecimal digits or -, got 'abc'"),
        (("CENTER S 34", "CENTER S 5"), ":5: body orders: expected 3, 4 or 34, got '5'"),
        (("CENTER S 34 3", "CENTER S 34 2"), r"its channels have 158 terms, but the line at .*:5 has 416"),
        (
            ("CHANNEL P 2 2", "CHANNEL P 2 3"),
            ":7: highest l: expected an integer of at least 0 and at most 2",
        ),
        (("CHANNEL P 2 2", "CHANNEL P 1 2"), "expected CHANNEL, got 'FUNCTION'"),
        (("CHANNEL Li 3 1", "CHANNEL P 3 1"), "CHANNEL P is given twice"),
        (("BOUND -", "BOUND 9"), ":6: BOUND: expected low < high and room > 0"),
        (("BOUND -1000000000.0", "BOUND"), ":6: expected 'BOUND low high room', got 3 word"),
        (("0.9 4.6 9", "4.9 4.6 9"), "expected 0 <= first knot < cutoff, got 4.9 and 4.6"),
        (("0.9 4.6 9", "0.9 4.6 8"), "expected 'FUNCTION full gone and intervals - 3 numbers', got 9 word"),
        (("FUNCTION 1000.0 1700", "FUNCTION 1000.0 1"), ":8: FUNCTION: expected 0 < full < gone"),
        (("FUNCTION 1000.0", "FUNCTION nan"), ":8: .*expected a finite number, got 'nan'"),
        (("END", "CENTER X 3 1 1"), "the file ends where BOUND is expected"),
        (("END\n", ""), "the file ends where CENTER or END is expected"),
        (("END\n", "END\nmore\n"), "expected nothing behind END, got 'more'"),
        (("COEFFICIENTS\n", "COEFFICIENTS\n1 2 3\n"), "COEFFICIENTS: expected .* numbers, got more"),
    ],
)
def test_bad_files(change, words, tmp_path):
    text = random_density(1)
    assert change[0] in text
    path = tmp_path / "bad.ufd"
    path.write_text(text.replace(*change, 1))
    with pytest.raises(InputError, match=words):
        read_ufd(path)


def test_number_of_terms_is_checked(tmp_path):
    text = random_density(1)
    head = next(line for line in text.splitlines() if line.startswith("CENTER"))
    path = tmp_path / "bad.ufd"
    path.write_text(text.replace(head, head[:-1] + "x"))
    with pytest.raises(InputError, match=r"bad.ufd:5: number of coefficients: expected an integer"):
        read_ufd(path)
    path.write_text(text.replace(head, head.rsplit(" ", 1)[0] + " 7"))
    with pytest.raises(InputError, match=r"its channels have \d+ terms, but the line at .*bad.ufd:5 has 7"):
        read_ufd(path)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: DensityChannel("S", 2.0, 2, 1), "a cutoff at least 0.6 Å further"),
        (lambda: DensityChannel("S", 5.0, 9, 1), "1 to 8 functions"),
        (lambda: DensityChannel("S", 5.0, 2, 3), "highest l of 0, 1 or 2"),
        (lambda: DensityBlock("S", 2, CHANNELS), "orders 3, 4 or 34"),
        (lambda: DensityBlock("S", 3, (CHANNELS[0], CHANNELS[0])), "distinct neighbours"),
        (
            lambda: Layout.from_settings(BasisSettings(density=(DensityBlock("Na", 3, CHANNELS),))),
            "element Na is not in the potential",
        ),
    ],
)
def test_settings_are_checked(build, words):
    with pytest.raises(InputError, match=words):
        build()
