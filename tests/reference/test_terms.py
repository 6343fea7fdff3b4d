"""Labels in parts: read, checked, kept apart, and added up only when asked for."""

import os
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from click.testing import CliRunner

from lpsnmr.cli.add_terms import command
from lpsnmr.cli.merge_labels import command as merge_command
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.labelling import EngineChoice, label_frames
from lpsnmr.labelling.term_engine import TermEngine
from lpsnmr.reference import read_reference
from lpsnmr.reference.add_terms import add_terms, terms_folder
from lpsnmr.reference.data_card import data_card
from lpsnmr.reference.merge import merge_frames
from lpsnmr.reference.terms import LabelChoice, Term, chosen_labels, drop_terms, put_term, term_of

DISPERSION = ("d4", "d3bj")
SHIPPED = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"


@pytest.fixture(scope="module")
def shipped():
    return read_reference(str(SHIPPED))[:3]


def labelled(n: int, functional: str | None = None) -> list[Atoms]:
    """Return small periodic cells with labels that mean nothing."""
    out = []
    for k in range(n):
        atoms = Atoms("LiPS", [(0.1 * k, 0, 0), (2.5, 2.4, 2.5), (2.4, 0.2, 2.6)], cell=[5.0] * 3, pbc=True)
        atoms.info = {"run": "made", "run_step": k, **({"functional": functional} if functional else {})}
        atoms.calc = SinglePointCalculator(
            atoms, energy=-1.0 - k, forces=np.full((3, 3), 0.25 * k), stress=np.arange(6) / 64
        )
        out.append(atoms)
    return out


def written(path: Path, frames: list[Atoms]) -> Path:
    ase.io.write(path, frames, format="extxyz")
    return path


def without_terms(path: Path) -> bytes:
    """Return a file as it would be without corrections."""
    frames = ase.io.read(path, ":")
    for frame in frames:
        drop_terms(frame)
    other = path.with_name("without.extxyz")
    return written(other, frames).read_bytes()


def test_terms_come_in_columns_of_their_own_and_nothing_else_changes(tmp_path):
    path = written(tmp_path / "set.extxyz", labelled(2))
    before = path.read_bytes()
    result = CliRunner().invoke(command, [str(path)])
    assert result.exit_code == 0, result.output
    assert "d4 of 2 frames added, 0 had it, 0 failed" in result.output
    assert without_terms(path) == before
    assert not terms_folder(path).exists()
    for frame in read_reference(path, require=("energy", "forces", "stress")):
        for name in DISPERSION:
            own = TermEngine(name)
            expected, term = own.label(frame, ""), term_of(frame, name)
            assert term.energy == pytest.approx(expected.energy, abs=1e-12)
            assert np.allclose(term.forces, expected.forces, atol=1e-8)
            assert np.allclose(term.stress, expected.stress, atol=1e-14)
            assert term.label == own.name
    assert "_JSON" not in path.read_text()
    once = path.read_bytes()
    assert "0 frames added, 2 had it" in CliRunner().invoke(command, [str(path), "--term", "d4"]).output
    assert path.read_bytes() == once
    assert "2 frames added" in CliRunner().invoke(command, [str(path), "--term", "d4", "--again"]).output
    assert without_terms(path) == before


def test_damping_is_that_of_the_frames_functional(tmp_path):
    path = written(tmp_path / "set.extxyz", [*labelled(1), *labelled(1, "PBEsol")])
    add_terms(path, "d3bj")
    plain, other = (term_of(f, "d3bj") for f in read_reference(path, require=()))
    assert plain.label.endswith(":PBE")
    assert other.label.endswith(":PBEsol")
    assert plain.energy < other.energy - 0.01


def test_an_interrupted_call_goes_on(tmp_path):
    """Killed amid the frames: the file is untouched, and what was done is not done again."""
    frames = labelled(8)
    path, whole = written(tmp_path / "set.extxyz", frames), written(tmp_path / "whole.extxyz", frames)
    before = path.read_bytes()
    script = f"from pathlib import Path\nfrom lpsnmr.reference.add_terms import add_terms\n" \
             f"add_terms(Path({str(path)!r}), 'd4')\n"  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", script], env=os.environ, stderr=subprocess.PIPE)
    store = terms_folder(path) / "d4_PBE.extxyz.frames"
    end = time.monotonic() + 300
    while len(list(store.glob("*.extxyz"))) < 2:
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = {p.name: p.stat().st_mtime_ns for p in store.glob("*.extxyz")}
    assert 2 <= len(done) < 8
    assert path.read_bytes() == before
    report = add_terms(path, "d4", keep=True)
    assert (report.added, report.failed) == (8, [])
    assert done.items() <= {p.name: p.stat().st_mtime_ns for p in store.glob("*.extxyz")}.items()
    add_terms(whole, "d4", jobs=2)
    assert path.read_bytes() == whole.read_bytes()


def test_a_missing_package_is_one_line_and_leaves_the_file(tmp_path, monkeypatch):
    path = written(tmp_path / "set.extxyz", labelled(1))
    before = path.read_bytes()
    monkeypatch.setitem(sys.modules, "dftd3", None)
    error = CliRunner().invoke(command, [str(path), "--term", "d3bj"]).exception
    assert isinstance(error, InputError)
    assert "pip install dftd3" in str(error)
    assert "\n" not in str(error)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: f.info.pop("d4_stress"),
            "frame 1: no 'd4_stress'; expected it beside the other parts of d4",
        ),
        (lambda f: f.arrays.pop("d4_forces"), "frame 1: no 'd4_forces'"),
        (lambda f: f.info.update(d4_energy=float("nan")), "frame 1: d4_energy: expected finite numbers"),
        (lambda f: f.info.update(d4_stress=np.zeros(6)), "frame 1: d4_stress: .* shape \\(3, 3\\)"),
    ],
)
def test_half_a_term_is_refused_by_frame(tmp_path, change, message):
    frames = labelled(3)
    for frame in frames:
        put_term(frame, "d4", Term(-0.5, np.zeros((3, 3)), np.zeros(6), "dftd4-4:PBE"))
    change(frames[1])
    with pytest.raises(FileFormatError, match=message):
        read_reference(written(tmp_path / "set.extxyz", frames), require=())


def test_a_sum_is_the_sum_and_the_parts_stay(shipped):
    for name in DISPERSION:
        for frame, summed in zip(shipped, chosen_labels(shipped, f"pbe+{name}"), strict=True):
            term, own, both = term_of(frame, name), frame.calc.results, summed.calc.results
            assert both["energy"] == own["energy"] + term.energy
            assert np.array_equal(both["forces"], own["forces"] + term.forces)
            assert np.array_equal(both["stress"], own["stress"] + term.stress)
            assert np.array_equal(summed.arrays["efg"], frame.arrays["efg"])
    assert all(a is b for a, b in zip(chosen_labels(shipped, "pbe"), shipped, strict=True))


def test_what_cannot_be_added_up_is_named(shipped, tmp_path):
    bare = labelled(1)[0]
    with pytest.raises(InputError, match=r"frame 1: no d4 correction; expected .*'lpsnmr add-terms'"):
        chosen_labels([shipped[0], bare], "pbe+d4")
    other = labelled(1, "PBEsol")[0]
    with pytest.raises(InputError, match="frame 0: labelled with PBEsol; expected PBE"):
        chosen_labels([other], "pbe")
    assert chosen_labels([other], "pbesol") == [other]
    put_term(other, "d4", Term(-0.5, np.zeros((3, 3)), np.zeros(6), "dftd4-4:PBE"))
    with pytest.raises(InputError, match="frame 0: d4_label: expected a correction made for PBEsol"):
        chosen_labels([other], "pbesol+d4")
    for text in ("pbe+", "pbe+d5", "lda", "PBE", "pbe+d4+d3bj"):
        with pytest.raises(InputError, match=r"labels: expected one of pbe, pbe\+d4, pbe\+d3bj, .*got"):
            LabelChoice.parse(text)


def test_new_labels_do_not_keep_old_terms(tmp_path):
    """A correction belongs to the labels it was made for."""
    frame = labelled(1, "PBEsol")[0]
    put_term(frame, "d4", Term(-0.5, np.zeros((3, 3)), np.zeros(6), "dftd4-4:PBEsol"))
    label_frames([frame], tmp_path / "out.extxyz", EngineChoice("lj", {"rc": 2.4}))
    again = read_reference(tmp_path / "out.extxyz", require=("energy",))[0]
    assert term_of(again, "d4") is None
    assert "functional" not in again.info
    read = read_reference(written(tmp_path / "in.extxyz", [frame]), require=(), ignore_labels=True)[0]
    assert term_of(read, "d4") is None


def test_sets_and_cards_keep_terms_and_do_not_mix_functionals(shipped, tmp_path):
    merged, _ = merge_frames(shipped[:2], shipped[1:])
    for frame in merged:
        source = next(f for f in shipped if f.info["run_step"] == frame.info["run_step"])
        for name in DISPERSION:
            assert np.array_equal(term_of(frame, name).forces, term_of(source, name).forces)
            assert term_of(frame, name).energy == term_of(source, name).energy
    card = data_card("set.extxyz", merged)
    assert "s8 = 0.95948085" in card
    assert "3 of 3 frames" in card
    assert "doi:10.1002/jcc.21759" in card
    bare = shipped[0].copy()
    bare.calc = shipped[0].calc
    drop_terms(bare)
    assert "Dispersion" not in data_card("set.extxyz", [bare])
    bare.info["functional"] = "PBEsol"
    assert "labelled with PBEsol" in data_card("set.extxyz", [bare])
    with pytest.raises(InputError, match="labelled with PBE and PBEsol; expected one functional"):
        merge_frames(shipped[1:], [bare])
    files_ = [written(tmp_path / f"{n}.extxyz", [f]) for n, f in enumerate([shipped[1], bare])]
    error = CliRunner().invoke(merge_command, [str(files_[0]), "--into", str(files_[1])]).exception
    assert isinstance(error, InputError)
