"""Cells at zero pressure against published ones: the numbers, the interval, going on, the verdict."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.report.validation_page import summary_rows
from lpsnmr.structures import load_structure
from lpsnmr.validation import ValidateSettings, validate
from lpsnmr.validation.cells import MEASURED_AT, block_interval

POTENTIAL = Path(str(files("lpsnmr.data") / "models" / "lps.uf3"))


def correlated(random, n, memory):
    """Return a first-order autoregressive series of mean 0."""
    noise = random.normal(size=n)
    out = np.empty(n)
    out[0] = noise[0]
    for k in range(1, n):
        out[k] = memory * out[k - 1] + np.sqrt(1 - memory**2) * noise[k]
    return out


def test_the_interval_covers_the_mean_of_a_correlated_series():
    random = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        _, low, high = block_interval(correlated(random, 1000, 0.8))
        inside += low < 0.0 < high
    assert 270 <= inside <= 297  # 95 % of 300 is 285; the blocks are ten correlation times long


def test_independent_values_have_the_interval_of_student():
    random, widths = np.random.default_rng(1), []
    for _ in range(100):
        values = random.normal(3.0, 1.0, 1000)
        mean, low, high = block_interval(values)
        assert mean == values.mean()
        widths.append(high - low)
    expected = 2 * 2.262 * 0.973 / np.sqrt(1000)  # Student, 9 degrees of freedom, and the mean of s
    assert np.mean(widths) == pytest.approx(expected, rel=0.08)
    with pytest.raises(InputError, match="expected at least 4 values, got 3"):
        block_interval(values[:3])


def test_gamma_at_zero_pressure(tmp_path):
    """Lengths, volume and density agree with each other; a longer run goes on where the first ended."""
    seen = []

    def run(length_ps):
        settings = ValidateSettings(
            POTENTIAL, stages=("cells",), cells_of=("gamma-Li3PS4",), cells_ps=length_ps,
            cells_equilibration_ps=1.0, cells_repeat=(2, 1, 1),
        )  # fmt: skip
        return validate(settings, tmp_path, lambda name, done, total: seen.append(done))["cells"]

    result = run(2.0)["cells_gamma-Li3PS4"]
    published = load_structure("gamma-Li3PS4")
    assert result["temperature_k"] == MEASURED_AT["gamma-Li3PS4"][0]
    assert result["atoms"] == 32
    assert result["published_lengths_A"] == pytest.approx(published.cell.lengths())
    value, low, high = result["volume_A3"]
    assert low < value < high
    assert abs(result["volume_error_percent"][0]) < 10
    assert result["volume_error_percent"][0] == pytest.approx(100 * (value / published.get_volume() - 1))
    lengths = [axis[0] for axis in result["lengths_A"]]
    assert np.prod(lengths) == pytest.approx(value, rel=1e-2)
    assert not np.allclose(lengths, published.cell.lengths(), rtol=1e-4)  # the cell has moved
    assert result["density_g_per_cm3"] * value == pytest.approx(1.934 * 309.1, rel=1e-3)
    assert seen == [1, 2, 3, 4]
    run(2.0)
    assert seen == [1, 2, 3, 4]
    run(3.0)
    assert seen == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("volume", "axes", "verdicts"),
    [
        (1.9, (0.5, -2.9, 2.9), ["met", "met"]),
        (-2.1, (0.5, -2.9, 2.9), ["NOT met", "met"]),
        (0.1, (3.1, -3.0, 0.0), ["met", "NOT met"]),
    ],
)
def test_verdicts(volume, axes, verdicts):
    result = {
        "crystal": "gamma-Li3PS4", "temperature_k": 300.0, "ps": 500.0,
        "volume_error_percent": [volume, volume - 0.1, volume + 0.1],
        "length_error_percent": [[x, x - 0.1, x + 0.1] for x in axes],
    }  # fmt: skip
    rows = summary_rows({"cells": {"cells_gamma-Li3PS4": result}})
    assert [row[3] for row in rows] == verdicts
    assert rows[0][0].startswith("gamma-Li3PS4 300 K, 500 ps at zero pressure: volume")
    assert rows[0][2] == "within 2 %"


def test_too_short_a_run_is_refused():
    with pytest.raises(InputError, match="cells_ps: expected at least 2 ps, got 1"):
        ValidateSettings(POTENTIAL, cells_ps=1.0)
