"""The command that runs a material at several temperatures, made small."""

import csv
import os
import subprocess

import pytest
from test_examples import INPUTS

from support.lpsnmr_runs import BIN, TIMEOUT_S, results_of

SMALL = "md.equilibration_ps=0.1 structure.supercell=[1,1,1] sampling.interval_ps=0.02 potential.commands="


@pytest.mark.process
def test_runs_resumes_and_analyses(tmp_path):
    pair = SMALL + '["pair_style lj/cut 5.0","pair_coeff * * 0.02 1.9"]'
    words = [word for setting in pair.split(" ", 3) for word in ("--set", setting)]
    command = ["sh", INPUTS / "arrhenius.sh", "all", *words]
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "RUNS": "600:1 700:2"}
    for again in (False, True):
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("already finished") == (2 if again else 0)
    assert [results_of(tmp_path / "all" / f"{t}K").n_samples for t in (600, 700)] == [51, 101]
    with (tmp_path / "all" / "analysis" / "summary.csv").open() as file:
        assert len(list(csv.reader(file))) == 3
