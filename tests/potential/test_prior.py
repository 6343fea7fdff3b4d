"""Penalty matrices against direct sums, and the ZBL mean."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from lpsnmr._core import UfpPotential
from lpsnmr.errors import InputError
from lpsnmr.potential import Layout, PriorSettings, blocks_from_coefficients, write_uf3
from lpsnmr.potential.prior import penalty, prior_mean, second_differences, zbl_energy


def test_second_differences_of_each_axis():
    values = np.random.default_rng(0).normal(size=(3, 4, 5))
    direct = np.concatenate([np.diff(values, 2, axis=axis).ravel() for axis in range(3)])
    np.testing.assert_allclose(second_differences((3, 4, 5)) @ values.ravel(), direct, atol=1e-14)


def test_penalty_is_the_sum_over_all_coefficients_of_the_file(small_basis):
    layout = Layout.from_settings(small_basis)
    settings = PriorSettings(0.7, 0.2, 0.5, 0.11)
    c = np.random.default_rng(1).normal(size=layout.columns)
    expected = 0.0
    for block in range(len(layout.pairs)):
        first, count = layout.basis.pair_columns(block)
        values = np.concatenate([c[first : first + count], np.zeros(3)])
        expected += np.sum(values**2) / 0.7**2 + np.sum(np.diff(values, 2) ** 2) / 0.2**2
    for block in range(len(layout.triples)):
        columns = layout.basis.triple_columns(block)
        values = np.where(columns >= 0, c[columns], 0.0)
        expected += np.sum(values**2) / 0.5**2
        expected += sum(np.sum(np.diff(values, 2, axis=a) ** 2) for a in range(3)) / 0.11**2
    matrix = penalty(layout, settings)
    assert c @ (matrix @ c) == pytest.approx(expected, rel=1e-12)
    assert abs(matrix - matrix.T).max() < 1e-12 * abs(matrix).max()


def test_prior_mean_is_half_of_zbl(small_basis, tmp_path):
    layout = Layout.from_settings(small_basis)
    potential = blocks_from_coefficients(layout, prior_mean(layout))
    write_uf3(tmp_path / "zbl.uf3", potential)
    core = UfpPotential(str(tmp_path / "zbl.uf3"), ["Li", "P", "S"], 2)
    # knots are 0.4 Å apart here: coarse, so a few per cent
    for r in (0.7, 0.9, 1.1, 1.5):
        assert 2 * core.pair_energy(1, 2, r)[0] == pytest.approx(zbl_energy(15, 16, np.array(r)), rel=0.06)
    block = potential.pairs[0]
    assert BSpline(block.knots, block.coefficients, 3)(0.6) == pytest.approx(
        0.5 * zbl_energy(3, 3, np.array(0.6)), rel=1e-9
    )


def test_zbl_at_a_textbook_point():
    """Two protons at one screening length: the screening function is its sum of exponentials."""
    length = 0.8854 * 0.529177210903 / 2
    phi = 0.18175 * np.exp(-3.1998) + 0.50986 * np.exp(-0.94229) + 0.28022 * np.exp(-0.4029)
    phi += 0.02817 * np.exp(-0.20162)
    assert zbl_energy(1, 1, np.array(length)) == pytest.approx(14.399645 / length * phi, rel=1e-6)


def test_widths_must_be_positive():
    with pytest.raises(InputError, match="three_body_ridge"):
        PriorSettings(three_body_ridge=0.0)
