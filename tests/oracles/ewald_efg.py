"""Field gradients of point charges in a periodic cell by Ewald summation, straight from the definition.

A cell that is not neutral is summed with a uniform background, which has no gradient at its own.
"""

import itertools

import numpy as np
from scipy.special import erfc

COULOMB_V_ANGSTROM = 14.399645478
"""e/(4π ε₀) in V Å."""


def real_part(vector, alpha):
    """Second derivatives of erfc(α r)/r."""
    r = np.linalg.norm(vector)
    u = vector / r
    gauss = np.exp(-((alpha * r) ** 2)) / np.sqrt(np.pi)
    first = -erfc(alpha * r) / r**2 - 2 * alpha * gauss / r
    second = 2 * erfc(alpha * r) / r**3 + 4 * alpha * gauss / r**2 + 4 * alpha**3 * gauss
    return (second - first / r) * np.outer(u, u) + first / r * np.eye(3)


def ewald_efg(positions, cell, charges):
    """EFG at every charge, (n, 3, 3) in e/Å³: positive charge on z gives V_zz > 0."""
    positions, cell = np.asarray(positions, dtype=float), np.asarray(cell, dtype=float)
    volume = abs(np.linalg.det(cell))
    alpha = np.sqrt(np.pi) * volume ** (-1 / 3)
    reach = 6.0 / alpha
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    images = [int(np.ceil(reach * np.linalg.norm(row) / (2 * np.pi))) + 1 for row in reciprocal]
    waves = [int(np.ceil(12.0 * alpha * np.linalg.norm(row) / (2 * np.pi))) for row in cell]
    tensors = np.zeros((len(positions), 3, 3))
    for shift in itertools.product(*(range(-n, n + 1) for n in images)):
        for i, j in itertools.product(range(len(positions)), repeat=2):
            vector = positions[j] + np.array(shift) @ cell - positions[i]
            if 1e-9 < np.linalg.norm(vector) < reach:
                tensors[i] += charges[j] * real_part(vector, alpha)
    for index in itertools.product(*(range(-n, n + 1) for n in waves)):
        wave = np.array(index) @ reciprocal
        square = wave @ wave
        if square > 0:
            phase = np.exp(1j * positions @ wave)
            density = np.conj(np.sum(charges * phase))
            weight = -4 * np.pi / volume * np.exp(-square / (4 * alpha**2)) / square
            tensors += weight * np.real(phase * density)[:, None, None] * np.outer(wave, wave)
    trace = np.trace(tensors, axis1=1, axis2=2)
    return tensors - trace[:, None, None] * np.eye(3) / 3  # self term and background are isotropic
