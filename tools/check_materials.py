"""Check that no material is built into the code: names of Li, P, S or PS4 belong in data, defaults and tests.

Looks at names and strings of python/lpsnmr, without docstrings and comments. ``DEFAULTS`` may name them:
default configuration. ``LEFT`` are places that still do, with how many; there may be fewer, not more, and
nowhere else.
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "python" / "lpsnmr"
NAMES = re.compile(r"lithium|phosphor|sulfur|ps4", re.IGNORECASE)
TEXTS = re.compile(r"\b(Li|P|S(?![/(]))\b|PS4|ps4|[Ll]ithium|phosphor|sulfur")

DEFAULTS = {"structures/species.py", "structures/crystals.py"}
LEFT: dict[str, int] = {
    "active_learning/candidates.py": 1,
    "active_learning/checks.py": 3,
    "active_learning/plan.py": 4,
    "analysis/dynamics/diffusion.py": 1,
    "analysis/series.py": 1,
    "analysis/statistics/resampling.py": 1,
    "cli/analyze.py": 2,
    "cli/efg.py": 4,
    "cli/fit_efg.py": 4,
    "cli/fit_ufp.py": 1,
    "cli/main.py": 2,
    "cli/models.py": 2,
    "cli/stream.py": 6,
    "cli/structures.py": 20,
    "cli/validate_ufp.py": 1,
    "efg/dataset.py": 1,
    "efg/model.py": 1,
    "elements.py": 2,
    "fitting/choose.py": 1,
    "labelling/gpaw_engine.py": 4,
    "labelling/gpaw_python.py": 2,
    "labelling/gpaw_settings.py": 5,
    "labelling/term_engine.py": 1,
    "md/follow.py": 7,
    "md/settings.py": 1,
    "potential/basis.py": 3,
    "reference/data_card.py": 3,
    "reference/label_files.py": 1,
    "reference/suspicions.py": 2,
    "report/validation_page.py": 16,
    "runs/config.py": 2,
    "runs/live.py": 1,
    "runs/recipe.py": 1,
    "sampling/motion.py": 2,
    "structures/__init__.py": 2,
    "structures/checks.py": 12,
    "structures/disorder.py": 2,
    "structures/observe.py": 1,
    "structures/packing.py": 11,
    "structures/variants.py": 16,
    "trajectory/data_file_reader.py": 1,
    "validation/cells.py": 3,
    "validation/dynamic.py": 17,
    "validation/settings.py": 5,
}


def found_in(path: Path) -> list[tuple[int, str]]:
    """Return line and text of every name and string of a file that speaks of the material."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            docs |= {
                id(s.value) for s in body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)
            }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in docs and TEXTS.search(node.value):
                found.append((node.lineno, node.value))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and NAMES.search(node.id):
            found.append((node.lineno, node.id))
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.arg):
            name = node.arg if isinstance(node, ast.arg) else node.name
            if NAMES.search(name):
                found.append((node.lineno, name))
    return sorted(found)


def main() -> int:
    """Say what is too much; return the exit status."""
    worse = 0
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name in DEFAULTS or name.startswith("data/"):
            continue
        found = found_in(path)
        if len(found) > LEFT.get(name, 0):
            worse += 1
            for line, text in found:
                print(f"python/lpsnmr/{name}:{line}: names the material: {text.splitlines()[0][:80]!r}")
            print(f"python/lpsnmr/{name}: {len(found)} places, expected at most {LEFT.get(name, 0)}")
        elif len(found) < LEFT.get(name, 0):
            print(f"python/lpsnmr/{name}: {len(found)} places left of {LEFT[name]}: lower its number in LEFT")
            worse += 1
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
