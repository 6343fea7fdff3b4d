"""Check that the includes of the C++ core go one way.

    python tools/check_includes.py [--count]

A folder of cpp/core includes only folders before it in ``LAYERS``, no header reaches itself, no file outside
cpp/core/tests includes one of a test, and the bindings and the plugin do not know each other. ``--count``
tells how many includes there are.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    "common",
    "text",
    "simd",
    "splines",
    "neighbors",
    "ufp",
    "density",
    "grades",
    "efg",
    "correlation",
    "dumps",
)
# the loops of a kernel are named by a macro, which simd/versions.h includes
INCLUDE = re.compile(r'^#(?:include|define LPSNMR_LOOPS) "([^"]+)"', re.MULTILINE)
Arrows = dict[str, list[str]]


def find_arrows(root: Path) -> Arrows:
    """Return what each file below ``root``/cpp includes of it, by paths below cpp."""
    sources = root / "cpp"
    arrows = {}
    for path in sorted([*sources.rglob("*.h"), *sources.rglob("*.cpp")]):
        name = path.relative_to(sources).as_posix()
        named = INCLUDE.findall(path.read_text(encoding="utf-8"))
        arrows[name] = [found for include in named if (found := resolve(sources, path, include))]
    return arrows


def resolve(sources: Path, path: Path, include: str) -> str | None:
    """Return the path below ``sources`` that an include of ``path`` names; None for one from elsewhere."""
    if include.startswith("core/"):
        return include
    for folder in (path.parent, sources):
        if (folder / include).is_file():
            return (folder / include).relative_to(sources).as_posix()
    return None


def folder_of(name: str) -> str:
    """Return the folder of the core, such as ``ufp``; ``tests``; or ``bindings``, ``pair_ufp``."""
    parts = name.split("/")
    return parts[1] if parts[0] == "core" else parts[0]


def check(arrows: Arrows) -> list[str]:
    """Return what is wrong, one line each."""
    wrong = []
    for name, found in arrows.items():
        here = folder_of(name)
        if here not in (*LAYERS, "tests", "bindings", "pair_ufp"):
            wrong.append(f"{name}: the folder {here} is not among the layers of tools/check_includes.py")
            continue
        for other in found:
            there = folder_of(other)
            if other not in arrows:
                wrong.append(f"{name}: includes {other}, which is not there")
            elif there == "tests" and here != "tests":
                wrong.append(f"{name}: includes {other}, which is part of a test")
            elif here in LAYERS and there in LAYERS and LAYERS.index(there) > LAYERS.index(here):
                wrong.append(f"{name}: includes {other}; {here} stands below {there}")
            elif there in ("bindings", "pair_ufp") and here != there:
                wrong.append(f"{name}: includes {other}; {there} is known to nobody")
    return wrong + [f"a circle: {' -> '.join(circle)}" for circle in find_circles(arrows)]


def find_circles(arrows: Arrows) -> list[list[str]]:
    """Return the includes by which a file comes back to itself, each circle once."""
    circles: list[list[str]] = []
    done: set[str] = set()

    def follow(path: list[str]) -> None:
        for other in arrows.get(path[-1], []):
            if other in path:
                circles.append([*path[path.index(other) :], other])
            elif other not in done:
                follow([*path, other])
        done.add(path[-1])

    for name in arrows:
        if name not in done:
            follow([name])
    return circles


def count(arrows: Arrows) -> str:
    """Return how many includes there are between files and between folders of the core."""
    core = {n: f for n, f in arrows.items() if folder_of(n) in LAYERS}
    files = sum(len(found) for found in core.values())
    across = [(folder_of(n), folder_of(o)) for n, found in core.items() for o in found]
    across = [(here, there) for here, there in across if here != there]
    return (
        f"{len(core)} files, {files} includes, {len(across)} of them from folder to folder, "
        f"{len(set(across))} arrows between folders"
    )


def main() -> None:
    """Print what is wrong and leave with 1, or with 0."""
    parser = argparse.ArgumentParser(description="Check that the includes of the C++ core go one way.")
    parser.add_argument("--count", action="store_true", help="tell how many includes there are")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the repository")
    args = parser.parse_args()
    arrows = find_arrows(args.root)
    wrong = check(arrows)
    for line in wrong:
        print(line)
    if args.count:
        print(count(arrows))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
