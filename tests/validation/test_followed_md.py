"""MD that is followed: against plain LAMMPS, and stopped and taken up again."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from lpsnmr.md.follow import MdPlan, follow
from lpsnmr.structures import load_structure, supercell
from lpsnmr.validation.dynamic import diffusion_of

POTENTIAL = Path(str(files("lpsnmr.data") / "models" / "lps.uf3"))


@pytest.fixture
def beta():
    return load_structure("beta-Li3PS4")


def test_nve_keeps_energy_and_samples_on_time(beta, tmp_path):
    plan = MdPlan(300.0, 1.0, ensemble="nve", equilibration_ps=0.2, timestep_fs=1.0, sample_ps=0.1)
    seen = follow(plan, beta, POTENTIAL, tmp_path, "nve")
    np.testing.assert_allclose(seen.column("time_ps"), np.arange(1, 11) * 0.1)
    assert np.ptp(seen.column("TotEng")) < 2e-4 * len(beta)
    assert np.ptp(seen.column("PotEng")) > 20 * np.ptp(seen.column("TotEng"))
    assert (seen.column("intact") == 1).all()
    assert (seen.column("own_sulfur") == 1).all()
    assert seen.lithium.shape == (10, 12, 3)
    assert seen.rdf.frames == 10
    assert seen.rdf.neighbours_within(0, 2.8) == pytest.approx(4.0)
    np.testing.assert_allclose(seen.column("Volume"), beta.get_volume(), rtol=1e-6)


def test_a_stopped_run_goes_on(beta, tmp_path):
    plan = MdPlan(600.0, 1.2, ensemble="nve", equilibration_ps=0.1, sample_ps=0.1)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = follow(plan, beta, POTENTIAL, tmp_path / "whole", "x", save_every=4)

    def stop(name, done, total):
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(plan, beta, POTENTIAL, tmp_path / "parts", "x", stop, save_every=4)
    seen = []
    again = follow(
        plan, beta, POTENTIAL, tmp_path / "parts", "x", lambda n, d, t: seen.append(d), save_every=4
    )
    assert seen == list(range(5, 13))
    np.testing.assert_allclose(again.column("time_ps"), whole.column("time_ps"))
    np.testing.assert_allclose(again.column("TotEng"), whole.column("TotEng"), atol=1e-3)
    np.testing.assert_allclose(again.lithium, whole.lithium, atol=1e-3)
    assert again.rdf.frames == 12
    assert len(list((tmp_path / "parts").glob("*.restart"))) == 1
    longer = MdPlan(600.0, 1.4, ensemble="nve", equilibration_ps=0.1, sample_ps=0.1)
    seen.clear()
    follow(longer, beta, POTENTIAL, tmp_path / "parts", "x", lambda n, d, t: seen.append(d))
    assert seen == [13, 14]
    other = MdPlan(601.0, 0.2, ensemble="nve", equilibration_ps=0.1, sample_ps=0.1)
    seen.clear()
    follow(other, beta, POTENTIAL, tmp_path / "parts", "x", lambda n, d, t: seen.append(d))
    assert seen == [1, 2]


@pytest.mark.parametrize("ensemble", ["nvt", "npt"])
def test_temperature_falls_linearly(ensemble, tmp_path):
    """Over the whole run, not within each sample; a stopped run goes on along the same line."""
    plan = MdPlan(900.0, 10.0, ensemble=ensemble, final_k=100.0, barostat="iso")
    atoms = supercell(load_structure("beta-Li3PS4"), (1, 2, 2))

    def stop(name, done, total):
        if done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(plan, atoms, POTENTIAL, tmp_path, "quench", stop, save_every=4)
    seen = follow(plan, atoms, POTENTIAL, tmp_path, "quench", save_every=4)
    time, temperature = seen.column("time_ps"), seen.column("Temp")
    assert len(time) == 20
    line = 900.0 - 80.0 * (time - 0.5)  # the thermostat lags by its relaxation time
    np.testing.assert_allclose(temperature[2:].reshape(6, 3).mean(1), line[2:].reshape(6, 3).mean(1), atol=90)
    assert (np.ptp(seen.column("Volume")) > 10.0) == (ensemble == "npt")


@pytest.mark.parametrize("moving", [False, True])
def test_a_start_that_moves_is_not_heated(beta, tmp_path, moving):
    """From a frame of MD velocities of the temperature itself: the energy does not jump."""
    large = supercell(beta, (1, 2, 2))
    first = follow(MdPlan(600.0, 3.0, equilibration_ps=2.0), large, POTENTIAL, tmp_path, "a")
    plan = MdPlan(600.0, 0.1, ensemble="nve", equilibration_ps=0.0, sample_ps=0.02, moving=moving)
    seen = follow(plan, first.last, POTENTIAL, tmp_path, "b")
    rise = seen.column("TotEng").mean() - first.column("TotEng")[-3:].mean()
    thermal = 1.5 * 8.617e-5 * 600.0 * len(large)
    assert rise == pytest.approx(0.0 if moving else thermal, abs=0.35 * thermal)


def test_diffusion_of_a_random_walk(beta, tmp_path):
    plan = MdPlan(300.0, 0.2, sample_ps=0.1, equilibration_ps=0.0)
    seen = follow(plan, beta, POTENTIAL, tmp_path, "walk")
    steps = np.random.default_rng(1).normal(size=(4000, 12, 3)) * 0.5
    seen.lithium = np.cumsum(steps, axis=0)  # D = 0.25 Å² / (2 × 0.1 ps) = 1.25 Å²/ps
    d = diffusion_of(seen).diffusion_cm2_s
    assert d.low < 1.25e-4 < d.high
    assert d.value == pytest.approx(1.25e-4, rel=0.15)
