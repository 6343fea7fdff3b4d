"""`lpsnmr analyze` as a user calls it."""

import csv
import json
import shutil

import numpy as np
import pytest

from lpsnmr.analysis import analyze_file
from lpsnmr.report.analysis_files import write_analysis
from lpsnmr.report.text import summary_lines
from lpsnmr.units import BOLTZMANN_EV_PER_K
from oracles.results_files import synthetic_results
from support.lpsnmr_runs import run_lpsnmr

PNG = b"\x89PNG\r\n\x1a\n"


def run(*arguments, cwd):
    return run_lpsnmr(cwd, "analyze", *arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs at three temperatures with E_a = 0.3 eV, and a frozen one."""
    folder = tmp_path_factory.mktemp("runs")
    for index, temperature in enumerate((500.0, 600.0, 750.0)):
        rate = 0.04 * np.exp(-0.3 / BOLTZMANN_EV_PER_K * (1 / temperature - 1 / 600.0))
        made = synthetic_results(rate, temperature=temperature, seed=index)
        made.write(folder / f"{temperature:.0f}K.h5")
    synthetic_results(1e-6, temperature=300.0).write(folder / "300K.h5")
    return folder


def test_one_run(folder):
    done = run("600K.h5", "-o", "one", cwd=folder)
    assert done.returncode == 0, done.stderr
    for words in ("600 K", "τ_mean", "Γ_NMR", "Γ_D = 6D/a²", "95 % interval", "wrote one/analysis.json"):
        assert words in done.stdout
    numbers = json.loads((folder / "one" / "analysis.json").read_text())
    decay, diffusion = numbers["nmr_decay"], numbers["diffusion"]
    # C decays with k_ab + k_ba = 0.08 1/ps; every jump of rate 0.04 1/ps counts in D
    assert decay["rate_per_s"]["low"] < 0.08e12 < decay["rate_per_s"]["high"]
    assert diffusion["jump_rate_per_s"]["low"] < 0.04e12 < diffusion["jump_rate_per_s"]["high"]
    assert diffusion["diffusion_cm2_s"]["value"] == pytest.approx(0.04 * 9 / 6 * 1e-4, rel=0.1)
    assert numbers["provenance"]["seed"] == 1
    for name in ("c_of_t.png", "msd.png"):
        assert (folder / "one" / name).read_bytes().startswith(PNG)
    with (folder / "one" / "c_of_t.csv").open() as file:
        rows = list(csv.DictReader(file))
    lags = np.array([float(row["lag_ps"]) for row in rows])
    used = np.array([row["used_in_fit"] == "1" for row in rows])
    np.testing.assert_array_equal(used, (lags >= 1.0) & (lags <= 0.25 * 999.5))
    assert all((row["fit_rad2_per_s2"] != "") == u for row, u in zip(rows, used, strict=True))
    assert sorted(p.name for p in (folder / "one").iterdir()) == [
        "analysis.json", "c_of_t.csv", "c_of_t.png", "msd.csv", "msd.png", "spectra.csv", "spectra.png",
    ]  # fmt: skip


def test_several_temperatures(folder):
    done = run("500K.h5", "600K.h5", "750K.h5", "300K.h5", "-o", "many", "--bootstrap", 100, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "E_a of Γ_NMR" in done.stdout
    assert "300K.h5: NMR decay: not resolved: C(t) falls by" in done.stdout
    assert "300K.h5: diffusion: not resolved" in done.stdout
    numbers = json.loads((folder / "many" / "analysis.json").read_text())
    for name in ("Γ_NMR", "Γ_D = 6D/a²", "D"):
        fit = numbers["arrhenius"][name]
        assert fit["n_points"] == 3
        assert fit["activation_energy_ev"]["value"] == pytest.approx(0.3, abs=0.03)
    assert numbers["runs"][3]["nmr_decay"]["tau_ps"] is None
    assert (folder / "many" / "arrhenius.png").read_bytes().startswith(PNG)
    assert (folder / "many" / "500K" / "c_of_t.png").exists()
    with (folder / "many" / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["temperature_k"] for row in rows] == ["500.5", "600.5", "750.5", "300.5"]
    assert rows[3]["tau_ps"] == ""


def test_files_of_one_name_are_told_apart_by_their_folders(folder):
    for name, source in (("t500", "500K.h5"), ("t600", "600K.h5")):
        (folder / name).mkdir()
        shutil.copy(folder / source, folder / name / "results.h5")
    files = ("t500/results.h5", "t600/results.h5", "750K.h5")
    done = run(*files, "-o", "named", "--bootstrap", 50, "--no-plots", cwd=folder)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (folder / "named").iterdir() if path.is_dir())
    assert names == ["750K", "t500-results", "t600-results"]


def test_a_committee_gets_model_intervals(folder):
    for member in range(3):
        shutil.copy(folder / "600K.h5", folder / f"member{member}.h5")
    files = [f"member{member}.h5" for member in range(3)]
    done = run(*files, "--committee", "-o", "committee", "--bootstrap", 50, "--no-plots", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Committee: sampling and models" in done.stdout
    assert "E_a" not in done.stdout
    with (folder / "committee" / "model_intervals.csv").open() as file:
        rows = {row["quantity"]: row for row in csv.DictReader(file)}
    rate = {name: float(x) for name, x in rows["rate_nmr_per_s"].items() if name != "quantity"}
    assert rate["members"] == 3
    assert rate["sampling_low"] < rate["mean"] < rate["sampling_high"]
    assert rate["model_low"] == rate["mean"] == rate["model_high"]  # the members are one and the same
    done = run("500K.h5", "600K.h5", "750K.h5", "--committee", "-o", "no", "--no-plots", cwd=folder)
    assert done.returncode == 2
    assert "one temperature; theirs are" in done.stderr


def test_options_reach_the_fit(folder):
    done = run(
        "600K.h5", "-o", "options", "--jump-distance", 1.5, "--fit-start", 2, "--max-lag-fraction", 0.1,
        "--baseline", "zero", "--msd-start", 8, "--level", 0.68, "--seed", 3, "--no-plots", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    numbers = json.loads((folder / "options" / "analysis.json").read_text())
    assert numbers["jump_distance_angstrom"] == 1.5
    assert numbers["nmr_decay"]["fitted_lags_ps"][0] == 2.0
    assert numbers["nmr_decay"]["fitted_lags_ps"][1] <= 99.95
    assert numbers["nmr_decay"]["settings"]["baseline"] == "zero"
    assert numbers["diffusion"]["fitted_lags_ps"][0] >= 8.0
    assert not list((folder / "options").glob("*.png"))


def test_summary_for_the_end_of_a_run(folder, tmp_path):
    analysis = analyze_file(folder / "600K.h5")
    lines = summary_lines(analysis, write_analysis(analysis, tmp_path / "new" / "folder"))
    text = "\n".join(lines)
    for words in ("NMR decay constant τ_mean =", "jump rate Γ_D = 6D/a² =", "(a = 3 Å)", "wrote "):
        assert words in text
    frozen = analyze_file(folder / "300K.h5")
    write_analysis(frozen, tmp_path / "frozen", make_plots=False)
    assert "NMR decay: not resolved" in "\n".join(summary_lines(frozen))


def test_parts_that_were_not_sampled(folder, tmp_path):
    from lpsnmr.results import Results

    results = Results.read(folder / "600K.h5")
    results.efg_correlation = results.jump_distance_angstrom = None
    results.write(tmp_path / "no_efg.h5")
    done = run("no_efg.h5", "-o", "out", "--no-plots", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no EFG was sampled" in done.stdout
    assert "give --jump-distance" in done.stdout


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("samples", "n"), [(1, 2), (2, 8), (20, 8), (40, 3)])
def test_runs_too_short_to_say_anything(tmp_path, samples, n):
    synthetic_results(0.05, samples=samples, n=n).write(tmp_path / "short.h5")
    analysis = analyze_file(tmp_path / "short.h5")
    text = "\n".join(summary_lines(analysis, write_analysis(analysis, tmp_path / "out")))
    assert "NMR decay: not resolved" in text
    assert "diffusion: not resolved" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.h5"], "none.h5: no such file"),
        (["text.h5"], "text.h5: not a usable lpsnmr results file"),
        (["600K.h5", "--jump-distance", "-1"], "jump distance must be positive"),
        (["600K.h5", "--level", "95"], "level must lie between 0 and 1"),
        (["600K.h5", "-o", "text.h5/below"], "cannot make this folder"),
    ],
)
def test_errors_are_one_line(folder, arguments, words):
    (folder / "text.h5").write_text("no")
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_help_teaches(tmp_path):
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    for words in ("--jump-distance", "not resolved", "activation energies", "Examples"):
        assert words in done.stdout
