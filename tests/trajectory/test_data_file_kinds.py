"""Data files as write_data and other tools write them: any style, labels, cells and order."""

import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpsnmr.elements import element_of_label, element_of_mass
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.structures import load_structure
from lpsnmr.trajectory.data_file_reader import ATOM_STYLES, is_data_file, read_data_file
from support.damage import damaged, is_refused

DATA = Path(__file__).parent / "data"
FILES = sorted(path.name for path in DATA.glob("*.data"))
MASSES = {"Li": 6.94, "P": 30.973762, "S": 32.06}


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_tools(name):
    """Shortened files of ``write_data``, of scripts and of converters: two Li, two P, two S."""
    atoms = load_structure(DATA / name)
    assert str(atoms.symbols) == "Li2P2S2"
    expected = [12.819, 9.0751, 12.3675] if name.startswith("tri") else [12.819, 16.44, 12.247]
    np.testing.assert_allclose(atoms.cell.lengths(), expected, atol=1e-3)


def test_the_same_crystal_in_two_triclinic_forms():
    """``write_data`` of a general cell: distances are those of the file it was read from."""
    general, restricted = (load_structure(DATA / f"tri_{name}.data") for name in ("general", "written"))
    np.testing.assert_allclose(
        general.get_all_distances(mic=True), restricted.get_all_distances(mic=True), atol=1e-6
    )


def data_text(rng, style, *, labels="", comments=True, images=False, named=True, shuffled=False, extra=""):
    """A data file of Li4PS3 in a triclinic box, with its positions and symbols by id."""
    symbols = ["Li"] * 4 + ["P"] + ["S"] * 3
    kinds = ["Li", "P", "S"]
    n = len(symbols)
    cell = np.array([[8.0, 0, 0], [1.5, 9.0, 0], [-1.0, 0.5, 10.0]])
    origin = rng.normal(size=3)
    fractional = rng.uniform(size=(n, 3))
    image = rng.integers(-2, 3, (n, 3)) if images else np.zeros((n, 3), dtype=int)
    xyz = fractional @ cell + origin
    rows = []
    for i in range(n):
        kind = kinds.index(symbols[i]) + 1
        x, y, z = xyz[i].tolist()
        word = {"x": x, "y": y, "z": z, "id": i + 1, "molecule": i % 2, "q": 0.25}
        word["type"] = f"{kinds[kind - 1]}{labels}" if labels else kind
        row = [str(word.get(name, "0.5")) for name in ATOM_STYLES[style].split()]
        rows.append(" ".join(row + ([str(k) for k in image[i]] if images else [])))
    masses = [f"{k + 1} {MASSES[s]}" + (f" # {s}_0{k}" if comments else "") for k, s in enumerate(kinds)]
    if shuffled:
        random.Random(3).shuffle(masses)
        random.Random(4).shuffle(rows)
    text = ["made by hand", "", f"{n} atoms", "3 atom types", "2 bonds", "1 bond types", ""]
    for k in range(3):
        low, high = float(origin[k]), float(origin[k] + cell[k, k])
        text.append(f"{low!r} {high!r} {'xyz'[k]}lo {'xyz'[k]}hi")
    text += ["1.5 -1.0 0.5 xy xz yz", ""]
    if labels:
        text += ["Atom Type Labels", "", *(f"{k + 1} {s}{labels}" for k, s in enumerate(kinds)), ""]
    text += ["Masses", "", *masses, "", *extra.split("\n")]
    text += ["Atoms" + (f" # {style}" if named else ""), "", *rows, "", "Bonds", "", "1 1 1 2", "2 1 3 4", ""]
    return "\n".join(text), (fractional + image) @ cell, symbols


@settings(max_examples=120, deadline=None)
@given(
    style=st.sampled_from(sorted(ATOM_STYLES)),
    labels=st.sampled_from(["", "1", "_03", "+"]),
    comments=st.booleans(),
    images=st.booleans(),
    shuffled=st.booleans(),
    extra=st.sampled_from(["", "Pair Coeffs # lj/cut\n\n1 0.1 2\n2 0.1 2\n", "Bond Coeffs\n\n1 5 2\n"]),
    seed=st.integers(0, 2**31),
)
def test_any_style_labels_and_order(tmp_path_factory, style, labels, comments, images, shuffled, extra, seed):
    text, positions, symbols = data_text(
        np.random.default_rng(seed), style, labels=labels, comments=comments, images=images,
        shuffled=shuffled, extra=extra,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("data") / "other_name.txt"
    path.write_text(text)
    assert is_data_file(path)
    atoms = load_structure(path)
    assert list(atoms.symbols) == symbols
    np.testing.assert_allclose(atoms.positions, positions, atol=1e-9)


@pytest.mark.parametrize(("style", "found"), [("atomic", True), ("full", True), ("charge", True)])
def test_style_that_the_file_does_not_name(tmp_path, style, found):
    text, positions, _ = data_text(np.random.default_rng(1), style, named=False)
    (tmp_path / "a.data").write_text(text)
    assert found
    np.testing.assert_allclose(read_data_file(tmp_path / "a.data").positions, positions, atol=1e-9)


def test_columns_of_two_styles(tmp_path):
    """``id type charge`` and ``id molecule type`` of the same integers."""
    text, _, _ = data_text(np.random.default_rng(1), "charge", named=False)
    (tmp_path / "a.data").write_text(re.sub(r"(?m)^(\d) (\d) 0\.25 ", r"\1 \2 1 ", text))
    with pytest.raises(FileFormatError, match=r"a.data:\d+: 6 columns fit the atom styles charge and mol"):
        read_data_file(tmp_path / "a.data")


def test_elements_win_over_the_file(tmp_path):
    text, _, _ = data_text(np.random.default_rng(1), "atomic")
    (tmp_path / "a.data").write_text(text)
    assert str(load_structure(tmp_path / "a.data", ["Na", "P", "Se"]).symbols) == "Na4PSe3"
    with pytest.raises(InputError, match="3 atom types, but 2 elements are given: Na, P"):
        load_structure(tmp_path / "a.data", ["Na", "P"])
    (tmp_path / "b.data").write_text(text.replace("6.94 # Li_00", "1.0e3"))
    with pytest.raises(FileFormatError, match=r"no element for type 1 of mass 1.0e3; name the elements"):
        load_structure(tmp_path / "b.data")


def test_a_type_without_atoms_needs_no_element(tmp_path):
    text, _, symbols = data_text(np.random.default_rng(1), "atomic")
    text = text.replace("3 atom types", "4 atom types").replace("3 32.06 # S_02", "3 32.06 # S\n4 1e-3")
    (tmp_path / "a.data").write_text(text)
    assert list(load_structure(tmp_path / "a.data").symbols) == symbols


def test_elements_of_masses_and_labels():
    for symbol, mass in {**MASSES, "Co": 58.93, "Ni": 58.69, "Ca": 40.08, "Ar": 39.95, "Cl": 35.45}.items():
        assert element_of_mass(mass) == symbol
    assert [element_of_mass(m) for m in (6.015, 7.016, 31.0, 32.0, 1.0, 8.0, 40.03)] == [
        *("Li", "Li", "P", "S", "H", None, None)
    ]  # fmt: skip
    assert [element_of_label(w) for w in ("Li", "S_2", "P5+", "Li-a", "X", "li", "", "12C")] == [
        *("Li", "S", "P", "Li", None, None, None, None)
    ]  # fmt: skip


def test_damaged_files_by_the_thousand(tmp_path):
    """Bytes changed, cut, doubled: a structure or one line that names the file."""
    rng = random.Random(8)
    path = tmp_path / "a.data"
    texts = [(DATA / name).read_bytes() for name in FILES]
    refused = 0
    for k in range(1500):
        path.write_bytes(damaged(rng, texts[k % len(texts)]))
        refused += is_refused(read_data_file, path)
    assert refused > 300
