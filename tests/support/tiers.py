"""The two tiers: all tests, and with ``--quick`` those that answer while one works.

Loaded by ``conftest.py``; ``TIERS`` is what the header prints and what the documentation says.
"""

import os

import pytest

TIERS = {
    "all": "every test: LAMMPS on 1, 2 and 4 ranks, kills and full disks, all instruction sets of this"
    " processor, GPAW where it is installed, statistics of many runs",
    "quick": "unit tests, doctests, the command line, decks in LAMMPS; one instruction set",
}
LEFT_OUT = {
    "slow": "longer than about four seconds",
    "gpaw": "GPAW itself",
    "ranks": "the same on more MPI ranks",
    "process": "processes of their own: kills, signals, full disks, scripts",
    "simd": "other instruction sets than the best",
}
"""Marker: what ``--quick`` leaves out. A ``ranks`` parameter and ``each_simd`` are marked by themselves."""


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help=f"the quick tier: {TIERS['quick']}")


def pytest_configure(config):
    for name, what in LEFT_OUT.items():
        config.addinivalue_line("markers", f"{name}: {what}; not in the quick tier")


def pytest_report_header(config):
    tier = "quick" if config.getoption("quick") else "all"
    lines = [f"tier: {tier} ({TIERS[tier]})"]
    if tier == "quick":
        lines.append("left out: " + "; ".join(LEFT_OUT.values()))
    gpaw = os.environ.get("LPSNMR_REQUIRE_GPAW", "") not in ("", "0")
    return [*lines, f"GPAW: {'required' if gpaw else 'tested where it is found'}"]


def mark_by_parameters(item):
    parameters = getattr(item, "callspec", None)
    if parameters is None:
        return
    if parameters.params.get("ranks", 1) > 1:
        item.add_marker("ranks")
    if "each_simd" in parameters.params:
        from lpsnmr._core import available_simd

        if parameters.params["each_simd"] != available_simd()[0]:
            item.add_marker("simd")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Mark, choose the tier, and put the long tests first, so that no worker ends with one alone."""
    for item in items:
        mark_by_parameters(item)
    if config.getoption("quick"):
        chosen = [item for item in items if not any(map(item.get_closest_marker, LEFT_OUT))]
        kept = set(chosen)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = chosen
    items.sort(key=lambda item: not (item.get_closest_marker("gpaw") or item.get_closest_marker("slow")))
