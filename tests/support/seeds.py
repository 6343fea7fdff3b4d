"""Chance that can be replayed: ``--seed N``, printed, and the same unless one asks for another.

Most tests draw from generators with seeds of their own and do not change. The seed is for hypothesis and for
the tests that take the fixture ``seed``: moments of kills, damages of files.
"""

import secrets
import zlib

import pytest

FIXED = 0


def pytest_addoption(parser):
    parser.addoption(
        "--seed", default=str(FIXED), metavar="N|random",
        help="seed of hypothesis and of tests that draw at random (default: %(default)s, always the same)",
    )  # fmt: skip


def pytest_configure(config):
    """Choose the seed once: the workers of xdist get the number from the options."""
    from hypothesis import settings

    text = config.getoption("seed")
    if text != "random" and not text.isdecimal():
        raise pytest.UsageError(f"--seed: expected a number or random, got {text!r}")
    config.option.seed = str(secrets.randbelow(2**31)) if text == "random" else text
    fixed = number(config) == FIXED
    settings.register_profile("lpsnmr", derandomize=fixed, database=None, print_blob=True)
    settings.load_profile("lpsnmr")
    if not fixed and config.getoption("hypothesis_seed") is None:
        config.option.hypothesis_seed = config.option.seed


def number(config):
    return int(config.getoption("seed"))


def pytest_report_header(config):
    return f"seed: {number(config)} (--seed N or --seed random for others)"


def pytest_terminal_summary(terminalreporter, config):
    if terminalreporter.stats.get("failed") and number(config) != FIXED:
        terminalreporter.write_line(f"seed {number(config)}: the same again with --seed {number(config)}")


@pytest.fixture
def seed(request):
    """A number of this test's own, the same in every run with the same ``--seed``."""
    return (number(request.config) + zlib.crc32(request.node.nodeid.encode())) % 2**31
