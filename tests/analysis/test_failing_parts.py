"""One part of an analysis that cannot be computed is a note; the others stay, and so do their files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from lpsnmr.analysis import AnalysisSettings, Interval, analyze, analyze_series
from lpsnmr.analysis.dynamics import DiffusionSettings
from lpsnmr.analysis.nmr import DecaySettings
from lpsnmr.analysis.notes import Notes
from lpsnmr.cli.analyze import command
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.report.analysis_files import write_analysis, write_series
from oracles.results_files import booked_jumps, results_with_nmr, synthetic_results

SETTINGS = AnalysisSettings(DecaySettings(n_bootstrap=50), DiffusionSettings(n_bootstrap=50))
DECAY = {"tau_ps", "gamma", "tau_mean_ps", "rate_nmr_per_s"}
MOMENTS = {"m2_khz2", "m2_hopping_khz2", "m2_averaged_khz2"}
T1 = {"t1_116.6mhz_s", "t1_155.5mhz_s"}
DIFFUSION = {"diffusion_cm2_per_s", "rate_jump_per_s"}
ECHO_2, ECHO_10 = {"tau_sae_2us_ps", "sites_2us"}, {"tau_sae_10us_ps", "sites_10us"}
CRYSTAL, JUMPS = {"tau_mean_field_0_0_1_ps"}, {"rate_jump_sites_per_s"}
EVERYTHING = DECAY | MOMENTS | T1 | DIFFUSION | ECHO_2 | ECHO_10 | CRYSTAL | JUMPS


@pytest.fixture(scope="module")
def whole():
    """A run in which every part says something."""
    results, _ = results_with_nmr(0.05, 600.0, samples=1000)
    moved = synthetic_results(0.05, n=12, samples=1000)
    return replace(results, displacement=moved.displacement, jumps_sites=booked_jumps())


def resolved(analysis):
    return {quantity.key for quantity in analysis.quantities if quantity.resolved}


def failures(analysis):
    return {note.part: note.text for note in analysis.notes if "not computed" in note.text}


@pytest.fixture(scope="module")
def good(whole):
    return analyze(whole, SETTINGS)


def test_nothing_fails_in_a_good_run(good):
    assert resolved(good) == EVERYTHING
    assert failures(good) == {}
    assert len(good.nmr.spectra) > 3


def damaged_echo(results):
    """Only the first evolution time cannot be resampled."""
    blocks = results.echo.block_means.copy()
    blocks[0, 0] = np.inf
    return {"echo": replace(results.echo, block_means=blocks)}


def damaged_jumps(results):
    return {"jumps_sites": replace(results.jumps_sites, length_sums=np.ones(2))}


def damaged_crystal(results):
    crystal = results.single_crystals[0]
    lags = replace(crystal.lags, counts=0 * crystal.lags.counts)
    return {"single_crystals": [replace(crystal, lags=lags)]}


def damaged_samples(results):
    means = tuple(mean[:, :-1] for mean in results.tensor_samples.means)
    return {"tensor_samples": replace(results.tensor_samples, means=means)}


def damaged_displacement(results):
    return {"displacement": replace(results.displacement, values=results.displacement.values[1:])}


def damaged_correlation(results):
    values = results.efg_correlation.values.copy()
    values[3, 0] = np.nan
    return {"efg_correlation": replace(results.efg_correlation, values=values)}


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered")
@pytest.mark.parametrize(
    ("damage", "part", "words", "lost"),
    [
        (damaged_echo, "echo, t_p = 2 μs", "finite", ECHO_2),
        (damaged_jumps, "jumps by sites", "length_sums (3,), got (2,)", JUMPS),
        (damaged_crystal, "field along (0.0, 0.0, 1.0)", "at least one pair", CRYSTAL),
        (damaged_samples, "spectra", "means_0: expected shape (n, 12, 5)", set()),
        (damaged_displacement, "diffusion", "displacement/values", DIFFUSION),
        (damaged_correlation, "NMR decay", "must be finite", DECAY | MOMENTS | T1),
        (lambda _: {"nucleus": "7Li gamma=nan"}, "T1", "magnetogyric ratio is unknown", T1),
        (lambda _: {"nucleus": "8Li"}, "NMR decay", "unknown nucleus '8Li'", EVERYTHING - DIFFUSION - JUMPS
         - ECHO_2 - ECHO_10),
        (lambda _: {"jumps_sites": None, "jump_distance_angstrom": -3.0}, "diffusion", "positive, got -3",
         DIFFUSION | JUMPS),
    ],
)  # fmt: skip
def test_one_part_fails(whole, tmp_path, damage, part, words, lost):
    analysis = analyze(replace(whole, **damage(whole)), SETTINGS)
    assert words in failures(analysis)[part]
    found = resolved(analysis)
    if "8Li" not in words:
        assert found == EVERYTHING - lost
    else:  # the echo itself needs no moment, but the check of its orientations does
        assert found == DIFFUSION | JUMPS
    for quantity in analysis.quantities:
        assert quantity.resolved != bool(quantity.why_not), quantity
    written = {path.name for path in write_analysis(analysis, tmp_path, make_plots=False)}
    assert "analysis.json" in written
    assert ("msd.csv" in written) == ("diffusion_cm2_per_s" in found)
    assert ("c_of_t.csv" in written) == ("tau_ps" in found)


def test_nuclei_on_cubic_sites(whole, tmp_path):
    """Every tensor vanishes: no decay, and D and jumps as ever."""

    def silent(lags):
        return replace(lags, values=0.0 * lags.values, block_means=0.0 * lags.block_means)

    crystal, n = whole.single_crystals[0], whole.n_li
    echo = whole.echo
    results = replace(
        whole,
        efg_correlation=silent(whole.efg_correlation),
        efg_mean=np.zeros((n, 5)),
        efg_mean_square=np.zeros(n),
        single_crystals=[replace(crystal, lags=silent(crystal.lags))],
        echo=replace(echo, values=0.0 * echo.values, block_means=0.0 * echo.block_means),
        tensor_samples=replace(
            whole.tensor_samples, means=tuple(0.0 * mean for mean in whole.tensor_samples.means)
        ),
    )
    results.write(tmp_path / "results.h5")
    analysis = analyze(results, SETTINGS)
    assert resolved(analysis) == DIFFUSION | JUMPS | {"m2_khz2"}
    assert analysis.quantity("m2_khz2").value == 0.0
    assert "C(t) is zero at its start" in analysis.quantity("tau_ps").why_not
    assert "S(t_m) is zero" in analysis.quantity("tau_sae_2us_ps").why_not
    done = CliRunner().invoke(command, [str(tmp_path), "-o", str(tmp_path / "out"), "--bootstrap", "50"])
    assert done.exit_code == 0, done.output
    assert "cubic symmetry" in done.output
    assert (tmp_path / "out" / "c_of_t.png").exists()


def test_some_nuclei_on_cubic_sites(whole):
    """One Li of twelve hops; a resampled curve may hold none of it."""
    lags = whole.efg_correlation
    values = lags.values.copy()
    values[:, 1:] = 0.0
    blocks = lags.block_means / whole.n_li
    results = replace(whole, efg_correlation=replace(lags, values=values, block_means=blocks))
    with np.errstate(divide="raise", invalid="raise"):
        analysis = analyze(results, SETTINGS)
    assert failures(analysis) == {}
    assert resolved(analysis) >= DIFFUSION | JUMPS


def test_an_arrhenius_fit_that_fails_leaves_the_others(good, tmp_path):
    first, second = (replace(good, results=replace(good.results, mean_temperature_k=t)) for t in (600, 700))
    first = replace(first, decay=replace(first.decay, rate_per_s=Interval(1e9, -1e8, 2e9)))
    series = analyze_series([first, second])
    assert set(series.arrhenius) == {"diffusion_cm2_per_s", "rate_jump_per_s", "rate_jump_sites_per_s"}
    assert [str(note) for note in series.notes] == [
        "E_a of Γ_NMR: not computed: an Arrhenius fit needs values with positive, finite intervals"
    ]
    write_series(series, tmp_path, make_plots=False)
    written = json.loads((tmp_path / "analysis.json").read_text())
    assert set(written["arrhenius"]) == {"D", "Γ_D = 6D/a²", "Γ_jump (sites)"}


@pytest.mark.parametrize("error", [InputError, ComputeError])
def test_errors_of_lpsnmr_become_notes(error):
    def fail():
        raise error("too few points")

    notes = Notes()
    assert notes.attempt("fit", fail) is None
    assert notes.about("fit") == "not computed: too few points"


@pytest.mark.parametrize("error", [TypeError, ZeroDivisionError, KeyError])
def test_faults_of_the_program_are_not_hidden(error):
    def fail():
        raise error("fault")

    with pytest.raises(error):
        Notes().attempt("fit", fail)
