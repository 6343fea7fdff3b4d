"""The learning loop on an alloy with EMT as the truth: what it does, that it goes on, what it refuses."""

import json
from pathlib import Path

import ase.io
import ase.units
import numpy as np
import pytest
from ase.calculators.emt import EMT
from click.testing import CliRunner

from lpsnmr.active_learning import (
    default_plan_text,
    errors_on,
    format_rounds,
    learn,
    load_plan,
)
from lpsnmr.active_learning.candidates import why_not
from lpsnmr.cli.learn import command
from lpsnmr.errors import ComputeError, FileFormatError, InputError
from lpsnmr.labelling import EngineChoice
from lpsnmr.potential import DataSet, FitSettings, PriorSettings, fit_ufp, save_fit
from lpsnmr.reference import read_reference
from lpsnmr.reference.add_terms import add_terms
from lpsnmr.reference.phases import phase_of_run
from lpsnmr.reference.terms import drop_terms, term_of
from lpsnmr.structures import load_structure, made
from support.emt_runs import BASIS, labelled


def test_two_rounds_make_the_potential_better_where_it_was_blind(setup):
    settings = setup()
    stages = []
    first, second = learn(settings, lambda stage, done, total: stages.append(stage))
    assert {"sampling", "posterior", "selection", "labelling", "errors"} <= set(stages)
    assert first.selected == 4
    assert first.candidates == second.candidates == 2 * 8
    assert first.after.force_ev_per_angstrom < 0.7 * first.before.force_ev_per_angstrom
    assert second.gain < first.gain
    assert first.extrapolating > 0.5 > second.extrapolating
    rows = {row["run"] for row in second.held_out}
    assert {"start0", "hot_r1", "all"} <= rows
    hot = labelled(4, 0.15)
    final = settings.folder / "round-02" / "cu.uf3"
    better, worse = errors_on(final, hot), errors_on(settings.potential, hot)
    assert better.force_ev_per_angstrom < 0.7 * worse.force_ev_per_angstrom
    assert "F " in format_rounds([first, second]).splitlines()[2]

    # labels are those of EMT, and the header says why the frame was chosen
    frame = read_reference(settings.folder / "round-01" / "labelled.extxyz", require=("energy",))[0]
    assert frame.info["information_gain"] > 0
    assert frame.info["force_uncertainty"] > 0
    assert frame.info["grade"] > 0
    energy = frame.calc.results["energy"]
    frame.calc = EMT()
    assert energy == pytest.approx(frame.get_potential_energy(), abs=1e-6)


def refit_like(settings, fit, extra=()):
    """Fit the potential to begin with anew, in another way."""
    data = [DataSet(read_reference(settings.reference, require=("energy", "forces"))), *extra]
    files = [list(settings.reference), *([settings.reference[0]] for _ in extra)]
    save_fit(settings.potential, fit_ufp(data, fit), fit, data, files)


def test_refits_keep_weights_and_core(setup):
    settings = setup(rounds=1)
    prior = (PriorSettings(2.0, 0.5, 1.0, 1.0),)
    fit = FitSettings(BASIS, prior, folds=0, monotone_core=False, run_weights=(("hot*", 0.1),))
    refit_like(settings, fit)
    learn(settings)
    record = json.loads((settings.folder / "round-01" / "cu.json").read_text())["settings"]
    assert record["run_weights"] == [["hot*", 0.1]]
    assert record["monotone_core"] is False
    assert record["folds"] == 3


def test_refits_keep_the_sum_of_labels(setup):
    """New labels get the correction that the potential was fitted to; a reference without it is refused."""
    settings = setup(rounds=1)
    prior = (PriorSettings(2.0, 0.5, 1.0, 1.0),)
    bare = settings.reference[0].read_bytes()
    add_terms(settings.reference[0], "d3bj")
    refit_like(settings, FitSettings(BASIS, prior, folds=0, labels="pbe+d3bj"))
    full = settings.reference[0].read_bytes()
    settings.reference[0].write_bytes(bare)
    with pytest.raises(InputError, match="frame 0: no d3bj correction"):
        learn(settings)
    assert not settings.folder.exists()
    settings.reference[0].write_bytes(full)
    [report] = learn(settings)
    folder = settings.folder / "round-01"
    assert json.loads((folder / "cu.json").read_text())["settings"]["labels"] == "pbe+d3bj"
    frames = read_reference(folder / "labelled.extxyz", require=("energy",))
    assert all(term_of(frame, "d3bj") is not None for frame in frames)
    assert report.after == errors_on(folder / "cu.uf3", frames)
    for frame in frames:
        drop_terms(frame)
    with pytest.raises(InputError, match="no d3bj correction"):
        errors_on(folder / "cu.uf3", frames)


def test_potential_fitted_to_further_data_is_refused(setup):
    settings = setup(rounds=1)
    fit = FitSettings(BASIS, (PriorSettings(2.0, 0.5, 1.0, 1.0),), folds=0)
    refit_like(settings, fit, [DataSet(labelled(2, 0.1), 0.05, 1.0, "teacher")])
    with pytest.raises(InputError, match=r"further data \(teacher\)"):
        learn(settings)
    assert not settings.folder.exists()


def test_it_goes_on_where_it_stopped_and_further(setup):
    settings = setup(rounds=1)
    learn(settings)
    folder = settings.folder / "round-01"
    files = ("selected.extxyz", "labelled.extxyz", "cu.uf3", "cu.json", "report.json")
    before = {name: (folder / name).read_bytes() for name in files}
    (folder / "cu.uf3").unlink()
    (folder / "report.json").unlink()
    (folder / "candidates" / "hot.extxyz").unlink()
    reports = learn(setup(rounds=2))
    assert {name: (folder / name).read_bytes() for name in files} == before
    assert [r.number for r in reports] == [1, 2]
    assert json.loads((folder / "report.json").read_text())["number"] == 1
    for changes, name in [({"frames": 5}, "frames"), ({"seed": 3}, "seed")]:
        with pytest.raises(InputError, match=rf"begun with other settings \({name}\)"):
            learn(setup(**changes))


def test_limits_of_a_run_hold(setup, tmp_path):
    plan = tmp_path / "limited.toml"
    plan.write_text((tmp_path / "plan.toml").read_text() + "most = 1\n")
    settings = setup(plan=load_plan(plan), frames=3, rounds=1)
    learn(settings)
    runs = [f.info["run"] for f in ase.io.read(settings.folder / "round-01" / "selected.extxyz", ":")]
    assert sorted(runs) == ["cool_r1", "cool_r1", "hot_r1"]


def test_a_trajectory_ends_where_the_potential_extrapolates(setup, tmp_path):
    plan = load_plan(tmp_path / "plan.toml").model_copy(update={"stop_grade": 1.5})
    [report] = learn(setup(plan=plan, frames=1, rounds=1))
    folder = tmp_path / "learn" / "round-01" / "candidates"
    grades = [f.info["grade"] for f in ase.io.read(folder / "hot.extxyz", ":")]
    assert all(g <= 1.5 for g in grades[:-1])
    assert grades[-1] > 1.5
    assert report.candidates < 16


def test_a_potential_without_certainty_can_begin(setup, tmp_path):
    (tmp_path / "cu.ufx").unlink()
    [report] = learn(setup(frames=1, rounds=1))
    assert report.extrapolating is None
    assert report.candidates == 16
    assert " - " in format_rounds([report])


def test_nothing_labelled_is_an_error(setup):
    bad = EngineChoice("lj", {"epsilon": float("nan")})
    with pytest.raises(ComputeError, match="no frame could be labelled"):
        learn(setup(engine=bad, rounds=1))


def test_plans(tmp_path):
    shipped = load_plan()
    assert {run.structure for run in shipped.run} == {"beta-Li3PS4", "gamma-Li3PS4"}
    strained = next(run for run in shipped.run if run.volume_strain == 0.03)
    volume = load_structure("beta-Li3PS4").get_volume()
    assert strained.start(1).get_volume() == pytest.approx(1.03 * volume)
    for run in shipped.run:
        assert why_not(run.start(1), whole=True) is None
    path = tmp_path / "plan.toml"
    for text, message in [
        ("run = []", "run: List should have at least 1"),
        ('[[run]]\nname = "a b"\nstructure = "x"\nstages = [[1, 2, 3]]', r"run\.0\.name"),
        ('[[run]]\nname = "a"\nstructure = "x"\nstages = [[1, 2]]', r"run a: stages\.0\.2: Field required"),
        (
            '[[run]]\nname = "a"\nstructure = "x"\nstages = [[1, 2, 3]]\nmost = -1',
            r"plan\.toml: run a: most: .* greater than or equal to 0, got -1",
        ),
        ('[[run]]\nname = "a"\nstages = [[1, 2, 3]]', "run a: structure: Field required"),
        ("= 3", "not TOML"),
        (2 * '[[run]]\nname = "a"\nstructure = "x"\nstages = [[1, 2, 3]]\n', "two runs are called 'a'"),
    ]:
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            load_plan(path)
    with pytest.raises(FileFormatError, match="no such plan"):
        load_plan(tmp_path / "absent.toml")


def test_what_is_not_usable():
    atoms = load_structure("beta-Li3PS4")
    broken = atoms.copy()
    phosphorus, sulfur = np.flatnonzero(atoms.numbers == 15)[0], np.flatnonzero(atoms.numbers == 16)
    near = sulfur[np.argmin(atoms.get_distances(phosphorus, sulfur, mic=True))]
    bond = atoms.get_distance(phosphorus, near, mic=True, vector=True)
    broken.positions[near] += 0.4 * bond
    assert why_not(atoms, whole=True) is None
    assert why_not(broken, whole=True) == "broken PS4"
    assert why_not(broken, whole=False) is None
    broken.positions[near] -= 0.7 * bond
    assert why_not(broken, whole=False) == "implausible contacts"


def test_engine_with_options(setup, tmp_path):
    """The engine opens with its options before anything is sampled."""
    settings = setup()
    arguments = ["-o", str(settings.folder), "--plan", str(tmp_path / "plan.toml"), "--engine", "ufp"]
    arguments += ["--reference", str(settings.reference[0]), "--potential", str(settings.potential)]
    arguments += ["--frames", "2", "--folds", "0"]
    refused = CliRunner().invoke(command, arguments)
    assert "engine ufp: options {} refused" in str(refused.exception)
    assert not settings.folder.exists()
    option = f'potential="{settings.potential}"'
    arguments += ["--option", option]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.exception
    record = json.loads((settings.folder / "round-01" / "labelled.extxyz.json").read_text())
    assert record["provenance"]["options"] == {"potential": str(settings.potential)}


def test_command(setup, tmp_path):
    settings = setup()
    arguments = ["-o", str(settings.folder), "--plan", str(tmp_path / "plan.toml"), "--engine", "emt"]
    arguments += ["--reference", str(settings.reference[0]), "--potential", str(settings.potential)]
    result = CliRunner().invoke(command, [*arguments, "--frames", "2", "--folds", "0"])
    assert result.exit_code == 0, result.exception
    assert "not measured" in result.output
    assert (settings.folder / "round-01" / "cu.uf3").exists()
    assert CliRunner().invoke(command, ["--example"]).output == default_plan_text()
    assert "rounds: expected at least 1, got 0" in str(
        CliRunner().invoke(command, [*arguments, "--rounds", "0"]).exception
    )


def test_the_shipped_plan_for_holes_is_one():
    plan = load_plan(Path("hot.toml"))
    assert min(run.stages[0][1] for run in plan.run) >= 1700
    assert {phase_of_run(f"{run.name}_r1", run.stages[0][1]) for run in plan.run} == {"clustering"}


@pytest.mark.slow
def test_the_shipped_plan_for_melts_packs_liquids(tmp_path, monkeypatch):
    plan = load_plan(Path("melt.toml"))
    phases = {phase_of_run(f"{run.name}_r1", run.stages[0][1]) for run in plan.run}
    assert phases == {"melt", "quench"}
    starts = [run.start(3) for run in plan.run]
    assert all("packed at random seed 3" in made(atoms) for atoms in starts)
    assert np.abs(starts[0].positions - plan.run[0].start(4).positions).max() > 1.0
    (tmp_path / "melt.toml").write_text("interval_ps = 0\n")  # a file of the user's comes first
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileFormatError, match=r"melt\.toml: interval_ps"):
        load_plan(Path("melt.toml"))
