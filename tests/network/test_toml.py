"""Networks by hand, and the command line."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from lpsnmr.cli.predict import command
from lpsnmr.efg.tensors import components_to_tensor, principal_values, quadrupolar_coupling_hz
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.network import read_network

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "networks"
TWO = (EXAMPLES / "two-sites.toml").read_text(encoding="utf-8")


def test_sites_have_the_coupling_they_are_given():
    network, dipolar = read_network(EXAMPLES / "two-sites.toml")
    v_zz, eta, axes = principal_values(components_to_tensor(network.tensors))
    np.testing.assert_allclose(quadrupolar_coupling_hz(v_zz), [60e3, 100e3], rtol=1e-9)
    np.testing.assert_allclose(eta, [0.2, 0.0], atol=1e-9)
    np.testing.assert_allclose(np.abs(axes[:, :, 2]), [[0, 0, 1], [1, 0, 0]], atol=1e-9)
    rates = network.edge_rates(300.0)[0]
    assert rates[0] == pytest.approx(1e12 * np.exp(-0.35 / 8.617333262e-5 / 300.0))
    assert rates[1] / rates[0] == pytest.approx(np.exp(0.05 / 8.617333262e-5 / 300.0))
    assert dipolar.like_khz2 == 2.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('between = ["A", "B"]', 'between = ["A", "C"]', "jumps, entry 1: expected a site of A, B, got 'C'"),
        ("barrier_ev = 0.35", "barrier_ev = 0.01", "ends below B"),
        ("x_axis = [1, 0, 0]", "", "eta = 0.2 needs x_axis"),
        ("eta = 0.2", "eta = 2", "eta"),
        ("prefactor_per_s = 1e12", "prefactor = 1e12", "prefactor"),
        ('name = "B"', 'name = "A"', "the name 'A' twice"),
        ("nucleus = ", "nucleus", "not valid TOML"),
        ("c_q_khz = 100.0", "", "either c_q_khz or tensor"),
        ('"7Li"', '"8Li"', "unknown nucleus"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, old, new, message):
    assert old in TWO
    path = tmp_path / "net.toml"
    path.write_text(TWO.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"net\.toml: ") as error:
        read_network(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_command_writes_what_the_page_says(tmp_path):
    out = tmp_path / "out"
    arguments = [
        "--rates",
        str(EXAMPLES / "linear-chain.toml"),
        "--temperature",
        "250:450:100",
        "-o",
        str(out),
    ]
    result = CliRunner().invoke(command, [*arguments, "--larmor-mhz", "116.6"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "116.6 MHz: the largest 1/T1" in result.output
    names = {"rates.csv", "relaxation.csv", "flanks.csv", "echo.csv", "echo_summary.csv", "width.csv"}
    assert names <= {path.name for path in out.iterdir()}
    rates = np.genfromtxt(out / "rates.csv", delimiter=",", names=True)
    inverse = 1.0 / (8.617333262e-5 * rates["temperature_k"])
    slope = -np.polyfit(inverse, np.log(rates["diffusion_cm2_per_s"]), 1)[0]
    assert slope == pytest.approx(0.40, abs=0.01)
    flank = np.genfromtxt(out / "flanks.csv", delimiter=",", names=True)
    assert 0.15 < flank["cold_ev"] < 0.30


def test_frequencies_follow_from_field_and_nucleus(tmp_path):
    """The field of 155.5 MHz for 7Li is one of 58.87 MHz for 6Li."""
    path = tmp_path / "six.toml"
    path.write_text(TWO.replace('"7Li"', '"6Li"'), encoding="utf-8")
    arguments = ["--rates", str(path), "--temperature", "300", "--no-plots", "-o", str(tmp_path / "out")]
    CliRunner().invoke(command, [*arguments, "--field-t", "9.395"], catch_exceptions=False)
    header = (tmp_path / "out" / "relaxation.csv").read_text().splitlines()[0]
    assert header == "temperature_k,t1_s_58.87mhz,t1rho_s_58.87mhz,t2_s_58.87mhz"


@pytest.mark.parametrize(
    "arguments", [[], ["--rates", "x.toml", "--temperature", "a"], ["--rates", "x", "--evolution-time", "1h"]]
)
def test_bad_options_are_input_errors(arguments):
    with pytest.raises(InputError):
        CliRunner().invoke(command, arguments, catch_exceptions=False)
