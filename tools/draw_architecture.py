"""Draw who imports whom: docs/development/architecture.svg, made from the code.

    python tools/draw_architecture.py            # after packages, folders or arrows between them changed
    python tools/draw_architecture.py --check    # exit 1 if the picture is of other code

Left the Python packages by their imports, right the folders of C++ by their includes. A box stands above all
that it knows; an arrow that others imply (a → b → c implies a → c) is left out. The file carries the full
list of arrows, which ``--check`` compares.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "development" / "architecture.svg"
PACKAGE = ROOT / "python" / "lpsnmr"
CORE = ROOT / "cpp" / "core"
SMALL = {"errors", "version", "typing"}
"""Modules that nearly all import: named in the text, not drawn."""
BLUE, GREEN, GREY = "#1f5a99", "#2e7d4f", "#777777"

Graph = dict[str, set[str]]


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield the dotted names that a module imports from this package, without the first part."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (tuple(name.split(".")[1:]) for name in names if name.startswith("lpsnmr."))


def python_graph() -> tuple[Graph, set[str]]:
    """Return which package imports which, and the packages that call the compiled core."""
    units = {p.stem for p in PACKAGE.glob("*.py") if not p.stem.startswith("_")}
    units |= {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    graph: Graph = {unit: set() for unit in sorted(units - SMALL)}
    callers = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        unit = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if unit not in graph:
            continue
        for name in imported(path):
            if name[0] == "_core":
                callers.add(unit)
            elif name[0] in graph and name[0] != unit:
                graph[unit].add(name[0])
    return graph, callers


def core_graph() -> Graph:
    """Return which folder of the core includes which; pair_ufp and bindings stand on top."""
    folders = {p.name for p in CORE.iterdir() if p.is_dir() and p.name != "tests"}
    graph: Graph = {name: set() for name in (*sorted(folders), "pair_ufp", "bindings")}
    for name in graph:
        place = CORE / name if name in folders else ROOT / "cpp" / name
        for path in sorted([*place.glob("*.h"), *place.glob("*.cpp")]):
            found = re.findall(r'^#include "core/(\w+)/', path.read_text(encoding="utf-8"), re.MULTILINE)
            graph[name] |= set(found) & folders - {name}
    return graph


def reachable(graph: Graph, start: str) -> set[str]:
    """Return all that a node knows, directly or not; SystemExit for a circle."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph[node]
    if start in found:
        raise SystemExit(f"{start}: expected imports one way, got a circle")
    return found


def needed_arrows(graph: Graph) -> list[tuple[str, str]]:
    """Return the arrows that no others imply."""
    implied = {a: set().union(*(reachable(graph, b) for b in graph[a])) for a in graph}
    return [(a, b) for a in sorted(graph) for b in sorted(graph[a] - implied[a])]


def places(graph: Graph) -> dict[str, tuple[float, float]]:
    """Place each node one row above the highest that it knows, near those it is joined with."""
    height: dict[str, int] = {}
    for node in sorted(graph, key=lambda n: len(reachable(graph, n))):
        height[node] = 1 + max((height[b] for b in graph[node]), default=-1)
    rows = [[n for n in sorted(graph) if height[n] == h] for h in range(max(height.values()) + 1)]
    arrows = needed_arrows(graph)
    x = {n: k - (len(row) - 1) / 2 for row in rows for k, n in enumerate(row)}
    for sweep in range(24):
        for row in rows if sweep % 2 else rows[::-1]:
            wish = {n: [x[b] for a, b in arrows if a == n] + [x[a] for a, b in arrows if b == n] for n in row}
            order = sorted(row, key=lambda n: (float(np.mean(wish[n])) if wish[n] else x[n], n))
            for k, n in enumerate(order):
                x[n] = k - (len(row) - 1) / 2
    return {n: (x[n] * 1.25 + 0.3 * (height[n] % 2), float(height[n])) for n in graph}


def draw(ax: matplotlib.axes.Axes, graph: Graph, title: str, color: str, bold: set[str]) -> None:
    """Draw one graph."""
    where = places(graph)
    for a, b in needed_arrows(graph):
        bend = 0.0 if where[a][1] - where[b][1] < 1.5 else 0.12 * (1 if where[a][0] >= where[b][0] else -1)
        arrow = FancyArrowPatch(
            where[a], where[b], arrowstyle="-|>", mutation_scale=7, lw=0.8, color=GREY,
            shrinkA=9, shrinkB=9, connectionstyle=f"arc3,rad={bend}",
        )  # fmt: skip
        ax.add_patch(arrow)
    for name, (x, y) in where.items():
        box = {"boxstyle": "round,pad=0.35", "fc": "white", "ec": color, "lw": 2.2 if name in bold else 0.9}
        ax.text(x, y, name, ha="center", va="center", fontsize=8, bbox=box, zorder=3)
    horizontal = [x for x, _ in where.values()]
    ax.set_xlim(min(horizontal) - 0.8, max(horizontal) + 0.8)
    ax.set_ylim(-0.6, max(y for _, y in where.values()) + 0.6)
    ax.set_title(title, fontsize=9, color=color)
    ax.axis("off")


def main() -> int:
    """Draw the picture, or say that it is of other code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    packages, callers = python_graph()
    core = core_graph()
    arrows = [f"{a}>{b}" for graph in (packages, core) for a in sorted(graph) for b in sorted(graph[a])]
    arrows += [f"{a}>_core" for a in sorted(callers)]
    told = json.dumps(arrows).replace(">", " to ").replace('"', "")
    if check:
        text = PICTURE.read_text(encoding="utf-8") if PICTURE.exists() else ""
        if told not in re.sub(r"\s+", " ", text):
            print(f"{PICTURE.relative_to(ROOT)}: drawn from other code; run tools/draw_architecture.py")
            return 1
        return 0
    matplotlib.rcParams.update({"svg.hashsalt": "lpsnmr", "svg.fonttype": "none"})
    figure = Figure(figsize=(11.5, 8.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    draw(left, packages, "python/lpsnmr: bold ones call the compiled core", BLUE, callers)
    draw(right, core, "cpp: core folders, the LAMMPS adapter, the bindings", GREEN, {"pair_ufp", "bindings"})
    figure.savefig(PICTURE, format="svg", metadata={"Date": None, "Description": told})
    text = PICTURE.read_text(encoding="utf-8")
    PICTURE.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
