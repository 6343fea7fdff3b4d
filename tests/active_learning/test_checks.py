"""What learn refuses before it writes or samples anything, and what it says when nothing can be labelled."""

import json
import shutil

import ase
import ase.io
import pytest
from ase.build import bulk
from click.testing import CliRunner

from lpsnmr.active_learning import candidates, learn, load_plan
from lpsnmr.active_learning.memory import fingerprint
from lpsnmr.cli.learn import command
from lpsnmr.errors import ComputeError, FileFormatError, InputError
from lpsnmr.labelling import EngineChoice
from support.emt_runs import labelled

RUN = """
{head}
[[run]]
name = "good"
structure = "{cell}"
stages = [[1, 200, 200]]
discard_ps = 0.5
[[run]]
name = "bad"
structure = "{structure}"
stages = {stages}
{more}
"""


@pytest.fixture
def planned(setup, tmp_path):
    """Return a plan whose second run is as asked for."""

    def plan(structure=tmp_path / "cell.extxyz", stages="[[1, 300, 300]]", more="discard_ps = 0.5", head=""):
        path = tmp_path / "odd.toml"
        cell = tmp_path / "cell.extxyz"
        path.write_text(RUN.format(head=head, cell=cell, structure=structure, stages=stages, more=more))
        return load_plan(path)

    return plan


def refused(settings, message, error=InputError):
    """Learn refuses with one line and leaves no trace."""
    with pytest.raises(error, match=message) as caught:
        learn(settings)
    assert "\n" not in str(caught.value)
    assert not settings.folder.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 1}, r"folds: expected 0 \(no cross-validation\) or at least 2, got 1"),
        ({"folds": -2}, "folds: expected 0 .* got -2"),
        (
            {"folds": 6},
            r"folds: .* blocks, 3 of the reference frames and at most 2 of a round, got 6; --folds 0 .*"
            "--steps-per-block",
        ),
        ({"folds": 5, "frames": 1}, "at most 1 of a round, got 5"),
        ({"folds": 11, "steps_per_block": 1}, "6 of the reference frames and at most 4 of a round, got 11"),
        ({"steps_per_block": 0}, "at least 1, got 0"),
        ({"seed": 2**31}, r"seed: expected 0 to \d+, got 2147483648"),
    ],
)
def test_settings_of_the_refits_are_checked_first(setup, changes, message):
    refused(setup(**changes), message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"structure": "absent.cif"}, "absent.cif: no such file"),
        (
            {"more": "supercell = [0, 1, 1]\ndiscard_ps = 0"},
            r"supercell: expected three positive integers, got \(0, 1, 1\)",
        ),
        ({"stages": "[[1, -600, 300]]"}, "stage: expected .* above 0, got 1.0 ps from -600.0 to 300.0 K"),
        ({"stages": "[[0, 300, 300]]"}, "stage: expected a length .* got 0.0 ps"),
        ({"more": "discard_ps = 5"}, "discard_ps: expected less than the 1 ps of its stages, got 5"),
        ({"more": "strain = [0.5, 0, 0, 0, 0, 0]\ndiscard_ps = 0"}, "strain: expected six numbers"),
        ({"more": "pack = true\ndiscard_ps = 0"}, "packing: expected PS4 units and Li, got Cu16"),
        ({"more": "li_disorder = 0.5\ndiscard_ps = 0"}, "li_disorder: expected Li and S, got Cu16"),
        ({"structure": "beta-Li3PS4"}, "beta-Li3PS4: element Li is not in the potential; it has: Cu"),
    ],
)
def test_every_run_of_the_plan_is_checked_first(setup, planned, changes, message):
    refused(setup(plan=planned(**changes)), rf"odd\.toml: run bad: {message}")


def test_the_rest_of_the_plan_is_checked_first(setup, planned, tmp_path):
    refused(setup(plan=planned(head="interval_ps = 0.001")), r"odd\.toml: sampling: expected a step above 0")
    for name, atoms, message in [
        ("one", bulk("Cu"), "expected at least two atoms to move, got 1"),
        (
            "touching",
            ase.Atoms("Cu2", [[0, 0, 0], [0, 0, 0.5]], cell=[5, 5, 5], pbc=True),
            "are 0.500 Å apart",
        ),
    ]:
        path = tmp_path / f"{name}.extxyz"
        ase.io.write(path, atoms)
        refused(setup(plan=planned(structure=path)), rf"odd\.toml: run bad: .*{message}")
    plan = load_plan(tmp_path / "plan.toml")
    none = [run.model_copy(update={"most": 0}) for run in plan.run]
    refused(
        setup(plan=plan.model_copy(update={"run": none})), r"plan\.toml: expected a run with most above 0"
    )


def test_reference_and_potential_are_checked_first(setup, tmp_path):
    sidecar = tmp_path / "cu.json"
    text = sidecar.read_text()
    record = json.loads(text)
    record["reference_energies_eV"] = {}
    sidecar.write_text(json.dumps(record))
    refused(setup(), r"cu\.json: expected reference_energies_eV of Cu", FileFormatError)
    sidecar.write_text(text)
    frames = labelled(6, 0.02)
    for change, message in [
        ({"numbers": [79] * 16}, r"ref\.extxyz:.*0: element Au is not in the potential"),
        ({"positions": frames[0].positions * 0.1}, r"ref\.extxyz:.*0: two atoms are 0\.\d+ Å apart"),
    ]:
        odd = frames[0].copy()
        odd.set_array(*next(iter(change.items())))
        odd.calc = frames[0].calc
        odd.calc.atoms = odd.copy()
        ase.io.write(tmp_path / "ref.extxyz", [odd, *frames[1:]], format="extxyz")
        refused(setup(), message)


def test_labels_count_as_blocks(setup, tmp_path):
    """Of runs that may be chosen; and before the labels are made it is seen whether these were."""
    plan = load_plan(tmp_path / "plan.toml")
    one = plan.model_copy(update={"run": [plan.run[0].model_copy(update={"most": 0}), plan.run[1]]})
    refused(setup(plan=one, folds=5), "3 of the reference frames and at most 1 of a round, got 5")
    [report] = learn(setup(plan=one, folds=4, rounds=1, frames=2))
    assert report.selected == 2
    settings = setup(folder=tmp_path / "few", folds=6, steps_per_block=10**6, rounds=1)
    with pytest.raises(InputError, match=r"[45] of the labelled and the chosen frames, got 6; --folds 0"):
        learn(settings)
    assert (settings.folder / "round-01" / "selected.extxyz").exists()
    assert not (settings.folder / "round-01" / "labelled.extxyz.frames").exists()


def test_the_command_can_be_mended_and_repeated(setup, tmp_path):
    """A refused setting leaves no folder that remembers it."""
    settings = setup()
    arguments = ["-o", str(settings.folder), "--plan", str(tmp_path / "plan.toml"), "--engine", "emt"]
    arguments += ["--reference", str(settings.reference[0]), "--potential", str(settings.potential)]
    first = CliRunner().invoke(command, [*arguments, "--frames", "2", "--folds", "1"])
    assert "folds: expected 0" in str(first.exception)
    assert not settings.folder.exists()
    second = CliRunner().invoke(command, [*arguments, "--frames", "2", "--folds", "2"])
    assert second.exit_code == 0, second.exception


def test_other_contents_under_the_same_names_are_refused(setup, tmp_path):
    settings = setup(rounds=1, frames=2)
    learn(settings)
    report = (settings.folder / "round-01" / "report.json").read_bytes()
    more = setup(rounds=2, frames=2)
    for name, other in [
        ("ref.extxyz", lambda p: ase.io.write(p, labelled(6, 0.04), format="extxyz")),
        ("cell.extxyz", lambda p: ase.io.write(p, bulk("Cu", cubic=True) * (2, 1, 2), format="extxyz")),
        ("cu.uf3", lambda p: p.write_text(p.read_text() + "\n")),
        ("cu.json", lambda p: p.write_text(p.read_text() + "\n")),
        ("cu.ufx", lambda p: p.unlink()),
    ]:
        path = tmp_path / name
        content = path.read_bytes()
        other(path)
        with pytest.raises(InputError, match=rf"other settings \(contents of {name}\); expected") as caught:
            learn(more)
        assert "\n" not in str(caught.value)
        path.write_bytes(content)
    assert (settings.folder / "round-01" / "report.json").read_bytes() == report
    assert not (settings.folder / "round-02").exists()


def test_density_terms_count_as_content_of_the_potential(setup, tmp_path):
    settings = setup()
    (tmp_path / "cu.ufd").write_text("terms")
    before = hashes_of(settings)
    (tmp_path / "cu.ufd").write_text("other terms")
    after = hashes_of(settings)
    assert [k for k in before if before[k] != after[k]] == ["cu.ufd"]


def hashes_of(settings):
    """Return the hashes that a run remembers."""
    return fingerprint(settings, "recipe")["sha256"]


def test_a_moved_run_goes_on(setup, tmp_path):
    learn(setup(rounds=1, frames=2))
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("learn", "ref.extxyz", "cu.uf3", "cu.json", "cu.ufx", "cell.extxyz", "plan.toml"):
        shutil.move(tmp_path / name, moved / name)
    plan = moved / "plan.toml"
    plan.write_text(plan.read_text().replace(str(tmp_path), str(moved)))
    there = {"folder": moved / "learn", "reference": (moved / "ref.extxyz",), "potential": moved / "cu.uf3"}
    reports = learn(setup(rounds=2, frames=2, plan=load_plan(plan), **there))
    assert [r.number for r in reports] == [1, 2]


def test_two_reference_files_of_one_name(setup, tmp_path):
    (tmp_path / "b").mkdir()
    ase.io.write(tmp_path / "b" / "ref.extxyz", labelled(3, 0.03), format="extxyz")
    settings = setup(reference=(tmp_path / "ref.extxyz", tmp_path / "b" / "ref.extxyz"))
    assert {"ref.extxyz", "ref.extxyz (2)"} < set(hashes_of(settings))


def test_folders_that_do_not_say_what_they_began_with(setup):
    settings = setup()
    settings.folder.mkdir()
    for text, message in [
        ('{"reference": ["ref.extxyz"]}', r"learn\.json: written by an earlier lpsnmr"),
        ("{", r"learn\.json: not JSON"),
        ("[]", r"learn\.json: expected what lpsnmr learn wrote, got a list"),
        ('{"sha256": ["ab"]}', r"learn\.json: sha256: expected a table .* got a list$"),
    ]:
        (settings.folder / "learn.json").write_text(text)
        with pytest.raises(InputError, match=message):
            learn(settings)


def test_labels_of_another_recipe_are_refused(setup, tmp_path):
    frames = labelled(6, 0.02)
    for frame in frames[3:]:
        frame.info.update(label_id="0123456789ab", label="emt-0.1")
    ase.io.write(tmp_path / "ref.extxyz", frames, format="extxyz")
    refused(
        setup(),
        rf"engine emt: its labels have the recipe \(label_id\) [0-9a-f]{{12}} \(ase {ase.__version__}\), the "
        r"reference frames have 0123456789ab \(emt-0\.1\); expected one recipe .*, or --mix-labels, which is "
        "right where only versions differ",
    )
    [report] = learn(setup(rounds=1, frames=2, mix_labels=True))
    assert report.selected == 2
    record = json.loads((tmp_path / "learn" / "learn.json").read_text())
    for frame in frames:
        frame.info["label_id"] = record["label_id"]
    ase.io.write(tmp_path / "ref.extxyz", frames, format="extxyz")
    learn(setup(folder=tmp_path / "same", rounds=1, frames=2))
    # another recipe within a run
    path = tmp_path / "same" / "learn.json"
    path.write_text(path.read_text().replace(record["label_id"], "0123456789ab"))
    with pytest.raises(InputError, match=r"begun with other settings \(label_id\)"):
        learn(setup(folder=tmp_path / "same", rounds=1, frames=2))
    learn(setup(folder=tmp_path / "same", rounds=1, frames=2, mix_labels=True))


def test_it_says_truly_why_no_frame_is_usable(setup, monkeypatch):
    """Frames are counted by reason, and the reasons are kept with them."""
    settings = setup(rounds=1)
    reasons = iter(["broken PS4"] * 5 + ["implausible contacts"] * 100)
    monkeypatch.setattr(candidates, "why_not", lambda frame, whole: next(reasons))
    message = (
        "2 trajectories of cu.uf3 gave 16 frames .*; dropped: 5 for broken PS4, 11 for implausible contacts"
    )
    for _ in range(2):  # the second time from the files
        with pytest.raises(ComputeError, match=message):
            learn(settings)
    account = json.loads((settings.folder / "round-01" / "candidates" / "cool.json").read_text())
    assert account == {"sampled": 8, "dropped": {"broken PS4": 5, "implausible contacts": 3}, "ended": ""}
    (settings.folder / "round-01" / "candidates" / "cool.json").unlink()
    with pytest.raises(ComputeError, match=r"8 frames .* 8 for implausible.*; 1 came from an earlier lpsnmr"):
        learn(settings)


def test_it_says_that_trajectories_failed(setup, monkeypatch):
    def fails(*_):
        raise ComputeError("LAMMPS\nfell over")
        yield

    monkeypatch.setattr(candidates, "sample", fails)
    with pytest.raises(
        ComputeError, match=r"gave 0 frames .*; 2 ended early, the first: cool: LAMMPS fell over"
    ):
        learn(setup(engine=EngineChoice("emt")))
