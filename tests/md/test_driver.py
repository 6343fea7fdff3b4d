"""The driver against a plain LAMMPS run, in subprocesses: LAMMPS ends the process on some errors."""

import numpy as np
import pytest

from lpsnmr.errors import ComputeError, InputError
from lpsnmr.md.commands import langevin_commands
from lpsnmr.structures import load_structure
from lpsnmr.trajectory.data_file import write_data_file

COMMANDS = """
units metal
atom_style atomic
atom_modify map array
read_data {data}
pair_style lj/cut 5.0
pair_coeff * * 0.02 1.9
neighbor 0.5 bin
neigh_modify every 1 delay 0 check yes
velocity all create 900 7 mom yes
fix 1 all nve
timestep 0.002
thermo 1000000
"""


@pytest.fixture
def lines(tmp_path):
    write_data_file(tmp_path / "beta.data", load_structure("beta-Li3PS4"))
    return COMMANDS.format(data=tmp_path / "beta.data").split("\n")


@pytest.fixture
def make():
    from lpsnmr.md.driver import LammpsDriver

    drivers = []

    def build(lines):
        driver = LammpsDriver()
        drivers.append(driver)
        driver.commands(line for line in lines if line)
        driver.define_types(["Li", "P", "S"])
        return driver

    yield build
    for driver in drivers:
        driver.close()


def test_stretches_equal_one_run(lines, make):
    one, many = make(lines), make(lines)
    one.advance(0)
    one.advance(120)
    many.advance(0)
    for _ in range(12):
        many.advance(10)
        many.frame()
    a, b = one.frame(), many.frame()
    assert (a.step, a.time_ps) == (120, pytest.approx(0.24))
    np.testing.assert_array_equal(a.unwrapped, b.unwrapped)  # bit for bit


def test_langevin_keeps_temperature_and_rest_of_few_free_atoms(tmp_path, make):
    """Eight atoms of three masses, which a common random force taken off all would make 9 % too hot."""
    atoms = load_structure("beta-Li3PS4")[[0, 1, 2, 12, 16, 17, 18, 19]]
    assert atoms.get_chemical_formula() == "Li3PS4"
    write_data_file(tmp_path / "few.data", atoms)
    text = COMMANDS.format(data=tmp_path / "few.data").replace("fix 1 all nve\n", "")
    text = text.replace("lj/cut 5.0", "zero 5.0").replace("* * 0.02 1.9", "* *")
    driver = make(text.split("\n"))
    driver.commands(langevin_commands(600, 600, 0.02, 5, 0))
    driver.advance(1000)
    before, kelvin = driver.frame(), []
    for _ in range(6000):
        driver.advance(10)
        kelvin.append(driver.thermo()["Temp"])
    # the correlation time is 10 fs, so half of the samples are independent
    assert np.mean(kelvin) == pytest.approx(600, abs=4 * 600 * np.sqrt(2 / 21 / 3000))
    moved = driver.frame().unwrapped - before.unwrapped
    assert np.abs(moved).max() > 10
    whole = atoms.get_masses() @ moved / atoms.get_masses().sum()
    assert np.abs(whole).max() < 1  # only what the noise of half a step moves it


def test_unwrapped_is_continuous_and_wrapped_is_equivalent(lines, make):
    driver = make(lines)
    driver.advance(0)
    before = driver.frame()
    start = before.unwrapped
    crossed = 0
    for _ in range(200):
        driver.advance(10)
        frame = driver.frame()
        assert np.abs(frame.unwrapped - before.unwrapped).max() < 1.5
        shift = (frame.unwrapped - frame.positions) @ np.linalg.inv(frame.cell)
        np.testing.assert_allclose(shift, np.round(shift), atol=1e-9)
        crossed += int(np.abs(shift).max() > 0.5)
        before = frame
    assert crossed > 0  # the images were put to the test
    np.testing.assert_allclose(
        (before.unwrapped - start)[:, 0] @ np.repeat([6.94, 30.97, 32.06], [12, 4, 16]), 0, atol=0.5
    )


def test_restart_file_continues(lines, make, tmp_path):
    driver = make(lines)
    driver.advance(0)
    driver.advance(50)
    driver.write_restart(tmp_path / "r.lmp")
    saved = driver.frame()
    driver.advance(50)
    resumed = make(
        [
            line.replace("read_data", "read_restart").replace("beta.data", "r.lmp")
            for line in lines
            if "velocity" not in line
        ]
    )
    assert resumed.step == 50
    np.testing.assert_allclose(resumed.frame().unwrapped, saved.unwrapped, atol=1e-12)
    resumed.advance(0)
    resumed.advance(50)
    np.testing.assert_allclose(resumed.frame().unwrapped, driver.frame().unwrapped, atol=1e-8)


def test_rescaled_cell(lines, make):
    driver = make(lines)
    before = driver.frame()
    driver.rescale_cell(before.cell * 1.02)
    after = driver.frame()
    np.testing.assert_allclose(after.cell, before.cell * 1.02, rtol=1e-14)
    np.testing.assert_allclose(after.positions, before.positions * 1.02, atol=1e-12)


def test_errors_are_one_line(lines, make):
    with pytest.raises(ComputeError, match=r"^LAMMPS: ERROR.*no_such_style[^\n]*$"):
        make([*lines, "pair_style no_such_style"])
    driver = make(lines)
    with pytest.raises(InputError, match="3 atom types, but 2 elements"):
        driver.define_types(["Li", "P"])


def test_lost_atoms(lines, make):
    driver = make([*lines, "thermo_modify lost ignore"])
    driver.advance(0)
    driver.commands(["delete_atoms group all compress no"])
    with pytest.raises(ComputeError, match="lost atoms: 0 left of 32"):
        driver.frame()
