"""What a fit writes beside its model: settings, errors and where the data came from, as JSON."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lpsnmr.errors import FileFormatError
from lpsnmr.files.atomic import written_aside

__all__ = ["describe_files", "plain", "read_sidecar", "sidecar_path", "write_record"]

PathLike = str | os.PathLike[str]
MOST_NAMES = 8
"""More files than these are counted, not named, in ``describe_files``."""


def sidecar_path(model: PathLike) -> Path:
    """Return the path of the JSON beside a potential: ``NAME.uf3`` -> ``NAME.json``."""
    return Path(model).with_suffix(".json")


def read_sidecar(model: PathLike) -> dict[str, Any]:
    """Return the sidecar of a potential, empty when there is none."""
    try:
        record = json.loads(sidecar_path(model).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def describe_files(paths: Iterable[PathLike]) -> dict[str, Any]:
    """Return names and SHA-256 of files: names when they are few, the hash of all together always.

    Raises
    ------
    FileFormatError
        For a file that cannot be read.
    """
    whole = hashlib.sha256()
    names = []
    for path in map(Path, paths):
        try:
            whole.update(path.read_bytes())
        except OSError as error:
            raise FileFormatError(f"{path}: cannot be read: {error.strerror}") from error
        names.append(path.name)
    return {
        "files": names if len(names) <= MOST_NAMES else f"{len(names)} files",
        "sha256": whole.hexdigest(),
    }


def plain(value: Any) -> Any:
    """Return the same structure with infinities and NaN, which JSON does not have, as None.

    Examples
    --------
    >>> plain({"a": (np.float64(1.5), float("inf"))})
    {'a': [1.5, None]}
    """
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value


def write_record(path: PathLike, record: dict[str, Any], ascii_only: bool = False) -> None:
    """Write a record as JSON, whole or not at all; ``ascii_only`` escapes all other characters."""
    text = json.dumps(plain(record), indent=1, ensure_ascii=ascii_only) + "\n"
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
