"""Errors of predicted tensors, in the quantities an NMR experiment sees."""

import numpy as np

from lpsnmr.efg.tensors import components_to_tensor, principal_values, quadrupolar_coupling_hz
from lpsnmr.fitting.evaluation import mean, rms
from lpsnmr.typing import Array

__all__ = ["ETA_LIMIT", "tensor_errors"]

ETA_LIMIT = 0.7
"""Above this asymmetry V_zz and V_yy are close: sign of C_Q and principal axis flip, errors say little."""


def tensor_errors(reference: Array, predicted: Array, nucleus: str = "7Li") -> dict[str, float]:
    """Compare tensors.

    Signed C_Q and the angle between the principal (V_zz) axes are taken over tensors whose reference
    asymmetry is below ``ETA_LIMIT``; |C_Q| and η over all. ``mean_square_ratio`` is ⟨|V|²⟩ predicted
    over reference, i.e. the ratio of the initial values C(0) of the correlation function.

    Parameters
    ----------
    reference, predicted
        (n, 5) float64, V/Å², components as in ``lpsnmr.efg.tensors``.
    nucleus
        Whose quadrupole moment turns V_zz into C_Q.

    Returns
    -------
    dict
        Numbers of tensors, ``component_*`` in V/Å² (``_percent``: of the component RMS), ``*_cq_*`` in
        kHz, ``eta_*``, ``axis_angle_*`` in degrees. NaN where no tensor counts.

    Examples
    --------
    >>> v = np.array([[0.0, 0.0, 2.0, 0.0, 0.0]])
    >>> errors = tensor_errors(v, 1.1 * v)
    >>> round(errors["component_rmse_percent"], 6), errors["axis_angle_mean_deg"]
    (10.0, 0.0)
    """
    reference = np.asarray(reference, dtype=np.float64).reshape(-1, 5)
    predicted = np.asarray(predicted, dtype=np.float64).reshape(-1, 5)
    difference = predicted - reference
    zz, eta, axes = principal_values(components_to_tensor(reference))
    zz_predicted, eta_predicted, axes_predicted = principal_values(components_to_tensor(predicted))
    cq = quadrupolar_coupling_hz(zz, nucleus) * 1e-3
    cq_predicted = quadrupolar_coupling_hz(zz_predicted, nucleus) * 1e-3
    size_error = np.abs(cq_predicted) - np.abs(cq)
    low = eta < ETA_LIMIT
    cosine = np.abs(np.sum(axes[..., 2] * axes_predicted[..., 2], axis=-1))[low]
    angle = np.degrees(np.arccos(np.clip(cosine, 0.0, 1.0)))
    size, rmse = rms(reference), rms(difference)
    return {
        "tensors": len(reference),
        "component_rms": size,
        "component_rmse": rmse,
        "component_rmse_percent": 100.0 * rmse / size if size else float("nan"),
        "component_mae": mean(np.abs(difference)),
        "abs_cq_rms_khz": rms(cq),
        "abs_cq_rmse_khz": rms(size_error),
        "abs_cq_mae_khz": mean(np.abs(size_error)),
        "tensors_low_eta": int(low.sum()),
        "signed_cq_rmse_khz": rms((cq_predicted - cq)[low]),
        "signed_cq_mae_khz": mean(np.abs(cq_predicted - cq)[low]),
        "axis_angle_mean_deg": mean(angle),
        "axis_angle_median_deg": float(np.median(angle)) if angle.size else float("nan"),
        "eta_rmse": rms(eta_predicted - eta),
        "eta_mae": mean(np.abs(eta_predicted - eta)),
        "mean_square_ratio": float(np.sum(predicted**2) / np.sum(reference**2)) if size else float("nan"),
    }
