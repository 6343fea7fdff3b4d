"""The PAW tensor formulas against closed forms, three-dimensional quadrature and Ewald sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.special import erfc

from lpsnmr.labelling.gpaw_worker.tensors import (
    gaunt_l2,
    lattice_tensors,
    onsite_tensor,
    partial_wave_density_l2,
    real_harmonics,
    unpack_density_matrix,
)


def sphere(degree=12):
    """Return directions and weights that integrate polynomials over the sphere."""
    cosines, weights = np.polynomial.legendre.leggauss(degree)
    azimuths = 2 * np.pi * np.arange(2 * degree) / (2 * degree)
    sines = np.sqrt(1 - cosines**2)
    x, y = (np.outer(sines, f(azimuths)).ravel() for f in (np.cos, np.sin))
    z = np.repeat(cosines, 2 * degree)
    return np.stack([x, y, z], axis=1), np.repeat(weights, 2 * degree) * np.pi / degree


def test_harmonics_are_orthonormal():
    directions, weights = sphere()
    harmonics = real_harmonics(directions)
    assert np.allclose((harmonics * weights[:, None]).T @ harmonics, np.eye(9), atol=1e-14)


def test_gaunt_closed_forms():
    gaunt = gaunt_l2()
    assert np.allclose(gaunt[0, 4:], np.eye(5) / np.sqrt(4 * np.pi), atol=1e-14)  # Y_00 is a constant
    assert gaunt[2, 2, 2] == pytest.approx(1 / np.sqrt(5 * np.pi))  # z z on 3z²−r²
    assert gaunt[1, 3, 0] == pytest.approx(np.sqrt(3 / (20 * np.pi)))  # y x on xy
    assert np.allclose(gaunt, gaunt.transpose(1, 0, 2), atol=1e-15)
    assert np.abs(gaunt[1:4, 4:]).max() < 1e-15  # p times d is odd


def test_unpacking():
    matrix = np.arange(16.0).reshape(4, 4)
    matrix += matrix.T
    packed = [matrix[i, j] * (1 if i == j else 2) for i in range(4) for j in range(i, 4)]
    assert np.array_equal(unpack_density_matrix(np.array(packed)), matrix)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_onsite_against_quadrature_in_space(seed):
    """V = ∫ q(r) (3 r r − r²)/r⁵, with the whole density, not its l = 2 part."""
    random = np.random.default_rng(seed)
    directions, weights = sphere()
    nodes, steps = np.polynomial.legendre.leggauss(120)
    radii, steps = 6.0 * (nodes + 1), 6.0 * steps
    momenta = [0, 1, 0, 1, 2]
    waves = np.stack([radii**l * np.exp(-random.uniform(0.3, 1.0) * radii**2) for l in momenta])  # noqa: E741
    size = sum(2 * l + 1 for l in momenta)  # noqa: E741
    matrix = random.normal(size=(size, size))
    matrix += matrix.T
    harmonics = real_harmonics(directions)
    columns = [c for l in momenta for c in range(l**2, (l + 1) ** 2)]  # noqa: E741
    radial = np.repeat(waves, [2 * l + 1 for l in momenta], axis=0)  # noqa: E741
    functions = harmonics[:, columns, None] * radial[None]  # (direction, wave, radius)
    density = np.einsum("dir,ij,djr->dr", functions, matrix, functions)
    density -= np.einsum("d,dr->r", weights, density)[None] / (4 * np.pi)  # the sphere does not matter
    kernel = 3 * directions[:, :, None] * directions[:, None, :] - np.eye(3)
    expected = np.einsum("d,dr,dij,r->ij", weights, density, kernel, steps / radii)
    actual = onsite_tensor(partial_wave_density_l2(matrix, momenta, waves), radii, steps)
    assert np.allclose(actual, expected, rtol=1e-9, atol=1e-9)


def test_onsite_sign_and_size():
    """Positive charge in caps along ±z: r² exp(−a r²) Y_20 gives V_zz = (4π/5) 4 √(5/16π) / (2 a)."""
    radii = np.linspace(0, 12, 4001)
    charge = np.zeros((5, len(radii)))
    charge[2] = radii**2 * np.exp(-0.7 * radii**2)
    tensor = onsite_tensor(charge, radii, np.full(len(radii), radii[1]))
    v_zz = 4 * np.pi / 5 * 4 * np.sqrt(5 / (16 * np.pi)) / (2 * 0.7)
    assert np.allclose(tensor, v_zz * np.diag([-0.5, -0.5, 1.0]), atol=1e-6)
    assert v_zz > 0


def test_f_waves_are_refused():
    with pytest.raises(ValueError, match="l = 3"):
        partial_wave_density_l2(np.eye(7), [3], np.ones((1, 5)))
    with pytest.raises(ValueError, match="expected 4 rows"):
        partial_wave_density_l2(np.eye(3), [0, 1], np.ones((2, 5)))


def reciprocal_vectors(cell, largest):
    """Return all G up to ``largest``, (g, 3)."""
    basis = 2 * np.pi * np.linalg.inv(cell).T
    n = [int(np.ceil(largest * np.linalg.norm(v) / (2 * np.pi))) for v in cell]
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in n), indexing="ij"), -1).reshape(-1, 3)
    vectors = grid @ basis
    return vectors[np.linalg.norm(vectors, axis=1) <= largest]


def gaussian_coefficients(cell, positions, charges, width, vectors):
    """Return the Fourier coefficients of Gaussian charges exp(−r²/2 width²)."""
    damping = np.exp(-0.5 * width**2 * (vectors**2).sum(axis=1)) / abs(np.linalg.det(cell))
    return damping * (np.exp(-1j * vectors @ positions.T) @ charges)


def ewald_tensors(cell, positions, charges, width):
    """Return the gradients of point charges: screened in real space, Gaussians in reciprocal space."""
    vectors = reciprocal_vectors(cell, 9.0 / width)
    out = lattice_tensors(gaussian_coefficients(cell, positions, charges, width, vectors), vectors, positions)
    a = 1 / (np.sqrt(2) * width)
    reach = int(np.ceil(7.0 * width / np.linalg.svd(cell)[1].min())) + 2
    shifts = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    for i in range(len(positions)):
        for j, charge in enumerate(charges):
            r = positions[j] - positions[i] + shifts @ cell
            d = np.linalg.norm(r, axis=1)
            r, d = r[d > 1e-9], d[d > 1e-9]
            # second derivative of erfc(a d)/d, its traceless part
            gauss = 2 * a / np.sqrt(np.pi) * np.exp(-((a * d) ** 2))
            size = 3 * erfc(a * d) / d**5 + gauss * (3 / d**4 + 2 * a**2 / d**2)
            tensor = charge * np.einsum("n,ni,nj->ij", size, r, r)
            out[i] += tensor - np.eye(3) * np.trace(tensor) / 3
    return out


@pytest.fixture
def ionic_cell():
    random = np.random.default_rng(4)
    cell = np.diag([9.0, 10.0, 11.0]) + random.normal(0, 0.6, (3, 3))
    fractional = np.array([[0.05, 0.1, 0], [0.5, 0.55, 0.1], [0.1, 0.5, 0.6], [0.55, 0, 0.5]])
    return cell, fractional @ cell, np.array([1.0, -2.0, 1.5, -0.5])


def test_lattice_against_ewald_of_two_widths(ionic_cell):
    """Narrow Gaussians are point charges to each other; their own is spherical."""
    cell, positions, charges = ionic_cell
    width = 0.5
    vectors = reciprocal_vectors(cell, 9.0 / width)
    gaussians = gaussian_coefficients(cell, positions, charges, width, vectors)
    actual = lattice_tensors(gaussians, vectors, positions)
    for other in (1.2, 2.0):  # most of it from the sum in real space
        assert np.allclose(actual, ewald_tensors(cell, positions, charges, other), atol=1e-8)
    assert np.abs(actual).max() > 0.005
    assert np.allclose(np.trace(actual, axis1=1, axis2=2), 0, atol=1e-15)


def test_lattice_from_half_of_the_vectors(ionic_cell):
    cell, positions, charges = ionic_cell
    vectors = reciprocal_vectors(cell, 12.0)
    whole = lattice_tensors(gaussian_coefficients(cell, positions, charges, 0.6, vectors), vectors, positions)
    half = vectors[(vectors @ [1.0, 1e-3, 1e-6]) > 0]
    doubled = 2 * gaussian_coefficients(cell, positions, charges, 0.6, half)
    assert np.allclose(lattice_tensors(doubled, half, positions), whole, atol=1e-12)


def test_isolated_point_charge():
    """A charge on +z in a large box: V_zz = 2 q / d³, positive for positive charge."""
    cell, d = np.eye(3) * 40.0, 5.0
    positions = np.array([[0, 0, 0], [0, 0, d], [0, 0, d + 0.0]])[:2]
    width = 0.9
    vectors = reciprocal_vectors(cell, 6.5 / width)
    tensor = lattice_tensors(
        gaussian_coefficients(cell, positions, np.array([0.0, 1.0]), width, vectors), vectors, positions[:1]
    )[0]
    # cubic images of a charge add no gradient at its own site and, to leading order, (d/L)² at d
    assert tensor[2, 2] == pytest.approx(2 / d**3, rel=0.02)
    assert np.allclose(tensor, tensor[2, 2] * np.diag([-0.5, -0.5, 1]), atol=1e-10)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_lattice_turns_with_the_structure(seed):
    cell = np.diag([8.0, 9.0, 10.0])
    positions = np.random.default_rng(3).random((3, 3)) @ cell
    charges = np.array([1.0, 1.0, -2.0])
    turn = Rotation.random(random_state=seed).as_matrix()

    def tensors(c, p):
        vectors = reciprocal_vectors(c, 8.0)
        return lattice_tensors(gaussian_coefficients(c, p, charges, 0.8, vectors), vectors, p)

    expected = turn @ tensors(cell, positions) @ turn.T
    assert np.allclose(tensors(cell @ turn.T, positions @ turn.T), expected, atol=1e-12)


def test_a_cubic_site_has_no_gradient():
    cell = np.eye(3) * 7.0
    positions = np.array([[0, 0, 0], [3.5, 3.5, 3.5]])
    vectors = reciprocal_vectors(cell, 12.0)
    coefficients = gaussian_coefficients(cell, positions, np.array([1.0, -1.0]), 0.6, vectors)
    assert np.abs(lattice_tensors(coefficients, vectors, positions)).max() < 1e-12
