"""``lpsnmr.open_run``: what a person in a notebook gets."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

import lpsnmr
from lpsnmr.analysis import analyze_file
from lpsnmr.report.files import SUMMARY_COLUMNS
from oracles.results_files import booked_jumps, synthetic_results

SETTINGS = lpsnmr.AnalysisSettings(
    lpsnmr.DecaySettings(n_bootstrap=50), lpsnmr.DiffusionSettings(n_bootstrap=50)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "beta"
    folder.mkdir()
    results = synthetic_results(0.05, samples=1000)
    results.jumps_sites = booked_jumps(n=16)
    results.write(folder / "results.h5")
    return folder


@pytest.fixture(scope="module")
def run(folder):
    return lpsnmr.open_run(folder, SETTINGS)


@pytest.fixture
def pyplot():
    mpl.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_nothing_is_analysed_before_it_is_asked_for(folder):
    run = lpsnmr.open_run(folder / "results.h5")
    assert repr(run) == "<OpenedRun beta: 600 K, 16 Li, 499.5 ps>"
    assert run.results.n_li == 16
    assert "analysis" not in vars(run)
    assert run.settings == lpsnmr.AnalysisSettings()


def test_numbers_are_those_of_the_analysis(run, folder):
    expected = {q.key: q for q in analyze_file(folder, SETTINGS).quantities}
    assert run.quantities == expected
    assert run.analysis is run.analysis
    for name, key in (
        ("tau", "tau_ps"),
        ("gamma", "gamma"),
        ("tau_mean", "tau_mean_ps"),
        ("nmr_rate", "rate_nmr_per_s"),
        ("diffusion", "diffusion_cm2_per_s"),
        ("jump_rate", "rate_jump_per_s"),
        ("site_jump_rate", "rate_jump_sites_per_s"),
    ):
        assert getattr(run, name) == expected[key], name
        assert getattr(run, name).resolved, name
        assert key in SUMMARY_COLUMNS
    # C falls with k_ab + k_ba, and every jump of rate 0.05 1/ps counts in D
    assert run.tau_mean.low < 10.0 < run.tau_mean.high
    assert run.diffusion.low < 0.05 * 9 / 6 * 1e-4 < run.diffusion.high
    assert str(run.tau_mean) == f"τ_mean = {run.tau_mean.interval} ps"


def test_every_key_is_ascii_and_has_its_own_name(run):
    keys = [quantity.key for quantity in run.analysis.quantities]
    assert len(set(keys)) == len(keys)
    assert all(key.isascii() and " " not in key for key in keys)
    assert set(SUMMARY_COLUMNS[:7]) <= set(keys)


def test_what_was_not_sampled_says_so(run):
    assert not run.conductivity.resolved
    assert np.isnan(run.haven_ratio.value)
    assert str(run.conductivity) == "σ: not sampled in this run"
    with pytest.raises(lpsnmr.InputError, match=r"no quantity 'tau'.*tau_ps, gamma"):
        run.analysis.quantity("tau")


def test_curves(run):
    decay, diffusion = run.analysis.decay, run.analysis.diffusion
    for curve, values, errors, unit in (
        (run.c_of_t, decay.correlation, decay.standard_error, "(rad/s)²"),
        (run.msd, diffusion.msd, diffusion.standard_error, "Å²"),
    ):
        np.testing.assert_array_equal(curve.values, values)
        np.testing.assert_array_equal(curve.errors, errors)
        np.testing.assert_array_equal(np.isfinite(curve.fit), curve.used)
        assert curve.lag_ps[0] == 0.0
        assert curve.unit == unit
        assert f"{len(curve.lag_ps)} lags" in repr(curve)
        assert len(repr(curve)) < 80


def test_plots_go_where_they_are_told(run, pyplot):
    _, (left, right) = pyplot.subplots(1, 2)
    assert run.plot_c_of_t(left) is left
    assert run.plot_msd(ax=right) is right
    assert left.get_ylabel() == "C(t)/(2π)²  (kHz²)"
    assert right.get_yscale() == "log"
    assert left.get_xlabel() == right.get_xlabel() == "lag t (ps)"
    assert left.get_title().startswith("beta: 600 K")
    before = len(pyplot.get_fignums())
    alone = run.plot_c_of_t()
    assert len(pyplot.get_fignums()) == before + 1
    shown = [line for line in alone.get_lines() if "Kohlrausch" in str(line.get_label())]
    np.testing.assert_allclose(shown[0].get_ydata(), run.c_of_t.fit / (2e3 * np.pi) ** 2, rtol=1e-12)


def test_table_and_html(run):
    assert "τ_mean" in run.table()
    assert "\x1b" not in run.table()
    html = run._repr_html_()
    assert f"<td>{run.tau.value:.3g}</td>" in html
    assert "beta: 600 K" in html
    for note in run.notes:
        assert note.partition(":")[0] in html


def test_html_escapes_what_it_shows(folder, tmp_path):
    strange = tmp_path / "<b>&amp;"
    strange.mkdir()
    (strange / "results.h5").write_bytes((folder / "results.h5").read_bytes())
    html = lpsnmr.open_run(strange, SETTINGS)._repr_html_()
    assert "<b>&amp;:" not in html
    assert "&lt;b&gt;&amp;amp;:" in html


def test_dataframe(run):
    pandas = pytest.importorskip("pandas")
    frame = run.to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["symbol", "unit", "value", "low", "high", "resolved", "why_not"]
    assert list(frame.index) == list(run.quantities)
    assert frame.loc["tau_ps", "value"] == run.tau.value
    assert frame["value"].dtype == np.float64


def test_dataframe_without_pandas(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(lpsnmr.MissingPackageError, match=r"pip install 'lpsnmr\[notebook\]'") as error:
        run.to_dataframe()
    assert isinstance(error.value, ImportError)


def test_parts_that_are_missing_are_named(tmp_path):
    results = synthetic_results(0.05, samples=60)
    results.displacement = None
    results.write(tmp_path / "short.h5")
    run = lpsnmr.open_run(tmp_path / "short.h5", SETTINGS)
    assert repr(run).startswith("<OpenedRun short: ")
    with pytest.raises(lpsnmr.InputError, match=r"short\.h5 has no MSD: no displacement was sampled"):
        run.plot_msd()
    assert run.diffusion.why_not == "no displacement was sampled"
    assert "diffusion: no displacement was sampled" in run.notes
    assert "not resolved" in run.tau.why_not


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(lpsnmr.FileFormatError, match="no such file"):
        lpsnmr.open_run(tmp_path / "absent")
    with pytest.raises(lpsnmr.FileFormatError, match=r"no results\.h5 in this folder"):
        lpsnmr.open_run(tmp_path)


def test_every_public_name_is_there():
    for name in lpsnmr.__all__:
        assert getattr(lpsnmr, name) is not None
    assert set(lpsnmr.__all__) <= set(dir(lpsnmr))
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        _ = lpsnmr.analyse


def test_importing_the_package_imports_nothing_else():
    """LAMMPS does so in every process, to find the plugin."""
    code = (
        "import sys; before = set(sys.modules); import lpsnmr; "
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith('_')))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.split() == ["lpsnmr", "lpsnmr.version"]
