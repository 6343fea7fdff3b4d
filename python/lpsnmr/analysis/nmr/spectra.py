"""Powder spectra to first order and second moments, static and motionally averaged."""

from dataclasses import dataclass
from math import pi

import numpy as np

from lpsnmr.analysis.statistics.resampling import Interval, wider_interval
from lpsnmr.efg.quadrupolar import frequency_correlation, frequency_rad_s_per_efg
from lpsnmr.efg.tensors import components_to_tensor, principal_values
from lpsnmr.nuclides import nuclide
from lpsnmr.typing import Array

__all__ = ["Spectrum", "powder_spectrum", "second_moment"]


GRID_POINTS = 400_000
"""Orientations times tensors, at most about so many."""
MIN_POINTS, MAX_POINTS = 12, 120
N_BINS = 300


@dataclass(frozen=True)
class Spectrum:
    """First-order powder spectrum of tensors averaged over one time.

    Attributes
    ----------
    averaging_time_ps
        Time over which every tensor was averaged, ps.
    frequency_khz
        (F,) float64, offset from the Larmor frequency, kHz.
    satellites
        (F,) float64, 1/kHz, normalised to the share of the satellites.
    central_share
        Intensity of the central line at zero, 0.4 for I = 3/2, 0 for integer spin.
    second_moment_khz2
        ⟨ν_Q²⟩ of the innermost satellites with interval, kHz²; None with fewer than five Li.
    """

    averaging_time_ps: float
    frequency_khz: Array
    satellites: Array
    central_share: float
    second_moment_khz2: Interval | None

    def line(self, broadening_khz: float) -> Array:
        """Return the whole spectrum, 1/kHz, the central line as a Gaussian of this standard deviation."""
        x = self.frequency_khz / broadening_khz
        gauss = np.exp(-0.5 * x**2) / (broadening_khz * np.sqrt(2.0 * pi))
        return np.asarray(self.satellites + self.central_share * gauss)


def powder_spectrum(
    components: Array,
    averaging_time_ps: float,
    nucleus: str = "7Li",
    *,
    reach_khz: float | None = None,
    n_bootstrap: int = 400,
    level: float = 0.95,
    seed: int = 1,
) -> Spectrum:
    """Return the spectrum of a powder of these tensors.

    Each tensor gives satellites at ±ν(z, φ), ν = ½ ν_max [3z² − 1 + η(1 − z²) cos 2φ], for b uniform on the
    sphere in its principal frame; the cell of each orientation is spread evenly between the frequencies
    at its two ends in z. Beyond spin 3/2 the further satellites lie at multiples of ν, with the intensities
    that ``lpsnmr.nuclides.Nuclide.satellites`` gives.

    Parameters
    ----------
    components
        (samples, n_li, 5) float64, V/Å².
    averaging_time_ps
        Time over which each tensor is an average, ps.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.
    reach_khz
        The spectrum has 300 bins from −reach to reach; by default 1.02 of the largest frequency.
    n_bootstrap, level, seed
        For the interval of the second moment, by resampling Li.
    """
    of = nuclide(nucleus)
    tensors = np.asarray(components, dtype=np.float64)
    v_zz, eta, _ = principal_values(components_to_tensor(tensors.reshape(-1, 5)))
    largest = v_zz * frequency_rad_s_per_efg(nucleus) / (2.0 * pi * 1e3)  # kHz, at b along z
    outermost = of.satellites[-1][0]
    reach = reach_khz or 1.02 * max(outermost * float(np.abs(largest).max(initial=0.0)), 1e-3)
    edges_khz = np.linspace(-reach, reach, N_BINS + 1)
    density = np.zeros(N_BINS)
    for offset, strength in of.satellites:
        one_side = _histogram(offset * largest, eta, edges_khz)
        density += 0.5 * (one_side + one_side[::-1]) / np.diff(edges_khz) * strength
    middle = 0.5 * (edges_khz[1:] + edges_khz[:-1])
    moment = second_moment(tensors, nucleus, n_bootstrap=n_bootstrap, level=level, seed=seed)
    return Spectrum(averaging_time_ps, middle, density, of.central_share, moment)


def second_moment(
    components: Array, nucleus: str = "7Li", *, n_bootstrap: int = 400, level: float = 0.95, seed: int = 1
) -> Interval | None:
    """Return ⟨ν_Q²⟩ of the innermost satellites of a powder, kHz², with an interval by resampling Li.

    Parameters
    ----------
    components
        (samples, n_li, 5) float64, V/Å².

    Returns
    -------
    Interval | None
        None with fewer than five Li. The second moment of the whole line is this times the share of the
        satellites.
    """
    tensors = np.asarray(components, dtype=np.float64)
    n_li = tensors.shape[1]
    per_li = frequency_correlation((tensors**2).sum(axis=2).mean(axis=0), nucleus) / (2.0 * pi * 1e3) ** 2
    if n_li < 5:
        return None
    rng = np.random.default_rng(seed)
    means = per_li[rng.integers(0, n_li, (n_bootstrap, n_li))].mean(axis=1)
    return wider_interval(float(per_li.mean()), [(means, n_li)], level)


def _histogram(largest: Array, eta: Array, edges: Array) -> Array:
    """Share of the powder per bin of ½ ν_max [3z² − 1 + η(1 − z²) cos 2φ]; sums to 1 within the edges."""
    n = int(np.clip(np.sqrt(GRID_POINTS / max(len(largest), 1)), MIN_POINTS, MAX_POINTS))
    z = np.linspace(0.0, 1.0, n + 1)
    phi = (np.arange(n) + 0.5) * 0.5 * pi / n
    cumulative = np.zeros(len(edges))
    chunk = max(1, GRID_POINTS // (n * n))
    for first in range(0, len(largest), chunk):
        v, e = (x[first : first + chunk, None, None] for x in (largest, eta))
        ends = 0.5 * v * (3.0 * z[:, None] ** 2 - 1.0 + e * (1.0 - z[:, None] ** 2) * np.cos(2.0 * phi))
        cumulative += _spread(ends[:, :-1].ravel(), ends[:, 1:].ravel(), edges)
    return np.asarray(np.diff(cumulative) / (len(largest) * n * n))


def _spread(a: Array, b: Array, edges: Array) -> Array:
    """Σ over cells of the part of [a, b] below each edge: cumulative sums of uniform densities."""
    low = np.minimum(a, b)
    width = np.maximum(np.abs(b - a), 1e-3 * (edges[1] - edges[0]))
    high = low + width
    total = np.zeros(len(edges))
    # each cell is a ramp between low and high: integrate slopes that begin at low and end at high
    for points, sign in ((low, 1.0), (high, -1.0)):
        order = np.argsort(points)
        sorted_points, slopes = points[order], (sign / width)[order]
        slope_sums = np.concatenate([[0.0], np.cumsum(slopes)])
        moment_sums = np.concatenate([[0.0], np.cumsum(slopes * sorted_points)])
        index = np.searchsorted(sorted_points, edges)
        total += edges * slope_sums[index] - moment_sums[index]
    return total
