"""Small runs of the pipeline: a cheap pair potential, and the command line."""

import os
from pathlib import Path

from lpsnmr.results import Results
from support.shared_process import BIN, TIMEOUT_S, launched, own, shared

CONFIG = """
[structure]
supercell = [1, 1, 1]
[potential]
commands = ["pair_style lj/cut 5.0", "pair_coeff * * 0.02 1.9"]
[md]
temperature_k = 600
equilibration = "nvt"
equilibration_ps = {equilibration_ps}
production_ps = {production_ps}
ensemble = "nve"
[sampling]
interval_ps = 0.02
[output]
folder = "{folder}"
thermo_ps = 0.1
"""


def write_config(folder, name="run.toml", output="out", equilibration_ps=0.1, production_ps=0.4):
    """Write a configuration of a 32-atom run that takes a second; return its path."""
    path = Path(folder) / name
    path.write_text(
        CONFIG.format(folder=output, equilibration_ps=equilibration_ps, production_ps=production_ps)
    )
    return path


def lpsnmr_command(*arguments, ranks=None):
    """Return the command line; under mpirun when ``ranks`` is given."""
    return launched([BIN / "lpsnmr", *arguments], ranks)


def run_lpsnmr(folder, *arguments, ranks=None, timeout_s=TIMEOUT_S, own_process=False):
    """Run the command line; return the finished process.

    The whole of it, in a process that other tests use too; with ``own_process`` as a user starts it.
    """
    if own_process:
        return own([BIN / "lpsnmr", *arguments], folder, ranks, timeout_s)
    return shared("command", arguments, folder, ranks, timeout_s)


def run_here(folder, *overrides, fresh=False):
    """Run ``run.toml`` in this process, which is quicker than to start another; return the outcome."""
    from lpsnmr.runs.config import load_config
    from lpsnmr.runs.run import run_md

    before = Path.cwd()
    os.chdir(folder)
    try:
        return run_md(load_config("run.toml", overrides), fresh=fresh)
    finally:
        os.chdir(before)


def results_of(folder):
    """Read the results file of an output folder."""
    return Results.read(Path(folder) / "results.h5")
