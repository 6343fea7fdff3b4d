"""Cells by MD at zero pressure, beside what diffraction measured at the same temperature."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.special import stdtrit

from lpsnmr.errors import InputError
from lpsnmr.md.follow import MdPlan, follow
from lpsnmr.structures import load_structure, supercell
from lpsnmr.structures.checks import density_g_per_cm3
from lpsnmr.typing import Array
from lpsnmr.validation.settings import ValidateSettings

__all__ = ["MEASURED_AT", "block_interval", "cell_task"]

Tick = Callable[[str, int, int], None]
MEASURED_AT: Final[dict[str, tuple[float, tuple[int, int, int]]]] = {
    "beta-Li3PS4": (637.0, (1, 2, 2)),
    "gamma-Li3PS4": (300.0, (2, 2, 2)),
}
"""Temperature of the published cell, K, and repeats that make 128 atoms (doi:10.1016/j.ssi.2010.10.001)."""
BLOCKS: Final = 10
"""Blocks of time whose means give the interval."""
FEWEST_VALUES: Final = 4


def block_interval(values: Array, blocks: int = BLOCKS) -> list[float]:
    """Return mean and 95 % interval of a correlated series, from the means of blocks of it.

    Parameters
    ----------
    values
        (n,) float64, equally spaced in time.
    blocks
        Number of blocks, fewer when a block would have less than two values.

    Returns
    -------
    list of float
        Mean, low, high; mean ± t s/√blocks, t of Student with blocks − 1 degrees of freedom
        (doi:10.1063/1.457480).

    Raises
    ------
    InputError
        For fewer than four values.

    Examples
    --------
    >>> block_interval(np.full(40, 2.0))
    [2.0, 2.0, 2.0]
    """
    if len(values) < FEWEST_VALUES:
        raise InputError(f"block average: expected at least {FEWEST_VALUES} values, got {len(values)}")
    blocks = min(blocks, len(values) // 2)
    mean, length = float(np.mean(values)), len(values) // blocks
    means = np.asarray(values[: length * blocks]).reshape(blocks, length).mean(axis=1)
    half = float(stdtrit(blocks - 1, 0.975) * means.std(ddof=1) / np.sqrt(blocks))
    return [mean, mean - half, mean + half]


def _percent(interval: list[float], published: float) -> list[float]:
    """Return the relative deviation of value, low, high, %."""
    return [100.0 * (x / published - 1.0) for x in interval]


def cell_task(
    settings: ValidateSettings, crystal: str, folder: Path, name: str, tick: Tick
) -> dict[str, Any]:
    """Let the cell of a crystal find its shape at zero pressure, at the temperature of its measurement.

    The axes move each on its own (``fix npt aniso``); the first ``cells_equilibration_ps`` are left out.
    """
    temperature, repeat = MEASURED_AT[crystal]
    repeat = settings.cells_repeat or repeat
    published = load_structure(crystal)
    plan = MdPlan(
        temperature, settings.cells_ps, ensemble="npt", equilibration_ps=settings.cells_equilibration_ps,
        timestep_fs=settings.timestep_fs, barostat="aniso", seed=settings.seed, style=settings.style,
    )  # fmt: skip
    seen = follow(plan, supercell(published, repeat), settings.potential, folder, name, tick)
    lengths = np.linalg.norm(seen.cells, axis=2) / np.asarray(repeat)  # (samples, 3)
    volume = block_interval(np.abs(np.linalg.det(seen.cells)) / np.prod(repeat))
    axes = [block_interval(lengths[:, k]) for k in range(3)]
    density = density_g_per_cm3(published)
    return {
        "crystal": crystal,
        "temperature_k": temperature,
        "mean_temperature_k": float(seen.column("Temp").mean()),
        "pressure_bar": block_interval(seen.column("Press")),
        "ps": float(seen.column("time_ps")[-1]),
        "atoms": len(seen.numbers),
        "volume_A3": volume,
        "lengths_A": axes,
        "published_volume_A3": float(published.get_volume()),
        "published_lengths_A": published.cell.lengths().tolist(),
        "volume_error_percent": _percent(volume, float(published.get_volume())),
        "length_error_percent": [
            _percent(axis, length) for axis, length in zip(axes, published.cell.lengths(), strict=True)
        ],
        "density_g_per_cm3": density * float(published.get_volume()) / volume[0],
        "published_density_g_per_cm3": density,
        "ps4_whole_least": float(seen.column("intact").min()),
    }
