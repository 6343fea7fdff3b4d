"""Check that every relative link, anchor and path named in the pages and the code leads somewhere.

    python tools/check_links.py

Looked at are the files that git tracks. In Markdown: links to files, and anchors by GitHub's rule for
headings. In every text: paths such as ``docs/…/run.md`` that name a file of this repository. CHANGELOG.md
tells what was: its links must lead somewhere, the paths it names need not. NAME in a path stands for any.
"""

import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
NAMED = re.compile(
    r"(?<![\w/.{-])((?:docs|benchmarks|cmake|cpp|examples|python|tests|tools)/[\w./-]*\.(?:md|py|pyi|h|cpp|sh|toml))\b"
)
READ = {".md", ".py", ".pyi", ".h", ".cpp", ".sh", ".toml", ".txt", ".in", ".ufd", ".yaml", ""}
HISTORY = {"CHANGELOG.md"}


def tracked_files() -> list[Path]:
    """Return the files that git knows, as they are in the working tree."""
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = [ROOT / name for name in told.stdout.split("\0") if name]
    return [p for p in paths if p.is_file()]


def without_code(text: str) -> str:
    """Blank out fenced blocks and code spans, line numbers kept."""
    text = re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def slug(heading: str) -> str:
    """Return the anchor GitHub makes of a heading: letters, digits of every script, hyphens."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    kinds = {c: unicodedata.category(c) for c in set(text)}
    kept = (c for c in text if c in "-_ " or kinds[c][0] in "LM" or kinds[c] == "Nd")
    return "".join(kept).replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page: its headings, repeated ones numbered, and what is named by hand."""
    seen: dict[str, int] = {}
    found = set()
    fenced = False
    for line in page.read_text(encoding="utf-8").splitlines():
        fenced ^= line.startswith("```")
        found.update(re.findall(r'<a id="([^"]+)">', line))
        heading = re.match(r"#{1,6} +(.*?) *#*$", line)
        if heading and not fenced:
            name = slug(heading[1])
            count = seen.get(name, 0)
            seen[name] = count + 1
            found.add(f"{name}-{count}" if count else name)
    return frozenset(found)


def broken_links(page: Path) -> Iterator[tuple[int, str]]:
    """Yield line and complaint for each link of a page that leads nowhere."""
    for number, line in enumerate(without_code(page.read_text(encoding="utf-8")).splitlines(), start=1):
        for target in LINK.findall(line):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (page.parent / path).resolve() if path else page
            if not there.exists():
                yield number, f"link to {target}: expected a file, got none"
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                yield number, f"link to {target}: expected a heading of that anchor, got none"


def broken_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and complaint for each path a text names that is not in the repository."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        for name in NAMED.findall(line):
            if "NAME" not in name and not any((folder / name).exists() for folder in (ROOT, *path.parents)):
                yield number, f"names {name}: expected a file, got none"


def main() -> int:
    """Print what leads nowhere; 1 if anything does."""
    count = 0
    for path in tracked_files():
        if path.suffix not in READ or path == Path(__file__).resolve():
            continue
        name = path.relative_to(ROOT)
        complaints = [] if str(name) in HISTORY else list(broken_names(path))
        if path.suffix == ".md":
            complaints += broken_links(path)
        for number, complaint in sorted(complaints):
            print(f"{name}:{number}: {complaint}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
