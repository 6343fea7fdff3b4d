"""Sets that look wrong are told before the fit, in a line each; good sets are not."""

import numpy as np
import pytest

from lpsnmr.data.shipped import shipped_reference
from lpsnmr.reference import read_reference
from lpsnmr.reference.suspicions import suspicions
from lpsnmr.structures import load_structure
from reference.test_label_files import random_frame, random_tensors


def a_set(n=8):
    """Frames of one composition, strained, with a stress that grows with the volume."""
    frames = []
    for k in range(n):
        frame = random_frame(k)
        scale = 1.0 + 0.01 * k
        frame.set_cell(np.diag([7.0, 8.0, 9.0]) * scale, scale_atoms=True)
        frame.calc.results.update(
            energy=-10.0 + 0.1 * k, stress=np.array([0.02, 0.02, 0.02, 0, 0, 0]) * (k - 4)
        )
        frame.new_array("efg", random_tensors(k).reshape(-1, 9) * 0.2)
        frame.info.update(run=f"r{k % 2}", source=f"a.extxyz: frame {k}")
        frames.append(frame)
    return frames


def test_shipped_and_plain_sets_have_nothing_odd():
    assert suspicions(a_set()) == []
    assert suspicions([f for path in shipped_reference() for f in read_reference(path)]) == []


def test_missing_run():
    frames = a_set()
    for frame in frames[2:]:
        del frame.info["run"]
    [line] = suspicions(frames)
    assert "no key 'run' in the header of 6 of 8 frames" in line
    assert "one MD run (a)" in line


def test_one_absurd_force():
    frames = a_set()
    frames[5].calc.results["forces"][3] = [0, 900.0, 0]
    [line] = suspicions(frames)
    assert "a.extxyz: frame 5, atom 3 (S), 900 eV/Å" in line
    assert suspicions(frames, labels=("energy",)) == []


def test_forces_in_another_unit():
    frames = a_set()
    for frame in frames:
        frame.calc.results["forces"] *= 100.0
    assert any("is their unit eV/Å?" in line for line in suspicions(frames))


def test_an_odd_energy():
    frames = a_set()
    frames[2].calc.results["energy"] += 50.0
    [line] = suspicions(frames)
    assert line.startswith("a.extxyz: frame 2: energy 8.04 eV per atom")


@pytest.mark.parametrize(("factor", "words"), [(-1.0, "falls with the volume"), (160.0, "--stress-unit")])
def test_stress_of_the_wrong_sign_or_unit(factor, words):
    frames = a_set()
    for frame in frames:
        frame.calc.results["stress"] *= factor
    [line] = suspicions(frames)
    assert words in line


def test_repeated_frames():
    frames = a_set()
    again = frames[1].copy()
    again.calc = frames[3].calc
    again.info["source"] = "b.extxyz: frame 0"
    [line] = suspicions([*frames, again])
    assert "1 of 9 frames repeat a structure; 1 of them with other energies" in line
    assert "b.extxyz: frame 0, the same as a.extxyz: frame 1" in line


@pytest.mark.parametrize(("factor", "unit"), [(97.17, "au"), (1 / 97.17, "V/A^2")])
def test_coupling_of_lithium_in_the_wrong_unit(factor, unit):
    frames = a_set()
    for frame in frames:
        frame.arrays["efg"] *= factor
    lines = suspicions(frames, unit)
    assert any("is the unit right?" in line for line in lines)


def test_a_real_crystal_is_not_a_duplicate_of_another():
    a, b = load_structure("beta-Li3PS4"), load_structure("gamma-Li3PS4")
    for frame in (a, b):
        frame.info["run"] = "x"
    assert suspicions([a, b]) == []
