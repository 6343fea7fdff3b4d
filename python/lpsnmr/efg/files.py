"""Text of an EFG model file (JSON, version 2; 1 is read): docs/reference/efg-model-format.md."""

import dataclasses
import json
from typing import Any

import numpy as np
from ase.data import chemical_symbols

from lpsnmr._core import parse_efg
from lpsnmr.efg.settings import EfgSettings
from lpsnmr.typing import Array

__all__ = ["FORMAT_VERSION", "TargetPart", "parse_model", "render_model"]

FORMAT_NAME = "lpsnmr-efg"
FORMAT_VERSION = 2
UNITS = {"length": "Å", "efg": "V/Å²"}
ELEMENT_LISTS = ("species", "bridges", "sources")
ROWS = ("nearest", "fewest", "most")


@dataclasses.dataclass(frozen=True)
class TargetPart:
    """What a model holds for one target species.

    ``weights`` is (n_features,), V/Å². ``target_range`` is (3, species): the shortest distance (Å, inf when
    the species was never near), the fewest and the most smooth neighbours in training. ``bridge_ranges``
    is the same for each bridge species: (bridges, 3, species). ``members`` (n_members, n_features), V/Å², is
    the committee: weights less their mean, so scaled that the mean square of what they predict, together
    with ``floor``², V/Å², is the variance of a component; None without an estimate of the uncertainty.
    """

    weights: Array
    target_range: Array
    bridge_ranges: Array
    members: Array | None = None
    floor: float = 0.0


def render_model(settings: EfgSettings, targets: dict[str, TargetPart], provenance: dict[str, Any]) -> bytes:
    """Return the file of a model; equal models give equal bytes, floats keep every digit."""
    bridges = [chemical_symbols[z] for z in settings.bridges]
    content = {
        "format": FORMAT_NAME,
        "version": FORMAT_VERSION,
        "units": UNITS,
        "species": [chemical_symbols[z] for z in settings.species],
        "settings": {name: value for name, value in settings.to_dict().items() if name not in ELEMENT_LISTS},
        "bridges": bridges,
        "sources": [chemical_symbols[z] for z in settings.sources],
        "targets": {
            symbol: {
                "environment": _render_range(part.target_range),
                "bridge_environments": {
                    name: _render_range(rows) for name, rows in zip(bridges, part.bridge_ranges, strict=True)
                },
                "weights": part.weights.tolist(),
                **_render_uncertainty(part),
            }
            for symbol, part in targets.items()
        },
        "provenance": provenance,
    }
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_model(
    content: bytes, name: str = "EFG model"
) -> tuple[EfgSettings, dict[str, TargetPart], dict[str, Any]]:
    """Read the text of a model file, by the reader that ``compute efg/atom`` has.

    Parameters
    ----------
    content
        The whole file.
    name
        Of the file, for messages.

    Raises
    ------
    InputError
        ``name:line: what, expected, got``, for text that is no JSON, a wrong format name, version or unit,
        missing entries, or numbers that do not fit.
    """
    data = parse_efg(content, name)
    targets = {symbol: TargetPart(**part) for symbol, part in data["targets"].items()}
    return EfgSettings(**data["settings"]), targets, json.loads(data["provenance"])


def _render_uncertainty(part: TargetPart) -> dict[str, Any]:
    """Return the entry of the committee, nothing without one."""
    if part.members is None:
        return {}
    return {"uncertainty": {"floor": part.floor, "members": part.members.tolist()}}


def _render_range(rows: Array) -> dict[str, list[float | None]]:
    """Return a training range; no neighbour ever seen (infinite distance) is null."""
    return {
        name: [None if np.isinf(value) else float(value) for value in row]
        for name, row in zip(ROWS, rows, strict=True)
    }
