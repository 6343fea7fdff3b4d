"""``lpsnmr validate-ufp`` as a user runs it, in its quick form."""

import json
from importlib.resources import files
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from lpsnmr.data import shipped_reference
from lpsnmr.potential import Ufp
from lpsnmr.reference import read_reference
from lpsnmr.report.validation_page import summary_rows
from lpsnmr.structures import load_structure
from lpsnmr.units import EV_PER_ANGSTROM3_GPA
from lpsnmr.validation import ValidateSettings
from lpsnmr.validation.dynamic import rdf_runs
from lpsnmr.validation.runner import _arrhenius
from lpsnmr.validation.static import crystal_stage, error_stage
from support.lpsnmr_runs import run_lpsnmr

POTENTIAL = Path(str(files("lpsnmr.data") / "models" / "lps.uf3"))


def lpsnmr(folder, *arguments):
    return run_lpsnmr(folder, "validate-ufp", *arguments, timeout_s=600)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Frames labelled by the shipped potential itself: every error must be zero."""
    potential = Ufp(POTENTIAL)
    frames = []
    for k in range(6):
        atoms = load_structure("beta-Li3PS4")
        atoms.set_cell(atoms.cell * (0.97 + 0.01 * k), scale_atoms=True)
        atoms.rattle(0.03, seed=k)
        p = potential.predict(atoms)
        atoms.calc = SinglePointCalculator(
            atoms, energy=p.energy - 4.0 * len(atoms), forces=p.forces, stress=p.stress
        )
        atoms.info.update(run="own", run_step=k, run_T=300.0)
        frames.append(atoms)
    path = tmp_path_factory.mktemp("own") / "own.extxyz"
    ase.io.write(path, frames, format="extxyz")
    return path


@pytest.fixture
def bare(tmp_path):
    """The shipped potential without its sidecar."""
    for end in (".uf3", ".ufd"):
        (tmp_path / f"bare{end}").write_bytes(POTENTIAL.with_suffix(end).read_bytes())
    return tmp_path / "bare.uf3"


@pytest.mark.slow
def test_quick_does_every_stage_once(bare, labelled):
    folder = bare.parent
    done = lpsnmr(folder, "bare.uf3", "--quick", "--reference", labelled)
    assert done.returncode == 0, done.stderr
    assert "quenched melt" in done.stdout
    record = json.loads((folder / "bare.validate" / "validation.json").read_text())
    assert set(record["results"]) == {
        "errors", "crystal", "cells", "rdf", "stability", "nve", "amorphous", "diffusion",
    }  # fmt: skip
    assert not any("failed" in r for stage in record["results"].values() for r in stage.values())
    glass = record["results"]["amorphous"]["amorphous"]
    assert glass["melt_from"] == "packed"
    assert glass["p_with_four_sulfur"] == 1.0
    assert set(glass["p_displacement_A"]) == {"melt", "cooling"}
    assert set(record["results"]["stability"]) == {"stability_300K", "stability_600K"}
    assert (folder / "bare.validate" / "report.png").read_bytes()[:4] == b"\x89PNG"
    assert "PS4 whole" in (folder / "bare.validate" / "report.html").read_text()
    times = {p.name: p.stat().st_mtime_ns for p in (folder / "bare.validate").glob("*.json")}
    again = lpsnmr(folder, "bare.uf3", "--quick", "--reference", labelled, "--nve-ps", "3")
    assert again.returncode == 0, again.stderr
    changed = {
        p.name for p in (folder / "bare.validate").glob("*.json") if p.stat().st_mtime_ns != times[p.name]
    }
    assert changed == {"validation.json"}  # quick fixes the lengths, so nothing was to be done


def test_errors_of_own_labels_vanish(bare, labelled):
    result = error_stage(ValidateSettings(bare, (labelled,)), lambda *_: None)
    assert result["energy_offset_fitted"]
    row = result["errors"][-1]
    assert row["energy_meV_per_atom"] == pytest.approx(0.0, abs=1e-4)
    assert row["force_eV_per_angstrom"] == pytest.approx(0.0, abs=1e-6)
    assert row["stress_GPa"] == pytest.approx(0.0, abs=1e-6)
    assert result["files_in_the_fit"] == []


def test_frames_of_the_fit_are_recognised():
    result = error_stage(ValidateSettings(POTENTIAL, shipped_reference()), lambda *_: None)
    assert not result["energy_offset_fitted"]
    assert result["held_out_errors"]
    fitted = json.loads(POTENTIAL.with_suffix(".json").read_text())["training_errors"]
    if result["files_in_the_fit"]:
        for a, b in zip(result["errors"], fitted, strict=True):
            assert a["force_eV_per_angstrom"] == pytest.approx(b["force_eV_per_angstrom"], rel=1e-6)
            assert a["energy_meV_per_atom"] == pytest.approx(b["energy_meV_per_atom"], rel=1e-4)


def test_frames_that_the_fit_has_not_seen_are_judged_too():
    older = POTENTIAL.with_name("lps_23body.uf3")  # fitted to the first of the files
    result = error_stage(ValidateSettings(older, shipped_reference()), lambda *_: None)
    assert result["files_in_the_fit"] == ["lps_gpaw_pbe.extxyz"]
    frames = {row["run"]: row["frames"] for row in result["unseen_errors"]}
    assert frames["all"] == sum(len(read_reference(path)) for path in shipped_reference()[1:])
    rows = summary_rows({"errors": {"errors": result}})
    assert any(what.startswith("b32_300 forces (held out") for what, *_ in rows)
    assert any(what.startswith("ufp_b32_300_r1 forces (frames that the fit has not") for what, *_ in rows)


def test_crystal_relaxes_and_its_curve_has_its_minimum_there(bare, labelled):
    settings = ValidateSettings(bare, crystals=("gamma-Li3PS4",), static=(labelled,))
    result = crystal_stage(settings, lambda *_: None)
    entry = result["crystals"][0]
    assert entry["largest_force"] < 0.02
    middle = entry["volumes_A3"][3]
    assert entry["eos_volume_A3"] == pytest.approx(middle, rel=0.01)
    assert 5 < entry["eos_bulk_modulus_GPa"] < 100
    # stiffness from the curve against the pressure of the potential at its ends
    v, e = np.array(entry["volumes_A3"]), np.array(entry["energies_eV"])
    assert e.argmin() == 3
    assert np.polyfit(v - middle, e, 2)[0] > 0
    assert result["deformations"][0]["energy_error_meV_per_atom"] == pytest.approx(0.0, abs=1e-4)


@pytest.fixture(scope="module")
def strained_cells(tmp_path_factory):
    """Cells whose labels follow a Birch–Murnaghan curve: 20 Å³ and 25 GPa, with its pressures; run_T 0."""
    bulk, slope, v0 = 25.0 / EV_PER_ANGSTROM3_GPA, 4.0, 20.0
    frames = []
    for k, volume in enumerate(v0 * np.linspace(0.94, 1.06, 7)):
        atoms = load_structure("gamma-Li3PS4")
        n = len(atoms)
        atoms.set_cell(atoms.cell * np.cbrt(volume * n / atoms.get_volume()), scale_atoms=True)
        x = (v0 / volume) ** (2 / 3)
        energy = 9 * v0 * bulk / 16 * ((x - 1) ** 3 * slope + (x - 1) ** 2 * (6 - 4 * x))
        pressure = 1.5 * bulk * (x**3.5 - x**2.5) * (1 + 0.75 * (slope - 4) * (x - 1))
        atoms.calc = SinglePointCalculator(
            atoms, energy=n * energy, forces=np.zeros((n, 3)), stress=[-pressure] * 3 + [0.0] * 3
        )
        atoms.info.update(run="eos", run_step=k, run_T=0.0)
        frames.append(atoms)
    path = tmp_path_factory.mktemp("eos") / "eos.extxyz"
    ase.io.write(path, frames, format="extxyz")
    return path, frames


@pytest.mark.parametrize("as_reference", [True, False])
def test_equation_of_state_against_labelled_cells(bare, labelled, strained_cells, as_reference):
    """Labels of a known curve give its volume, stiffness and lattice constants; ours agree with pressures."""
    path, frames = strained_cells
    settings = (
        ValidateSettings(bare, (labelled, path), crystals=())
        if as_reference
        else ValidateSettings(bare, static=(path,), crystals=())
    )
    (curve,) = crystal_stage(settings, lambda *_: None)["deformations"]
    assert curve["run"] == "eos"
    assert curve["reference"]["volume_A3"] == pytest.approx(20.0, rel=1e-3)
    assert curve["reference"]["bulk_modulus_GPa"] == pytest.approx(25.0, rel=0.01)
    np.testing.assert_allclose(curve["reference"]["lengths_A"], frames[3].cell.lengths(), rtol=1e-4)
    pressure = np.array(curve["reference_pressure_GPa"])
    assert pressure[3] == pytest.approx(0.0, abs=1e-9)
    assert pressure[0] > 0 > pressure[-1]
    volumes, energies = (np.array(curve[k]) for k in ("volumes_A3_per_atom", "potential_eV_per_atom"))
    slope = -np.gradient(energies, volumes)[1:-1] * EV_PER_ANGSTROM3_GPA
    np.testing.assert_allclose(curve["potential_pressure_GPa"][1:-1], slope, atol=0.6)
    rows = summary_rows({"crystal": {"crystal": {"crystals": [], "deformations": [curve]}}})
    assert any("bulk modulus" in what and aim == "reference 25.00" for what, _, aim, _ in rows)


@pytest.mark.parametrize(
    ("run", "temperature", "aim"),
    [
        ("ufp_b32_600", 600.0, "15"),
        ("ufp_am32p1_600", 600.0, "25"),
        ("b32_quench", 300.0, "25"),
        ("x", 300.0, "15"),
    ],
)
def test_aim_of_a_run_is_that_of_its_phase(run, temperature, aim):
    row = {"run": run, "temperature_K": temperature, "force_percent_of_rms": 20.0, "energy_meV_per_atom": 1.0}
    errors = {"files_in_the_fit": [], "held_out_errors": [], "errors": [{**row, "stress_GPa": None}]}
    rows = summary_rows({"errors": {"errors": errors}})
    assert rows[0][2] == f"≤ {aim} %"
    assert len(rows) == (2 if aim == "15" else 1)  # energies count for crystals


def test_cells_at_rest_are_no_md(bare, strained_cells):
    assert rdf_runs(ValidateSettings(bare, (strained_cells[0],))) == {}


def test_activation_energy_needs_two_temperatures():
    runs = [
        {"temperature_k": t, "diffusion_cm2_per_s": [d, 0.9 * d, 1.1 * d]}
        for t, d in ((600.0, 1e-5), (900.0, 4e-5))
    ]
    assert "reason" in _arrhenius([*runs[:1], {"temperature_k": 300.0, "diffusion_cm2_per_s": None}])
    energy = np.log(4.0) * 8.617333262e-5 / (1 / 600 - 1 / 900)
    assert _arrhenius(runs)["activation_energy_eV"][0] == pytest.approx(energy)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--stages", "magic"], "stages: expected some of"),
        (["--temperatures", "warm"], "--temperatures: expected numbers"),
        (["--melt-from", "crystal", "--anneal-ps", "5"], "quenched melt: expected falling temperatures"),
        (["--ns", "0"], "stability_ns: expected a positive number"),
        (["--timestep-fs", "100"], "timestep_fs: expected at most 10 fs, got 100"),
        (["--stages", "amorphous", "--melt-density", "9"], "amorphous: density: expected"),
        (["--structure", "cu.cif", "--stages", "nve"], "cu.cif: element Cu is not in bare.uf3; expected"),
        (["--structure", "li.cif", "--repeat", 1, 1, 1, "--stages", "nve"], "expected at least two atoms"),
        (["--reference", "nowhere.extxyz"], "nowhere.extxyz"),
    ],
)
def test_errors_are_one_line(bare, words, message):
    ase.io.write(bare.parent / "cu.cif", bulk("Cu", cubic=True))
    ase.io.write(bare.parent / "li.cif", ase.Atoms("Li", cell=[5, 5, 5], pbc=True))
    done = lpsnmr(bare.parent, "bare.uf3", "--stages", "errors", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_potential(tmp_path):
    done = lpsnmr(tmp_path, "none.uf3")
    assert done.returncode == 2
    assert "none.uf3: no such file" in done.stderr


@pytest.mark.parametrize(
    ("start", "peak", "verdict"),
    [("crystal", 0.97, "still a crystal"), ("packed", 0.97, "crystallised"), ("crystal", 0.5, "met")],
)
def test_a_crystal_is_no_glass(start, peak, verdict):
    result = {
        "p_with_four_sulfur": 1.0, "p_with_sulfur_of_the_start": 1.0, "melt_from": start,
        "crystal_peak_of_p": peak, "crystal_peak_at_random": 0.49, "bridging_sulfur": 0,
        "free_sulfur": 0, "s_s_closer_than_2.4_A": 0.0,
        "density_g_per_cm3": 1.7, "crystal_density_g_per_cm3": 1.85,
    }  # fmt: skip
    rows = summary_rows({"amorphous": {"amorphous": result}})
    assert rows[0][3] == verdict
