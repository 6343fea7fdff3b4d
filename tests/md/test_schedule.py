"""Schedules: stages as fixes, ramps, bounds, and the drift that is taken off."""

import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.md import MdSettings, Schedule, Stage
from lpsnmr.md.commands import stage_commands
from lpsnmr.md.schedule import equilibration_and_production
from lpsnmr.md.scheduled_frames import FrameSettings
from lpsnmr.structures.framework import Framework
from lpsnmr.structures.species import SpeciesSettings


def test_a_ramp_leaves_an_equal_pressure_alone():
    schedule = Schedule((Stage(10, 900, 100, 900.0),), thermostat_damping_ps=0.5)
    assert stage_commands(schedule, 0, 0) == ["fix lpsnmr_integrate all npt temp 900 100 0.5 iso 900 900 1"]


def test_stages_as_fixes():
    stages = (
        Stage(1, 600, 300),
        Stage(1, 300, 300, thermostat="nose-hoover"),
        Stage(1, 300, 300, thermostat="none"),
    )
    langevin, nose_hoover, nve = (stage_commands(Schedule(stages, seed=3), k, 50) for k in range(3))
    assert langevin[1].startswith("fix lpsnmr_thermostat all langevin 600 300 0.1 ")
    assert nose_hoover == ["fix lpsnmr_integrate all nvt temp 300 300 0.1"]
    assert nve == ["fix lpsnmr_integrate all nve"]
    assert str(Schedule(stages[:2])) == "1 ps from 600 to 300 K, 1 ps at 300 K"


def test_of_a_run():
    both = equilibration_and_production(MdSettings(equilibration_ps=3, ensemble="nve"), 8.0)
    assert [stage.length_ps for stage in both.stages] == [3, 8]
    assert both.ends() == [1500, 5500]
    assert len(equilibration_and_production(MdSettings(equilibration_ps=0), 8.0).stages) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Schedule(()), "at least one stage"),
        (
            lambda: Schedule((Stage(1, 300, 300),), timestep_fs=20),
            "timestep_fs: expected at most 10 fs, got 20",
        ),
        (
            lambda: Stage(1, 300, 100_000),
            "stage: expected a temperature above 0 and up to 10000 K, got 100000",
        ),
        (
            lambda: FrameSettings("x.uf3", timestep_fs=0.002),
            "sampling: timestep_fs: expected at least 0.05 fs",
        ),
    ],
)
def test_what_no_md_can_do_is_refused_in_one_line(make, words):
    with pytest.raises(InputError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_the_drift_is_that_of_the_centre_of_mass_of_p_and_s():
    numbers = np.array([3, 15, 16, 17], dtype=np.int32)
    positions = np.random.default_rng(0).normal(size=(4, 3))
    of = SpeciesSettings(framework=("P", "S"))
    framework = Framework(numbers, of)
    mass = np.array([30.973761998, 32.06])
    np.testing.assert_allclose(framework.position(positions), mass @ positions[1:3] / mass.sum(), rtol=1e-14)
    np.testing.assert_allclose(framework.weight_of(numbers), [0, *(mass / mass.sum()), 0], rtol=1e-14)
    assert not Framework(numbers[[0, 3]], of)
    np.testing.assert_array_equal(Framework(numbers[[0, 3]], of).position(positions[:2]), 0)
    assert Framework(numbers).weight_of(numbers)[[0, 3]].astype(bool).tolist() == [False, True]  # all but Li
