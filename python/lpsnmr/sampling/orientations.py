"""Orientations of the magnetic field: Lebedev sets on the half sphere, and single directions."""

import numpy as np
from numpy.typing import ArrayLike

from lpsnmr.efg.tensors import tensor_to_components
from lpsnmr.errors import InputError
from lpsnmr.typing import Array

__all__ = ["LEBEDEV_DEGREES", "lebedev_half_sphere", "projections"]


LEBEDEV_DEGREES = (
    3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
    35, 41, 47, 53, 59, 65, 71, 77, 83, 89, 95, 101, 107, 113, 119, 125, 131,
)  # fmt: skip
"""Polynomial degrees up to which a tabulated set integrates exactly over the sphere."""


def lebedev_half_sphere(degree: int) -> tuple[Array, Array]:
    """Return directions and weights for functions that are the same at b and −b.

    Of each pair ±b of a Lebedev set one is kept, with twice the weight. Polynomials in b of even
    order up to ``degree`` are averaged exactly. V. I. Lebedev, D. N. Laikov, Dokl. Math. 59, 477 (1999).

    Parameters
    ----------
    degree
        One of ``LEBEDEV_DEGREES``.

    Returns
    -------
    directions : (n, 3) float64 unit vectors
    weights : (n,) float64, positive for all degrees but 13, 25 and 27; their sum is 1

    Raises
    ------
    InputError
        For another degree.

    Examples
    --------
    >>> directions, weights = lebedev_half_sphere(11)
    >>> len(weights), round(float(weights @ directions[:, 2] ** 4), 12)  # ⟨z⁴⟩ = 1/5
    (25, 0.2)
    """
    if degree not in LEBEDEV_DEGREES:
        known = ", ".join(map(str, LEBEDEV_DEGREES))
        raise InputError(f"orientation degree: expected one of {known}, got {degree}")
    from scipy.integrate import lebedev_rule  # here, because it is slow to import

    points, weights = lebedev_rule(degree)
    directions = np.ascontiguousarray(points.T)
    x, y, z = np.where(np.abs(points) < 1e-12, 0.0, points)
    kept = (z > 0) | ((z == 0) & (y > 0)) | ((z == 0) & (y == 0) & (x > 0))
    return directions[kept], weights[kept] / weights[kept].sum()


def projections(directions: ArrayLike) -> Array:
    """Return B with b·V·b = Σ_m B_m c_m for the five components c of V, (..., 5).

    Parameters
    ----------
    directions
        (..., 3) float64; normalised here.

    Raises
    ------
    InputError
        For a direction that is zero or not finite.

    Examples
    --------
    >>> projections([0.0, 0.0, 2.0]).round(4).tolist()
    [0.0, 0.0, 0.8165, 0.0, 0.0]
    """
    b = np.asarray(directions, dtype=np.float64)
    length = np.linalg.norm(b, axis=-1, keepdims=True)
    if b.shape[-1:] != (3,) or not np.all(np.isfinite(b)) or np.any(length == 0):
        raise InputError(f"a field direction is three finite numbers, not all zero; got {np.shape(b)} {b!r}")
    b = b / length
    return tensor_to_components(b[..., :, None] * b[..., None, :] - np.eye(3) / 3.0)
