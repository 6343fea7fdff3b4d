"""Samples taken inside LAMMPS against samples gathered; what makes a run fall back."""

import logging

import numpy as np
import pytest

from lpsnmr.errors import ComputeError
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.local_samples import LocalSamples
from lpsnmr.structures import load_structure
from lpsnmr.trajectory.data_file import write_data_file
from support.lpsnmr_runs import results_of, run_here, write_config
from support.results_groups import extra_of

EVERYTHING = ("sampling.window_ps=0.04", "jumps.window_ps=0.1", "sampling.field_directions=[[0, 1, 1]]")
DECK = """units metal
atom_style atomic
atom_modify map array
read_data structure.data
change_box all triclinic
pair_style lj/cut 5.0
pair_coeff * * 0.02 1.9
velocity all create 700 1 mom yes
timestep 0.002
fix 1 all npt temp 700 700 0.1 tri 0 0 1.0
{}
"""


def refuse(self, *arguments, **options):
    raise ComputeError("not here")


def compare(a, b):
    assert a.n_samples == b.n_samples
    assert a.statistics["efg_outside_training_range"] == b.statistics["efg_outside_training_range"] > 0
    assert a.mean_temperature_k == pytest.approx(b.mean_temperature_k, rel=1e-9)
    np.testing.assert_allclose(a.cell, b.cell, rtol=1e-9, atol=1e-9)
    for name in ("efg_correlation", "displacement"):
        for part in ("values", "counts", "block_means"):
            x, y = getattr(getattr(a, name), part), getattr(getattr(b, name), part)
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9, err_msg=f"{name}/{part}")
    assert extra_of(a).keys() == extra_of(b).keys() >= {"jumps_sites", "rotations_ps4", "echo", "direction_0"}
    for group, arrays in extra_of(a).items():
        for name, value in arrays.items():
            np.testing.assert_allclose(
                value, extra_of(b)[group][name], rtol=1e-8, atol=1e-9, err_msg=f"{group}/{name}"
            )


def test_where_the_atoms_are_and_gathered_are_the_same(tmp_path, monkeypatch, caplog):
    write_config(tmp_path, production_ps=1.0)
    gathered = []
    frame = LammpsDriver.frame
    monkeypatch.setattr(LammpsDriver, "frame", lambda self: gathered.append(self.step) or frame(self))
    local = "output.thermo_ps=0.5"
    run_here(tmp_path, *EVERYTHING, local, f"output.folder={tmp_path / 'here'}")
    in_production = [step for step in gathered if step > 50]
    assert len(in_production) <= 6, (
        "positions travel for a line of thermo.csv or the display, not for samples"
    )
    monkeypatch.setattr(LocalSamples, "__init__", refuse)
    run_here(tmp_path, *EVERYTHING, local, f"output.folder={tmp_path / 'there'}")
    assert "predicted outside LAMMPS, from all positions: not here" in caplog.text
    compare(results_of(tmp_path / "here"), results_of(tmp_path / "there"))


def test_cell_that_changes_with_every_step(tmp_path, monkeypatch, caplog):
    """A deck with a barostat and a tilted cell."""
    write_config(tmp_path, equilibration_ps=0)
    write_data_file(tmp_path / "structure.data", load_structure("beta-Li3PS4"), ["Li", "P", "S"])
    (tmp_path / "in.lmp").write_text(DECK.format(""))
    deck = (f"md.input={tmp_path / 'in.lmp'}", "md.elements=['Li', 'P', 'S']")
    monkeypatch.chdir(tmp_path)
    run_here(tmp_path, *EVERYTHING, *deck, f"output.folder={tmp_path / 'here'}")
    assert not caplog.records
    monkeypatch.setattr(LocalSamples, "__init__", refuse)
    run_here(tmp_path, *EVERYTHING, *deck, f"output.folder={tmp_path / 'there'}")
    a, b = results_of(tmp_path / "here"), results_of(tmp_path / "there")
    assert abs(a.cell[2, 0]) > 1e-4
    compare(a, b)


@pytest.mark.parametrize(
    "line", ["neigh_modify exclude type 2 2", "pair_style lj/cut 3.0\npair_coeff * * 0.02 1.9"]
)
def test_decks_that_hide_neighbours_are_sampled_in_lammps_too(tmp_path, monkeypatch, caplog, line):
    write_config(tmp_path, equilibration_ps=0, production_ps=0.1)
    write_data_file(tmp_path / "structure.data", load_structure("beta-Li3PS4"), ["Li", "P", "S"])
    (tmp_path / "in.lmp").write_text(DECK.format(line))
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.WARNING):
        outcome = run_here(tmp_path, f"md.input={tmp_path / 'in.lmp'}", "md.elements=['Li', 'P', 'S']")
    assert outcome.n_samples == 6
    assert "outside LAMMPS" not in caplog.text
    assert results_of(tmp_path / "out").provenance["efg_predicted"] == "in LAMMPS"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("0 0 efg", "expected an INTERVAL of at least 1 step, got 0"),
        ("10 0 absent", "no compute absent of style efg/atom"),
        ("10 0 thermo_temp", "no compute thermo_temp of style efg/atom"),
        ("10 0", "expected fix ID group efg/samples INTERVAL STEP COMPUTE"),
    ],
)
def test_bad_arguments_of_the_fix(tmp_path, arguments, words):
    write_data_file(tmp_path / "structure.data", load_structure("beta-Li3PS4"), ["Li", "P", "S"])
    driver = LammpsDriver()
    driver.commands(DECK.format("").replace("structure.data", str(tmp_path / "structure.data")).splitlines())
    with pytest.raises(ComputeError, match=words):
        driver.commands([f"fix 2 all efg/samples {arguments}"])
    driver.close()
