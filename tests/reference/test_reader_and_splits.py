"""Reading labelled frames and splitting them by block."""

import gzip
from importlib.resources import files
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from hypothesis import given
from hypothesis import strategies as st

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.reference import blocks_by_run, read_reference, split_blocks

SHIPPED = files("lpsnmr.data") / "reference" / "lps_gpaw_pbe.extxyz"


def labelled(efg=None, forces=None, energy=-1.5, cell=6.0, **info):
    atoms = ase.Atoms("LiS", positions=[[0, 0, 0], [2.4, 0, 0]], cell=[cell] * 3, pbc=True, info=info)
    atoms.arrays["efg"] = np.arange(18.0).reshape(2, 9) if efg is None else efg
    atoms.calc = SinglePointCalculator(
        atoms, energy=energy, forces=np.ones((2, 3)) if forces is None else forces, stress=np.arange(6.0)
    )
    return atoms


def written(path, *frames):
    ase.io.write(path, list(frames), format="extxyz")
    return path


def test_labels_survive_the_round_trip(tmp_path):
    path = written(tmp_path / "a.extxyz", labelled(run="one", run_step=50), labelled(energy=-2.5))
    first, second = read_reference(path)
    assert (first.calc.results["energy"], second.calc.results["energy"]) == (-1.5, -2.5)
    np.testing.assert_array_equal(first.calc.results["stress"], np.arange(6.0))
    np.testing.assert_array_equal(first.arrays["efg"], np.arange(18.0).reshape(2, 9))
    assert second.info["source"] == f"{path}: frame 1"
    assert len(read_reference([path, path])) == 4


def test_optional_labels(tmp_path):
    bare = labelled()
    del bare.arrays["efg"]
    path = written(tmp_path / "a.extxyz", bare)
    assert len(read_reference(path, require=("energy", "forces", "stress"))) == 1
    with pytest.raises(FileFormatError, match=r"a.extxyz: frame 0: no 'efg'"):
        read_reference(path)
    with pytest.raises(InputError, match="unknown label 'spin'"):
        read_reference(path, require=("spin",))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (labelled(efg=np.zeros((2, 3))), r"efg must have the shape \(2, 9\), got \(2, 3\)"),
        (labelled(forces=np.full((2, 3), np.nan)), "forces has entries that are not finite"),
        (labelled(cell=0.0), "no volume"),
    ],
)
def test_bad_labels_are_refused(tmp_path, frame, words):
    with pytest.raises(FileFormatError, match=words):
        read_reference(written(tmp_path / "a.extxyz", frame))


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_reference(tmp_path / "missing.extxyz")
    (tmp_path / "text.extxyz").write_text("not a number\nof atoms\n")
    with pytest.raises(FileFormatError, match=r"text.extxyz: "):
        read_reference(tmp_path / "text.extxyz")
    with pytest.raises(InputError, match="no reference file"):
        read_reference([])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda lines: lines[:-1],
            r"frame 1 \(line 5\): expected a header and 2 atoms, the file ends after 1",
        ),
        (
            lambda lines: lines[:5],
            r"frame 1 \(line 5\): expected a header and 2 atoms, the file ends after 0",
        ),
        (
            lambda lines: [*lines[:4], "3.5", *lines[5:]],
            r"frame 1 \(line 5\): expected a number of atoms, got '3.5'",
        ),
        (
            lambda lines: [*lines[:4], "9" * 5000, *lines[5:]],
            r"frame 1 \(line 5\): expected a number of atoms, got '9{40}'",
        ),
        (lambda lines: [*lines[:-1], "S 1.0"], r"frame 1: "),
    ],
)
def test_a_broken_frame_is_named(tmp_path, change, words):
    path = written(tmp_path / "a.extxyz", labelled(), labelled())
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(FileFormatError, match=r"a.extxyz: not readable as extended XYZ: " + words):
        read_reference(path)


def test_a_broken_compressed_file_is_no_text(tmp_path):
    path = written(tmp_path / "a.extxyz", labelled())
    packed = tmp_path / "a.extxyz.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read_reference(packed)) == 1
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(FileFormatError, match=r"a\.extxyz\.gz: not readable as extended XYZ: frame 0: "):
        read_reference(packed)


def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch):
    path = written(tmp_path / "a.extxyz", labelled())

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(ase.io, "iread", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileFormatError, match=r"a\.extxyz: not readable .*Permission denied"):
        read_reference(path)


def test_labels_can_be_ignored_but_not_the_structure(tmp_path):
    bad = labelled(forces=np.full((2, 3), np.nan), energy=np.inf, efg=np.zeros((2, 3)))
    [frame] = read_reference(written(tmp_path / "a.extxyz", bad), ignore_labels=True)
    assert frame.calc is None
    assert "efg" not in frame.arrays
    for broken, words in [(labelled(run_step="x"), "run_step"), (labelled(cell=0.0), "no volume")]:
        with pytest.raises(FileFormatError, match=rf"a.extxyz: frame 0: .*{words}"):
            read_reference(written(tmp_path / "a.extxyz", broken), ignore_labels=True)
    bad.positions[0] = np.nan
    with pytest.raises(FileFormatError, match="all positions finite"):
        read_reference(written(tmp_path / "a.extxyz", bad), ignore_labels=True)


def test_shipped_set_is_whole():
    frames = read_reference(str(SHIPPED))
    assert len(frames) >= 72
    assert {f.info["run"] for f in frames} >= {"b32_300", "b32_quench", "g32_700"}
    for frame in frames:
        tensor = frame.arrays["efg"].reshape(-1, 3, 3)
        np.testing.assert_allclose(tensor, tensor.swapaxes(1, 2), atol=1e-8)
        np.testing.assert_allclose(np.trace(tensor, axis1=1, axis2=2), 0, atol=3e-8)
        assert frame.get_chemical_formula() == "Li12P4S16"


def test_blocks_are_runs_or_stretches_of_runs(tmp_path):
    frames = [labelled(run=r, run_step=s) for r, s in [("x", 0), ("x", 90), ("y", 10), ("x", 110)]]
    assert blocks_by_run(frames).tolist() == [0, 0, 1, 0]
    assert blocks_by_run(frames, 100).tolist() == [0, 0, 1, 2]
    unnamed = read_reference([written(tmp_path / f"{k}.extxyz", labelled()) for k in "abb"])
    assert blocks_by_run(unnamed).tolist() == [0, 1, 1]
    with pytest.raises(InputError, match="no run_step"):
        blocks_by_run(unnamed, 100)


@given(
    labels=st.lists(st.integers(0, 6), min_size=8, max_size=40).filter(lambda x: len(set(x)) >= 3),
    n_folds=st.integers(2, 3),
    seed=st.integers(0, 5),
)
def test_folds_never_tear_a_block(labels, n_folds, seed):
    labels = np.array(labels)
    folds = split_blocks(labels, n_folds, seed)
    assert sorted(np.concatenate([held for _, held in folds])) == list(range(len(labels)))
    for training, held in folds:
        assert held.size
        assert training.size
        assert not set(labels[training]) & set(labels[held])
    again = split_blocks(labels, n_folds, seed)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))


def test_impossible_folds():
    with pytest.raises(InputError, match=r"number of blocks \(2\), got 3"):
        split_blocks(np.array([0, 0, 1]), 3)
