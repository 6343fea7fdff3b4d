"""The results file: everything the analysis needs of one run, in one HDF5 file.

The layout is written down in ``docs/reference/results-format.md``.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.files.atomic import written_aside
from lpsnmr.files.hdf5 import hdf5_bytes
from lpsnmr.results import layout
from lpsnmr.results.collective import CollectiveDisplacement
from lpsnmr.results.echo import Echo
from lpsnmr.results.groups import Group
from lpsnmr.results.jumps import Jumps, Rotations, SiteJumps, SiteNetwork
from lpsnmr.results.lag_statistics import LagStatistics
from lpsnmr.results.layout import Scalar
from lpsnmr.results.single_crystal import SingleCrystal
from lpsnmr.results.tensor_samples import TensorSamples
from lpsnmr.structures.species import SpeciesSettings
from lpsnmr.typing import Array

__all__ = ["RESULTS_FILE", "Results", "find_results_file"]

RESULTS_FILE = "results.h5"
"""Name of the results file in the output folder of a run."""


GROUPS: dict[str, type[Group]] = {
    "echo": Echo,
    "tensor_samples": TensorSamples,
    "collective_displacement": CollectiveDisplacement,
    "jumps_sites": SiteJumps,
    "jumps_displacement": Jumps,
    "site_network": SiteNetwork,
}
"""Optional group of the file, which is also the attribute of ``Results``: its type."""
DIRECTION = "direction_"
ROTATIONS = "rotations_"
"""Begins the name of a group of one kind of polyhedra."""


def find_results_file(path: str | os.PathLike[str]) -> Path:
    """Return the results file that a path means: itself, or ``results.h5`` in a folder.

    Raises
    ------
    FileFormatError
        For a folder without one.
    """
    found = Path(path)
    if not found.is_dir():
        return found
    if not (found / RESULTS_FILE).is_file():
        raise FileFormatError(f"{found}: no {RESULTS_FILE} in this folder; expected the output of a run")
    return found / RESULTS_FILE


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
        As ``lpsnmr.nuclides.nuclide`` reads it.
    efg_correlation
        Σ_m c_m(0) c_m(t) = Tr V(0)V(t) per Li, V²/Å⁴; None when no EFG was sampled.
    efg_mean, efg_mean_square
        (n_li, 5) float64 mean components, V/Å²; (n_li,) float64 mean of Tr V², V²/Å⁴.
    displacement
        Mean squared displacement per Li, Å²; None when not sampled.
    drift_removed
        Whether the centre of mass of the framework was subtracted from the positions.
    jump_distance_angstrom
        Mean distance between neighbouring Li sites, Å; None when unknown.
    provenance
        Name to text or number: versions, hashes of models, seed, configuration.
    statistics
        Name to number: rate of the run, energies, extrapolation counts.
    echo
        Spin-alignment echoes; None when none were sampled.
    tensor_samples
        Tensors averaged over several times; None when not sampled.
    single_crystals
        Correlations for the field directions asked for.
    collective_displacement
        Of all Li together; None when not followed.
    jumps_sites, jumps_displacement
        Booked jumps between sites and by displacement; None when not followed.
    rotations
        Booked rotations by kind of polyhedra, such as ``"ps4"``; empty when none were followed.
    site_network
        Mean tensors, waiting times and returns by site and pair; None when not followed, and in older files.
    mobile, charge
        Element of the mobile ion, which names with ``li`` stand for, and its charge, e.
    extra
        Groups that this version does not know, kept as they are: ``{"group": {"name": array}}``.
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
    echo: Echo | None = None
    tensor_samples: TensorSamples | None = None
    single_crystals: list[SingleCrystal] = field(default_factory=list)
    collective_displacement: CollectiveDisplacement | None = None
    jumps_sites: SiteJumps | None = None
    jumps_displacement: Jumps | None = None
    rotations: dict[str, Rotations] = field(default_factory=dict)
    site_network: SiteNetwork | None = None
    mobile: str = SpeciesSettings().mobile
    charge: float = 1.0
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
        for name, group in self.groups().items():
            group.validate(f"extra/{name}", n)

    def groups(self) -> dict[str, Group]:
        """Return the optional groups there are, by their names under ``/extra``, in the order of writing."""
        found = {name: getattr(self, name) for name in GROUPS}
        directions = {f"{DIRECTION}{k}": crystal for k, crystal in enumerate(self.single_crystals)}
        first = {name: found.pop(name) for name in ("echo", "tensor_samples")}
        turned = {f"{ROTATIONS}{name}": group for name, group in self.rotations.items()}
        every = {**first, **directions, **found, **turned}
        return {name: group for name, group in every.items() if group is not None}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the file whole or not at all.

        Raises
        ------
        InputError
            When shapes or values do not fit together; nothing is written.
        """
        self.validate()
        content = hdf5_bytes(self._fill)
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
                layout.check_header(file)
                results = cls(**layout.read_main(file), **_read_groups(file.get("extra", {})))
            results.validate()
        except (InputError, OSError, KeyError, TypeError, ValueError) as error:
            text = error.args[0] if isinstance(error, KeyError) else error
            raise FileFormatError(f"{path}: not a usable lpsnmr results file: {text}") from error
        return results

    def _fill(self, file: Any) -> None:
        layout.write_main(file, vars(self))
        for name, group in self.groups().items():
            group.write(file.create_group(f"extra/{name}"))
        for name, arrays in self.extra.items():
            target = file.create_group(f"extra/{name}")
            for key, array in arrays.items():
                target[key] = array


def _read_groups(extra: Any) -> dict[str, Any]:
    """Return the optional groups as arguments of ``Results``."""
    found: dict[str, Any] = {"extra": {}}
    crystals: dict[int, SingleCrystal] = {}
    rotations: dict[str, Rotations] = {}
    for name, group in extra.items():
        number = name.removeprefix(DIRECTION)
        if name in GROUPS:
            found[name] = GROUPS[name].read(group, f"extra/{name}")
        elif name.startswith(ROTATIONS):
            rotations[name.removeprefix(ROTATIONS)] = Rotations.read(group, f"extra/{name}")
        elif name.startswith(DIRECTION) and number.isdecimal():
            crystals[int(number)] = SingleCrystal.read(group, f"extra/{name}")
        else:
            found["extra"][name] = {key: array[()] for key, array in group.items()}
    found["rotations"] = rotations
    found["single_crystals"] = [crystals[k] for k in sorted(crystals)]
    return found
