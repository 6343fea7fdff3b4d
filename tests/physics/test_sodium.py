"""Another nucleus by commands alone: 23Na in Na3PS4, from labels of tensors to T1."""

import json

import ase.io
import numpy as np
import pytest
from ase.neighborlist import neighbor_list
from ase.spacegroup import crystal
from click.testing import CliRunner

from lpsnmr.analysis.nmr.relaxation import relaxation_rate
from lpsnmr.cli.main import group as main
from lpsnmr.efg import EfgModel
from lpsnmr.efg.quadrupolar import frequency_correlation
from lpsnmr.nuclides import larmor_mhz_at
from lpsnmr.results import Results

CHARGES = {11: 0.8, 15: 1.2, 16: -0.9}
CELL = [6.9965] * 3 + [90] * 3
CUTOFF, SWAPS_PER_PS, FRAME_PS, FRAMES = 5.0, 6.0, 0.2, 900
FIELD_T = 9.4


def sodium_thiophosphate():
    """Cubic Na3PS4, I-43m (M. Jansen, U. Henseler, J. Solid State Chem. 99, 110 (1992)), 16 atoms."""
    return crystal(
        ["Na", "P", "S"],
        [(0, 0.5, 0.5), (0, 0, 0), (0.1648,) * 3],
        spacegroup=217,
        cellpar=[6.9965] * 3 + [90] * 3,
    )


def label(atoms):
    """Tensors of screened charges of all neighbours, V/Å²."""
    first, second, vectors = neighbor_list("ijD", atoms, CUTOFF)
    d = np.linalg.norm(vectors, axis=1)
    strength = np.array([CHARGES[z] for z in atoms.numbers])[second] * (1 - (d / CUTOFF) ** 2) ** 3 / d**3
    unit = vectors / d[:, None]
    parts = 14.4 * strength[:, None, None] * (3 * np.einsum("na,nb->nab", unit, unit) - np.eye(3))
    tensors = np.zeros((len(atoms), 3, 3))
    np.add.at(tensors, first, parts)
    return tensors


def reference(path):
    frames = []
    for k in range(24):
        atoms = sodium_thiophosphate()
        atoms.rattle(0.1, seed=k)
        atoms.arrays["efg"] = label(atoms).reshape(-1, 9)
        atoms.info.update(run=f"run{k % 4}", run_step=100 * k, run_T=500.0, efg_unit="V/A^2")
        frames.append(atoms)
    ase.io.write(path, frames)


def trajectory(path):
    """Na that change places with neighbours: each swap exchanges two, sites differ in their axes."""
    rng = np.random.default_rng(1)
    atoms = sodium_thiophosphate().repeat(2)
    sodium = np.flatnonzero(atoms.numbers == 11)
    sites = atoms.positions[sodium]
    distances = atoms.get_all_distances(mic=True)[np.ix_(sodium, sodium)]
    pairs = np.argwhere((distances < 4.0) & (distances > 0))
    place = np.arange(len(sodium))  # which Na is at each site
    frames = []
    for _ in range(FRAMES):
        moved = set()
        for a, b in pairs[rng.integers(0, len(pairs), rng.poisson(SWAPS_PER_PS * FRAME_PS))]:
            if not {a, b} & moved:  # once per frame, so that positions can be unwrapped
                place[[a, b]] = place[[b, a]]
                moved |= {a, b}
        frame = atoms.copy()
        frame.positions[sodium[place]] = sites
        frame.positions += rng.normal(scale=0.03, size=frame.positions.shape)
        frames.append(frame)
    ase.io.write(path, frames)


def lpsnmr(*words):
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_from_labels_to_t1(tmp_path):
    reference(tmp_path / "na3ps4.extxyz")
    model = tmp_path / "na.efg"
    lpsnmr("fit-efg", tmp_path / "na3ps4.extxyz", "-o", model, "--pair", 12, CUTOFF, "--chain", 0, 4.0,
           "--triple", 0, 4.0, "--field-cutoff", 0, "-q")  # fmt: skip
    assert EfgModel.load(model).targets.keys() == {"Na"}  # the most electropositive of the data
    told = json.loads(model.with_suffix(".fit.json").read_text())["targets"]["Na"]
    assert told["nucleus"] == "23Na"
    assert told["held_out_errors"]["all"]["component_rmse_percent"] < 5.0
    trajectory(tmp_path / "walk.extxyz")
    (tmp_path / "na.toml").write_text(
        f'[species]\nmobile = "Na"\n[efg]\nmodel = "{model}"\n[stream]\nframe_ps = {FRAME_PS}\n'
        "follow = false\naccept_outside = true\ntemperature_k = 500.0\n[sampling]\nevolution_times_us = []\n"
    )
    out = tmp_path / "out"
    lpsnmr("stream", tmp_path / "walk.extxyz", "--config", tmp_path / "na.toml", "-o", out, "--no-analysis")
    lpsnmr("analyze", out, "-o", tmp_path / "analysis", "--field-t", FIELD_T, "--bootstrap", 60, "--no-plots")
    results = Results.read(out / "results.h5")
    assert (results.mobile, results.nucleus, results.n_li) == ("Na", "23Na", 48)
    assert results.rotations.keys() == {"ps4"}
    found = json.loads((tmp_path / "analysis" / "analysis.json").read_text())
    larmor = larmor_mhz_at(FIELD_T, "23Na")
    assert larmor == pytest.approx(105.9, abs=0.1)
    # a swap moves two of 48; it turns the axis, but where it finds the same one: cubic average of C(t) to 0
    ideal = sodium_thiophosphate()
    tensor = label(ideal)[ideal.numbers == 11][0]
    c0 = float(frequency_correlation(np.trace(tensor @ tensor), "23Na"))
    tau_ps = found["nmr_decay"]["tau_mean_ps"]["value"]
    # an exchange with one of two unlike axes: memory is lost with 3/2 of the rate 2 SWAPS/48 of an ion
    assert tau_ps == pytest.approx(48 / (2 * SWAPS_PER_PS) / 1.5, rel=0.25)
    w = 2e6 * np.pi * larmor
    tau = tau_ps * 1e-12
    rate = float(relaxation_rate(*(c0 * tau / (1 + (k * w * tau) ** 2) for k in (1, 2)), "23Na"))
    relaxation = found["nmr"]["relaxation"][0]
    assert relaxation["larmor_mhz"] == larmor
    assert relaxation["rate_per_s"]["value"] == pytest.approx(rate, rel=0.3)
    assert relaxation["shares"] == pytest.approx([0.2, 0.8])
