"""Bad models and bad decks of compute efg/atom: one clear message, every rank leaves, nothing hangs."""

import json

import pytest

from support.efg_cases import random_model
from support.lammps_runs import assert_one_error, run_lmp

DECK = """units {units}
atom_style atomic
region box block 0 9 0 9 0 9
create_box 3 box
create_atoms 1 single 1 1 1
create_atoms 2 single 3 1 1
create_atoms 3 single 1 {z} 1
mass * 10
{pair}
{settings}
compute efg all efg/atom {arguments}
thermo_style custom c_efg
run 0
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("efg") / "m.efg"
    random_model().save(path)
    return path.read_text()


def edited(text, change):
    data = json.loads(text)
    change(data)
    return json.dumps(data, ensure_ascii=False)


def put(*path, value):
    """Return a change that sets one entry."""

    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


def drop(*path):
    """Return a change that drops one entry."""

    def change(data):
        for key in path[:-1]:
            data = data[key]
        del data[path[-1]]

    return change


FILES = {
    "empty": (lambda text: "", "m.efg:1: not JSON: expected a value, but the text ends"),
    "cut short": (lambda text: text[: len(text) // 2], "is the file cut short?"),
    "potential": (lambda text: "#UF3 POT UNITS: metal\n", "not JSON: expected a value, got '#'"),
    "more text": (lambda text: text + "{}", "text after the end"),
    "nan": (lambda text: text.replace('"weights": [', '"weights": [NaN,'), "expected a value, got 'N'"),
    "too large": (
        lambda text: text.replace('"weights": [', '"weights": [1e999,'),
        "1e999 is outside the range",
    ),
    "list": (lambda text: "[1, 2]", "the file: expected an object, got a list"),
    "other format": (put("format", value="x"), 'not an EFG model: expected "format": "lpsnmr-efg"'),
    "other version": (put("version", value=3), "EFG model version 3; this lpsnmr reads 1 to 2"),
    "other unit": (put("units", "efg", value="a.u."), "expected Å and V/Å², got Å and a.u."),
    "no targets": (drop("targets"), 'without "targets"'),
    "empty targets": (put("targets", value={}), "at least one target species"),
    "no provenance": (drop("provenance"), 'without "provenance"'),
    "weights missing": (drop("targets", "Li", "weights"), 'without "weights"'),
    "weights short": (put("targets", "Li", "weights", value=[1.0]), "weights: expected"),
    "weights a word": (put("targets", "Li", "weights", 0, value="x"), "expected a number, got a string"),
    "range short": (
        put("targets", "Li", "environment", "most", value=[1]),
        "most: expected 3 numbers",
    ),
    "bridge range": (drop("targets", "Li", "bridge_environments", "S"), 'without "S"'),
    "setting missing": (drop("settings", "triple"), 'without "triple"'),
    "setting unknown": (put("settings", "more", value=1), "settings: expected 11 entries, got 12"),
    "no sources": (drop("sources"), 'without "sources"'),
    "field a word": (put("settings", "field_cutoff", value="x"), "field_cutoff: expected a number"),
    "setting wrong": (put("settings", "pair", value=[0, 5.0]), "number of radial functions of the pair term"),
    "setting not whole": (put("settings", "triple_l_max", value=2.5), "triple_l_max: expected an integer"),
    "element": (put("species", 0, value="Xx"), 'unknown chemical symbol "Xx"'),
    "order": (put("species", value=["S", "P", "Li"]), "ascending atomic numbers"),
}


def run_bad(folder, text, ranks, **changes):
    (folder / "m.efg").write_text(text)
    values = {
        "units": "metal",
        "pair": "pair_style zero 5.0\npair_coeff * *",
        "settings": "",
        "arguments": "m.efg Li P S",
        "z": "3",
    } | changes
    return run_lmp(DECK.format(**values), folder, ranks)


@pytest.mark.parametrize("case", FILES)
def test_bad_model(case, good, tmp_path):
    change, words = FILES[case]
    text = change(good) if change.__name__ == "<lambda>" else edited(good, change)
    assert_one_error(run_bad(tmp_path, text, 2), "Compute efg/atom: m.efg:", words)


def test_line_of_the_error_is_named(good, tmp_path):
    lines = good.splitlines()
    where = next(i for i, line in enumerate(lines) if '"bridge_l_max"' in line)
    lines[where] = ' "bridge_l_max": "two",'
    done = run_bad(tmp_path, "\n".join(lines), 1)
    assert f"m.efg:{where + 1}: bridge_l_max: expected a number, got a string" in done.stdout + done.stderr


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arguments": "absent.efg Li P S"}, "absent.efg: cannot open EFG model"),
        ({"arguments": "m.efg Li P Cl"}, "no element 'Cl' in the EFG model; it has: Li P S"),
        ({"arguments": "m.efg Li P Xx"}, "no element 'Xx' in the EFG model"),
        ({"arguments": "m.efg NULL P S"}, "no atom type is given an element that the EFG model predicts: Li"),
        ({"arguments": "m.efg Li P"}, "(or NULL) for each of the 3 atom types, got 2 name(s)"),
        ({"arguments": "m.efg Li P S S"}, "(or NULL) for each of the 3 atom types, got 4 name(s)"),
        ({"arguments": ""}, "for each of the 3 atom types, got 0 name(s)"),
        ({"units": "lj"}, "units metal or real are needed, not lj"),
        ({"z": "1.0005"}, "are at the same place"),
    ],
)
def test_bad_deck(changes, words, ranks, good, tmp_path):
    done = run_bad(tmp_path, good, ranks, **changes)
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert words in text


@pytest.mark.parametrize(
    "changes", [{}, {"units": "real"}, {"pair": "", "settings": "comm_modify cutoff 3.0"}]
)
def test_good_deck_runs(changes, good, tmp_path):
    done = run_bad(tmp_path, good, 2, **changes)
    assert done.returncode == 0, done.stdout + done.stderr
