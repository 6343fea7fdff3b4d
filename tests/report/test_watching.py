"""What ``lpsnmr watch`` estimates from the results so far."""

from lpsnmr.report.watching import FolderWatcher
from oracles.results_files import booked_jumps, synthetic_results


def test_one_estimate_that_fails_leaves_the_others(tmp_path):
    results = synthetic_results(0.05, samples=1000)
    results.jumps_sites = booked_jumps(n=16)
    results.write(tmp_path / "results.h5")
    good = FolderWatcher(tmp_path).estimates()
    assert good.tau_mean_ps.low < 10.0 < good.tau_mean_ps.high
    assert good.reason == ""
    results.nucleus = "8Li"
    results.write(tmp_path / "results.h5")
    found = FolderWatcher(tmp_path).estimates()
    assert found.tau_mean_ps is None
    assert "unknown nucleus '8Li'" in found.reason
    assert found.diffusion_cm2_s == good.diffusion_cm2_s
    assert found.jump_rate_per_s == good.jump_rate_per_s
