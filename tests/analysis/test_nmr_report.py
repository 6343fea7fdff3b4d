"""Echoes, single crystals, spectra, T1 and narrowing in the files of the analysis."""

import csv
import dataclasses
import json
import shutil

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from lpsnmr.analysis import AnalysisSettings, analyze_file, analyze_series
from lpsnmr.analysis.nmr import DecaySettings
from lpsnmr.cli.analyze import command
from lpsnmr.efg.quadrupolar import frequency_correlation
from lpsnmr.errors import InputError
from lpsnmr.report.analysis_files import write_series
from lpsnmr.results import Results
from oracles.processes import equal_exchange
from oracles.results_files import results_with_nmr

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nmr")
    for rate, temperature in ((0.02, 600.0), (0.05, 800.0)):
        results_with_nmr(rate, temperature)[0].write(folder / f"{temperature:.0f}K.h5")
    return folder


@pytest.fixture(scope="module")
def series(folder):
    settings = AnalysisSettings(decay=DecaySettings(n_bootstrap=100))
    paths = [folder / "600K.h5", folder / "800K.h5"]
    written = write_series(analyze_series([analyze_file(path, settings) for path in paths]), folder / "out")
    return written, json.loads((folder / "out" / "analysis.json").read_text())


def test_numbers_carry_units_and_truth(series):
    _, numbers = series
    for run, rate in zip(numbers["runs"], (0.02, 0.05), strict=True):
        tau = 1 / (4 * rate)
        nmr = run["nmr"]
        for echo in nmr["echoes"]:
            assert echo["sine"]["tau_ps"]["value"] == pytest.approx(tau, rel=0.3)
            assert echo["number_of_sites"]["low"] > 1
            assert echo["sine"]["models"][0]["name"] in ("kohlrausch", "exponential", "power")
            assert "fit" not in echo["sine"]
        assert [echo["evolution_time_us"] for echo in nmr["echoes"]] == [2.0, 10.0]
        assert [r["larmor_mhz"] for r in nmr["relaxation"]] == [116.6, 155.5]
        # extreme narrowing: T1 from the amplitude and the time alone
        process = equal_exchange(4, rate)
        fall = process.trace_correlation(0.0) - process.trace_correlation(1e6)
        expected = 1 / (0.4 * 5 * float(frequency_correlation(fall)) * tau * 1e-12)
        assert nmr["relaxation"][0]["t1_s"]["value"] == pytest.approx(expected, rel=0.2)
        assert nmr["single_crystals"][0]["direction"] == [0.0, 0.0, 1.0]
        moments = nmr["second_moment_khz2"]
        assert moments["all"]["value"] == pytest.approx(moments["hopping"]["value"], rel=0.06)
        times = [s["averaging_time_ps"] for s in nmr["spectra"]]
        assert times == sorted(times)
        assert times[-1] == pytest.approx(750.0)
        widths = [s["second_moment_khz2"]["value"] for s in nmr["spectra"]]
        assert widths[0] == pytest.approx(moments["all"]["value"], rel=0.05)
        assert widths[-1] < 0.6 * widths[0]


def test_files(folder, series):
    written, _ = series
    assert {"narrowing.csv", "narrowing.png"} <= {path.name for path in written}
    for name in ("echo.png", "single_crystal.png", "spectra.png"):
        assert (folder / "out" / "600K" / name).read_bytes().startswith(PNG)
    with (folder / "out" / "narrowing.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["temperature_k"] for row in rows} == {"600.5", "800.5"}
    with (folder / "out" / "600K" / "echo.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["evolution_time_us"] for row in rows} == {"2", "10"}
    for row in rows:  # sin² + cos² = 1 at no mixing
        if row["mixing_time_ps"] == "0":
            assert float(row["sine"]) + float(row["cosine"]) == pytest.approx(1.0, abs=1e-6)
    with (folder / "out" / "600K" / "spectra.csv").open() as file:
        rows = list(csv.DictReader(file))
    step = float(rows[1]["offset_khz"]) - float(rows[0]["offset_khz"])
    for name in rows[0]:
        if name.startswith("satellites_per_khz_averaged_"):
            assert sum(float(row[name]) for row in rows) * step == pytest.approx(0.6, abs=0.01)


def test_table(folder):
    done = CliRunner().invoke(
        command, [str(folder / "600K.h5"), "-o", str(folder / "one"), "--larmor-mhz", "77.8", "--no-plots"]
    )
    assert done.exit_code == 0, done.output
    for words in ("τ_SAE(2 μs)", "sites, t_p = 10 μs", "T1(77.8 MHz)", "B ∥ [0 0 1]", "M2 averaged", "kHz²"):
        assert words in done.output
    assert not list((folder / "one").glob("*.png"))


def test_damaged_groups_are_named(folder, tmp_path):
    for group, name, words in (
        ("echo", "counts", "extra/echo: no counts"),
        ("direction_0", "values", "extra/direction_0: incomplete"),
        ("tensor_samples", "means_0", r"means_0: expected shape \(n, n_li, 5\)"),
    ):
        shutil.copy(folder / "600K.h5", tmp_path / "bad.h5")
        with h5py.File(tmp_path / "bad.h5", "r+") as file:
            del file[f"extra/{group}/{name}"]
        with pytest.raises(InputError, match=words):
            analyze_file(tmp_path / "bad.h5")


def test_tensors_of_another_number_of_li_are_named(folder, tmp_path):
    shutil.copy(folder / "600K.h5", tmp_path / "bad.h5")
    with h5py.File(tmp_path / "bad.h5", "r+") as file:
        del file["extra/tensor_samples/means_0"]
        file["extra/tensor_samples/means_0"] = np.zeros((4, 11, 5))
    with pytest.raises(InputError, match=r"means_0: expected shape \(n, 12, 5\), got \(4, 11, 5\)"):
        analyze_file(tmp_path / "bad.h5")


def test_orientations_too_few_for_the_phases_are_said(folder, tmp_path):
    results = Results.read(folder / "600K.h5")
    results.echo = dataclasses.replace(results.echo, degree=5)
    results.write(tmp_path / "coarse.h5")
    notes = analyze_file(tmp_path / "coarse.h5").notes
    assert any("orientation_degree" in str(note) for note in notes)
