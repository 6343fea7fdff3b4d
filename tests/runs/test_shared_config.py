"""One configuration for a run and for the stream of its dump; options before it, or without a meaning."""

import json

import numpy as np
import pytest

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.results.results import Results
from lpsnmr.runs.config import load_config
from lpsnmr.runs.live import read_status
from lpsnmr.runs.prepare_stream import prepare_stream
from lpsnmr.runs.stream import stream_dumps
from support.lpsnmr_runs import results_of, run_here, run_lpsnmr
from support.results_groups import extra_of
from support.streams import dump_frames, hopping_dump

SHARED = """
[structure]
supercell = [1, 1, 1]
[potential]
commands = ["pair_style lj/cut 5.0", "pair_coeff * * 0.02 1.9"]
[md]
temperature_k = 600
timestep_fs = 1.0
equilibration_ps = 0
production_ps = 0.4
[sampling]
interval_ps = 0.02
window_ps = 0.06
evolution_times_us = [3]
orientation_degree = 11
field_directions = [[0, 1, 1]]
[jumps]
window_ps = 0.1
min_stay_ps = 0.2
learn_ps = 0.2
[output]
folder = "out"
tensors_ps = 0.1
[stream]
follow = false
"""


def write_shared(folder):
    (folder / "shared.toml").write_text(SHARED)
    (folder / "run.toml").write_text(SHARED)
    return folder / "shared.toml"


def test_a_stream_of_the_dump_of_a_run_gives_its_results(tmp_path):
    """The run goes through a deck that dumps twice as often; the same file serves both."""
    from lpsnmr.structures import load_structure
    from lpsnmr.trajectory.data_file import write_data_file

    write_shared(tmp_path)
    write_data_file(tmp_path / "structure.data", load_structure("beta-Li3PS4"))
    (tmp_path / "deck.in").write_text(
        "units metal\natom_style atomic\natom_modify map array\nread_data structure.data\n"
        "velocity all create 600 11 mom yes\npair_style lj/cut 5.0\npair_coeff * * 0.02 1.9\nfix 1 all nve\n"
        "timestep 0.001\ndump d all custom 10 dump.deck id element xu yu zu\n"
        "dump_modify d element Li P S units yes format float %20.15g\n"
    )
    deck = ("md.input=deck.in", "md.elements=['Li', 'P', 'S']", "jumps.distance_angstrom=3.3")
    run_here(tmp_path, *deck)
    words = ["--config", "shared.toml", "-o", "streamed", "--no-analysis", "--jump-distance", "3.3"]
    done = run_lpsnmr(tmp_path, "stream", "dump.deck", *words)
    assert done.returncode == 0, done.stderr
    a, b = results_of(tmp_path / "out"), results_of(tmp_path / "streamed")
    assert a.n_samples == b.n_samples == 21
    assert a.sample_interval_ps == pytest.approx(b.sample_interval_ps)
    assert (a.temperature_k, a.jump_distance_angstrom) == (b.temperature_k, b.jump_distance_angstrom)
    np.testing.assert_allclose(a.efg_correlation.values, b.efg_correlation.values, rtol=1e-9)
    np.testing.assert_allclose(a.displacement.values, b.displacement.values, atol=1e-9)
    here, there = extra_of(a), extra_of(b)
    assert here.keys() == there.keys() >= {"echo", "direction_0", "jumps_sites"}
    for group in ("echo", "direction_0", "tensor_samples"):
        for name, value in here[group].items():
            np.testing.assert_allclose(there[group][name], value, rtol=1e-8, atol=1e-9, err_msg=name)
    status = read_status(tmp_path / "streamed")
    assert (status.state, status.status.n_samples, status.status.eta_s) == ("end of file", 21, None)


def test_what_a_stream_takes_from_a_shared_file(tmp_path):
    path = write_shared(tmp_path)
    shared = prepare_stream(load_config(path, command="stream"))
    assert (shared.grid.timestep_fs, shared.recipe.temperature_k, shared.grid.every) == (1.0, 600.0, None)
    assert shared.recipe.jump_distance_angstrom == pytest.approx(3.25, abs=0.05)
    own = ["stream.timestep_fs=2", "stream.temperature_k=650", "stream.every=3", "jumps.repeats=[1, 2, 2]"]
    own = prepare_stream(load_config(path, own, "stream"))
    assert (own.grid.timestep_fs, own.recipe.temperature_k, own.grid.every) == (2.0, 650.0, 3)
    assert own.recipe.jumps.unit_cells == (1, 2, 2)
    bare = prepare_stream(load_config(None, command="stream"))
    assert (bare.grid.timestep_fs, bare.recipe.temperature_k, bare.grid.every) == (None, None, 1)
    assert (bare.structure, bare.recipe.repeats) == (None, (1, 1, 1))


def stream(path, folder, *overrides, config=None):
    words = [f"output.folder={folder}", "stream.follow=false", "stream.timestep_fs=2", *overrides]
    outcome = stream_dumps([path], load_config(config, words, "stream"))
    return outcome, Results.read(folder / "results.h5")


def test_the_sampling_interval_thins_a_dump(tmp_path):
    """Frames every 0.02 ps, samples every 0.06 ps, in one go and in two: as --every 3."""
    texts = dump_frames(20)
    (tmp_path / "dump").write_text("".join(texts))
    by_count = stream(tmp_path / "dump", tmp_path / "a", "stream.every=3")[1]
    by_time = stream(tmp_path / "dump", tmp_path / "b", "sampling.interval_ps=0.06")[1]
    (tmp_path / "first").write_text("".join(texts[:8]))
    stream(tmp_path / "first", tmp_path / "c", "sampling.interval_ps=0.06")
    resumed = stream(tmp_path / "dump", tmp_path / "c", "sampling.interval_ps=0.06")[1]
    for found in (by_time, resumed):
        assert (found.n_samples, found.sample_interval_ps) == (7, pytest.approx(0.06))
        np.testing.assert_array_equal(found.efg_correlation.values, by_count.efg_correlation.values)
    with pytest.raises(InputError, match=r"0\.02 ps apart; expected sampling\.interval_ps to be a multiple"):
        stream(tmp_path / "dump", tmp_path / "d", "sampling.interval_ps=0.05")


def test_a_dump_of_other_atoms_than_the_file_names(tmp_path):
    (tmp_path / "dump").write_text("".join(dump_frames(3)))
    with pytest.raises(InputError, match="repeated 1 × 2 × 2, Li48 P16 S64, got Li12 P4 S16"):
        stream(tmp_path / "dump", tmp_path / "out", "structure.file=beta-Li3PS4")


def test_the_jump_distance_that_was_given_goes_before_the_one_found(tmp_path):
    hopping_dump(tmp_path / "dump", (0.0, 0.0, 0.0), n=1200)
    words = [
        "stream",
        "dump",
        "--timestep-fs",
        "2",
        "--no-follow",
        "--no-echo",
        "--min-stay",
        "0.5",
        "--accept-outside",
    ]
    for more in ([], ["--jump-distance", "2.5"]):
        done = run_lpsnmr(tmp_path, *words, *more, "-o", "out", "--fresh")
        assert done.returncode == 0, done.stderr
        used = json.loads((tmp_path / "out" / "analysis" / "analysis.json").read_text())
        assert (used["jump_distance_angstrom"] == 2.5) == bool(more)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no-echo", "--evolution-time", "3"], "--evolution-time: not used with --no-echo"),
        (
            ["--no-echo", "--orientation-degree", "11"],
            "sampling.orientation_degree: not used without evolution",
        ),
        (["--no-jumps", "--sites", "x.cif"], "jumps.sites: not used with jumps.follow = false"),
        (["--every", "2", "--set", "stream.every=3"], "stream.every: given by --set and by its short form"),
        (["--set", "md.seed=3"], "md.seed: not used by lpsnmr stream"),
        (["--set", "output.thermo_ps=3"], "output.thermo_ps: not used by lpsnmr stream"),
        (["--timestep-fs", "0.002"], "stream.timestep_fs: expected greater than or equal to 0.05, got 0.002"),
        (["--config", "absent.toml"], "absent.toml: cannot read the configuration"),
    ],
)
def test_options_that_would_not_be_used_are_refused(tmp_path, words, message):
    from click.testing import CliRunner

    from lpsnmr.cli.stream import command

    (tmp_path / "dump").write_text("".join(dump_frames(3)))
    error = (
        CliRunner().invoke(command, [str(tmp_path / "dump"), "-o", str(tmp_path / "out"), *words]).exception
    )
    assert isinstance(error, InputError | FileFormatError)
    assert message in str(error)
    assert "\n" not in str(error)
    assert not (tmp_path / "out").exists()


def test_every_short_form_goes_before_the_file(tmp_path):
    """Each option changes the key it names, and no other."""
    from lpsnmr.cli.stream import SHORT, _short_forms

    path = write_shared(tmp_path)
    values = {
        "output": "o", "model": "m.efg", "elements": ["Li", "P", "S"], "timestep_fs": 1.5,
        "temperature_k": 651.0, "from_step": 7, "every": 2, "frames": 9, "follow": True, "idle_s": 3.0,
        "nucleus": "6Li", "window_ps": 0.7, "evolution_time": (4.0,), "orientation_degree": 13,
        "field_direction": ((1.0, 0.0, 0.0),), "tensors_ps": 0.3, "jump_distance": 2.9, "points_per_level": 8,
        "jumps": False, "supercell": (1, 1, 2), "sites": "s.cif", "jump_window": 0.3, "min_stay": 0.9,
        "core_radius": 0.6, "jump_displacement": 1.1, "checkpoint_min": 2.0,
        "frame_ps": 0.2, "units": "real", "topology": "t.data", "join": "append", "tensors": False,
        "accept_outside": True,
    }  # fmt: skip
    assert values.keys() == SHORT.keys()
    before = load_config(path, command="stream").model_dump(mode="json")
    for name, value in values.items():
        (override,) = _short_forms({name: value}, False, [])
        after = load_config(path, [override], "stream").model_dump(mode="json")
        section, _, key = SHORT[name].partition(".")
        assert after[section][key] == json.loads(json.dumps(value)), name
        after[section][key] = before[section][key]
        assert after == before, name
