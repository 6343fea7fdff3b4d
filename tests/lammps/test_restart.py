"""Several files per pair_coeff, and what a restart file knows of them."""

import itertools

import numpy as np
import pytest

from support.lammps_runs import assert_one_error, run_lmp, static_point
from support.pair_cases import ELEMENTS, assert_same, jittered_grid
from support.uf3_files import random_potential

START = """units metal
atom_style atomic
read_data data.static
mass * 20
{pair}
timestep 0.001
thermo_style custom step pe press
thermo_modify format float %20.15g
"""
RESUME = """read_restart {name}
{pair}
timestep 0.001
thermo_style custom step pe press
thermo_modify format float %20.15g
fix move all nve
run 20
"""


@pytest.fixture(scope="module")
def atoms():
    return jittered_grid(np.random.default_rng(5), np.diag([10.4, 11.0, 12.2]), (4, 4, 5), 0.3)


def blocks_of(text):
    return [block + "#\n" for block in text.split("#\n") if block.strip()]


def split_files(folder, text):
    """Write one file per block, as some fits make them; return their names."""
    names = []
    for number, block in enumerate(blocks_of(text)):
        names.append(f"part{number}.uf3")
        (folder / names[-1]).write_text(block)
    return names


@pytest.mark.parametrize("order", [2, 3])
def test_one_file_per_block(tmp_path, atoms, order):
    text = random_potential(ELEMENTS, seed=11)
    (tmp_path / "whole.uf3").write_text(text)
    names = split_files(tmp_path, text)
    assert len(names) == 6 + 18
    pair = f"pair_style ufp {order}\npair_coeff * * {{}} Li P S"
    whole = static_point(atoms, ELEMENTS, pair.format("whole.uf3"), tmp_path)
    names.reverse()
    for n, ranks in ((len(names), 2), (3, 1)):
        chosen = names[: n - 1]
        (tmp_path / "rest.uf3").write_text("".join((tmp_path / p).read_text() for p in names[n - 1 :]))
        parts = static_point(atoms, ELEMENTS, pair.format(" ".join([*chosen, "rest.uf3"])), tmp_path, ranks)
        assert_same(parts, whole)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("a.uf3 a.uf3", ("a.uf3:2: 2B Li Li is given twice, first at a.uf3:2",)),
        ("a.uf3 b.uf3", ("b.uf3:1: units: expected metal as in the blocks before, got real",)),
        ("a.uf3 c.uf3", ("c.uf3:1: expected a comment or the start of a block",)),
        ("a.uf3 absent.uf3", ("absent.uf3: cannot open potential file",)),
        ("part6.uf3", ("part6.uf3: no 2B block",)),
        ("part0.uf3 part1.uf3", ("part0.uf3 part1.uf3: no element 'S' in the potential",)),
        ("", ("FILE [FILE ...] and one element name (or NULL) for each of the 3 atom types",)),
    ],
)
def test_bad_sets_of_files(tmp_path, files, words, atoms):
    text = random_potential(ELEMENTS, seed=11)
    (tmp_path / "a.uf3").write_text(text)
    (tmp_path / "b.uf3").write_text(blocks_of(text.replace("metal", "real"))[0].replace("Li Li", "Xe Xe"))
    (tmp_path / "c.uf3").write_text("hello")
    split_files(tmp_path, text)
    pair = f"pair_style ufp 3\npair_coeff * * {files} Li P S"
    assert_one_error(run_static(tmp_path, atoms, pair), "Pair style ufp: ", *words)


def run_static(folder, atoms, pair, extra="run 0\n", ranks=2):
    from ase.io.lammpsdata import write_lammps_data

    write_lammps_data(folder / "data.static", atoms, specorder=ELEMENTS, masses=False, atom_style="atomic")
    return run_lmp(START.format(pair=pair) + extra, folder, ranks)


def last_thermo(done):
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    end = max(i for i, line in enumerate(lines) if line.startswith("Loop time"))
    return [float(word) for word in lines[end - 1].split()]


@pytest.fixture(scope="module")
def written(tmp_path_factory, atoms):
    """A folder with a potential of two files, a run of 40 steps, and a restart file of its middle."""
    folder = tmp_path_factory.mktemp("restart")
    text = random_potential(ELEMENTS, seed=11)
    parts = blocks_of(text)
    (folder / "pairs.uf3").write_text("".join(parts[:6]))
    (folder / "triples.uf3").write_text("".join(parts[6:]))
    (folder / "whole.uf3").write_text(text)
    (folder / "changed.uf3").write_text(text.replace("AUTHOR: test", "AUTHOR: else"))
    pair = "pair_style ufp 3\npair_coeff * * pairs.uf3 triples.uf3 Li P S"
    steps = "fix move all nve\nrun 20\nwrite_restart middle.restart\nrun 20\n"
    whole = last_thermo(run_static(folder, atoms, pair, steps))
    assert whole[0] == 40
    return folder, whole


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    "pair",
    [
        "",
        "pair_coeff * * pairs.uf3 triples.uf3 Li P S",
        "pair_style ufp 3\npair_coeff * * triples.uf3 pairs.uf3 Li P S",
    ],
)
def test_restart_brings_the_potential_back(written, pair, ranks):
    folder, whole = written
    done = run_lmp(RESUME.format(name="middle.restart", pair=pair), folder, ranks)
    np.testing.assert_allclose(last_thermo(done), whole, rtol=1e-8)


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    "pair",
    [
        "pair_coeff * * changed.uf3 Li P S",
        "pair_style ufp\npair_coeff * * whole.uf3 Li P S",
        "pair_style ufp 2\npair_coeff * * pairs.uf3 triples.uf3 Li P S",
    ],
)
def test_restart_refuses_another_potential(written, pair, ranks):
    folder, _ = written
    done = run_lmp(RESUME.format(name="middle.restart", pair=pair), folder, ranks)
    assert_one_error(
        done, "the restart file was written with the potential pairs.uf3 (SHA-256", "pair_style none"
    )
    again = run_lmp(
        RESUME.format(
            name="middle.restart",
            pair=f"pair_style none\n{pair}".replace(
                "pair_style none\npair_coeff", "pair_style none\npair_style ufp\npair_coeff"
            ),
        ),
        folder,
        ranks,
    )
    assert again.returncode == 0, again.stdout


def test_restart_with_a_file_changed_or_gone(written, tmp_path):
    folder, _ = written
    for name in ("middle.restart", "pairs.uf3", "triples.uf3"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    deck = RESUME.format(name="middle.restart", pair="")
    (tmp_path / "pairs.uf3").write_text((folder / "pairs.uf3").read_text() + "# touched\n")
    assert_one_error(
        run_lmp(deck, tmp_path, 2),
        "written with the potential pairs.uf3",
        "give pair_coeff after read_restart",
    )
    (tmp_path / "pairs.uf3").unlink()
    assert_one_error(run_lmp(deck, tmp_path, 2), "pairs.uf3: cannot open potential file")
    # the same contents under another name will do
    (tmp_path / "moved.uf3").write_bytes((folder / "pairs.uf3").read_bytes())
    pair = "pair_coeff * * moved.uf3 triples.uf3 Li P S"
    assert run_lmp(RESUME.format(name="middle.restart", pair=pair), tmp_path, 1).returncode == 0


def test_restart_of_hybrid(written, tmp_path, atoms):
    """LAMMPS wants pair_coeff again; the identity is compared all the same."""
    folder, _ = written
    for name in ("whole.uf3", "changed.uf3"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    pair = (
        "pair_style hybrid/overlay ufp 3 zero 5.0\npair_coeff * * ufp whole.uf3 Li P S\npair_coeff * * zero"
    )
    steps = "fix move all nve\nrun 20\nwrite_restart middle.restart\nrun 20\n"
    whole = last_thermo(run_static(tmp_path, atoms, pair, steps))
    coeff = "pair_coeff * * ufp {} Li P S\npair_coeff * * zero"
    good = run_lmp(RESUME.format(name="middle.restart", pair=coeff.format("whole.uf3")), tmp_path, 2)
    np.testing.assert_allclose(last_thermo(good), whole, rtol=1e-8)
    bad = run_lmp(RESUME.format(name="middle.restart", pair=coeff.format("changed.uf3")), tmp_path, 2)
    assert_one_error(bad, "the restart file was written with the potential whole.uf3")


def test_damaged_restart(written, tmp_path):
    """Any byte of the pair style's part: an error or a run, no crash and no hang."""
    folder, _ = written
    good = (folder / "middle.restart").read_bytes()
    (tmp_path / "pairs.uf3").write_bytes((folder / "pairs.uf3").read_bytes())
    (tmp_path / "triples.uf3").write_bytes((folder / "triples.uf3").read_bytes())
    start = good.index(b"1pfu")
    end = good.index(b"triples.uf3") + 11 + 4 + 64
    rng = np.random.default_rng(1)
    for where, ranks in itertools.product([*rng.integers(start, end, 4), start + 8], [1, 2]):
        text = bytearray(good)
        text[where : where + 2] = b"\xff\x7f"
        (tmp_path / "bad.restart").write_bytes(bytes(text))
        done = run_lmp(RESUME.format(name="bad.restart", pair=""), tmp_path, ranks)
        assert_one_error(done, "Pair style ufp")
