"""Errors by run and their intervals, against what they must be by construction."""

import numpy as np
import pytest

from lpsnmr.fitting.errors_table import error_table
from lpsnmr.fitting.rows import FrameRows
from lpsnmr.report.fit_phases import phase_rows
from lpsnmr.units import EV_PER_ANGSTROM3_GPA

RNG = np.random.default_rng(11)
SIGMA = np.array([0.004, 0.1, 0.002])  # eV per atom, eV/Å, eV/Å³
TARGET = np.array([1.0, 0.8, 0.01])


def frame(stress=True):
    """Return the targets of a frame and errors of known size; kinds are energy, force and stress."""
    kind = np.array([0] + [1] * 96 + [2] * 6 * stress)
    target = TARGET[kind] * RNG.normal(size=kind.size)
    return FrameRows(np.zeros((0, kind.size)), target, kind), SIGMA[kind] * RNG.normal(size=kind.size)


def table_of(frames, runs, blocks=None):
    rows, errors = zip(*frames, strict=True)
    return error_table(rows, errors, runs, [300.0] * len(rows), blocks)


def test_intervals_cover_the_size_of_the_errors():
    """Fifty runs of 30 frames: about 95 % of the intervals hold the true size, few of them less."""
    hits = np.zeros(3)
    for _ in range(50):
        row = table_of([frame() for _ in range(30)], ["r"] * 30)[0]
        truth = (1e3 * SIGMA[0], 100 * SIGMA[1] / TARGET[1], EV_PER_ANGSTROM3_GPA * SIGMA[2])
        ends = (row.energy_interval_meV_per_atom, row.force_percent_interval, row.stress_interval_GPa)
        values = (row.energy_meV_per_atom, row.force_percent_of_rms, row.stress_GPa)
        for n, ((low, high), value) in enumerate(zip(ends, values, strict=True)):
            assert low < value < high
            hits[n] += low < truth[n] < high
    assert (hits >= 40).all()


def test_blocks_are_drawn_whole():
    """Frames of a block that are all alike give the interval of as many single frames as there are blocks."""
    single = [frame() for _ in range(5)]
    repeated = [f for f in single for _ in range(4)]
    one = table_of(single, ["r"] * 5)[0]
    blocks = [b for b in range(5) for _ in range(4)]
    many = table_of(repeated, ["r"] * 20, blocks)[0]
    loose = table_of(repeated, ["r"] * 20)[0]
    width = [
        r.energy_interval_meV_per_atom[1] - r.energy_interval_meV_per_atom[0] for r in (one, many, loose)
    ]
    assert many.energy_meV_per_atom == pytest.approx(one.energy_meV_per_atom)
    assert width[1] == pytest.approx(width[0], rel=0.15)
    assert width[2] < 0.7 * width[0]


def test_what_is_not_there_has_no_interval():
    table = table_of([frame(), frame(stress=False), frame(stress=False)], ["a", "b", "b"])
    assert [r.run for r in table] == ["a", "b", "all"]
    assert table[0].force_percent_interval is None
    assert table[0].energy_interval_meV_per_atom is None
    assert table[1].stress_GPa is None
    assert table[1].stress_interval_GPa is None
    assert table[1].energy_interval_meV_per_atom is not None


def test_a_phase_of_the_headers_stands_in_the_row_and_in_the_table_of_phases():
    """Only where the name of the run does not say the same: sidecars of old data keep their bytes."""
    runs = ["b32_300"] * 3 + ["b32_2500"] + ["x"]
    phases = ["amorphous", "amorphous", "β crystal", "melt", "rotator"]
    rows, errors = zip(*[frame() for _ in runs], strict=True)
    table = error_table(rows, errors, runs, [300.0, 300.0, 300.0, 2500.0, None], phases=phases)
    assert [(r.run, r.phase) for r in table] == [
        ("b32_2500", None), ("b32_300", "amorphous"), ("x", "rotator"), ("all", None)
    ]  # fmt: skip
    assert [r.as_dict().get("phase", "-") for r in table] == ["-", "amorphous", "rotator", "-"]
    assert [(r.run, r.frames) for r in phase_rows(table)] == [("melt", 1), ("amorphous", 3), ("rotator", 1)]
    named = error_table(rows, errors, runs, [300.0, 300.0, 300.0, 2500.0, None])
    assert [r.run for r in phase_rows(named)] == ["β crystal", "melt", "other"]
