"""Runs and streams of other materials: salts with charges, any framework, slabs and cells that move."""

import ase.io
import numpy as np
import pytest
from ase.build import bulk

from lpsnmr.analysis import analyze
from lpsnmr.errors import ComputeError, InputError
from lpsnmr.md.local_samples import LocalSamples
from lpsnmr.runs.config import load_config
from lpsnmr.runs.prepare import prepare_run
from lpsnmr.runs.run import run_md
from lpsnmr.runs.stream import stream_dumps
from lpsnmr.structures import load_structure
from lpsnmr.trajectory.data_file import write_data_file
from support.lpsnmr_runs import results_of, run_here, write_config
from support.results_groups import extra_of

# numbers of no importance here: the ions only have to stay apart
SALT = """
[structure]
file = "{name}.cif"
supercell = [2, 2, 2]
[species]
mobile = "{mobile}"
{species}
[potential]
commands = ["pair_style born/coul/long 5.0", "pair_coeff * * 0.25 0.33 2.4 0.0 0.0"]
charges = {charges}
kspace_style = "pppm 1e-4"
[efg]
model = "none"
[md]
temperature_k = 300.0
timestep_fs = 1.0
equilibration = "nvt"
equilibration_ps = 0.1
production_ps = 1.0
[jumps]
window_ps = 0.2
learn_ps = 0.5
[output]
folder = "out"
"""
SALTS = {
    "LiCl": (5.13, "Li", "{Li = 1.0, Cl = -1.0}", ""),
    "NaF": (4.63, "Na", "{Na = 1.0, F = -1.0}", 'nucleus = "23Na"'),
    "MgO": (4.21, "Mg", "{Mg = 2.0, O = -2.0}", "charge = 2.0\nspin = 2.5\nquadrupole_barn = 0.2"),
}
NUCLEI = {"LiCl": "7Li", "NaF": "23Na", "MgO": "25Mg Q=0.2 I=2.5"}


def salt(folder, name):
    a, mobile, charges, species = SALTS[name]
    ase.io.write(folder / f"{name}.cif", bulk(name, "rocksalt", a=a, cubic=True))
    path = folder / "salt.toml"
    path.write_text(SALT.format(name=name, mobile=mobile, charges=charges, species=species))
    return path


@pytest.mark.parametrize("name", SALTS)
def test_a_salt_runs_from_its_crystal(tmp_path, name):
    """Deck with charges and a long-range solver, no polyhedra, no EFG model."""
    told = []
    outcome = run_md(load_config(salt(tmp_path, name)), notify=told.append)
    assert outcome.n_samples == 11
    results = results_of(tmp_path / "out")
    assert (results.mobile, results.nucleus) == (SALTS[name][1], NUCLEI[name])
    assert results.charge == (2.0 if name == "MgO" else 1.0)
    assert results.drift_removed
    assert results.n_li == 32
    assert results.rotations == {}
    assert 100.0 < results.best_temperature_k < 2000.0
    assert told == []
    analysis = analyze(results)
    assert not any("not computed" in str(note) for note in analysis.notes)


def test_charges_that_do_not_fit_are_refused_before_any_md(tmp_path):
    path = salt(tmp_path, "LiCl")
    for key, words in (
        ("potential.charges={Li = 1.0}", "none for Cl"),
        ("potential.charges={Li = 1.0, Cl = -0.9}", r"neutral.*\+3.2 e"),
    ):
        with pytest.raises(InputError, match=words):
            prepare_run(load_config(path, [key]))
    with pytest.raises(InputError, match="expected charges too"):
        load_config(path, ["potential.charges={}"])


def test_elements_of_model_potential_and_structure_are_compared_before_any_md(tmp_path):
    path = salt(tmp_path, "LiCl")
    with pytest.raises(InputError, match="EFG model does not know Cl"):
        prepare_run(load_config(path, ["efg.model=default"]))
    with pytest.raises(InputError, match="holds no Na"):
        prepare_run(load_config(path, ["species.mobile=Na"]))
    text = path.read_text()
    path.write_text(text[: text.index("[potential]")] + text[text.index("[efg]") :])
    with pytest.raises(InputError, match=r"potential lps\.uf3 does not know Cl"):
        prepare_run(load_config(path))


def walk(folder, drift, mobile_only=False):
    """Write frames of LiCl whose Li wander, all atoms drifting by ``drift`` Å per frame."""
    atoms = bulk("LiCl", "rocksalt", a=5.13, cubic=True).repeat(2)
    rng = np.random.default_rng(3)
    li = atoms.numbers == 3
    if mobile_only:
        atoms = atoms[li]
        li = np.ones(len(atoms), dtype=bool)
    frames = []
    steps = np.cumsum(rng.normal(scale=0.12, size=(300, li.sum(), 3)), axis=0)
    for k in range(300):
        frame = atoms.copy()
        frame.positions[li] += steps[k]
        frame.positions += drift * k
        frame.wrap()
        frames.append(frame)
    name = folder / f"walk{drift}.extxyz"
    ase.io.write(name, frames)
    return name


def settings(folder, *more):
    words = [
        f'output.folder="{folder}"',
        "stream.tensors=false",
        "stream.follow=false",
        "stream.frame_ps=0.1",
    ]
    return load_config(None, [*words, *more], "stream")


def test_drift_of_a_salt_is_taken_off(tmp_path):
    """The framework is everything but Li: a drift of 0.5 Å/ps changes nothing."""
    found = []
    for drift in (0.0, 0.05):
        folder = tmp_path / f"out{drift}"
        stream_dumps([walk(tmp_path, drift)], settings(folder))
        found.append(results_of(folder))
    still, drifting = found
    assert still.drift_removed
    np.testing.assert_allclose(drifting.displacement.values, still.displacement.values, rtol=1e-6, atol=1e-6)
    for group in ("jumps_displacement", "collective_displacement"):
        for key, value in extra_of(still)[group].items():
            np.testing.assert_allclose(extra_of(drifting)[group][key], value, rtol=1e-6, atol=1e-6)


def test_no_framework_is_said(tmp_path):
    told = []
    folder = tmp_path / "out"
    stream_dumps([walk(tmp_path, 0.0, mobile_only=True)], settings(folder), notify=told.append)
    assert any("no framework: no atoms but Li" in line for line in told)
    results = results_of(folder)
    assert not results.drift_removed
    assert any("no framework" in str(note) for note in analyze(results).notes)


def test_broken_units_are_a_warning(tmp_path):
    crystal = load_structure("beta-Li3PS4")
    del crystal[[int(np.flatnonzero(crystal.numbers == 16)[0])]]
    ase.io.write(tmp_path / "broken.cif", crystal)
    prepared = prepare_run(
        load_config(None, [f"structure.file={tmp_path / 'broken.cif'}", "structure.supercell=[1, 1, 1]"])
    )
    assert any("3 of 4 centres are whole PS4" in note for note in prepared.notes)


HEAD = """units metal
atom_style atomic
atom_modify map array
boundary {boundary}
read_data structure.data
pair_style lj/cut 5.0
pair_coeff * * 0.02 1.9
timestep 0.002
"""


def deck(folder, boundary, lines):
    write_config(folder, equilibration_ps=0, production_ps=0.4)
    crystal = load_structure("beta-Li3PS4")
    if "p p p" not in boundary:
        crystal.center(vacuum=4.0, axis=2)
        crystal.pbc = True
    write_data_file(folder / "structure.data", crystal, ["Li", "P", "S"])
    (folder / "in.lmp").write_text(HEAD.format(boundary=boundary) + lines)
    return (f"md.input={folder / 'in.lmp'}", "md.elements=['Li', 'P', 'S']", "sampling.interval_ps=0.02",
            "jumps.window_ps=0.1", "output.tensors_ps=0.02")  # fmt: skip


def refuse(self, *arguments, **options):
    raise ComputeError("not here")


def test_a_slab_has_no_periodic_images_in_any_sample(tmp_path, monkeypatch):
    """The first sample and all of the gathered path are predicted with the boundaries of the deck."""
    lines = "velocity all create 300 1 mom yes\nfix 1 all nve\n"
    words = deck(tmp_path, "p p f", lines)
    monkeypatch.chdir(tmp_path)
    run_here(tmp_path, *words, f"output.folder={tmp_path / 'here'}")
    monkeypatch.setattr(LocalSamples, "__init__", refuse)
    run_here(tmp_path, *words, f"output.folder={tmp_path / 'there'}")
    a, b = results_of(tmp_path / "here"), results_of(tmp_path / "there")
    np.testing.assert_allclose(a.efg_correlation.values, b.efg_correlation.values, rtol=1e-8)
    # frozen atoms: every sample is the same, the first too
    words = deck(tmp_path, "p p f", "")
    for name in ("still", "gathered"):
        if name == "still":
            monkeypatch.undo()
        else:
            monkeypatch.setattr(LocalSamples, "__init__", refuse)
        monkeypatch.chdir(tmp_path)
        run_here(tmp_path, *words, f"output.folder={tmp_path / name}")
        values = results_of(tmp_path / name).efg_correlation.values
        np.testing.assert_allclose(values, np.broadcast_to(values[0], values.shape), rtol=1e-9)


@pytest.mark.parametrize("gathered", [False, True])
def test_a_breathing_cell_moves_no_ion(tmp_path, monkeypatch, gathered):
    """Atoms that only follow a cell that is deformed have not diffused."""
    words = deck(tmp_path, "p p p", "fix 1 all deform 1 x wiggle 0.6 0.3 y wiggle 0.5 0.21 remap x\n")
    monkeypatch.chdir(tmp_path)
    if gathered:
        monkeypatch.setattr(LocalSamples, "__init__", refuse)
    run_here(tmp_path, *words)
    results = results_of(tmp_path / "out")
    assert results.displacement.values.max() < 1e-6
    together = results.collective_displacement.lags.values
    assert together.max() < 1e-6


def test_a_slab_whose_cell_moves_is_refused(tmp_path, monkeypatch):
    words = deck(tmp_path, "p p f", "fix 1 all deform 1 x wiggle 0.6 0.3 remap x\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="boundaries are not all periodic"):
        run_here(tmp_path, *words)
