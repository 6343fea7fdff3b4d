"""The tracker of all motion: windows, drift, PS4 rotation, states."""

import numpy as np
import pytest

from lpsnmr.analysis.dynamics import analyze_jumps
from lpsnmr.errors import InputError
from lpsnmr.sampling import JumpSettings, MotionTracker
from lpsnmr.structures import load_structure, supercell
from lpsnmr.structures.polyhedra import find_polyhedra
from lpsnmr.structures.species import SpeciesSettings

SETTINGS = JumpSettings(window_ps=0.5, min_stay_ps=1.0, learn_ps=5.0)


def find_ps4(positions, cell, pbc, numbers):
    return find_polyhedra(positions, cell, pbc, numbers, SpeciesSettings().polyhedra[0])


@pytest.fixture(scope="module")
def crystal():
    return supercell(load_structure("beta-Li3PS4"), (1, 1, 2))


def trajectory(crystal, frames, seed=0):
    """Drifting, vibrating crystal; the first Li hops at frame 200, a PS4 turns by 120° at 300."""
    rng = np.random.default_rng(seed)
    positions, cell = crystal.positions.copy(), crystal.cell[:]
    units = find_ps4(positions, cell, (True,) * 3, crystal.numbers)
    lithium = np.flatnonzero(crystal.numbers == 3)
    for t in range(frames):
        if t == 200:
            positions[lithium[0]] += (3.0, 0.0, 0.5)
        if t == 300:  # three S change places in a ring: 120°
            p, s = units[0, 0], units[0, 2:]
            fraction = (positions[s] - positions[p]) @ np.linalg.inv(cell)
            bonds = (fraction - np.round(fraction)) @ cell
            positions[s] += bonds[[1, 2, 0]] - bonds
        yield positions + 0.05 * rng.normal(size=positions.shape) + 0.01 * t


def fed(crystal, frames, tracker=None, start=0, seed=0):
    cell = crystal.cell[:]
    numbers = crystal.numbers
    framework = np.flatnonzero(numbers != 3)
    lithium = np.flatnonzero(numbers == 3)
    if tracker is None:
        units = find_ps4(crystal.positions, cell, (True,) * 3, numbers)
        tracker = MotionTracker(len(lithium), {"ps4": units}, sample_interval_ps=0.1, settings=SETTINGS)
    for t, x in enumerate(trajectory(crystal, frames, seed)):
        if t >= start:
            drift = x[framework].mean(axis=0)
            tracker.add(x[lithium] - drift, drift, x, cell)
    return tracker


def test_one_jump_and_one_rotation(crystal):
    groups = fed(crystal, 500).summary(crystal.cell[:])
    for name in ("jumps_sites", "jumps_displacement"):
        assert getattr(groups, name).jumps.tolist() == [1, *[0] * 23], name
        found = analyze_jumps(getattr(groups, name))
        # what is near the end of the jump is a site already, 0.8 Å off
        assert found.mean_length == pytest.approx(np.hypot(3.0, 0.5), abs=0.8 if "sites" in name else 0.1)
    rotations = groups.rotations["ps4"]
    assert rotations.jumps.sum() == 1
    assert analyze_jumps(rotations).mean_length == pytest.approx(120.0)
    lags = groups.collective_displacement.lags
    moved = 9.25 / 24  # one jump of all 24
    longest = lags.values.sum(axis=1)[lags.lag_ps > 40]
    np.testing.assert_allclose(longest, moved, atol=0.12)


@pytest.mark.parametrize("cut", [3, 58, 303])
def test_resumes_bit_for_bit(crystal, cut):
    """Cut inside a window, while sites are learnt, and after."""
    whole = fed(crystal, 400)
    first = fed(crystal, cut)
    resumed = fed(crystal, 400, MotionTracker.from_state(first.state(), SETTINGS), start=cut)
    state = resumed.state()
    assert whole.state().keys() == state.keys()
    for name, value in whole.state().items():
        np.testing.assert_array_equal(state[name], value, err_msg=name)
    with pytest.raises(InputError, match="no 'bond_sum'"):
        MotionTracker.from_state({}, SETTINGS)


def test_summary_of_a_run_shorter_than_the_learning(crystal):
    groups = fed(crystal, 20).summary(crystal.cell[:])
    assert len(groups.jumps_sites.sites_fractional) == 24
    assert groups.jumps_sites.windows == 4
    empty = fed(crystal, 3).summary(crystal.cell[:])
    assert empty.jumps_sites.windows == 0
    assert not analyze_jumps(empty.jumps_sites).resolved


def test_states_of_before_go_on(crystal):
    """Checkpoints that knew PS4 alone: other names, the bonds by unit."""
    now = fed(crystal, 303).state()
    before = {
        key.replace("rotations_ps4.", "rotations."): value for key, value in now.items() if key != "units.ps4"
    }
    before |= {"ps4": now["units.ps4"], "bond_sum": now["bond_sum"].reshape(-1, 4, 3)}
    state = MotionTracker.from_state(before, SETTINGS).state()
    assert state.keys() == now.keys()
    for key, value in now.items():
        np.testing.assert_array_equal(state[key], value, err_msg=key)


def test_ps4_units(crystal):
    units = find_ps4(crystal.positions, crystal.cell[:], (True,) * 3, crystal.numbers)
    assert units.shape == (8, 5)
    assert set(crystal.numbers[units[:, 0]]) == {15}
    assert len(np.unique(units)) == 40
