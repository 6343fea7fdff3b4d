"""A fast part of benchmarks/studies/coverage_nmr.py, whose full run is reported in docs/theory/nmr.md."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "studies" / "coverage_nmr.py"


@pytest.fixture(scope="module")
def coverage():
    spec = importlib.util.spec_from_file_location("coverage_nmr", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("case", "repeats", "least"), [("two_site", 25, 0.8), ("four_site", 10, 0.7)])
def test_intervals_contain_the_truth(coverage, case, repeats, least):
    """A 95 % interval misses 6 of 25 or 4 of 10 times with a probability below 0.001."""
    found = coverage.count(coverage.CASES[case], repeats, 100)
    assert {"tau", "gamma", "rate", "initial", "hopping_fraction", "T1"} <= found.keys()
    if case == "four_site":
        assert {"echo 20 us sites", "echo 20 us tau_mean"} <= found.keys()
    assert all(entry["resolved"] == entry["asked"] for entry in found.values()), found
    assert min(entry["coverage"] for entry in found.values()) >= least, found
