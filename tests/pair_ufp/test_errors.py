"""Bad files and bad decks: one clear message, every rank leaves, nothing hangs."""

import pytest

from lammps_runs import run_lmp
from uf3_files import random_potential

DECK = """units {units}
atom_style atomic
newton {newton}
region box block 0 9 0 9 0 9
create_box 3 box
create_atoms 1 single 1 1 1
create_atoms 2 single 3 1 1
create_atoms 3 single 1 {z} 1
mass * 10
pair_style {style}
pair_coeff {coeff}
run 0
"""
GOOD = random_potential(("Li", "P", "S"), seed=1)
LINES = GOOD.splitlines()
FIRST_3B = next(i for i, line in enumerate(LINES) if line.startswith("3B"))


def changed(index, line):
    lines = LINES.copy()
    lines[index] = line
    return "\n".join(lines) + "\n"


def word(index, position, new):
    words = LINES[index].split()
    words[position] = new
    return changed(index, " ".join(words))


def without(marker):
    """Drop the block whose header starts with ``marker``."""
    blocks = GOOD.split("#\n")
    return "#\n".join(b for b in blocks if marker not in b)


FILES = {
    "truncated in a header": ("\n".join(LINES[:2]) + "\n", "the file ends where"),
    "truncated in a 3B block": ("\n".join(LINES[: FIRST_3B + 9]) + "\n", "the file ends where"),
    "cut in a number list": (GOOD[: GOOD.index("#\n") - 40], "2B coefficients: expected"),
    "empty": ("", "no 2B block"),
    "not a potential": ("hello\n", "expected a comment or the start of a block"),
    "nan": (word(5, 2, "nan"), "expected a finite number, got 'nan'"),
    "inf knot": (word(3, 5, "inf"), "expected a finite number, got 'inf'"),
    "word for number": (word(5, 2, "1.0x"), "expected a finite number, got '1.0x'"),
    "knots decrease": (word(3, 7, "0.1"), "knots must not decrease"),
    "knot count": (word(2, 1, "12"), "2B knots: expected 12 words"),
    "coefficient count": (changed(4, "3"), "2B coefficient count: expected knots - 4"),
    "negative count": (word(2, 1, "-4"), "knot count: expected an integer of at least 8"),
    "3B dimension": (word(FIRST_3B + 5, 2, "99"), "3B coefficient dimension jk: expected knots - 4"),
    "cutoff beyond knots": (word(2, 0, "99"), "lies beyond the last knot"),
    "cutoff negative": (word(2, 0, "-1"), "cutoff: expected a positive number"),
    "not uniform": (
        changed(1, LINES[1].replace("nk", "uk")).replace(LINES[3].split()[6], "1.7", 1),
        "declared uniform (uk)",
    ),
    "four-body": (changed(1, "4B Li Li 0 3 nk"), "block type: expected 2B or 3B"),
    "no units": (changed(0, "#UF3 POT DATE:"), "names no units"),
    "units of the file": (GOOD.replace("UNITS: metal", "UNITS: real"), "is in units real"),
    "mixed units": (GOOD.replace("UNITS: metal", "UNITS: real", 1), "units: expected real"),
    "pair missing": (without("2B Li S"), "no 2B block for Li S"),
    "triple missing": (without("3B P S S"), "no 3B block for centre P with S S"),
    "pair twice": (GOOD + GOOD[: GOOD.index("#\n") + 2], "2B Li Li is given twice"),
    "no 3B at all": (GOOD[: GOOD.index("3B")].rsplit("#UF3", 1)[0], "the file has no 3B block"),
}


def run_bad(tmp_path, ranks, text=GOOD, **changes):
    (tmp_path / "p.uf3").write_text(text)
    values = {
        "units": "metal",
        "newton": "on",
        "style": "ufp 3",
        "coeff": "* * p.uf3 Li P S",
        "z": "3",
    } | changes
    return run_lmp(DECK.format(**values), tmp_path, ranks)


def assert_one_error(done, words):
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert text.count("ERROR") == 1, text
    assert words in text


@pytest.mark.parametrize("case", FILES)
def test_bad_file(case, tmp_path):
    text, words = FILES[case]
    assert_one_error(run_bad(tmp_path, 2, text), words)


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coeff": "* * absent.uf3 Li P S"}, "absent.uf3: cannot open potential file"),
        ({"coeff": "* * p.uf3 Li P Cl"}, "no element 'Cl' in the potential; it has: Li P S"),
        ({"coeff": "* * p.uf3 Li P"}, "one element name (or NULL) for each of the 3 atom types"),
        ({"coeff": "* * p.uf3 Li P NULL"}, "atom type 3 is given no element"),
        ({"style": "ufp 4"}, "expected body order 2 or 3, got '4'"),
        ({"style": "ufp 2 3"}, "takes at most one argument"),
        ({"newton": "off"}, "Pair style ufp requires newton pair on"),
        ({"units": "real"}, "the potential is in units metal, the simulation in units real"),
        ({"z": "1"}, "are at the same place"),
    ],
)
def test_bad_deck(changes, words, ranks, tmp_path):
    done = run_bad(tmp_path, ranks, **changes)
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert words in text


def test_good_deck_runs(tmp_path):
    assert run_bad(tmp_path, 2).returncode == 0


def test_place_in_the_file_is_named(tmp_path):
    done = run_bad(tmp_path, 1, FILES["nan"][0])
    assert "p.uf3:6: 2B coefficients" in done.stdout + done.stderr
