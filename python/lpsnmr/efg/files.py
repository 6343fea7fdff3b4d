"""Text of an EFG model file (JSON, version 2; 1 is read): docs/reference/efg-model-format.md."""

import dataclasses
import json
from typing import Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from lpsnmr.efg.settings import EfgSettings
from lpsnmr.errors import InputError
from lpsnmr.typing import Array

__all__ = ["FORMAT_VERSION", "TargetPart", "parse_model", "render_model"]

FORMAT_NAME = "lpsnmr-efg"
FORMAT_VERSION = 2
OLDEST_VERSION = 1
NO_FIELD: dict[str, Any] = {"field_cutoff": 0.0, "source": [0, 4.0], "sources": []}
"""Settings that version 1 did not have: its models have no field at the bridges."""
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


def parse_model(content: bytes) -> tuple[EfgSettings, dict[str, TargetPart], dict[str, Any]]:
    """Read the text of a model file.

    Raises
    ------
    InputError
        For text that is no JSON, a wrong format name, version or unit, missing entries, or numbers that do
        not fit.
    """
    try:
        data = json.loads(content)
    except json.JSONDecodeError as error:
        raise InputError(f"line {error.lineno}: not JSON ({error.msg}); is the file cut short?") from error
    except UnicodeDecodeError as error:
        raise InputError("not a text file; expected an EFG model in JSON") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT_NAME:
        raise InputError(f'not an EFG model: expected "format": "{FORMAT_NAME}"')
    version = data.get("version")
    if version not in range(OLDEST_VERSION, FORMAT_VERSION + 1):
        raise InputError(
            f"EFG model version {version!r}; this lpsnmr reads {OLDEST_VERSION} to {FORMAT_VERSION}"
        )
    if data.get("units") != UNITS:
        raise InputError(f"units are {data.get('units')!r}; expected {UNITS}")
    if version == OLDEST_VERSION and isinstance(data.get("settings"), dict):
        data["sources"] = NO_FIELD["sources"]
        data["settings"] |= {name: NO_FIELD[name] for name in ("field_cutoff", "source")}
    missing = {*ELEMENT_LISTS, "settings", "targets", "provenance"} - set(data)
    if missing:
        raise InputError(f"EFG model without {sorted(missing)[0]!r}")
    for name in ("settings", "targets", "provenance"):
        if not isinstance(data[name], dict):
            raise InputError(f"{name} of an EFG model must be an object, got {type(data[name]).__name__}")
    settings = EfgSettings.from_dict(
        {
            **data["settings"],
            "species": _numbers(data["species"]),
            "bridges": _numbers(data["bridges"]),
            "sources": _numbers(data["sources"]),
        }
    )
    size = settings.basis().size
    targets = {}
    for symbol, part in data["targets"].items():
        _numbers([symbol])
        try:
            targets[symbol] = TargetPart(
                _array(part["weights"], (size,), f"weights of {symbol}"),
                _parse_range(part["environment"], settings),
                np.array(
                    [_parse_range(part["bridge_environments"][name], settings) for name in data["bridges"]]
                ).reshape(-1, 3, len(settings.species)),
                *_parse_uncertainty(part, size, symbol),
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"target {symbol}: entry missing or of the wrong kind: {error}") from error
    return settings, targets, data["provenance"]


def _numbers(symbols: Any) -> list[int]:
    """Return atomic numbers of a list of symbols."""
    if not isinstance(symbols, list):
        raise InputError(f"expected a list of chemical symbols, got {symbols!r}")
    for symbol in symbols:
        if not isinstance(symbol, str) or symbol not in atomic_numbers:
            raise InputError(f"unknown chemical symbol {symbol!r}")
    return [int(atomic_numbers[symbol]) for symbol in symbols]


def _render_uncertainty(part: TargetPart) -> dict[str, Any]:
    """Return the entry of the committee, nothing without one."""
    if part.members is None:
        return {}
    return {"uncertainty": {"floor": part.floor, "members": part.members.tolist()}}


def _parse_uncertainty(part: dict[str, Any], size: int, symbol: str) -> tuple[Array | None, float]:
    """Invert ``_render_uncertainty``."""
    if "uncertainty" not in part:
        return None, 0.0
    given = part["uncertainty"]
    count = len(given["members"])
    members = _array(given["members"], (count, size), f"committee members of {symbol}")
    floor = float(_array(given["floor"], (), f"floor of the uncertainty of {symbol}"))
    if count < 2 or floor < 0:
        raise InputError(f"uncertainty of {symbol}: expected two or more members and a floor of 0 or more")
    return members, floor


def _render_range(rows: Array) -> dict[str, list[float | None]]:
    """Return a training range; no neighbour ever seen (infinite distance) is null."""
    return {
        name: [None if np.isinf(value) else float(value) for value in row]
        for name, row in zip(ROWS, rows, strict=True)
    }


def _parse_range(part: Any, settings: EfgSettings) -> Array:
    """Invert ``_render_range``: (3, species)."""
    rows = [[np.inf if value is None else value for value in part[name]] for name in ROWS]
    for name, row in zip(ROWS, rows, strict=True):
        if len(row) != len(settings.species):
            raise InputError(f"{name} must have {len(settings.species)} entries, got {len(row)}")
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise InputError(f"training range with an entry that is not a number: {error}") from error


def _array(values: Any, shape: tuple[int, ...], name: str) -> Array:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers: {error}") from error
    if array.shape != shape:
        raise InputError(f"{name} must have the shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{name} have entries that are not finite")
    return array
