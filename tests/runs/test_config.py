"""The configuration file."""

import pytest

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.runs.config import RunSettings, example_config, load_config
from lpsnmr.runs.prepare import steps_between_samples


def test_example_is_the_defaults(tmp_path):
    path = tmp_path / "example.toml"
    path.write_text(example_config())
    loaded = load_config(path)
    expected = load_config(None, [f"output.folder={tmp_path / 'results'}"])
    assert loaded == expected
    for section in RunSettings.model_fields:
        assert f"[{section}]" in example_config()


def test_paths_are_relative_to_the_file(tmp_path):
    (tmp_path / "my.uf3").touch()
    path = tmp_path / "run.toml"
    path.write_text('[potential]\nfile = "my.uf3"\n[output]\nfolder = "out"\n')
    settings = load_config(path)
    assert settings.potential.file == str(tmp_path / "my.uf3")
    assert settings.output.folder == tmp_path / "out"
    assert settings.structure.file == "beta-Li3PS4"


def test_overrides(tmp_path):
    settings = load_config(
        None, ["md.temperature_k=800", "structure.file=gamma-Li3PS4", "structure.supercell=[2, 2, 2]"]
    )
    assert settings.md.temperature_k == 800.0
    assert settings.structure.file == "gamma-Li3PS4"
    assert settings.structure.supercell == (2, 2, 2)
    for bad in ("md.temperature_k", "temperature=3", "md.=3"):
        with pytest.raises(InputError, match=r"section\.key=value"):
            load_config(None, [bad])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[md]\ntemperature = 3", r"unknown key md\.temperature; known: temperature_k"),
        ("[mdd]\n", r"unknown key mdd; known: structure, species, potential"),
        ("[md]\ntemperature_k = -3", r"md\.temperature_k: .*greater than 0, got -3"),
        ('[md]\nensemble = "npt"', r"md\.ensemble: .*'nvt' or 'nve', got 'npt'"),
        ("[structure]\nsupercell = [1, 2]", r"structure\.supercell"),
        ('[efg]\nnucleus = "23Na"', r"efg\.nucleus: .*expected an isotope of Li.* got '23Na'"),
        ('[efg]\nnucleus = "8Li"', r"efg\.nucleus: .*unknown nucleus '8Li'"),
        ("[sampling]\npoints_per_level = 3", r"points_per_level: .*multiple of 2, got 3"),
        ("[md]\ntimestep_fs = 0.002", r"md\.timestep_fs: expected .*0\.05, got 0\.002 \(MD time step, fs\)$"),
        ("[md]\ntimestep_fs = 20", r"md\.timestep_fs: expected .*10, got 20"),
        ("[md]\ntemperature_k = 1e5", r"md\.temperature_k: expected .*10000, got 100000"),
        ("[md\n", "not a TOML file"),
    ],
)
def test_bad_files(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        load_config(path)
    assert "bad.toml" in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(FileFormatError, match="cannot read"):
        load_config(tmp_path / "absent.toml")


def test_sampling_interval_must_fit_the_time_step():
    assert steps_between_samples(load_config(None, ["sampling.interval_ps=0.1"])) == 50
    with pytest.raises(InputError, match="not a multiple"):
        steps_between_samples(load_config(None, ["sampling.interval_ps=0.003"]))
    with pytest.raises(InputError, match="shorter"):
        steps_between_samples(load_config(None, ["md.production_ps=0.05"]))


def test_fingerprint_ignores_only_what_may_change():
    base = load_config(None).fingerprint()
    assert load_config(None, ["md.production_ps=9", "output.checkpoint_min=1"]).fingerprint() == base
    assert load_config(None, ["md.seed=3"]).fingerprint() != base
    assert load_config(None, ["sampling.interval_ps=0.2"]).fingerprint() != base


def test_a_file_may_serve_a_stream_too_but_an_override_must_be_used(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[stream]\nframes = 9\n")
    assert load_config(path).fingerprint() == load_config(None).fingerprint()
    with pytest.raises(InputError, match=r"stream\.frames: not used by lpsnmr run"):
        load_config(path, ["stream.frames=3"])


def test_old_checkpoints_know_no_repeats():
    """The key counts only where it is given."""
    assert "jumps.repeats" not in load_config(None).fingerprint()
    assert load_config(None, ["jumps.repeats=[1, 1, 2]"]).fingerprint()["jumps.repeats"] == "[1, 1, 2]"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["md.equilibration=nvt", "md.pressure_bar=100"],
            "md.pressure_bar: not used without an npt equilibration",
        ),
        (
            ["md.equilibration_ps=0", "md.pressure_bar=100"],
            "md.pressure_bar: not used without an npt equilibration",
        ),
        (["md.ensemble=nve", "md.thermostat=langevin"], 'md.thermostat: not used with md.ensemble = "nve"'),
        (["md.elements=['Li']"], "md.elements: not used without md.input"),
        (["md.input=in.lmp", "structure.file=x.cif"], "structure.file: not used with md.input"),
        (["md.input=in.lmp", "md.seed=3"], "md.seed: not used with md.input"),
        (
            ["potential.commands=['pair_style zero 5']", "potential.file=a.uf3"],
            "potential.file: not used with",
        ),
        (["jumps.follow=false", "jumps.min_stay_ps=3"], "jumps.min_stay_ps: not used with jumps.follow"),
    ],
)
def test_an_override_that_would_not_be_used_is_refused(tmp_path, overrides, words):
    """In a file it may stay, which then serves several commands."""
    with pytest.raises(InputError, match=words):
        load_config(None, overrides)
    load_config(None, ["md.equilibration=npt", "md.pressure_bar=100"])
    load_config(None, ["md.pressure_bar=100"])  # the cell of a pressure is the default
