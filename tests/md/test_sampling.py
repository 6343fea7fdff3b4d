"""Frames from MD with a schedule: where they come from and what the run did."""

from importlib.resources import files
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from click.testing import CliRunner
from mpi4py import MPI

from lpsnmr.cli.structures import _disorder, command
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.md.driver import LammpsDriver
from lpsnmr.md.schedule import Stage, melt_quench_stages
from lpsnmr.md.scheduled_frames import FrameSettings, _advance, _start, melt_quench, sample
from lpsnmr.structures import intact_ps4, load_structure, report_structure, strained, supercell
from lpsnmr.structures.disorder import crystal_peak

POTENTIAL = Path(str(files("lpsnmr.data") / "models" / "lps.uf3"))


def test_frames_say_what_they_are():
    beta = load_structure("beta-Li3PS4")
    settings = FrameSettings(POTENTIAL, interval_ps=0.1, seed=3)
    stages = [Stage(0.4, 300, 300), Stage(0.4, 900, 500)]
    frames = list(sample(beta, stages, settings, "run_a", discard_ps=0.15))
    assert [f.info["run_step"] for f in frames] == [100, 150, 200, 250, 300, 350, 400]
    assert [f.info["run_T"] for f in frames] == [300, 300, 300, 850, 750, 650, 550]
    assert {f.info["run"] for f in frames} == {"run_a"}
    assert (
        frames[0].info["made"].startswith("beta-Li3PS4 crystal, doi:10.1016/j.ssi.2010.10.001 | MD lps.uf3")
    )
    assert (frames[0].numbers == beta.numbers).all()
    again = list(sample(beta, stages, settings, "run_a", discard_ps=0.15))
    assert np.allclose(again[-1].positions, frames[-1].positions)
    assert np.abs(frames[1].positions - frames[0].positions).max() > 0.01


def test_thermostat_holds_the_temperature():
    """Cold, the crystal is harmonic: the mean potential energy grows by 3/2 k per atom and kelvin."""
    from lpsnmr.potential import Ufp

    gamma, potential = load_structure("gamma-Li3PS4"), Ufp(POTENTIAL)
    means = []
    for temperature in (50, 250):
        settings = FrameSettings(POTENTIAL, interval_ps=0.2, seed=5)
        stages = [Stage(12, temperature, temperature)]
        energies = [potential.predict(f).energy for f in sample(gamma, stages, settings, "t", discard_ps=3)]
        means.append(np.mean(energies) / len(gamma))
    assert (means[1] - means[0]) / (1.5 * 8.617e-5 * 200) == pytest.approx(1.0, abs=0.25)


def test_pressure_moves_the_volume():
    wide = strained(load_structure("gamma-Li3PS4"), [0.04, 0.04, 0.04, 0, 0, 0])
    settings = FrameSettings(POTENTIAL, interval_ps=0.5, seed=2)
    held = list(sample(wide, [Stage(1, 300, 300)], settings, "v"))[-1]
    free = list(sample(wide, [Stage(4, 300, 300, pressure_bar=20000.0)], settings, "p"))[-1]
    assert held.get_volume() == pytest.approx(wide.get_volume(), rel=1e-9)
    assert free.get_volume() < 0.95 * wide.get_volume()


def test_collapse_is_an_error():
    atoms = load_structure("beta-Li3PS4")
    settings = FrameSettings(POTENTIAL, interval_ps=0.1, minimum_angstrom=2.3)
    with pytest.raises(ComputeError, match=r"hot: MD with lps\.uf3 collapsed at step 50 and 600 K: atoms"):
        list(sample(atoms, [Stage(1, 600, 600)], settings, "hot"))


def test_bad_schedules():
    atoms = Atoms("Li", cell=[5, 5, 5], pbc=True)
    with pytest.raises(InputError, match="at least one stage"):
        list(sample(atoms, [], FrameSettings(POTENTIAL), "x"))
    with pytest.raises(InputError, match="above 0"):
        Stage(0.0, 300, 300)
    with pytest.raises(InputError, match="interval"):
        FrameSettings(POTENTIAL, interval_ps=0.001)
    with pytest.raises(InputError, match="hotter"):
        melt_quench_stages(melt_k=300, final_k=600)
    with pytest.raises(InputError, match="got 1000 > 1100 > 1000 > 300 K"):
        melt_quench_stages(melt_k=1000, anneal_ps=10)


def test_melt_quench_stages():
    """The cell is let go below the release temperature; the cooling rate is one."""
    melt, anneal, kept, free, hold = melt_quench_stages(1500, 10, 70, 300, 5, 2.0, anneal_ps=20)
    assert (melt.length_ps, anneal.length_ps, hold.length_ps) == (10, 20, 5)
    assert (anneal.start_k, anneal.end_k) == (1100, 1000)
    assert (kept.start_k, kept.end_k, free.end_k) == (1000, 500, 300)
    assert kept.length_ps == pytest.approx(50)
    assert free.length_ps == pytest.approx(20)
    assert [s.pressure_bar for s in (melt, anneal, kept, free, hold)] == [None, None, None, 2.0, 2.0]
    short = melt_quench_stages(1500, 10, 70, 300, 5, anneal_ps=0, release_k=100)
    assert [(s.start_k, s.end_k, s.pressure_bar) for s in short] == [
        (1500, 1500, None), (1500, 300, None), (300, 300, None)
    ]  # fmt: skip


def test_melt_quench_tells_its_schedule():
    stages = melt_quench_stages(1500, 0.5, 1.0, 300, 0.5, 1.0, anneal_ps=0, release_k=1500)
    glass = melt_quench(load_structure("beta-Li3PS4"), stages, FrameSettings(POTENTIAL, seed=4))
    assert glass.info["made"].endswith("0.5 ps at 1500 K, 1 ps from 1500 to 300 K, 0.5 ps at 300 K")
    assert glass.info["run_T"] == 300


def test_command(tmp_path):
    output = tmp_path / "out.extxyz"
    arguments = ["gamma-Li3PS4", "-o", str(output), "--volume-strain", "-0.03,0.03"]
    result = CliRunner().invoke(command, [*arguments, "--li-disorder", "0.2", "--count", "2"])
    assert result.exit_code == 0, result.output
    frames = ase.io.read(output, ":")
    assert len(frames) == 4
    volume = load_structure("gamma-Li3PS4").get_volume()
    assert [f.get_volume() / volume for f in frames] == pytest.approx([0.97, 0.97, 1.03, 1.03])
    assert len({f.positions.tobytes() for f in frames}) == 4
    assert all("Li moved to other voids" in f.info["made"] for f in frames)
    assert result.output.count("PS4 2/2") == 4
    for extra, message in [
        (["--rattle", "0.3"], "too close|twenty draws"),
        (["--strain", "a,b"], "numbers separated by commas"),
        (["--count", "0"], "at least 1"),
        (["--melt-quench", "--potential", "absent.uf3"], "no such potential"),
    ]:
        error = (
            CliRunner().invoke(command, ["beta-Li3PS4", "-o", str(tmp_path / "x.extxyz"), *extra]).exception
        )
        with pytest.raises((InputError, ComputeError), match=message):
            raise error
    assert not (tmp_path / "x.extxyz").exists()


def test_amorphous_command(tmp_path):
    output = tmp_path / "glass.extxyz"
    arguments = ["beta-Li3PS4", "--density", "1.9", "--melt-quench", "--melt-ps", "0.5", "--quench-ps", "1"]
    arguments += ["--anneal-ps", "0.5"]
    result = CliRunner().invoke(command, [*arguments, "--final-ps", "0.5", "-o", str(output)])
    assert result.exit_code == 0, result.output
    glass = ase.io.read(output)
    assert report_structure(glass).density == pytest.approx(1.9)
    assert glass.info["made"].count(" | ") == 2
    assert "bridging" in result.output


def test_command_counts_shared_and_free_sulfur():
    """Two P in a line with the S they share, three more S on each, two S alone."""
    line = [[0, 0, 2.05], [0, 0, 0], [0, 0, 4.1]]
    turns = 2 * np.pi * np.arange(3) / 3
    ring = np.stack([1.93 * np.cos(turns), 1.93 * np.sin(turns)], axis=1)
    rings = [[x, y, z] for z in (-0.68, 4.78) for x, y in ring]
    atoms = Atoms("SP2S8", [*line, *rings, [8, 8, 0], [8, 8, 4]], cell=[16, 16, 16], pbc=True)
    assert intact_ps4(atoms.positions, atoms.cell.array, (True,) * 3, atoms.numbers) == (2, 2)
    assert "S: 1 bridging, 2 free; strongest reflection of P tells nothing, too few P" in _disorder(atoms)


def test_command_tells_a_crystal():
    crystal = supercell(load_structure("beta-Li3PS4"), (1, 2, 2))
    peak, random = crystal_peak(crystal.positions[crystal.numbers == 15], crystal.cell.array)
    assert peak > 0.95
    assert f"P {peak:.2f} (1: crystal at rest, {random:.2f}: P at random)" in _disorder(crystal)
    large = supercell(crystal, (4, 5, 2))
    assert "not looked for, more than 600 P" in _disorder(large)


@pytest.mark.parametrize("pressure_bar", [None, 1.0])
def test_cooling_is_linear(pressure_bar):
    """Within a stage, not within each interval; kinetic temperatures follow the line."""
    atoms = supercell(load_structure("beta-Li3PS4"), (1, 2, 2))
    settings = FrameSettings(POTENTIAL, seed=2)
    stages = [Stage(3, 900, 900), Stage(8, 900, 100, pressure_bar)]
    driver = LammpsDriver(MPI.COMM_SELF)
    try:
        _start(driver, atoms, 900.0, settings)
        seen = [
            (t, driver.thermo()["Temp"])
            for t in _advance(driver, settings.schedule(stages), settings.interval_ps)
        ]
    finally:
        driver.close()
    wanted, measured = np.array(seen[6:]).T
    assert wanted[0] == pytest.approx(875)
    assert wanted[-1] == pytest.approx(125)
    np.testing.assert_allclose(measured.reshape(4, 4).mean(1), wanted.reshape(4, 4).mean(1), atol=100)
