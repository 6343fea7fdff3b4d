"""``lpsnmr run`` and ``lpsnmr stream`` end to end, killed and resumed, as a user runs them."""

import random
import re
import signal
import subprocess
import time

import numpy as np
import pytest

from lpsnmr.errors import InputError, LpsnmrError
from lpsnmr.structures import load_structure
from lpsnmr.trajectory.data_file import write_data_file
from support.lpsnmr_runs import TIMEOUT_S, lpsnmr_command, results_of, run_here, run_lpsnmr, write_config

DECK = """
units metal
atom_style atomic
atom_modify map array
if "$(is_defined(variable,restart))" then "read_restart ${restart}" &
  else "read_data structure.data" "velocity all create 600 11 mom yes"
pair_style lj/cut 5.0
pair_coeff * * 0.02 1.9
fix 1 all nve
timestep 0.002
dump d all custom 10 dump.deck id element xu yu zu
dump_modify d element Li P S time yes units yes format float %20.15g
"""

TETHERED = '["pair_style zero 5.0", "pair_coeff * *", "fix tether all spring/self 1.0"]'
"""Harmonic motion: it is not chaotic, so the runs can be compared after thousands of steps."""


def wait_for(condition, process):
    """Wait until ``condition()`` or the end of the process."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def same_counts(a, b):
    assert a.n_samples == b.n_samples
    for name in ("efg_correlation", "displacement"):
        np.testing.assert_array_equal(getattr(a, name).counts, getattr(b, name).counts)


def test_results_behind_the_last_checkpoint_are_written_again(tmp_path):
    """A kill after the last checkpoint and before the results file."""
    write_config(tmp_path)
    early = run_here(tmp_path, "md.production_ps=0.2").results.read_bytes()
    outcome = run_here(tmp_path)
    whole = results_of(tmp_path / "out")
    for left_behind in (early, None):
        if left_behind is None:
            outcome.results.unlink()
        else:
            outcome.results.write_bytes(left_behind)
        again = run_here(tmp_path)
        assert (again.finished, again.n_samples) == (True, 21)
        results = results_of(tmp_path / "out")
        assert results.n_samples == 21
        np.testing.assert_array_equal(results.displacement.values, whole.displacement.values)
    assert run_here(tmp_path).already


def test_run_finishes_resumes_and_extends(tmp_path):
    write_config(tmp_path)
    done = run_lpsnmr(tmp_path, "run", "run.toml", own_process=True)
    assert done.returncode == 0, done.stderr
    assert "finished: 21 samples" in done.stdout
    assert "wrote" in done.stdout
    assert (tmp_path / "out" / "analysis" / "analysis.json").exists()
    results = results_of(tmp_path / "out")
    assert results.n_samples == 21
    assert results.provenance["source"] == "run"
    assert 200 < results.mean_temperature_k < 1500
    thermo = np.genfromtxt(tmp_path / "out" / "thermo.csv", delimiter=",", skip_header=1)
    np.testing.assert_array_equal(thermo[:, 1], [50, 100, 150, 200, 250])
    np.testing.assert_allclose(np.ptp(thermo[1:, 5]), 0, atol=0.02)  # NVE: the total energy stays
    again = run_here(tmp_path)
    assert (again.already, again.n_samples) == (True, 21)
    assert run_here(tmp_path, "md.production_ps=0.6").n_samples == 31
    run_here(tmp_path, "md.production_ps=0.6", f"output.folder={tmp_path / 'whole'}")
    a, b = results_of(tmp_path / "out"), results_of(tmp_path / "whole")
    same_counts(a, b)
    np.testing.assert_allclose(a.efg_correlation.values, b.efg_correlation.values, rtol=1e-8)
    np.testing.assert_allclose(a.displacement.values, b.displacement.values, atol=1e-8)
    with pytest.raises(InputError, match=r"md\.seed was 20250101, is now 3"):
        run_here(tmp_path, "md.seed=3")
    assert run_here(tmp_path, "md.seed=3", fresh=True).n_samples == 21
    assert results_of(tmp_path / "out").n_samples == 21


def test_npt_equilibration_sets_the_mean_cell(tmp_path):
    write_config(tmp_path, equilibration_ps=1.0, production_ps=0.1)
    run_here(tmp_path, "md.equilibration=npt", "md.ensemble=nvt")
    thermo = np.genfromtxt(tmp_path / "out" / "thermo.csv", delimiter=",", skip_header=1)
    volume = thermo[:, 7]
    assert np.ptp(volume[:10]) > 1.0  # the cell moved
    cell = results_of(tmp_path / "out").cell
    assert np.linalg.det(cell) == pytest.approx(volume[5:10].mean(), rel=0.02)
    assert np.linalg.det(cell) == pytest.approx(volume[-1], rel=1e-9)


def test_without_a_choice_the_cell_is_that_of_zero_pressure_and_its_density_is_told(tmp_path):
    from lpsnmr.runs.config import load_config
    from lpsnmr.runs.run import run_md

    write_config(tmp_path, equilibration_ps=1.0, production_ps=0.1)
    path = tmp_path / "run.toml"
    path.write_text(path.read_text().replace('equilibration = "nvt"\n', ""))
    lines = []
    output = f"output.folder={tmp_path / 'out'}"
    run_md(load_config(path, [output]), notify=lines.append)
    cell = results_of(tmp_path / "out").cell
    volume = 645.3  # published, Å³
    assert abs(np.linalg.det(cell) / volume - 1) > 1e-3
    (line,) = [line for line in lines if "g/cm³" in line]
    found, change = re.search(
        r"0 bar: (\S+) g/cm³, published cell 1\.85\d g/cm³ \(volume (\S+) %\)", line
    ).groups()
    assert float(found) == pytest.approx(1.853 * volume / np.linalg.det(cell), abs=2e-3)
    assert float(change) == pytest.approx(100 * (np.linalg.det(cell) / volume - 1), abs=0.2)
    kept = tmp_path / "kept"
    run_md(load_config(path, ["md.equilibration=nvt", f"output.folder={kept}"]), notify=lines.append)
    assert np.linalg.det(results_of(kept).cell) == pytest.approx(volume, abs=0.1)
    assert sum("g/cm³" in line for line in lines) == 1


def kill_after_a_checkpoint(command, folder):
    """Start, wait for a new checkpoint and a random while, kill -9; return whether it still ran."""
    path = folder / "killed" / "checkpoint.h5"
    before = path.stat().st_ino if path.exists() else 0
    process = subprocess.Popen(
        lpsnmr_command(*command), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for(lambda: path.exists() and path.stat().st_ino != before, process)
    time.sleep(random.uniform(0.0, 0.3))
    running = process.poll() is None
    if running:
        process.send_signal(signal.SIGKILL)
    process.communicate(timeout=TIMEOUT_S)
    return running


@pytest.mark.process
def test_kill_at_random_moments(tmp_path, seed):
    write_config(tmp_path, equilibration_ps=0, production_ps=4.0)
    settings = ["sampling.interval_ps=0.002", f"potential.commands={TETHERED}"]
    killed = ["run", "run.toml", "--no-analysis", "--set", settings[0], "--set", settings[1]]
    killed += ["--set", "output.folder=killed", "--set", "output.checkpoint_min=0.002"]
    random.seed(seed)
    kills = sum(kill_after_a_checkpoint(killed, tmp_path) for _ in range(2))
    assert kills > 0
    run_here(tmp_path, *settings, "output.folder=killed")
    run_here(tmp_path, *settings, "output.folder=whole")
    a, b = results_of(tmp_path / "killed"), results_of(tmp_path / "whole")
    assert a.n_samples == 2001
    same_counts(a, b)
    np.testing.assert_allclose(a.efg_correlation.values, b.efg_correlation.values, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(a.displacement.values, b.displacement.values, rtol=1e-8, atol=1e-9)
    steps = [
        int(line.split(",")[1]) for line in (tmp_path / "killed" / "thermo.csv").read_text().splitlines()[1:]
    ]
    assert steps == sorted(set(steps))


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_leaves_a_checkpoint(tmp_path, number):
    write_config(tmp_path, production_ps=500.0)
    command = ["run", "run.toml", "--no-analysis", "--set", "sampling.interval_ps=0.002"]
    process = subprocess.Popen(
        lpsnmr_command(*command), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: len((tmp_path / "out" / "thermo.csv").read_text().splitlines()) > 1
             if (tmp_path / "out" / "thermo.csv").exists() else False, process)  # fmt: skip
    time.sleep(0.5)
    process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 3, out + err
    assert "the same command resumes" in out
    n = results_of(tmp_path / "out").n_samples
    assert 0 < n < 250001
    production = (n + 99.0) * 0.002  # one hundred samples more
    outcome = run_here(tmp_path, "sampling.interval_ps=0.002", f"md.production_ps={production:.3f}")
    assert outcome.n_samples == n + 100


def test_run_and_stream_agree(tmp_path):
    write_config(tmp_path)
    write_data_file(tmp_path / "structure.data", load_structure("beta-Li3PS4"))
    (tmp_path / "deck.in").write_text(DECK)
    deck = ["md.input=deck.in", "md.elements=['Li', 'P', 'S']"]
    assert run_here(tmp_path, *deck).finished
    streamed = run_lpsnmr(
        tmp_path, "stream", "dump.deck", "-o", "streamed", "--no-follow", "--from-step", "50", "--no-analysis"
    )
    assert streamed.returncode == 0, streamed.stderr
    assert "end of file: 21 samples" in streamed.stdout
    a, b = results_of(tmp_path / "out"), results_of(tmp_path / "streamed")
    assert a.sample_interval_ps == pytest.approx(b.sample_interval_ps)
    same_counts(a, b)
    np.testing.assert_allclose(a.efg_correlation.values, b.efg_correlation.values, rtol=1e-9)
    np.testing.assert_allclose(a.displacement.values, b.displacement.values, atol=1e-9)
    assert run_here(tmp_path, *deck, "md.production_ps=0.8").n_samples == 41  # through ${restart}
    (tmp_path / "deck.in").write_text(DECK.replace("timestep 0.002", "timestep 0.001"))
    with pytest.raises(InputError, match=r"time step 1 fs, but md\.timestep_fs is 2"):
        run_here(tmp_path, *deck, fresh=True)


def test_a_deck_that_cannot_resume_says_so(tmp_path):
    write_config(tmp_path, production_ps=0.04)
    write_data_file(tmp_path / "structure.data", load_structure("beta-Li3PS4"))
    begin, end = DECK.index("if "), DECK.index("pair_style")
    reading = "read_data structure.data\nvelocity all create 600 11\n"
    (tmp_path / "deck.in").write_text(DECK[:begin] + reading + DECK[end:])
    deck = ["md.input=deck.in", "md.elements=['Li', 'P', 'S']"]
    run_here(tmp_path, *deck)
    with pytest.raises(InputError, match="never uses the variable restart"):
        run_here(tmp_path, *deck, "md.production_ps=0.08")
    with pytest.raises(InputError, match=r"md\.elements"):
        run_here(tmp_path, deck[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("structure.file=absent.cif", r"absent\.cif: no such file"),
        ("efg.model=absent", "absent"),
        ("potential.commands=['pair_style nonsense']", r"LAMMPS: ERROR[^\n]*$"),
        ("md.input=absent.in", r"absent\.in: no such LAMMPS deck"),
    ],
)
def test_errors(tmp_path, change, words):
    write_config(tmp_path)
    with pytest.raises(LpsnmrError, match=words):
        run_here(tmp_path, change)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "absent.toml"], "cannot read the configuration"),
        (["run", "run.toml", "--set", "potential.commands=[]", "--set", "potential.file=absent"], "absent"),
        (["stream", "absent", "--no-follow", "--timestep-fs", "2"], "absent: cannot open"),
    ],
)
def test_errors_are_one_line_and_status_2(tmp_path, arguments, words):
    write_config(tmp_path)
    done = run_lpsnmr(tmp_path, *arguments, own_process=arguments[1] == "absent.toml")
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.startswith("lpsnmr: error: ")
    assert done.stderr.count("\n") == 1


def test_example_configuration_is_printed(tmp_path):
    done = run_lpsnmr(tmp_path, "run", "--example")
    assert done.returncode == 0
    assert "[sampling]" in done.stdout
