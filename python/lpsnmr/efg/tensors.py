"""Symmetric traceless tensors: five orthonormal components, principal frame, C_Q and η.

Sign and order conventions: V_ab = ∂²φ/∂x_a∂x_b, |V_zz| ≥ |V_yy| ≥ |V_xx|, η = (V_xx − V_yy)/V_zz.
"""

import numpy as np

from lpsnmr.typing import Array
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

__all__ = ["components_to_tensor", "principal_values", "quadrupolar_coupling_hz", "tensor_to_components"]


def tensor_to_components(tensor: Array) -> Array:
    """Return five components c with Σ_m c_m d_m = Tr(V W).

    c = (√2 V_xy, √2 V_yz, √(3/2) V_zz, √2 V_xz, (V_xx − V_yy)/√2), the order m = −2 … 2 of the real
    spherical harmonics of l = 2.

    Parameters
    ----------
    tensor
        (..., 3, 3) float64, symmetric and traceless, any unit.

    Returns
    -------
    Array
        (..., 5) float64, same unit.

    Examples
    --------
    >>> v = np.diag([-0.5, -0.5, 1.0])
    >>> c = tensor_to_components(v)
    >>> bool(np.isclose(c @ c, np.trace(v @ v)))
    True
    """
    t = np.asarray(tensor, dtype=np.float64)
    return np.stack(
        [
            np.sqrt(2.0) * t[..., 0, 1],
            np.sqrt(2.0) * t[..., 1, 2],
            np.sqrt(1.5) * t[..., 2, 2],
            np.sqrt(2.0) * t[..., 0, 2],
            (t[..., 0, 0] - t[..., 1, 1]) / np.sqrt(2.0),
        ],
        axis=-1,
    )


def components_to_tensor(components: Array) -> Array:
    """Invert ``tensor_to_components``: (..., 5) to (..., 3, 3)."""
    c = np.asarray(components, dtype=np.float64)
    tensor = np.empty((*c.shape[:-1], 3, 3))
    zz = c[..., 2] / np.sqrt(1.5)
    difference = c[..., 4] * np.sqrt(2.0)
    tensor[..., 0, 0] = 0.5 * (difference - zz)
    tensor[..., 1, 1] = 0.5 * (-difference - zz)
    tensor[..., 2, 2] = zz
    for (a, b), m in {(0, 1): 0, (1, 2): 1, (0, 2): 3}.items():
        tensor[..., a, b] = tensor[..., b, a] = c[..., m] / np.sqrt(2.0)
    return tensor


def principal_values(tensor: Array) -> tuple[Array, Array, Array]:
    """Return V_zz, η and the principal axes, ordered |V_zz| ≥ |V_yy| ≥ |V_xx|.

    Parameters
    ----------
    tensor
        (..., 3, 3) float64, symmetric and traceless.

    Returns
    -------
    v_zz : (...,) float64, unit of ``tensor``
    eta : (...,) float64 in [0, 1]; 0 for the zero tensor
    axes : (..., 3, 3) float64, columns are the unit vectors of x, y, z; right-handed
    """
    values, vectors = np.linalg.eigh(np.asarray(tensor, dtype=np.float64))
    order = np.argsort(np.abs(values), axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    axes = np.take_along_axis(vectors, order[..., None, :], axis=-1)
    axes[..., :, 0] *= np.where(np.linalg.det(axes) < 0, -1.0, 1.0)[..., None]
    v_zz = ordered[..., 2]
    safe = np.where(v_zz == 0, 1.0, v_zz)
    eta = np.where(v_zz == 0, 0.0, (ordered[..., 0] - ordered[..., 1]) / safe)
    return v_zz, np.clip(eta, 0.0, 1.0), axes


def quadrupolar_coupling_hz(v_zz: Array, nucleus: str = "7Li") -> Array:
    """Return C_Q = eQ V_zz/h in Hz for V_zz in V/Å²."""
    return np.asarray(v_zz) * quadrupolar_coupling_hz_per_efg(nucleus)
