"""What a run leaves in its folder: a true status, a log that goes on, checkpoints for later versions."""

import tarfile
from pathlib import Path

import ase
import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.runs.config import load_config
from lpsnmr.runs.live import read_status
from lpsnmr.runs.prepare import prepare_run
from lpsnmr.runs.run import run_md
from support.lpsnmr_runs import results_of, run_here, run_lpsnmr, write_config

GOLDENS = Path(__file__).parent / "goldens"


def test_a_checkpoint_of_an_earlier_version_is_gone_on_from(tmp_path):
    """Made before runs and streams shared their session; see goldens/make_checkpoint.sh."""
    (tmp_path / "out").mkdir()
    with tarfile.open(GOLDENS / "checkpoint.tar.xz") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    lines = []
    settings = load_config(GOLDENS / "run.toml", [f"output.folder={tmp_path / 'out'}"])
    outcome = run_md(settings, notify=lines.append)
    assert (outcome.finished, outcome.already, outcome.n_samples) == (True, False, 21)
    assert lines == [f"{tmp_path / 'out'}: resuming from 0.2 of 0.4 ps"]
    found, expected = results_of(tmp_path / "out"), np.load(GOLDENS / "expected.npz")
    np.testing.assert_array_equal(found.efg_correlation.counts, expected["efg_counts"])
    np.testing.assert_allclose(found.efg_correlation.values, expected["efg"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.displacement.values, expected["msd"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.efg_mean, expected["mean"], rtol=1e-8)
    np.testing.assert_allclose(found.mean_temperature_k, expected["temperature"], rtol=1e-8)
    assert found.jumps_displacement.windows == expected["windows"]


def test_the_status_is_true_at_the_end(tmp_path):
    """Steps, time, samples of the whole; no time left; also when nothing was left to do."""
    write_config(tmp_path, production_ps=0.5)
    for _ in ("computed", "found finished"):
        outcome = run_here(tmp_path)
        status = read_status(tmp_path / "out")
        assert status.state == "finished"
        at_the_end = (status.status.step, status.status.last_step, status.status.n_samples)
        assert at_the_end == (250, 250, outcome.n_samples) == (250, 250, 26)
        assert status.status.time_ps == pytest.approx(0.5)
        assert status.status.eta_s is None
        assert status.status.n_centers == 4
    assert outcome.already
    (tmp_path / "out" / "status.json").unlink()  # by a kill right before it is written
    run_here(tmp_path)
    assert read_status(tmp_path / "out").status.n_samples == 26


def test_a_failed_start_is_noted(tmp_path):
    write_config(tmp_path)
    with pytest.raises(Exception, match="nonsense"):
        run_here(tmp_path, "potential.commands=['pair_style nonsense']")
    assert read_status(tmp_path / "out").state.startswith("failed: LAMMPS")


def test_a_resumed_run_says_where_and_goes_on_with_the_log(tmp_path):
    write_config(tmp_path)
    words = ["run", "run.toml", "--no-analysis", "--set", "md.production_ps=0.2"]
    assert "resuming" not in run_lpsnmr(tmp_path, *words).stderr
    before = (tmp_path / "out" / "log.lammps").read_text()
    done = run_lpsnmr(tmp_path, "run", "run.toml", "--no-analysis")
    assert "out: resuming from 0.2 of 0.4 ps" in done.stderr
    after = (tmp_path / "out" / "log.lammps").read_text()
    assert after.startswith(before)
    assert "read_restart" in after[len(before) :]
    assert "already finished: 21 samples" in run_lpsnmr(tmp_path, "run", "run.toml", "--no-analysis").stdout


@pytest.mark.parametrize("source", ["structure", "deck"])
def test_an_element_that_the_model_does_not_know(tmp_path, source):
    """Refused before any MD; of a deck once its atoms are known."""
    from lpsnmr.structures import load_structure
    from lpsnmr.trajectory.data_file import write_data_file

    atoms = load_structure("beta-Li3PS4") + ase.Atoms("Cl", [[1.0, 1.0, 1.0]])
    write_config(tmp_path)
    write_data_file(tmp_path / "cl.data", atoms, ["Li", "P", "S", "Cl"])
    changes = [f"structure.file={tmp_path / 'cl.data'}"]
    if source == "deck":
        (tmp_path / "in.lmp").write_text(
            f"units metal\natom_modify map array\nread_data {tmp_path / 'cl.data'}\npair_style zero 5.0\n"
            "pair_coeff * *\ntimestep 0.002\nfix 1 all nve\n"
        )
        changes = [f"md.input={tmp_path / 'in.lmp'}", "md.elements=['Li', 'P', 'S', 'Cl']"]
    else:
        with pytest.raises(
            InputError, match="the EFG model does not know Cl; expected atoms of Li, P, S only"
        ):
            prepare_run(load_config(tmp_path / "run.toml", changes))
    with pytest.raises(InputError, match="the EFG model does not know Cl"):
        run_here(tmp_path, *changes)
    assert not (tmp_path / "out" / "results.h5").exists()
    assert not (tmp_path / "out" / "thermo.csv").exists()  # no step was made
