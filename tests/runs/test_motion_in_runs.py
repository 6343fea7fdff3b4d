"""Jumps and collective displacement through the sampler, runs, streams and the analysis."""

import json
import subprocess
import sys

import numpy as np
import pytest

from lpsnmr.analysis import analyze_file
from lpsnmr.report.analysis_files import write_analysis
from lpsnmr.sampling import JumpSettings
from lpsnmr.sampling.sampler import Sampler, SamplerState
from lpsnmr.sampling.to_results import build_results
from lpsnmr.trajectory.frames import Frame
from oracles.hopping import Lattice
from support.lpsnmr_runs import results_of, run_here, run_lpsnmr, write_config
from support.results_groups import extra_of
from support.streams import hopping_dump

GROUPS = {"collective_displacement", "jumps_sites", "jumps_displacement", "rotations_ps4"}


class NoTensors:
    sha256, n_flagged = "0" * 64, 0

    def predict_components(self, positions, cell, pbc, numbers, targets):
        return np.random.default_rng(int(1e6 * abs(positions[0, 0]))).normal(size=(len(targets), 5))


@pytest.fixture(scope="module")
def frames():
    """Li hopping over the sites of β-Li3PS4 amid the vibrating framework, all drifting."""
    from lpsnmr.structures import load_structure, supercell

    atoms = supercell(load_structure("beta-Li3PS4"), (1, 2, 2))
    lattice = Lattice.beta((1, 2, 2))
    rng = np.random.default_rng(0)
    _, x, jumps = lattice.walk(rng, 3000, 48, 0.1, 0.01, 0.1)
    lithium = np.flatnonzero(atoms.numbers == 3)
    made = []
    for t, li in enumerate(x):
        positions = atoms.positions + 0.05 * rng.normal(size=(128, 3))
        positions[lithium] = li
        positions += 0.002 * t
        made.append(
            Frame(50 * t, 0.1 * t, atoms.cell[:], (True,) * 3, np.arange(1, 129),
                  atoms.numbers.astype(np.int32), positions, positions)
        )  # fmt: skip
    return made, lattice, jumps


def sampled(frames, size, stop=None, start=None, jumps=None):
    jumps = jumps or JumpSettings(min_stay_ps=1.0, repeats=(1, 2, 2))
    samplers = [
        Sampler(NoTensors(), frames[0].ids, frames[0].numbers, sample_interval_ps=0.1, interval_steps=50,
                jumps=jumps, rank=rank, size=size)
        for rank in range(size)
    ]  # fmt: skip
    begin = 0
    if start is not None:
        begin = start.n_samples
        for rank, sampler in enumerate(samplers):
            sampler.restore(start, rank, size)
    for frame in frames[begin:stop]:
        for sampler in samplers:
            sampler.add(frame)
    return SamplerState.join([sampler.state() for sampler in samplers])


def build(state, numbers):
    return build_results(
        state, numbers, temperature_k=600.0, nucleus="7Li", jump_distance_angstrom=3.25, provenance={},
        statistics={}, jumps=JumpSettings(min_stay_ps=1.0, repeats=(1, 2, 2)),
    )  # fmt: skip


def test_from_frames_to_the_table_of_rates(frames, tmp_path):
    made, lattice, jumps = frames
    results = build(sampled(made, 1), made[0].numbers)
    assert set(extra_of(results)) >= GROUPS
    assert len(results.jumps_sites.sites_fractional) == 48
    results.write(tmp_path / "results.h5")
    done = subprocess.run(
        [sys.executable, "-c", "from lpsnmr.cli.main import run; run()", "analyze", "results.h5", "-o", "out",
         "--bootstrap", "50"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words in ("Rates side by side", "Γ_jump (sites)", "Haven ratio", "S/cm", "recrossings removed"):
        assert words in done.stdout
    numbers = json.loads((tmp_path / "out" / "analysis.json").read_text())
    truth = lattice.mean_rate(0.01) * 1e12
    for group in ("jumps_sites", "jumps_displacement"):
        rate = numbers["motion"][group]["rate_per_s"]
        assert rate["low"] < truth < rate["high"]
    assert numbers["motion"]["jumps_sites"]["n_jumps"] == pytest.approx(jumps, rel=0.05)
    # 6D/a² with the a found: the root mean square length of the jumps
    assert numbers["jump_distance_angstrom"] == pytest.approx(lattice.mean_square_length() ** 0.5, rel=0.03)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {
        "sites.csv",
        "site_pairs.csv",
        "jumps_sites_survival.csv",
        "msd_collective.csv",
        "jumps.png",
    } <= written


@pytest.mark.parametrize(("size", "resumed"), [(1, 1), (2, 1), (3, 2)])
def test_restart_on_other_ranks_gives_the_same(frames, size, resumed):
    made = frames[0][:260]
    whole = sampled(made, 1)
    first = sampled(made, size, stop=133)
    second = sampled(made, resumed, start=first)
    assert whole.motion.keys() == second.motion.keys()
    for name, value in whole.motion.items():
        np.testing.assert_array_equal(second.motion[name], value, err_msg=name)


@pytest.mark.parametrize("ranks", [1, 2])
def test_run_carries_the_groups_through_a_restart(tmp_path, ranks):
    """Stop after the first half, resume: as many windows as in one go, on both numbers of ranks."""
    write_config(tmp_path, production_ps=2.0)
    for part in ("md.production_ps=1.0", "md.production_ps=2.0"):
        done = run_lpsnmr(
            tmp_path,
            "run",
            "run.toml",
            "--set",
            part,
            "--set",
            "jumps.window_ps=0.1",
            "--no-analysis",
            ranks=ranks,
        )
        assert done.returncode == 0, done.stderr
    groups = extra_of(results_of(tmp_path / "out"))
    assert set(groups) >= GROUPS
    assert groups["jumps_displacement"]["windows"] == 20  # 101 samples of 0.02 ps, five a window
    assert groups["collective_displacement"]["counts"][1] == 100


def test_jumps_can_be_left_out(tmp_path):
    write_config(tmp_path)
    run_here(tmp_path, "jumps.follow=false")
    assert not GROUPS & extra_of(results_of(tmp_path / "out")).keys()
    write_analysis(analyze_file(tmp_path / "out"), tmp_path / "analysis", make_plots=False)


def test_known_sites_of_a_stream(tmp_path):
    """The rate between sites from a CIF is the true one; a crystal in another place is refused."""
    import ase.io

    from lpsnmr.analysis.dynamics import analyze_jumps
    from lpsnmr.structures import load_structure

    truth = hopping_dump(tmp_path / "dump", (3.1, -2.0, 1.3)) * 1e12
    crystal = load_structure("beta-Li3PS4")
    ase.io.write(tmp_path / "sites.cif", crystal)
    words = ["stream", "dump", "--timestep-fs", "2", "--no-follow", "--no-echo", "--no-analysis",
             "--min-stay", "0.5", "--accept-outside"]  # fmt: skip
    done = run_lpsnmr(tmp_path, *words, "-o", "known", "--sites", "sites.cif")
    assert done.returncode == 0, done.stderr
    group = results_of(tmp_path / "known").jumps_sites
    found = analyze_jumps(group)
    assert len(group.sites_fractional) == 12
    assert not group.site_founded.any()
    assert found.rate_per_s.low < truth < found.rate_per_s.high
    done = run_lpsnmr(tmp_path, *words, "-o", "known")
    assert done.returncode == 2
    assert "jumps.sites.sha256 was" in done.stderr
    crystal.positions += (1.6, 2.0, 1.5)
    ase.io.write(tmp_path / "moved.extxyz", crystal)
    done = run_lpsnmr(tmp_path, *words, "-o", "moved", "--sites", "moved.extxyz")
    assert done.returncode == 2
    assert "Li of the first frame are within 1.2 Å of a site, expected at least half" in done.stderr


def test_known_sites_of_a_run(tmp_path):
    import ase.io

    from lpsnmr.structures import load_structure

    write_config(tmp_path, production_ps=0.2)
    ase.io.write(tmp_path / "sites.cif", load_structure("beta-Li3PS4"))
    run_here(tmp_path, "jumps.sites='sites.cif'", "jumps.window_ps=0.04", "structure.supercell=[1, 1, 2]")
    group = results_of(tmp_path / "out").jumps_sites
    assert group.windows == 5
    assert len(group.sites_fractional) == 24
    done = run_lpsnmr(tmp_path, "run", "run.toml", "--fresh", "--set", "jumps.sites='absent.cif'")
    assert done.returncode == 2
    assert "absent.cif: no such file" in done.stderr
