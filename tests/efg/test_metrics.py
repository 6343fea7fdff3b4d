"""Metrics against cases worked out by hand."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lpsnmr.efg.metrics import tensor_errors
from lpsnmr.efg.tensors import tensor_to_components
from lpsnmr.errors import InputError

CQ_PER_EFG = 96.96  # kHz per V/Å² of 7Li, sign apart


def components(*tensors):
    return tensor_to_components(np.array(tensors))


def test_scaled_tensor():
    v = np.diag([-0.4, -0.6, 1.0])  # η = 0.2
    e = tensor_errors(components(v), components(1.1 * v))
    assert e["component_rmse_percent"] == pytest.approx(10.0)
    assert e["component_rms"] == pytest.approx(np.sqrt((0.16 + 0.36 + 1.0) / 5))
    assert e["abs_cq_rmse_khz"] == pytest.approx(0.1 * CQ_PER_EFG, rel=1e-4)
    assert e["signed_cq_mae_khz"] == pytest.approx(0.1 * CQ_PER_EFG, rel=1e-4)
    assert e["eta_rmse"] == pytest.approx(0, abs=1e-12)
    assert e["axis_angle_mean_deg"] == pytest.approx(0, abs=1e-5)
    assert e["mean_square_ratio"] == pytest.approx(1.21)


def test_turned_tensor_changes_only_the_axis():
    v = np.diag([-0.4, -0.6, 1.0])
    turn = Rotation.from_rotvec([np.radians(30), 0, 0]).as_matrix()
    e = tensor_errors(components(v), components(turn @ v @ turn.T))
    assert e["axis_angle_mean_deg"] == pytest.approx(30.0)
    assert e["axis_angle_median_deg"] == pytest.approx(30.0)
    assert e["abs_cq_rmse_khz"] == pytest.approx(0, abs=1e-9)
    assert e["eta_rmse"] == pytest.approx(0, abs=1e-9)
    assert e["component_rmse"] > 0.1


def test_sign_flip_at_high_asymmetry_counts_only_where_it_means_something():
    low, high = np.diag([-0.45, -0.55, 1.0]), np.diag([-0.02, -0.98, 1.0])
    flipped = np.diag([0.02, -1.0, 0.98])  # nearly the same tensor, V_zz of the other sign
    e = tensor_errors(components(low, high), components(low, flipped))
    assert e["tensors"] == 2
    assert e["tensors_low_eta"] == 1
    assert e["signed_cq_rmse_khz"] == pytest.approx(0, abs=1e-9)
    assert e["axis_angle_mean_deg"] == pytest.approx(0, abs=1e-5)
    assert e["abs_cq_mae_khz"] == pytest.approx(0, abs=1e-9)
    assert tensor_errors(components(low), components(-low))["signed_cq_mae_khz"] == pytest.approx(
        2 * CQ_PER_EFG, rel=1e-4
    )


def test_nothing_to_average_is_nan():
    high = components(np.diag([-0.05, -0.95, 1.0]))
    assert np.isnan(tensor_errors(high, high)["axis_angle_mean_deg"])
    with pytest.raises(InputError, match="unknown nucleus"):
        tensor_errors(high, high, "1Xx")
