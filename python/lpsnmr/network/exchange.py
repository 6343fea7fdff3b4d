"""Echoes and free induction decays of a powder whose ions jump all the time, evolution included."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpsnmr.efg.quadrupolar import frequency_rad_s_per_efg
from lpsnmr.errors import InputError
from lpsnmr.network.model import JumpNetwork, symmetrised
from lpsnmr.sampling.orientations import lebedev_half_sphere, projections
from lpsnmr.typing import Array

__all__ = ["ExchangeEcho", "Modes", "exchange_echo", "fid", "frequencies", "quadrupole_echo"]

Complex = NDArray[np.complex128]
PHASE_PER_STEP = 0.08
"""Largest phase, rad, by which sites part in one step; the error is 3e-7 per rad of the whole."""
MAX_STEPS = 200_000
FIRST_STEP, GROWTH = 0.1, 1.5
"""Fastest rate times the first step; growth of the time reached with each of the first steps."""


@dataclass(frozen=True)
class Modes:
    """Motion of the populations in modes: √p_i K_ij/√p_j = Σ_k Q_ik λ_k Q_jk.

    Attributes
    ----------
    occupations
        (n,) p.
    rates
        (n,) λ ≤ 0, 1/s, ascending.
    vectors
        (n, n) Q, columns are the modes.
    """

    occupations: Array
    rates: Array
    vectors: Array

    @classmethod
    def of(cls, network: JumpNetwork, temperature_k: float) -> "Modes":
        """Return the modes of a network at a temperature in K."""
        return cls.of_matrix(network.rate_matrix(temperature_k), network.occupations(temperature_k))

    @classmethod
    def of_matrix(cls, rate_matrix: Array, occupations: Array) -> "Modes":
        """Return the modes of a rate matrix that is in detailed balance with the occupations.

        Raises
        ------
        InputError
            When it is not.
        """
        flux = occupations[:, None] * rate_matrix
        if not np.allclose(flux, flux.T, rtol=1e-6, atol=1e-9 * np.abs(flux).max(initial=0.0)):
            raise InputError("exchange: the rates are not in detailed balance with the occupations")
        values, vectors = np.linalg.eigh(symmetrised(rate_matrix, occupations))
        return cls(occupations, np.minimum(values, 0.0), vectors)

    @property
    def start(self) -> Array:
        """Return √p in modes, (n,)."""
        return np.asarray(self.vectors.T @ np.sqrt(self.occupations))

    def resting(self) -> NDArray[np.bool_]:
        """Return which modes do not decay, (n,) bool: one for each set of connected sites."""
        return np.asarray(self.rates > -1e-12 * max(float(-self.rates.min(initial=0.0)), 1e-300))

    def propagate(self, omega: Array, times_s: Sequence[float]) -> list[Complex]:
        """Return exp[(K + iΩ) t] √p in modes at ascending times, each (n, orientations) complex.

        An exponential Runge–Kutta method of fourth order (S. M. Cox, P. C. Matthews, J. Comput. Phys. 176,
        430 (2002), doi:10.1006/jcph.2002.6995) takes the jumps exactly, whatever their rates, and the
        precession in steps of ``PHASE_PER_STEP``: its cost knows the phase alone.

        Parameters
        ----------
        omega
            (n, orientations) float64, rad/s.
        times_s
            Ascending, s.

        Raises
        ------
        InputError
            For times that descend, or more steps than can be waited for.
        """
        times = np.asarray(times_s, dtype=np.float64)
        if np.any(np.diff(times) < 0) or np.any(times < 0) or not np.all(np.isfinite(times)):
            raise InputError("evolution times: expected ascending numbers of seconds, 0 or more")
        middle = 0.5 * (omega.max(axis=0) + omega.min(axis=0))
        relative = omega - middle
        largest = float(np.abs(relative).max(initial=0.0))
        state = np.repeat(self.start.astype(np.complex128)[:, None], omega.shape[1], axis=1)
        found: list[Complex] = []
        now, step = 0.0, _Step(self, relative)
        for time in times.tolist():
            for length in self._first_steps(largest, time) if now == 0 < time else []:
                state, now = step(state, length), now + length
            n = (
                max(1, int(np.ceil((time - now) * largest / PHASE_PER_STEP)))
                if time > now * (1 + 1e-12)
                else 0
            )
            if n > MAX_STEPS:
                raise InputError(
                    f"evolution time: {time:.3g} s is a phase of {time * largest:.3g} rad, "
                    "more than can be followed"
                )
            for _ in range(n):
                state = step(state, (time - now) / n)
            now = time
            found.append(state * np.exp(1j * middle * time))
        return found

    def _first_steps(self, largest: float, first_time: float) -> list[float]:
        """Return steps that grow from the fastest jumps on: fast modes leave equilibrium in no time, once."""
        fastest = float(-self.rates.min(initial=0.0))
        whole = min(PHASE_PER_STEP / largest if largest > 0 else first_time, first_time)
        if not np.isfinite(whole) or fastest * whole < FIRST_STEP:
            return []
        n = int(np.ceil(np.log(fastest * whole / FIRST_STEP) / np.log(GROWTH)))
        lengths = whole * GROWTH ** -np.arange(n, 0, -1.0) * (GROWTH - 1.0)
        return [float(whole * GROWTH**-n), *map(float, lengths)]


class _Step:
    """One step of the exponential Runge–Kutta method; keeps its coefficients while the step stays."""

    def __init__(self, modes: Modes, omega: Array) -> None:
        self._rates, self._omega = modes.rates, omega
        self._q = np.ascontiguousarray(modes.vectors)
        self._qt = np.ascontiguousarray(modes.vectors.T)
        self._length = -1.0
        self._c: tuple[Array, ...] = ()

    def _precession(self, x: Complex) -> Complex:
        at_sites = (self._q @ x.view(np.float64)).view(np.complex128)
        at_sites *= 1j * self._omega
        return np.asarray((self._qt @ at_sites.view(np.float64)).view(np.complex128))

    def __call__(self, x: Complex, length: float) -> Complex:
        if abs(length - self._length) > 1e-12 * length:
            self._length, self._c = length, _coefficients(self._rates * length, length)
        whole, half, inner, f1, f2, f3 = self._c
        n0 = self._precession(x)
        a = half * x + inner * n0
        n1 = self._precession(a)
        n2 = self._precession(half * x + inner * n1)
        n3 = self._precession(half * a + inner * (2.0 * n2 - n0))
        return np.asarray(whole * x + f1 * n0 + f2 * (n1 + n2) + f3 * n3)


def _coefficients(z: Array, h: float) -> tuple[Array, ...]:
    one, two, three = _phi(z)
    inner = 0.5 * h * _phi(0.5 * z)[0]
    parts = (
        np.exp(z), np.exp(0.5 * z), inner, h * (one - 3 * two + 4 * three), 2 * h * (two - 2 * three),
        h * (4 * three - two),
    )  # fmt: skip
    return tuple(part[:, None] for part in parts)


def _phi(z: Array) -> tuple[Array, Array, Array]:
    """Return φ1, φ2, φ3 for z ≤ 0: (eᶻ − Σ_{m<k} zᵐ/m!)/zᵏ, by their series for small z."""
    small = np.abs(z) < 0.5
    w, s = np.where(small, -1.0, z), np.where(small, z, 0.0)
    series = [np.zeros_like(z) for _ in range(3)]
    for k in range(3):
        term = np.full_like(z, 1.0 / (1.0, 2.0, 6.0)[k])
        for m in range(1, 16):
            series[k] += term
            term = term * s / (m + k + 1)
    one = np.expm1(w) / w
    two = (one - 1.0) / w
    three = (two - 0.5) / w
    return (
        np.where(small, series[0], one), np.where(small, series[1], two), np.where(small, series[2], three)
    )  # fmt: skip


def frequencies(tensors: Array, nucleus: str, directions: Array) -> Array:
    """Return ω_Q of the innermost satellite, (sites, directions), rad/s."""
    return np.asarray(tensors @ projections(directions).T * frequency_rad_s_per_efg(nucleus))


@dataclass(frozen=True)
class ExchangeEcho:
    """S(t_p, t_m) of a powder or of one orientation, with motion in the evolution times.

    Attributes
    ----------
    evolution_times_s, mixing_times_s
        (P,) and (M,) s.
    sine, cosine
        (P, M) float64.
    plateau
        (P, 2), sine and cosine for t_m → ∞: the final state.
    amplitude
        (P,) what of the full amplitude the motion in both evolution times leaves at t_m = 0, S_sin + S_cos ≤
        1.
    """

    evolution_times_s: Array
    mixing_times_s: Array
    sine: Array
    cosine: Array
    plateau: Array
    amplitude: Array


def exchange_echo(
    modes: Modes,
    tensors: Array,
    evolution_times_s: Sequence[float],
    mixing_times_s: Sequence[float],
    *,
    nucleus: str = "7Li",
    degree: int = 35,
    direction: Sequence[float] | None = None,
) -> ExchangeEcho:
    """Return spin-alignment (sine) and stimulated (cosine) echoes, exact for the jumps.

    With P(t) = exp[(K + iΩ_b) t] and a = P(t_p)ᵀ p the transverse magnetisation before the second pulse,

        S_sin = Σ_b w_b 1ᵀ Im[P(t_p)] exp(K t_m) Im[a],    S_cos the same with real parts.

    In slow motion a → p e^{iΩ t_p}, and S is the echo that runs sample. H. W. Spiess, J. Chem. Phys. 72,
    6755 (1980), doi:10.1063/1.439165.

    Parameters
    ----------
    modes
        Of the motion.
    tensors
        (n, 5) float64, V/Å².
    evolution_times_s, mixing_times_s
        Seconds; evolution times ascending.
    nucleus
        Whose satellites of the smallest splitting are looked at.
    degree
        Of the Lebedev set of a powder.
    direction
        Field along it, for a single crystal; None for a powder.
    """
    directions, weights = _orientations(degree, direction)
    omega = frequencies(tensors, nucleus, directions)
    mixing = np.asarray(mixing_times_s, dtype=np.float64)
    decays = np.exp(np.multiply.outer(mixing, modes.rates))
    resting = modes.resting()
    lines, plateaus, amplitudes = [], [], []
    for state in modes.propagate(omega, evolution_times_s):
        parts = np.stack([(state.imag**2) @ weights, (state.real**2) @ weights])  # (2, modes)
        lines.append(parts @ decays.T)
        plateaus.append(parts[:, resting].sum(axis=1))
        amplitudes.append(parts.sum())
    values = np.array(lines)
    return ExchangeEcho(
        np.asarray(evolution_times_s, dtype=np.float64), mixing, values[:, 0], values[:, 1],
        np.array(plateaus), np.array(amplitudes),
    )  # fmt: skip


def fid(
    modes: Modes,
    tensors: Array,
    times_s: Sequence[float],
    *,
    nucleus: str = "7Li",
    degree: int = 35,
    scale: float = 1.0,
    direction: Sequence[float] | None = None,
) -> Complex:
    """Return ⟨exp(i ∫ω dt)⟩ of a satellite at ascending times, (T,) complex; ``scale`` multiplies ω."""
    directions, weights = _orientations(degree, direction)
    omega = scale * frequencies(tensors, nucleus, directions)
    return np.array([modes.start @ state @ weights for state in modes.propagate(omega, times_s)])


def quadrupole_echo(
    modes: Modes,
    tensors: Array,
    pulse_delay_s: float,
    times_s: Sequence[float],
    *,
    nucleus: str = "7Li",
    degree: int = 35,
) -> Complex:
    """Return the signal of a satellite after a quadrupole echo, (T,) complex; its maximum is at 0.

    The second pulse, ``pulse_delay_s`` after the first, turns phases round: 1ᵀ P(τ + t) P(τ)* p.
    """
    directions, weights = _orientations(degree, None)
    omega = frequencies(tensors, nucleus, directions)
    later = pulse_delay_s + np.asarray(times_s, dtype=np.float64)
    first, *rest = modes.propagate(omega, [pulse_delay_s, *later.tolist()])
    return np.array([(state * first.conj()).sum(axis=0) @ weights for state in rest])


def _orientations(degree: int, direction: Sequence[float] | None) -> tuple[Array, Array]:
    if direction is None:
        return lebedev_half_sphere(degree)
    return np.asarray([direction], dtype=np.float64), np.ones(1)
