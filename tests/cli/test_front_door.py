"""At the front door: questions after a slip, lists of models, progress that fits, figures."""

import matplotlib as mpl
import pytest
from click.testing import CliRunner

from lpsnmr.cli.display import ProgressDisplay, describe
from lpsnmr.cli.main import group
from lpsnmr.data.shipped import find_model, shipped_models
from lpsnmr.errors import InputError
from lpsnmr.report.plots import drawn_as, save_figure
from lpsnmr.report.text import wrote
from lpsnmr.runs.config import RunSettings
from lpsnmr.runs.progress import Status

STATUS = Status(
    stage="equilibration", step=123456789, last_step=223456789, time_ps=123456.7, steps_per_s=12345.6,
    ns_per_day=1234.5, eta_s=360000.0, n_samples=1234567, temperature_k=1234.5, intact=1024,
    n_centers=1024, n_flagged=123456,
)  # fmt: skip


@pytest.mark.parametrize(
    ("word", "meant"), [("analyse", "analyze"), ("fit-ufd", "fit-ufp"), ("model", "models")]
)
def test_commands_spelled_otherwise(word, meant):
    done = CliRunner().invoke(group, [word])
    assert done.exit_code == 2
    assert f"No such command '{word}'. Did you mean {meant}?" in done.output


@pytest.mark.parametrize(
    ("values", "question"),
    [
        ({"md": {"temperature": 3}}, "Did you mean temperature_k?"),
        ({"outptu": {}}, "Did you mean output?"),
        ({"md": {"nucleus": "7Li"}}, "Did you mean species.nucleus?"),
    ],
)
def test_keys_spelled_otherwise(values, question):
    with pytest.raises(InputError, match=question.replace("?", r"\?")):
        RunSettings.checked(**values)


def test_models_are_listed_and_found(tmp_path, monkeypatch):
    done = CliRunner().invoke(group, ["models", "--paths"])
    assert done.output.split() == [str(path) for path in shipped_models()]
    assert "lps.uf3" in CliRunner().invoke(group, ["models"]).output
    monkeypatch.chdir(tmp_path)
    assert find_model("lps.uf3") in shipped_models()
    assert str(find_model("other/lps.uf3")) == "other/lps.uf3"
    (tmp_path / "lps.uf3").write_text("mine")
    assert find_model("lps.uf3").read_text() == "mine"


def test_progress_fits_eighty_columns():
    line = describe(STATUS)
    assert len(line) <= 80
    assert "ETA 100:00:00" in line


def test_progress_comes_often_at_first(monkeypatch, capsys):
    clock = [1000.0]
    monkeypatch.setattr("lpsnmr.cli.display.time.monotonic", lambda: clock[0])
    display = ProgressDisplay()
    for second in range(200):
        clock[0] = 1000.0 + second
        display(STATUS)
    lines = capsys.readouterr().err.splitlines()
    assert 12 <= len(lines) <= 16  # every 6 s for a minute, then each minute


def test_one_line_on_many_files(tmp_path):
    paths = [tmp_path / name for name in ("c.csv", "c.png", "analysis.json")]
    assert wrote(paths) == f"wrote {tmp_path}/analysis.json and 2 more files in {tmp_path}"
    assert wrote(paths[:1]) == f"wrote {paths[0]}"


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_kinds_of_figures(kind, begins, tmp_path):
    from matplotlib.figure import Figure

    with drawn_as(kind, "grayscale"):
        path = save_figure(Figure(), tmp_path / "empty.png")
    assert path.suffix == f".{kind}"
    assert path.read_bytes().startswith(begins)
    assert mpl.rcParams["savefig.format"] == "png"


def test_unknown_style():
    with (
        pytest.raises(InputError, match=r"no style 'greyscale'\. Did you mean grayscale\?"),
        drawn_as(style="greyscale"),
    ):
        pass
