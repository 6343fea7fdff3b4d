"""Growing a reference set and the card that describes it."""

from importlib.resources import files

import ase.io
import numpy as np
import pytest
from click.testing import CliRunner

from lpsnmr.cli.merge_labels import command
from lpsnmr.data import shipped_pbesol, shipped_reference
from lpsnmr.errors import InputError
from lpsnmr.reference import read_reference
from lpsnmr.reference.data_card import data_card
from lpsnmr.reference.merge import merge_frames, structure_key
from lpsnmr.reference.phases import order_of, phase_of, phase_of_run
from lpsnmr.reference.terms import drop_terms
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

SHIPPED = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"


@pytest.fixture(scope="module")
def shipped():
    return read_reference(str(SHIPPED))


def shifted(frame, run, step):
    """Return a frame that is another structure of another run."""
    other = frame.copy()
    other.calc = frame.calc
    other.positions = frame.positions + np.linspace(0, 0.1, 3 * len(frame)).reshape(-1, 3)
    drop_terms(other)
    other.info = {"run": run, "run_step": step, "run_T": 700.0, "E7net": -1.0, "source": "x"}
    return other


@pytest.mark.parametrize("path", [*shipped_reference(), shipped_pbesol()], ids=lambda path: path.stem)
def test_shipped_cards_say_what_is_in_the_sets(path):
    card = path.parent / "README.md" if path.stem == "lps_gpaw_pbe" else path.with_suffix(".md")
    assert card.read_text(encoding="utf-8") == data_card(path.name, read_reference(path))


def test_no_frame_is_in_two_of_the_shipped_sets():
    keys = [structure_key(frame) for path in shipped_reference() for frame in read_reference(path)]
    assert len(keys) > 300
    assert len(set(keys)) == len(keys)


def test_frames_of_another_functional_are_frames_of_the_sets():
    """So that each difference of labels is one of functionals alone."""
    known = {structure_key(frame): frame for path in shipped_reference() for frame in read_reference(path)}
    frames = read_reference(shipped_pbesol())
    assert len({structure_key(frame) for frame in frames}) == len(frames)
    for frame in frames:
        assert frame.info["functional"] == "PBEsol"
        base = known[structure_key(frame)]
        assert base.info["run"] == frame.info["run"]
        assert np.sqrt(np.mean((base.get_forces() - frame.get_forces()) ** 2)) < 0.1  # 0.06 eV/Å throughout
        assert 0.8 < (frame.get_stress() - base.get_stress())[:3].mean() * EV_PER_ANGSTROM3_GPA < 2.0


def test_the_shipped_set_merges_into_itself(shipped):
    merged, report = merge_frames(shipped, shipped)
    assert (report.before, report.added, report.duplicates) == (len(shipped), 0, len(shipped))
    before = {structure_key(f): f for f in shipped}
    for frame in merged:
        old = before[structure_key(frame)]
        assert frame.get_potential_energy() == old.get_potential_energy()
        assert np.array_equal(frame.arrays["efg"], old.arrays["efg"])
        assert np.array_equal(frame.get_stress(), old.get_stress())
    order = [(f.info["run"], f.info["run_step"]) for f in merged]
    assert order == sorted(order)


def test_a_structure_is_the_same_in_another_image(shipped):
    moved = shipped[0].copy()
    moved.positions += moved.cell.array[0] - 2 * moved.cell.array[2]
    assert structure_key(moved) == structure_key(shipped[0])
    moved.positions[3, 1] += 0.01
    assert structure_key(moved) != structure_key(shipped[0])


def test_what_does_not_belong_is_dropped_or_refused(shipped):
    new = shifted(shipped[0], "new_g32_700", 5)
    merged, _ = merge_frames(shipped[:2], [new])
    added = next(f for f in merged if f.info["run"] == "new_g32_700")
    assert set(added.info) == {"run", "run_step", "run_T"}
    bad = shifted(shipped[0], "x", 1)
    bad.arrays["efg"][2] += [0.01, *[0] * 8]
    with pytest.raises(InputError, match="with a trace"):
        merge_frames([], [bad])
    bad.arrays["efg"][2] = [0, 0.1, *[0] * 7]
    with pytest.raises(InputError, match="not symmetric"):
        merge_frames([], [bad])
    del new.info["run_step"]
    with pytest.raises(InputError, match="run_step"):
        merge_frames(shipped, [new])
    recipes = [shifted(shipped[k], "r", k) for k in (0, 1)]
    for k, frame in enumerate(recipes):
        frame.info["label_id"] = f"recipe{k}"
    with pytest.raises(InputError, match="2 recipes"):
        merge_frames(shipped, recipes)


@pytest.mark.parametrize(
    ("run", "temperature", "phase"),
    [
        ("b32_300", 300, "β crystal"),
        ("b32_1200", 1200, "β cell above 1000 K"),
        ("b32_1800", 1800, "melt"),
        ("b32_quench", 1800, "quench"),
        ("ufp_g32_quench", 700, "quench"),
        ("ufp_g32_shear_500", 500, "γ crystal"),
        ("ufp_b32_lidis_600", 600, "β crystal"),
        ("ufp_b32_melt_1800", 1800, "melt"),
        ("ufp_am32_600", 600, "amorphous"),
        ("ufp_am32p1_1200_r1", 1200, "amorphous"),
        ("ufp_g32_1200_r1", 1200, "γ cell above 1000 K"),
        ("ufp_hot_b32_1800_r1", 1800, "clustering"),
        ("eos_b32", 0, "strained crystal at rest"),
        ("li2s", None, "other"),
        ("glassA_300", 300, "amorphous"),
        ("B32_premelted", None, "melt"),
        ("ammonia_300", 300, "other"),
    ],
)
def test_phases(run, temperature, phase):
    assert phase_of_run(run, temperature) == phase


def test_a_header_says_more_than_a_name(shipped, tmp_path):
    """The same phase in a card, in the weights of a fit, and after a merge."""
    frames = [shifted(shipped[k], "b32_300", k) for k in range(3)]
    for frame in frames[:2]:
        frame.info["phase"] = "amorphous"
    assert [phase_of(f) for f in frames] == ["amorphous", "amorphous", "β crystal"]
    assert [order_of(phase_of(f)) for f in frames] == ["disordered", "disordered", "crystal"]
    frames[2].info["phase"] = "rotator"
    assert order_of(phase_of(frames[2])) == "rotator"
    merged, _ = merge_frames([], frames)
    assert [f.info["phase"] for f in merged] == ["amorphous", "amorphous", "rotator"]
    card = data_card("x", merged)
    assert "| `b32_300` | amorphous |" in card
    alone = data_card("x", merged[2:])
    assert "| `b32_300` | rotator |" in alone
    assert "By phase: rotator 1." in alone


def test_card_counts_what_is_there(shipped):
    card = data_card("set.extxyz", shipped)
    assert f"{len(shipped)} frames, {12 * len(shipped)} Li tensors" in card
    runs = {f.info["run"] for f in shipped}
    for run in runs:
        n = sum(f.info["run"] == run for f in shipped)
        assert any(line.startswith(f"| `{run}` |") and f"| {n} |" in line for line in card.splitlines())
        assert f"`{run}` ({n})" in card  # in a fold
    few = data_card("few.extxyz", [f for f in shipped if f.info["run"] in ("g32_300", "g32_700")])
    assert "No frame of: β crystal" in few
    with pytest.raises(InputError, match="at least one"):
        data_card("none", [])


def test_set_and_card_change_together_or_not_at_all(shipped, tmp_path, monkeypatch):
    target, card, folder = tmp_path / "set.extxyz", tmp_path / "cards" / "set.md", tmp_path / "adir.uf3"
    for path in (card.parent, folder):
        path.mkdir()
    for name, part in (("a", shipped[:2]), ("b", shipped[2:4])):
        ase.io.write(tmp_path / f"{name}.extxyz", part, format="extxyz")
    arguments = [str(tmp_path / "b.extxyz"), "--into", str(target), "--card"]
    assert CliRunner().invoke(command, [str(tmp_path / "a.extxyz"), *arguments[1:], str(card)]).exit_code == 0
    before = target.read_bytes(), card.read_text()
    for wrong, words in [
        (folder, f"{folder}: expected the name of a file, got that of a folder"),
        (tmp_path / "none" / "card.md", "the folder .*none does not exist"),
        (target, "is the set itself"),
    ]:
        with pytest.raises(InputError, match=words):
            raise CliRunner().invoke(command, [*arguments, str(wrong)]).exception

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("lpsnmr.reference.data_card.data_card", full)
        assert CliRunner().invoke(command, [*arguments, str(card)]).exit_code != 0
    assert (target.read_bytes(), card.read_text()) == before
    assert CliRunner().invoke(command, [*arguments, str(card)]).exit_code == 0
    assert target.read_bytes() != before[0]
    assert "4 frames" in card.read_text()
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {"a.extxyz", "b.extxyz", "set.extxyz", "cards", "adir.uf3"}
    assert [p.name for p in card.parent.iterdir()] == ["set.md"]


def test_command(shipped, tmp_path):
    target, card = tmp_path / "set.extxyz", tmp_path / "README.md"
    ase.io.write(tmp_path / "a.extxyz", shipped[:3], format="extxyz")
    ase.io.write(tmp_path / "b.extxyz", shipped[2:5], format="extxyz")
    arguments = ["--into", str(target), "--card", str(card)]
    result = CliRunner().invoke(command, [str(tmp_path / "a.extxyz"), *arguments])
    assert "0 frames before, 3 added" in result.output, result.exception
    result = CliRunner().invoke(command, [str(tmp_path / "b.extxyz"), *arguments])
    assert "3 frames before, 2 added, 1 there already, 5 now" in result.output
    assert "5 frames, 60 Li tensors" in card.read_text()
    before = target.read_bytes()
    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert target.read_bytes() == before
    again = read_reference(target)
    assert again[0].get_potential_energy() == pytest.approx(shipped[0].get_potential_energy(), abs=1e-9)
    with pytest.raises(InputError, match="no such set"):
        raise CliRunner().invoke(command, ["--into", str(tmp_path / "absent.extxyz")]).exception
