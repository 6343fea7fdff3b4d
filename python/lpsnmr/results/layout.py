"""What every results file holds: header, system, correlations, provenance and statistics in HDF5.

The values go by the names of the attributes of ``Results``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.results.lag_statistics import LagStatistics
from lpsnmr.version import __version__

__all__ = ["FORMAT", "FORMAT_VERSION", "Scalar", "check_header", "read_main", "write_main"]

FORMAT = "lpsnmr-results"
FORMAT_VERSION = 2
"""Version 1 called the ids of the mobile ions li_ids, and knew neither their element nor their charge."""

Scalar = str | int | float

_SYSTEM_NUMBERS = {
    "sample_interval_ps": float,
    "n_samples": int,
    "n_atoms": int,
    "temperature_k": float,
    "mean_temperature_k": float,
    "std_temperature_k": float,
    "nucleus": str,
    "drift_removed": bool,
}

_MOBILE = {"mobile": str, "charge": float}


def check_header(file: Any) -> None:
    """Raise InputError for another format or a newer version."""
    found = file.attrs.get("format")
    if found != FORMAT:
        raise InputError(f"expected the attribute format = '{FORMAT}', got {found!r}")
    version = int(file.attrs.get("format_version", -1))
    if not 1 <= version <= FORMAT_VERSION:
        raise InputError(f"expected format_version 1 to {FORMAT_VERSION}, got {version}")


def write_main(file: Any, values: Mapping[str, Any]) -> None:
    """Write everything but the optional groups into an open file."""
    file.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION, "lpsnmr_version": __version__})
    system = file.create_group("system")
    for name in _SYSTEM_NUMBERS:
        system.attrs[name] = values[name]
    if values["jump_distance_angstrom"] is not None:
        system.attrs["jump_distance_angstrom"] = values["jump_distance_angstrom"]
    system["cell"] = np.asarray(values["cell"], dtype=np.float64)
    system.attrs.update({"mobile": values["mobile"], "charge": values["charge"]})
    system["mobile_ids"] = np.asarray(values["li_ids"], dtype=np.int64)
    system.create_group("species_counts").attrs.update(values["species_counts"])
    for section in ("provenance", "statistics"):
        group = file.create_group(section)
        for name, value in values[section].items():
            group[name] = value  # a dataset: an attribute may not exceed 64 KiB
    if values["efg_correlation"] is not None:
        group = file.create_group("efg_correlation")
        values["efg_correlation"].write(group, "V^2/angstrom^4")
        for name in ("mean", "mean_square"):
            if values[f"efg_{name}"] is not None:
                group[name] = np.asarray(values[f"efg_{name}"], dtype=np.float64)
    if values["displacement"] is not None:
        values["displacement"].write(file.create_group("displacement"), "angstrom^2")


def read_main(file: Any) -> dict[str, Any]:
    """Read what ``write_main`` wrote.

    Raises
    ------
    InputError, KeyError
        When something is missing.
    """
    system = file["system"]
    values: dict[str, Any] = {}
    for name, kind in _SYSTEM_NUMBERS.items():
        if name not in system.attrs:
            raise InputError(f"group 'system' has no attribute {name!r}")
        values[name] = kind(system.attrs[name])
    jump = system.attrs.get("jump_distance_angstrom")
    efg, displacement = file.get("efg_correlation"), file.get("displacement")
    return {
        **values,
        "jump_distance_angstrom": None if jump is None else float(jump),
        "cell": system["cell"][()],
        "li_ids": system["mobile_ids" if "mobile_ids" in system else "li_ids"][()],
        **{key: kind(system.attrs[key]) for key, kind in _MOBILE.items() if key in system.attrs},
        "species_counts": {k: int(v) for k, v in system["species_counts"].attrs.items()},
        "efg_correlation": None if efg is None else LagStatistics.read(efg),
        "efg_mean": None if efg is None or "mean" not in efg else efg["mean"][()],
        "efg_mean_square": None if efg is None or "mean_square" not in efg else efg["mean_square"][()],
        "displacement": None if displacement is None else LagStatistics.read(displacement),
        "provenance": {k: _plain(v[()]) for k, v in file["provenance"].items()},
        "statistics": {k: float(v[()]) for k, v in file["statistics"].items()},
    }


def _plain(value: Any) -> Scalar:
    if isinstance(value, bytes):
        return value.decode()
    plain: Scalar = value.item() if isinstance(value, np.generic) else value
    return plain
