"""The results file: everything the analysis needs of one run, in one HDF5 file.

The layout is written down in ``docs/reference/results-format.md``.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hdf5 import hdf5_bytes
from lpsnmr.version import __version__

__all__ = ["FORMAT", "FORMAT_VERSION", "LagStatistics", "Results"]

FORMAT = "lpsnmr-results"
FORMAT_VERSION = 1

Array = NDArray[np.float64]
Scalar = str | int | float


@dataclass
class LagStatistics:
    """A function of lag time, per series (Li) and per block of time.

    Attributes
    ----------
    lag_ps
        (L,) float64, ps, ascending from 0.
    values
        (L, n_series) float64; mean over time origins. Unit V²/Å⁴ for Tr V(0)V(t), Å² for a mean
        squared displacement.
    counts
        (L,) int64; pairs of time origins behind each row of ``values``, the same for every series.
    block_means
        (n_blocks, L) float64; mean over series and over the pairs that end in a block of time; NaN
        where a block holds no pair.
    block_counts
        (n_blocks, L) int64; pairs of each series in the block.
    block_length_ps
        Length of a block, ps; the last one may be shorter.
    coarse_graining
        ``"average"`` or ``"subsample"``: how the correlator made its coarse levels.
    """

    lag_ps: Array
    values: Array
    counts: NDArray[np.int64]
    block_means: Array
    block_counts: NDArray[np.int64]
    block_length_ps: float
    coarse_graining: str

    def validate(self, name: str, n_series: int) -> None:
        """Raise InputError when shapes or values do not fit together; ``name`` goes in the message."""
        lags = len(self.lag_ps)
        blocks = len(self.block_means)
        expected = {
            "lag_ps": (lags,),
            "values": (lags, n_series),
            "counts": (lags,),
            "block_means": (blocks, lags),
            "block_counts": (blocks, lags),
        }
        for key, shape in expected.items():
            got = np.shape(getattr(self, key))
            if got != shape:
                raise InputError(f"{name}/{key}: expected shape {shape}, got {got}")
        if lags and (not np.all(np.isfinite(self.lag_ps)) or np.any(np.diff(self.lag_ps) <= 0)):
            raise InputError(f"{name}/lag_ps: lags must be finite and ascending")
        if not np.all(np.isfinite(self.values)):
            raise InputError(f"{name}/values: values must be finite")
        if np.any(self.counts < 1):
            raise InputError(f"{name}/counts: every lag needs at least one pair")


@dataclass
class Results:
    """All numbers of one run that the analysis needs.

    Attributes
    ----------
    sample_interval_ps, n_samples
        Time between samples in ps, and how many were taken.
    temperature_k, mean_temperature_k, std_temperature_k
        Thermostat's target, and mean and standard deviation of the sampled kinetic temperature, K;
        NaN where unknown.
    n_atoms, li_ids, species_counts
        Atoms in the cell; (n_li,) int64 LAMMPS ids of the Li, the order of all per-Li arrays; atoms
        per element.
    cell
        (3, 3) float64, rows are the mean cell vectors, Å.
    nucleus
        Key of ``lpsnmr.units.QUADRUPOLE_MOMENT_BARN``.
    efg_correlation
        Σ_m c_m(0) c_m(t) = Tr V(0)V(t) per Li, V²/Å⁴; None when no EFG was sampled.
    efg_mean, efg_mean_square
        (n_li, 5) float64 mean components, V/Å²; (n_li,) float64 mean of Tr V², V²/Å⁴.
    displacement
        Mean squared displacement per Li, Å²; None when not sampled.
    drift_removed
        Whether the centre of mass of the framework (P, S) was subtracted from the positions.
    jump_distance_angstrom
        Mean distance between neighbouring Li sites, Å; None when unknown.
    provenance
        Name to text or number: versions, hashes of models, seed, configuration.
    statistics
        Name to number: rate of the run, energies, extrapolation counts.
    extra
        Optional groups of arrays, kept as they are: ``{"group": {"name": array}}``.
    """

    sample_interval_ps: float
    n_samples: int
    n_atoms: int
    li_ids: NDArray[np.int64]
    cell: Array
    species_counts: dict[str, int] = field(default_factory=dict)
    nucleus: str = "7Li"
    temperature_k: float = float("nan")
    mean_temperature_k: float = float("nan")
    std_temperature_k: float = float("nan")
    efg_correlation: LagStatistics | None = None
    efg_mean: Array | None = None
    efg_mean_square: Array | None = None
    displacement: LagStatistics | None = None
    drift_removed: bool = True
    jump_distance_angstrom: float | None = None
    provenance: dict[str, Scalar] = field(default_factory=dict)
    statistics: dict[str, float] = field(default_factory=dict)
    extra: dict[str, dict[str, NDArray[Any]]] = field(default_factory=dict)

    @property
    def n_li(self) -> int:
        """Number of Li."""
        return len(self.li_ids)

    @property
    def duration_ps(self) -> float:
        """Time from the first to the last sample, ps."""
        return max(self.n_samples - 1, 0) * self.sample_interval_ps

    @property
    def best_temperature_k(self) -> float:
        """Mean measured temperature where known, else the target, K; NaN when neither is known."""
        return self.mean_temperature_k if np.isfinite(self.mean_temperature_k) else self.temperature_k

    def validate(self) -> None:
        """Raise InputError when shapes or values do not fit together."""
        n = self.n_li
        if not (np.isfinite(self.sample_interval_ps) and self.sample_interval_ps > 0):
            raise InputError(f"sample_interval_ps must be positive, got {self.sample_interval_ps}")
        if self.n_samples < 0:
            raise InputError(f"n_samples must not be negative, got {self.n_samples}")
        for key, shape in {"cell": (3, 3), "efg_mean": (n, 5), "efg_mean_square": (n,)}.items():
            value = getattr(self, key)
            if value is not None and np.shape(value) != shape:
                raise InputError(f"{key}: expected shape {shape}, got {np.shape(value)}")
        for name in ("efg_correlation", "displacement"):
            section = getattr(self, name)
            if section is not None:
                section.validate(name, n)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the file whole or not at all.

        Raises
        ------
        InputError
            When shapes or values do not fit together; nothing is written.
        """
        self.validate()
        content = hdf5_bytes(lambda file: _write(self, file))
        with written_aside(path) as aside:
            aside.write_bytes(content)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Results":
        """Read a file that ``write`` made.

        Raises
        ------
        FileFormatError
            For a file that is missing, not HDF5, not a results file, of a newer version, or damaged;
            the message starts with the path.
        """
        if not Path(path).is_file():
            raise FileFormatError(f"{path}: no such file; expected an lpsnmr results file (HDF5)")
        try:
            with h5py.File(path, "r") as file:
                _check_header(file)
                results = _read(cls, file)
            results.validate()
        except (InputError, OSError, KeyError, TypeError, ValueError) as error:
            text = error.args[0] if isinstance(error, KeyError) else error
            raise FileFormatError(f"{path}: not a usable lpsnmr results file: {text}") from error
        return results


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


def _write(results: Results, file: Any) -> None:
    file.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION, "lpsnmr_version": __version__})
    system = file.create_group("system")
    for name in _SYSTEM_NUMBERS:
        system.attrs[name] = getattr(results, name)
    if results.jump_distance_angstrom is not None:
        system.attrs["jump_distance_angstrom"] = results.jump_distance_angstrom
    system["cell"] = np.asarray(results.cell, dtype=np.float64)
    system["li_ids"] = np.asarray(results.li_ids, dtype=np.int64)
    system.create_group("species_counts").attrs.update(results.species_counts)
    _write_scalars(file.create_group("provenance"), results.provenance)
    _write_scalars(file.create_group("statistics"), results.statistics)
    if results.efg_correlation is not None:
        group = _write_lags(file, "efg_correlation", results.efg_correlation, "V^2/angstrom^4")
        for name in ("mean", "mean_square"):
            value = getattr(results, f"efg_{name}")
            if value is not None:
                group[name] = np.asarray(value, dtype=np.float64)
    if results.displacement is not None:
        _write_lags(file, "displacement", results.displacement, "angstrom^2")
    for name, arrays in results.extra.items():
        group = file.create_group(f"extra/{name}")
        for key, array in arrays.items():
            group[key] = array


def _write_scalars(group: Any, values: Mapping[str, Scalar]) -> None:
    for name, value in values.items():
        group[name] = value  # a dataset: an attribute may not exceed 64 KiB


def _write_lags(file: Any, name: str, lags: LagStatistics, unit: str) -> Any:
    group = file.create_group(name)
    group.attrs.update(
        {"unit": unit, "block_length_ps": lags.block_length_ps, "coarse_graining": lags.coarse_graining}
    )
    for key in ("lag_ps", "values", "counts", "block_means", "block_counts"):
        array = np.asarray(getattr(lags, key))
        group.create_dataset(key, data=array, compression="gzip" if array.size else None)
    return group


def _check_header(file: Any) -> None:
    found = file.attrs.get("format")
    if found != FORMAT:
        raise InputError(f"expected the attribute format = '{FORMAT}', got {found!r}")
    version = int(file.attrs.get("format_version", -1))
    if not 1 <= version <= FORMAT_VERSION:
        raise InputError(f"expected format_version 1 to {FORMAT_VERSION}, got {version}")


def _read(cls: type[Results], file: Any) -> Results:
    system = file["system"]
    values: dict[str, Any] = {}
    for name, kind in _SYSTEM_NUMBERS.items():
        if name not in system.attrs:
            raise InputError(f"group 'system' has no attribute {name!r}")
        values[name] = kind(system.attrs[name])
    jump = system.attrs.get("jump_distance_angstrom")
    efg, displacement = file.get("efg_correlation"), file.get("displacement")
    return cls(
        **values,
        jump_distance_angstrom=None if jump is None else float(jump),
        cell=system["cell"][()],
        li_ids=system["li_ids"][()],
        species_counts={k: int(v) for k, v in system["species_counts"].attrs.items()},
        efg_correlation=_read_lags(efg),
        efg_mean=None if efg is None or "mean" not in efg else efg["mean"][()],
        efg_mean_square=None if efg is None or "mean_square" not in efg else efg["mean_square"][()],
        displacement=_read_lags(displacement),
        provenance={k: _plain(v[()]) for k, v in file["provenance"].items()},
        statistics={k: float(v[()]) for k, v in file["statistics"].items()},
        extra={
            name: {key: array[()] for key, array in group.items()}
            for name, group in file.get("extra", {}).items()
        },
    )


def _plain(value: Any) -> Scalar:
    if isinstance(value, bytes):
        return value.decode()
    plain: Scalar = value.item() if isinstance(value, np.generic) else value
    return plain


def _read_lags(group: Any) -> LagStatistics | None:
    if group is None:
        return None
    return LagStatistics(
        lag_ps=group["lag_ps"][()].astype(np.float64),
        values=group["values"][()].astype(np.float64),
        counts=group["counts"][()].astype(np.int64),
        block_means=group["block_means"][()].astype(np.float64),
        block_counts=group["block_counts"][()].astype(np.int64),
        block_length_ps=float(group.attrs["block_length_ps"]),
        coarse_graining=str(group.attrs["coarse_graining"]),
    )
