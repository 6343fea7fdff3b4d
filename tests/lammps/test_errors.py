"""Bad files and bad decks: one clear message, every rank leaves, nothing hangs."""

import subprocess
import sys

import pytest

from support.lammps_runs import assert_one_error, run_lmp
from support.uf3_files import random_potential

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


def run_bad(tmp_path, ranks, text=GOOD, own_process=False, **changes):
    (tmp_path / "p.uf3").write_text(text)
    values = {
        "units": "metal",
        "newton": "on",
        "style": "ufp 3",
        "coeff": "* * p.uf3 Li P S",
        "z": "3",
    } | changes
    return run_lmp(DECK.format(**values), tmp_path, ranks, own_process=own_process)


@pytest.mark.parametrize("case", FILES)
def test_bad_file(case, tmp_path):
    text, words = FILES[case]
    assert_one_error(run_bad(tmp_path, 2, text), words)


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coeff": "* * absent.uf3 Li P S"}, "absent.uf3: cannot open potential file"),
        ({"coeff": "* * . Li P S"}, "cannot read potential file"),
        ({"coeff": "* * p.uf3 Li P Cl"}, "no element 'Cl' in the potential; it has: Li P S"),
        ({"coeff": "* * p.uf3 Li P"}, "one element name (or NULL) for each of the 3 atom types"),
        (
            {"coeff": "* * p.uf3 p.ufd Li P"},
            "each of the 3 atom types behind the files of pair_coeff, got 2 (Li P)",
        ),
        ({"coeff": "* * p.uf3 Li P S Li S"}, "the files of pair_coeff, got 5 (Li P S Li S)"),
        ({"coeff": "* * p.uf3"}, "one element name (or NULL) for each of the 3 atom types"),
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
    # the log too: what a rank prints just before MPI_Abort does not always come through the pipe
    text = done.stdout + done.stderr + (tmp_path / "log.lammps").read_text()
    assert done.returncode != 0, text
    assert words in text


def test_good_deck_runs(tmp_path):
    assert run_bad(tmp_path, 2).returncode == 0


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_program_ends_as_its_decks_do(tmp_path, ranks):
    """``lmp`` in processes of its own: the other tests see errors in a process that goes on."""
    text, words = FILES["nan"]
    assert_one_error(run_bad(tmp_path, ranks, text, own_process=True), words)
    assert run_bad(tmp_path, ranks, own_process=True).returncode == 0


def test_place_in_the_file_is_named(tmp_path):
    done = run_bad(tmp_path, 1, FILES["nan"][0])
    assert "p.uf3:6: 2B coefficients" in done.stdout + done.stderr


def test_a_new_pair_style_needs_a_new_pair_coeff(tmp_path):
    coeff = "* * p.uf3 Li P S"
    done = run_bad(tmp_path, 2, coeff=f"{coeff}\nrun 0\npair_style ufp 2")
    assert_one_error(done, "pair coeffs are not set")
    again = run_bad(tmp_path, 2, coeff=f"{coeff}\npair_style ufp 2\npair_coeff {coeff}")
    alone = run_bad(tmp_path, 2, style="ufp 2", coeff=coeff)
    assert thermo(again) == thermo(alone)


def thermo(done):
    lines = done.stdout.splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.split()[:2] == ["Step", "Temp"]) + 1]


CAUGHT = """
from mpi4py import MPI
from lammps import lammps
lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
lmp.commands_string({deck!r})
for file, command in (("absent.uf3", "pair_coeff"), ("", "run 0")):
    try:
        lmp.command(f"{{command}} * * {{file}} Li P S" if file else command)
    except Exception as problem:
        print(problem)
"""


def test_run_after_a_caught_error_is_refused(tmp_path):
    deck = DECK.format(units="metal", newton="on", style="ufp 3", coeff="", z="3")
    deck = deck[: deck.index("pair_coeff")]
    done = subprocess.run(
        [sys.executable, "-c", CAUGHT.format(deck=deck)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cannot open potential file" in done.stdout
    assert "pair coeffs are not set" in done.stdout
