"""Check the walks of docs/development/walks.md: every step is there, and the counts are right.

    python tools/check_walks.py

A step is a row ``| number | `file` | `function` | what |``; the sentence before each table says how many
hops, files and climbs back its walk has. A hop leads from a step to the next; one that leads back into a
file that the walk has left is a climb back.
"""

import re
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "development" / "walks.md"
STEP = re.compile(r"^\| *\d+ *\| *`([^`]+)` *\| *`([^`]+)` *\|", re.MULTILINE)
COUNTS = re.compile(r"(\d+) hops, (\d+) files, (\d+) climbs back")


def count(files: list[str]) -> tuple[int, int, int]:
    """Return hops, files and climbs back of a walk."""
    back = sum(b != a and b in files[:k] for k, (a, b) in enumerate(pairwise(files)))
    return len(files) - 1, len(set(files)), back


def is_defined(path: str, name: str) -> bool:
    """Whether a file has a function of this name, the last part of ``Class.function``."""
    file = ROOT / path
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    last = re.escape(re.split(r"\.|::", name)[-1])
    pattern = rf"^\s*def {last}\(" if path.endswith(".py") else rf"^[^/\n]*\b{last}\([^;]*$"
    return re.search(pattern, text, re.MULTILINE) is not None


def complaints() -> list[str]:
    """Return what the page says that is not so."""
    found = []
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, steps = section.splitlines()[0], STEP.findall(section)
        found += [f"{title}: {p}: expected {name}, got none" for p, name in steps if not is_defined(p, name)]
        told, real = COUNTS.search(section), count([path for path, _ in steps])
        if told is None or tuple(map(int, told.groups())) != real:
            counts = "{} hops, {} files, {} climbs back".format(*real)
            found.append(f"{title}: expected '{counts}', got {told and told[0]!r}")
    return found


if __name__ == "__main__":
    wrong = complaints()
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)
