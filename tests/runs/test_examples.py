"""The shipped example inputs run as they stand."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lpsnmr.runs.config import load_config
from lpsnmr.runs.prepare import prepare_run
from lpsnmr.structures import load_structure, supercell
from lpsnmr.trajectory.data_file import read_data_file
from support.lpsnmr_runs import BIN, TIMEOUT_S, results_of, run_lpsnmr

INPUTS = Path(__file__).parents[2] / "examples" / "inputs"


def test_data_file_is_the_shipped_crystal():
    crystal = supercell(load_structure("beta-Li3PS4"), (1, 2, 2))
    shipped = read_data_file(INPUTS / "data.lps")
    np.testing.assert_array_equal(shipped.numbers, crystal.numbers)
    np.testing.assert_allclose(shipped.positions, crystal.get_positions(wrap=True), atol=1e-9)


@pytest.mark.parametrize("path", sorted(INPUTS.glob("*.toml")), ids=lambda path: path.name)
def test_configurations(path):
    assert prepare_run(load_config(path)).atoms is not None


def copied_inputs(folder, *models):
    """Copy the examples, and shipped models where their decks look for them; return the new folder."""
    source = INPUTS.parents[1] / "python" / "lpsnmr" / "data" / "models"
    target = folder / "python" / "lpsnmr" / "data" / "models"
    target.mkdir(parents=True)
    for name in models:
        shutil.copy(source / name, target)
    return shutil.copytree(INPUTS, folder / "examples" / "inputs")


@pytest.mark.process
def test_deck_and_stream(tmp_path):
    """In a copy beside the shipped potential, on two ranks, followed from the start."""
    inputs = copied_inputs(tmp_path, "lps.uf3", "lps.ufd")
    deck = [BIN / "mpirun", "-np", "2", BIN / "lmp", "-in", "in.lps", "-screen", "none"]
    deck += ["-var", "equilibrate", "50", "-var", "production", "500"]
    with subprocess.Popen([str(word) for word in deck], cwd=inputs) as process:
        done = run_lpsnmr(
            inputs, "stream", "dump.lps", "--frames", "11", "--temperature-k", "700", "--no-analysis"
        )
        assert process.wait(timeout=TIMEOUT_S) == 0
    assert done.returncode == 0, done.stderr
    results = results_of(inputs / "results")
    assert results.n_samples == 11
    assert results.sample_interval_ps == pytest.approx(0.1)


@pytest.mark.process
def test_extrapolation_deck(tmp_path):
    """A short run beside the shipped files writes its history."""
    inputs = copied_inputs(tmp_path, "lps.uf3", "lps.ufd", "lps.ufx")
    deck = [BIN / "mpirun", "-np", "2", BIN / "lmp", "-in", "in.extrapolation", "-screen", "none"]
    deck += ["-var", "steps", "300", "-var", "mark", "0.1"]
    subprocess.run([str(word) for word in deck], cwd=inputs, timeout=TIMEOUT_S, check=True)
    history = np.loadtxt(inputs / "grade.dat")
    assert history[:, 0].tolist() == [0, 100, 200, 300]
    assert ((history[:, 2] > 0.1) & (history[:, 2] < 1)).all()
    assert (inputs / "new.dump").read_text().count("ITEM: TIMESTEP") == 4
