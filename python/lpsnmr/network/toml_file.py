"""Networks written by hand: a TOML file of sites and jumps, checked key by key."""

import os
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, PositiveFloat, ValidationError

from lpsnmr.efg.tensors import tensor_to_components
from lpsnmr.errors import FileFormatError, InputError
from lpsnmr.network.model import JumpNetwork
from lpsnmr.strict_model import StrictModel, complaints
from lpsnmr.typing import Array
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["DipolarSection", "read_network"]

Vector = tuple[float, float, float]


class SiteSection(StrictModel):
    """A table ``[[sites]]``."""

    name: str = Field(description="name of the site, used by jumps")
    c_q_khz: float | None = Field(default=None, description="quadrupolar coupling constant, kHz")
    eta: Annotated[float, Field(ge=0, le=1)] = Field(default=0.0, description="asymmetry, 0 to 1")
    z_axis: Vector = Field(default=(0.0, 0.0, 1.0), description="direction of the axis of V_zz")
    x_axis: Vector | None = Field(
        default=None, description="direction of the axis of V_xx; needed if eta > 0"
    )
    tensor: tuple[Vector, Vector, Vector] | None = Field(
        default=None, description="field gradient, V/Å², in place of c_q_khz, eta and axes"
    )
    energy_ev: float = Field(default=0.0, description="energy of the site, eV")
    entropy: float = Field(default=0.0, description="entropy of the site, in k")


class JumpSection(StrictModel):
    """A table ``[[jumps]]``."""

    between: tuple[str, str] = Field(description="names of the two sites; jumps go both ways")
    barrier_ev: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="barrier from the first of the two sites, eV"
    )
    prefactor_per_s: PositiveFloat = Field(
        description="rate from the first of the two sites without the barrier, 1/s"
    )
    vector: Vector | None = Field(default=None, description="from the first to the second site, Å")


class DipolarSection(StrictModel):
    """Table ``[dipolar]``: second moments of the structure at rest."""

    like_khz2: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="second moment by spins that jump too, M2/(2π)², kHz²"
    )
    unlike_khz2: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="second moment by spins at rest, M2/(2π)², kHz²"
    )


class NetworkFile(StrictModel):
    """The whole file."""

    nucleus: str = Field(default="7Li", description="isotope, such as 7Li")
    sites: tuple[SiteSection, ...] = Field(description="sites")
    jumps: tuple[JumpSection, ...] = Field(default=(), description="jumps")
    dipolar: DipolarSection = Field(default=DipolarSection(), description="dipolar second moments")


def read_network(path: str | os.PathLike[str]) -> tuple[JumpNetwork, DipolarSection]:
    """Read a network written by hand, and its dipolar second moments; ``docs/howto/predict.md`` has the keys.

    Raises
    ------
    FileFormatError
        For a file that cannot be read, is no TOML, has an unknown key or a value that does not fit, or names
        a site that is not there. The message starts with the path.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise FileFormatError(f"{path}: cannot read this network: {why}") from error
    try:
        content = NetworkFile(**tomllib.loads(text))
        network = _network(content)
    except tomllib.TOMLDecodeError as error:
        raise FileFormatError(f"{path}: not valid TOML: {error}") from None
    except ValidationError as error:
        raise FileFormatError(f"{path}: {complaints(error, NetworkFile)}") from None
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from None
    return network, content.dipolar


def _network(content: NetworkFile) -> JumpNetwork:
    names = [site.name for site in content.sites]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or twice:
        what = f"the name {twice[0]!r} twice" if twice else "none"
        raise InputError(f"sites: expected at least one site, each with a name of its own, got {what}")
    index = {name: i for i, name in enumerate(names)}
    edges, saddles, prefactors, vectors = [], [], [], []
    for number, jump in enumerate(content.jumps, 1):
        for name in jump.between:
            if name not in index:
                raise InputError(
                    f"jumps, entry {number}: expected a site of {', '.join(names)}, got {name!r}"
                )
        first = content.sites[index[jump.between[0]]]
        second = content.sites[index[jump.between[1]]]
        if first is second:
            raise InputError(f"jumps, entry {number}: expected two different sites, got {first.name!r} twice")
        if first.energy_ev + jump.barrier_ev < second.energy_ev:
            raise InputError(
                f"jumps, entry {number}: the barrier of {jump.barrier_ev:g} eV ends below "
                f"{second.name}, which lies {second.energy_ev - first.energy_ev:g} eV above {first.name}"
            )
        edges.append((index[first.name], index[second.name]))
        saddles.append(first.energy_ev + jump.barrier_ev)
        prefactors.append(np.log(jump.prefactor_per_s) + first.entropy)
        vectors.append(jump.vector)
    known = [vector for vector in vectors if vector is not None]
    if known and len(known) < len(vectors):
        raise InputError("jumps: expected a vector for every jump or for none")
    kinds = [f"{a}-{b}" for a, b in (jump.between for jump in content.jumps)]
    count = len(edges)
    return JumpNetwork(
        tuple(names), np.arange(len(names), dtype=np.int64),
        np.array([_components(site, content.nucleus) for site in content.sites]),
        np.array([site.energy_ev for site in content.sites]),
        np.array([site.entropy for site in content.sites]),
        np.array(edges, dtype=np.int64).reshape(-1, 2), np.arange(count, dtype=np.int64),
        np.array(saddles), np.array(prefactors), np.array(known) if known else None, content.nucleus,
        tuple(names), tuple(kinds),
    )  # fmt: skip


def _components(site: SiteSection, nucleus: str) -> Array:
    """Return the five components of a site, V/Å²."""
    if (site.tensor is None) == (site.c_q_khz is None):
        raise InputError(f"site {site.name!r}: expected either c_q_khz or tensor")
    if site.tensor is not None:
        tensor = np.array(site.tensor)
        size = max(float(np.abs(tensor).max()), 1e-12)
        if np.abs(tensor - tensor.T).max() > 1e-6 * size or abs(np.trace(tensor)) > 1e-6 * size:
            raise InputError(f"site {site.name!r}: tensor: expected a symmetric one without a trace")
        return tensor_to_components(tensor)
    z = _unit(np.array(site.z_axis), f"site {site.name!r}: z_axis")
    if site.x_axis is None and site.eta > 0:
        raise InputError(f"site {site.name!r}: eta = {site.eta:g} needs x_axis")
    x = np.array(site.x_axis) if site.x_axis is not None else np.eye(3)[int(np.argmin(np.abs(z)))]
    x = _unit(x - (x @ z) * z, f"site {site.name!r}: x_axis, less its part along z_axis,")
    v_zz = 1e3 * float(site.c_q_khz or 0.0) / quadrupolar_coupling_hz_per_efg(nucleus)
    axes = np.column_stack([x, np.cross(z, x), z])
    principal = v_zz * np.array([-(1.0 - site.eta) / 2.0, -(1.0 + site.eta) / 2.0, 1.0])
    return tensor_to_components(axes @ np.diag(principal) @ axes.T)


def _unit(vector: Array, name: str) -> Array:
    length = float(np.linalg.norm(vector))
    if length < 1e-9:
        raise InputError(f"{name} expected a direction, got a vector of length zero")
    return np.asarray(vector / length)
