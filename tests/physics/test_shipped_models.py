"""The shipped models on the shipped crystal: what a user gets out of the box."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lpsnmr.data
from lpsnmr.efg import EfgModel
from lpsnmr.efg.tensors import principal_values, quadrupolar_coupling_hz
from lpsnmr.potential import Ufp, read_uf3, read_ufd
from lpsnmr.potential.provenance import fitted_labels
from lpsnmr.structures import load_structure, supercell
from lpsnmr.trajectory.data_file import write_data_file
from lpsnmr.units import EV_PER_ANGSTROM3_GPA
from support.lammps_runs import run_lmp

MODELS = Path(lpsnmr.data.__file__).parent / "models"
ROOT = Path(__file__).parents[2]

NVE = """units metal
atom_style atomic
atom_modify map yes
read_data data.beta
pair_style ufp 3
pair_coeff * * {potential} Li P S
neighbor 1.0 bin
neigh_modify every 5 delay 0 check yes
compute short all pair ufp
velocity all create 1200 7 mom yes rot no dist gaussian loop all
timestep 0.002
fix bath all langevin 600 600 0.05 9
fix move all nve
run 1000
unfix bath
reset_timestep 0
thermo 250
thermo_style custom step temp etotal press c_short[1] vcm(all,x) atoms
thermo_modify format float %.12g
run 3000
"""


def thermo_table(text):
    """Return the rows of the last thermo output."""
    lines = text.splitlines()
    start = max(i for i, line in enumerate(lines) if line.split()[:2] == ["Step", "Temp"])
    rows = []
    for line in lines[start + 1 :]:
        if line.startswith("Loop"):
            break
        rows.append([float(x) for x in line.split()])
    return np.array(rows)


def test_energy_is_conserved_at_600_k(tmp_path):
    """6 ps of NVE at 2 fs: no drift beyond 1 meV/atom/ns within its error, no pair below the first knot."""
    atoms = supercell(load_structure("beta-Li3PS4"), (1, 1, 2))
    write_data_file(tmp_path / "data.beta", atoms)
    deck = NVE.replace("vcm(all,x) ", "").format(potential=f"{MODELS / 'lps.uf3'} {MODELS / 'lps.ufd'}")
    done = run_lmp(deck, tmp_path, 2)
    assert done.returncode == 0, done.stdout
    table = thermo_table(done.stdout)
    assert len(table) == 13
    assert 450 < table[:, 1].mean() < 750
    energy = table[:, 2] / len(atoms)
    assert np.ptp(energy) < 3e-4  # eV/atom; k_B T is 0.05
    slope, cov = np.polyfit(table[:, 0] * 2e-6, energy, 1, cov=True)  # eV/atom per ns
    assert abs(slope[0]) < 1e-3 + 4 * np.sqrt(cov[0, 0])
    assert not table[:, 4].any()


def test_tensors_of_the_crystal():
    """⁷Li couplings of β-Li3PS4 are tens to a few hundred kHz, and equivalent sites agree."""
    atoms = load_structure("beta-Li3PS4")
    model = EfgModel.default()
    tensors = model.predict(atoms)
    assert tensors.shape == (12, 3, 3)
    v_zz, eta, _ = principal_values(tensors)
    coupling_khz = np.abs(quadrupolar_coupling_hz(v_zz)) * 1e-3
    assert np.all((coupling_khz > 5) & (coupling_khz < 400))
    assert np.all((eta >= 0) & (eta <= 1))
    # Pnma: the eight Li of the general position are one site, the four on 4b another
    np.testing.assert_allclose(coupling_khz[:8], coupling_khz[0], rtol=1e-3)
    np.testing.assert_allclose(coupling_khz[8:], coupling_khz[8], rtol=1e-3)


def test_the_cell_is_that_of_experiment_and_the_sibling_of_plain_pbe_is_too_large():
    """In the published cell of γ, at rest, plain PBE presses outwards more than the shipped potential."""
    for name, labels in (("lps", "pbe+topbesol"), ("lps_pbe", "pbe")):
        assert fitted_labels(json.loads((MODELS / f"{name}.json").read_text())) == labels
    atoms = load_structure("gamma-Li3PS4")
    ours, plain = (
        -float(np.mean(Ufp(MODELS / f"{name}.uf3").predict(atoms).stress[:3])) * EV_PER_ANGSTROM3_GPA
        for name in ("lps", "lps_pbe")
    )
    assert plain - ours > 0.6  # GPa; PBE minus PBEsol is 1.0 in the labelled frames


@pytest.mark.slow
def test_the_shipped_potential_is_what_its_script_makes(tmp_path):
    """Another BLAS may change last digits, nothing more."""
    script = ROOT / "examples" / "inputs" / "fit_lps.sh"
    bin_folder = Path(sys.executable).parent
    subprocess.run(
        ["sh", str(script), str(tmp_path / "lps.uf3")],
        check=True,
        capture_output=True,
        timeout=900,
        env={"PATH": f"{bin_folder}:/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
    )
    again, shipped = read_uf3(tmp_path / "lps.uf3"), read_uf3(MODELS / "lps.uf3")
    assert len(again.pairs) == len(shipped.pairs) == 6
    assert len(again.triples) == len(shipped.triples) == 18
    for ours, theirs in zip(again.pairs + again.triples, shipped.pairs + shipped.triples, strict=True):
        assert ours.elements == theirs.elements
        np.testing.assert_allclose(ours.coefficients, theirs.coefficients, atol=1e-5)
    again, shipped = read_ufd(tmp_path / "lps.ufd"), read_ufd(MODELS / "lps.ufd")
    for ours, theirs in zip(again.blocks, shipped.blocks, strict=True):
        assert ours.center == theirs.center
        np.testing.assert_allclose(ours.coefficients, theirs.coefficients, atol=1e-5)
    data = json.loads((MODELS / "lps.json").read_text())["data"]
    assert data == json.loads((tmp_path / "lps.json").read_text())["data"]
