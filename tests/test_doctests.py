"""The examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

import lpsnmr

PACKAGE = Path(lpsnmr.__file__).parent
MODULES = [
    ".".join(["lpsnmr", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_module(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0


def test_there_are_examples():
    assert len(MODULES) >= 33
