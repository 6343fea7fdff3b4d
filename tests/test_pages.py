"""What pages tell the reader to import is there."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IMPORT = re.compile(r"^\s*from (lpsnmr[\w.]*) import ([\w, ]+)", re.MULTILINE)


def imports():
    for page in PAGES:
        if page.name == "CHANGELOG.md":
            continue
        for module, names in IMPORT.findall(page.read_text(encoding="utf-8")):
            for name in map(str.strip, names.split(",")):
                yield pytest.param(module, name, id=f"{page.stem}-{name}")


@pytest.mark.parametrize(("module", "name"), list(imports()))
def test_pages_import_what_is_there(module, name):
    assert hasattr(importlib.import_module(module), name)
