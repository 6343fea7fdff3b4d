"""Tables of a page that a script writes, between marks of its own."""

from collections.abc import Mapping
from pathlib import Path

from lpsnmr.files.atomic import written_aside


def show_tables(page: Path | None, script: str, tables: Mapping[str, str]) -> None:
    """Put the tables into a page, or print them where there is none."""
    if page is None:
        print("\n\n".join(tables.values()))
    else:
        replace_tables(page, script, tables)


def replace_tables(page: Path, script: str, tables: Mapping[str, str]) -> None:
    """Put each table between the two marks ``<!-- SCRIPT: NAME -->`` of a page."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        mark = f"<!-- {script}: {name} -->"
        parts = text.split(mark)
        if len(parts) != 3:
            raise SystemExit(f"{page}: expected two marks {mark}, got {len(parts) - 1}")
        text = f"{parts[0]}{mark}\n{table}\n{mark}{parts[2]}"
    with written_aside(page) as aside:
        aside.write_text(text, encoding="utf-8")
