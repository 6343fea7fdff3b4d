"""Line shapes under exchange: whole spectra of all transitions, and their widths."""

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from lpsnmr.network.dipolar import narrowed_decay
from lpsnmr.network.exchange import Modes, fid, frequencies, quadrupole_echo
from lpsnmr.network.nucleus import transitions
from lpsnmr.sampling.orientations import LEBEDEV_DEGREES, lebedev_half_sphere
from lpsnmr.typing import Array

__all__ = ["ExchangeSpectrum", "degree_for", "exchange_spectrum", "full_width"]

N_TIMES = 1024
END_OF_SIGNAL = 1e-3
LEAST_PHASE = 24.0
MAX_DEGREE = 131


@dataclass(frozen=True)
class ExchangeSpectrum:
    """A powder spectrum.

    Attributes
    ----------
    frequency_hz
        (F,) ascending offsets from the Larmor frequency, Hz.
    intensity
        (F,) 1/Hz, all transitions; the integral over a wide range is the share of the signal that is left.
    width_hz
        Full width at half height of the whole line, Hz.
    degree
        Of the Lebedev set.
    converged
        Whether this set averages the phases of the whole signal.
    """

    frequency_hz: Array
    intensity: Array
    width_hz: float
    degree: int
    converged: bool


def degree_for(phase_rad: float) -> int:
    """Return the smallest Lebedev degree that averages phases of this size to 1e-3, the largest at most."""
    wanted = 2.0 * phase_rad + 9.0
    return next((degree for degree in LEBEDEV_DEGREES if degree >= max(wanted, 17)), MAX_DEGREE)


def exchange_spectrum(
    modes: Modes,
    tensors: Array,
    *,
    nucleus: str = "7Li",
    second_moment: float,
    rate_per_s: float = 0.0,
    pulse_delay_s: float | None = None,
    n_times: int = N_TIMES,
) -> ExchangeSpectrum:
    """Return the spectrum after one pulse, or after a quadrupole echo, with motion of any speed.

    The free induction decay of each pair of transitions under exchange is multiplied by the dipolar decay of
    ``narrowed_decay`` and Fourier transformed.

    Parameters
    ----------
    modes, tensors, nucleus
        Motion, (n, 5) tensors in V/Å², isotope.
    second_moment
        Of the dipolar couplings, (rad/s)²; it also ends the signal, so it must be positive.
    rate_per_s
        By which the dipolar couplings fluctuate.
    pulse_delay_s
        Between the pulses of a quadrupole echo; None for a single pulse. The central transition has no
        quadrupolar precession to refocus, to first order.
    n_times
        Points of the signal.
    """
    lebedev, _ = lebedev_half_sphere(MAX_DEGREE)
    pairs = transitions(nucleus)
    largest = max(f for f, _ in pairs) * float(
        np.abs(frequencies(tensors, nucleus, lebedev)).max(initial=0.0)
    )
    width = largest + 6.0 * np.sqrt(second_moment)
    dwell = pi / (1.1 * width)
    ends = np.sqrt(-2.0 * np.log(END_OF_SIGNAL) / second_moment)
    if rate_per_s > 0:
        ends = max(ends, -np.log(END_OF_SIGNAL) * (1.0 / np.sqrt(second_moment) + rate_per_s / second_moment))
    times = dwell * np.arange(min(n_times, max(64, int(np.ceil(ends / dwell)))))
    phase = largest * min(times[-1], ends)
    degree = degree_for(phase)
    signal = np.zeros(len(times), dtype=np.complex128)
    for factor, share in pairs:
        if factor == 0:
            part = np.ones(len(times), dtype=np.complex128)
        elif pulse_delay_s is None:
            part = fid(modes, tensors, times, nucleus=nucleus, degree=degree, scale=factor)
        else:
            scaled = factor * tensors
            part = quadrupole_echo(modes, scaled, pulse_delay_s, times, nucleus=nucleus, degree=degree)
        signal += share * part.real  # the pair ± of satellites
    signal *= narrowed_decay(times, second_moment, rate_per_s)
    frequency, intensity = _transform(signal, dwell)
    full = full_width(frequency, intensity)
    return ExchangeSpectrum(frequency, intensity, full, degree, bool(phase <= 0.5 * (degree - 9)))


def _transform(signal: NDArray[np.complex128], dwell: float) -> tuple[Array, Array]:
    """Return offsets, Hz, and 2 Re ∫ G cos ωt dt of a signal whose imaginary part vanishes, 1/Hz."""
    padded = np.zeros(8 * len(signal), dtype=np.complex128)
    padded[: len(signal)] = signal
    padded[0] *= 0.5
    intensity = 2.0 * dwell * np.fft.fftshift(np.fft.fft(padded)).real
    return np.fft.fftshift(np.fft.fftfreq(len(padded), dwell)), intensity


def full_width(frequency: Array, intensity: Array) -> float:
    """Return the full width at half height about the highest point, by straight lines between points."""
    top = int(np.argmax(intensity))
    half = 0.5 * intensity[top]

    def edge(step: int) -> float:
        i = top
        while 0 <= i + step < len(intensity) and intensity[i + step] > half:
            i += step
        j = i + step
        if not 0 <= j < len(intensity):
            return float(frequency[i])
        part = (intensity[i] - half) / (intensity[i] - intensity[j])
        return float(frequency[i] + part * (frequency[j] - frequency[i]))

    return edge(1) - edge(-1)
