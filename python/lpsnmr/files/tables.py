"""CSV files of columns and rows."""

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lpsnmr.files.atomic import written_aside

__all__ = ["as_cell", "write_columns", "write_rows"]


def as_cell(value: Any) -> Any:
    """Return a number with ten digits, or nothing for one that is not finite."""
    if isinstance(value, float | np.floating):
        return f"{value:.10g}" if math.isfinite(value) else ""
    return value


def write_columns(path: Path, columns: Mapping[str, Any]) -> Path:
    """Write equally long columns under their names."""
    rows = ([as_cell(x) for x in row] for row in zip(*columns.values(), strict=True))
    return write_rows(path, list(columns), rows)


def write_rows(path: Path, header: list[str], rows: Iterable[list[Any]]) -> Path:
    """Write a header and rows, as a whole or not at all."""
    with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path
