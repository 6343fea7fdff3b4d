"""The LAMMPS commands as text."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from lpsnmr.errors import InputError
from lpsnmr.md import MdSettings, PotentialSettings
from lpsnmr.md.commands import pair_commands, stage_commands, system_commands, velocity_command
from lpsnmr.md.schedule import equilibration_and_production


def equilibration_commands(settings, step):
    return stage_commands(equilibration_and_production(settings, 1.0), 0, step)


def production_commands(settings, step):
    return stage_commands(equilibration_and_production(settings, 1.0), 1, step)


def test_system():
    pair = pair_commands(PotentialSettings(), Path("/a b/lps.uf3"), ["Li", "P", "S"])
    assert pair == ["pair_style ufp 3", 'pair_coeff * * "/a b/lps.uf3" Li P S']
    lines = system_commands(MdSettings(timestep_fs=1.5), Path("x.data"), pair, restart=False)
    assert 'read_data "x.data"' in lines
    assert "timestep 0.0015" in lines
    assert 'read_restart "x.data"' in system_commands(MdSettings(), Path("x.data"), pair, restart=True)
    assert pair_commands(PotentialSettings(commands=["pair_style zero 5"]), None, []) == ["pair_style zero 5"]


def test_density_terms_beside_a_potential_are_named(tmp_path):
    for name in ("lps.uf3", "lps.ufd"):
        (tmp_path / name).write_text("")
    pair = pair_commands(PotentialSettings(), tmp_path / "lps.uf3", ["Li", "P", "S"])
    assert pair[1] == f'pair_coeff * * "{tmp_path}/lps.uf3" "{tmp_path}/lps.ufd" Li P S'
    for style in ("uf3 3", "ufp 2"):
        with pytest.raises(InputError, match=f"density terms .* which pair_style {style} does not evaluate"):
            pair_commands(PotentialSettings(style=style), tmp_path / "lps.uf3", ["S"])
    (tmp_path / "lps.ufd").unlink()
    other = pair_commands(PotentialSettings(style="uf3 3"), tmp_path / "lps.uf3", ["S"])
    assert other[1] == f'pair_coeff * * "{tmp_path}/lps.uf3" S'


def test_stages():
    settings = MdSettings(temperature_k=650.0, thermostat_damping_ps=0.25, seed=5)
    assert "650 5 mom yes" in velocity_command(settings.temperature_k, settings.seed)
    assert production_commands(settings, 0) == ["fix lpsnmr_integrate all nvt temp 650 650 0.25"]
    assert production_commands(settings.model_copy(update={"ensemble": "nve"}), 0) == [
        "fix lpsnmr_integrate all nve"
    ]
    npt = settings.model_copy(update={"equilibration": "npt", "pressure_bar": 10.0})
    assert equilibration_commands(npt, 0)[0].endswith("650 650 0.25 aniso 10 10 1")


def test_langevin_noise_differs_after_a_resume():
    settings = MdSettings(thermostat="langevin")
    seeds = {production_commands(settings, step)[1].split()[7] for step in (0, 1000, 2000)}
    assert len(seeds) == 3
    assert all(0 < int(seed) < 900_000_000 for seed in seeds)


@pytest.mark.parametrize("change", [{"temperature_k": 0}, {"timestep_fs": float("inf")}, {"unknown": 1}])
def test_bad_settings(change):
    with pytest.raises(ValidationError):
        MdSettings(**change)
