"""Electric field gradients from a PAW charge density.

The gradient at a nucleus is the Hessian of the electrostatic potential of all other charge. In the
projector-augmented-wave method the charge is a smooth one, known by its Fourier coefficients, plus
corrections inside a sphere around each nucleus, of which only the l = 2 part at the nucleus' own sphere
contributes: the all-electron minus the smooth partial-wave density, minus the compensation charge that the
smooth density carries there (H. M. Petrilli, P. E. Blöchl, P. Blaha, K. Schwarz, Phys. Rev. B 57, 14690
(1998), doi:10.1103/PhysRevB.57.14690).

Hartree atomic units throughout; V_ab = ∂²φ/∂x_a∂x_b with φ the potential felt by a positive charge: a
positive point charge on the z axis gives V_zz > 0. Charge densities here are positive for positive charge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "efg_tensors",
    "gaunt_l2",
    "lattice_tensors",
    "onsite_tensor",
    "partial_wave_density_l2",
    "real_harmonics",
    "unpack_density_matrix",
]

Array = NDArray[np.float64]
BOHR_ANGSTROM = 0.529177210903  # CODATA 2018


def real_harmonics(directions: Array) -> Array:
    """Return the real spherical harmonics of l = 0, 1, 2 in GPAW's order.

    Parameters
    ----------
    directions
        (n, 3) float64, unit vectors.

    Returns
    -------
    Array
        (n, 9) float64: 1; y, z, x; xy, yz, 3z²−r², xz, x²−y², each normalised on the sphere.
    """
    x, y, z = np.asarray(directions, dtype=float).T
    columns = [
        np.full_like(x, np.sqrt(1 / (4 * np.pi))),
        *(np.sqrt(3 / (4 * np.pi)) * c for c in (y, z, x)),
        np.sqrt(15 / (4 * np.pi)) * x * y,
        np.sqrt(15 / (4 * np.pi)) * y * z,
        np.sqrt(5 / (16 * np.pi)) * (3 * z**2 - 1),
        np.sqrt(15 / (4 * np.pi)) * x * z,
        np.sqrt(15 / (16 * np.pi)) * (x**2 - y**2),
    ]
    return np.stack(columns, axis=1)


def _hessians_l2() -> Array:
    """Return the Hessian of r² Y_2m for each m, (5, 3, 3); it is the same everywhere."""
    a, b, c = np.sqrt(15 / (4 * np.pi)), np.sqrt(5 / (16 * np.pi)), np.sqrt(15 / (16 * np.pi))
    out = np.zeros((5, 3, 3))
    for m, (i, j) in {0: (0, 1), 1: (1, 2), 3: (0, 2)}.items():
        out[m, i, j] = out[m, j, i] = a
    out[2] = b * np.diag([-2.0, -2.0, 4.0])
    out[4] = c * np.diag([2.0, -2.0, 0.0])
    return out


def gaunt_l2() -> Array:
    """Return ∫ Y_L1 Y_L2 Y_2m dΩ over real harmonics of l ≤ 2, (9, 9, 5) float64.

    Gauss–Legendre in cos θ times equal steps in the azimuth, exact for products of degree six.
    """
    cosines, weights = np.polynomial.legendre.leggauss(6)
    azimuths = 2 * np.pi * np.arange(12) / 12
    sines = np.sqrt(1 - cosines**2)
    directions = np.stack(
        [
            np.outer(sines, np.cos(azimuths)).ravel(),
            np.outer(sines, np.sin(azimuths)).ravel(),
            np.repeat(cosines, 12),
        ],
        axis=1,
    )
    harmonics = real_harmonics(directions)
    weight = np.repeat(weights, 12) * 2 * np.pi / 12
    out: Array = np.einsum("n,na,nb,nm->abm", weight, harmonics, harmonics, harmonics[:, 4:])
    return out


def unpack_density_matrix(packed: Array) -> Array:
    """Return the symmetric matrix of a packed upper triangle whose off-diagonal entries are doubled.

    Parameters
    ----------
    packed
        (n (n + 1) / 2,) float64, rows of the upper triangle one after the other.

    Returns
    -------
    Array
        (n, n) float64.
    """
    n = round((np.sqrt(8 * len(packed) + 1) - 1) / 2)
    rows, columns = np.triu_indices(n)
    out = np.zeros((n, n))
    out[rows, columns] = packed
    symmetric: Array = (out + out.T) / 2
    return symmetric


def partial_wave_density_l2(density_matrix: Array, momenta: list[int], waves: Array) -> Array:
    """Return the l = 2 part of Σ D_ij φ_i φ_j.

    Parameters
    ----------
    density_matrix
        (n, n) float64 over partial waves, each with its 2 l + 1 orientations.
    momenta
        l of each radial function, at most 2.
    waves
        (radial functions, points) float64, φ_j(r).

    Returns
    -------
    Array
        (5, points) float64: coefficients n_m(r) of Y_2m.

    Raises
    ------
    ValueError
        For a partial wave of l > 2 or a matrix of another size.
    """
    if max(momenta) > 2:
        raise ValueError(f"partial waves up to l = 2 are known, got l = {max(momenta)}")
    starts = np.cumsum([0, *(2 * l + 1 for l in momenta)])  # noqa: E741
    if density_matrix.shape != (starts[-1], starts[-1]):
        raise ValueError(f"density matrix: expected {starts[-1]} rows, got {density_matrix.shape}")
    gaunt = gaunt_l2()
    out: Array = np.zeros((5, waves.shape[1]))
    for a, la in enumerate(momenta):
        for b, lb in enumerate(momenta):
            block = density_matrix[starts[a] : starts[a + 1], starts[b] : starts[b + 1]]
            angular = gaunt[la**2 : (la + 1) ** 2, lb**2 : (lb + 1) ** 2]
            out += np.einsum("ij,ijm->m", block, angular)[:, None] * waves[a] * waves[b]
    return out


def onsite_tensor(charge_l2: Array, radii: Array, steps: Array) -> Array:
    """Return the gradient at the centre of charge density Σ_m q_m(r) Y_2m.

    Inside, the potential of such charge is (4π/5) r² Σ_m Y_2m ∫ q_m(r') / r' dr', whose Hessian at the
    centre is the one of the polynomials r² Y_2m.

    Parameters
    ----------
    charge_l2
        (5, points) float64.
    radii, steps
        (points,) float64, Bohr: radial grid and its integration weights dr. A point at zero radius is
        left out; q_m vanishes there as r².
    """
    out = radii > 0
    moments = charge_l2[:, out] @ (steps[out] / radii[out])
    result: Array = 4 * np.pi / 5 * np.einsum("m,mij->ij", moments, _hessians_l2())
    return result


def lattice_tensors(coefficients: NDArray[np.complex128], vectors: Array, positions: Array) -> Array:
    """Return the traceless Hessian of the potential of a periodic charge density.

    Parameters
    ----------
    coefficients
        (g,) complex128: q(r) = Re Σ_G q_G exp(i G·r), e/Bohr³. Half of a symmetric set of G counts with
        doubled coefficients. The coefficient of G = 0 does not matter.
    vectors
        (g, 3) float64, G in 1/Bohr.
    positions
        (n, 3) float64, Bohr.

    Returns
    -------
    Array
        (n, 3, 3) float64.
    """
    square = np.einsum("gi,gi->g", vectors, vectors)
    kept = square > 1e-10
    vectors, factor = vectors[kept], 4 * np.pi * coefficients[kept] / square[kept]
    out = np.empty((len(positions), 3, 3))
    for n, position in enumerate(positions):
        phase = np.exp(1j * (vectors @ position))
        out[n] = -((factor * phase).real[:, None] * vectors).T @ vectors
        out[n] -= np.eye(3) * np.trace(out[n]) / 3
    return out


def _sphere_charge(setup: Any, density_matrix: Array, moments: Array) -> Array:
    """Return what the sphere of an atom adds to the smooth charge, its l = 2 part, (5, points)."""
    momenta = list(setup.l_j)
    exact, smooth = (np.array(w, dtype=float) for w in (setup.data.phi_jg, setup.data.phit_jg))
    electrons = partial_wave_density_l2(density_matrix, momenta, exact)
    electrons -= partial_wave_density_l2(density_matrix, momenta, smooth)
    compensation = np.asarray(setup.g_lg[2], dtype=float)
    n = min(len(compensation), electrons.shape[1])
    electrons[:, :n] -= np.outer(moments, compensation[:n])
    return -electrons


def efg_tensors(calculator: Any) -> Array:
    """Return the tensors of all atoms of a converged plane-wave GPAW calculation, (n, 3, 3) a.u.

    Parameters
    ----------
    calculator
        ``gpaw.GPAW`` in plane-wave mode, run on one process.
    """
    density = calculator.density
    density.calculate_pseudo_charge()  # the smooth electrons with the compensation charges, electrons > 0
    grid = density.pd3
    vectors = np.asarray(grid.get_reciprocal_vectors(q=0, add_q=False))
    halves = 2.0 if grid.dtype == float else 1.0
    points = int(np.prod(grid.gd.N_c))
    coefficients = -density.rhot_q * (halves / points)
    positions = calculator.atoms.positions / BOHR_ANGSTROM
    tensors = lattice_tensors(coefficients, vectors, positions)
    multipoles = density.Q.calculate(density.D_asp)
    for a in range(len(positions)):
        setup = calculator.wfs.setups[a]
        matrix = unpack_density_matrix(np.asarray(density.D_asp[a]).sum(axis=0))
        charge = _sphere_charge(setup, matrix, np.asarray(multipoles[a])[4:9])
        radial = setup.rgd
        n = charge.shape[1]
        tensors[a] += onsite_tensor(charge, np.asarray(radial.r_g)[:n], np.asarray(radial.dr_g)[:n])
    return tensors
