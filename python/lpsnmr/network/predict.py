"""What a spectrometer sees of a network, against temperature, with intervals where the network has them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.network.dipolar import bpp_rates, fwhm_hz
from lpsnmr.network.exchange import Modes, exchange_echo
from lpsnmr.network.lines import ExchangeSpectrum, exchange_spectrum
from lpsnmr.network.model import JumpNetwork
from lpsnmr.network.rates import NetworkFit
from lpsnmr.network.redfield import quadrupolar_rates
from lpsnmr.typing import Array
from lpsnmr.units import BOLTZMANN_EV_PER_K

__all__ = ["Flank", "PredictSettings", "Prediction", "SecondMoments", "predict"]

NARROWED = 0.5
MIXING_POINTS = 41


@dataclass(frozen=True)
class SecondMoments:
    """Dipolar second moments at rest, (rad/s)²: by spins that jump too, and by spins at rest."""

    like: float = 0.0
    unlike: float = 0.0


@dataclass(frozen=True)
class PredictSettings:
    """What to predict.

    Attributes
    ----------
    temperatures_k
        Ascending, K.
    larmor_mhz, spin_lock_khz
        ω0/2π of the nucleus, and ω1/2π of a spin lock.
    evolution_times_us
        Of the echoes.
    mixing_range_s
        First and last mixing time.
    degree
        Of the Lebedev set of the echoes.
    spectra_k
        Temperatures of whole spectra.
    level
        Of the intervals.
    """

    temperatures_k: Sequence[float]
    larmor_mhz: Sequence[float]
    spin_lock_khz: float = 20.0
    evolution_times_us: Sequence[float] = (10.0,)
    mixing_range_s: tuple[float, float] = (1e-5, 1e2)
    degree: int = 35
    spectra_k: Sequence[float] = ()
    level: float = 0.95


@dataclass(frozen=True)
class Flank:
    """The largest 1/T1 at one field, and the barriers that an experimenter reads from the two flanks.

    Attributes
    ----------
    larmor_mhz
        Field.
    maximum_k, maximum_per_s
        Where 1/T1 is largest, K and 1/s; NaN when the maximum is outside the temperatures.
    cold_ev, hot_ev
        Slopes of ln(1/T1) against 1/kT at the coldest and hottest temperature, both as positive barriers.
    """

    larmor_mhz: float
    maximum_k: float
    maximum_per_s: float
    cold_ev: float
    hot_ev: float


@dataclass(frozen=True)
class Prediction:
    """Tables: column name to a column; each has ``temperature_k`` first.

    Attributes
    ----------
    rates
        Jump rate, slowest time and diffusion.
    relaxation
        T1, T1ρ, T2 for each field.
    echo_decays, echo_summary
        S(t_p, t_m); amplitude, plateau and decay time of each evolution time.
    widths
        Dipolar width of the central line, and the quadrupolar second moment that motion leaves in t_p.
    spectra
        By temperature.
    flanks
        For each field.
    narrowing_k
        Temperature at which the central line has half its width at rest; NaN when it is outside.
    notes
        What to be careful of.
    """

    rates: dict[str, Array]
    relaxation: dict[str, Array]
    echo_decays: dict[str, Array]
    echo_summary: dict[str, Array]
    widths: dict[str, Array]
    spectra: dict[float, ExchangeSpectrum]
    flanks: tuple[Flank, ...]
    narrowing_k: float
    notes: tuple[str, ...]


def predict(
    network: JumpNetwork,
    settings: PredictSettings,
    moments: SecondMoments | None = None,
    fit: NetworkFit | None = None,
) -> Prediction:
    """Predict everything at all temperatures.

    Parameters
    ----------
    network
        With its nucleus.
    settings
        What to predict.
    moments
        Dipolar second moments; without them no dipolar width.
    fit
        Where the network came from: its draws give the intervals of rates and T1.

    Raises
    ------
    InputError
        When temperatures do not ascend.
    """
    temperatures = np.asarray(settings.temperatures_k, dtype=np.float64)
    if len(temperatures) == 0 or np.any(np.diff(temperatures) <= 0) or temperatures[0] <= 0:
        raise InputError("temperatures: expected ascending numbers of K above 0")
    moments = moments or SecondMoments()
    modes = [Modes.of(network, t) for t in temperatures.tolist()]
    relaxation = _relaxation(network, modes, temperatures, settings, moments)
    echo_decays, echo_summary = _echoes(network, modes, temperatures, settings)
    widths = _widths(network, temperatures, moments)
    rates = _rates(network, modes, temperatures)
    if fit is not None:
        _add_intervals(rates, relaxation, fit, settings, moments)
    sharpest = moments.like + moments.unlike or (2 * pi * 200.0) ** 2
    spectra = {
        t: exchange_spectrum(
            Modes.of(network, t), network.tensors, nucleus=network.nucleus, second_moment=sharpest,
            rate_per_s=2.0 * network.jump_rate(t),
        )
        for t in settings.spectra_k
    }  # fmt: skip
    return Prediction(
        rates, relaxation, echo_decays, echo_summary, widths, spectra,
        tuple(_flank(relaxation, mhz) for mhz in settings.larmor_mhz),
        _narrowing(temperatures, widths), tuple(_notes(network, modes, temperatures, moments, fit)),
    )  # fmt: skip


def _slowest(modes: Modes) -> float:
    moving = -modes.rates[~modes.resting()]
    return float(1.0 / moving.min()) if moving.size else float("nan")


def _rates(network: JumpNetwork, modes: Sequence[Modes], temperatures: Array) -> dict[str, Array]:
    table = {
        "temperature_k": temperatures,
        "jump_rate_per_s": np.array([network.jump_rate(t) for t in temperatures]),
        "slowest_time_s": np.array([_slowest(m) for m in modes]),
    }
    if network.vectors is not None:
        table["diffusion_cm2_per_s"] = np.array(
            [np.trace(network.diffusion_cm2_per_s(t)) / 3.0 for t in temperatures]
        )
    return table


def _relaxation(
    network: JumpNetwork,
    modes: Sequence[Modes],
    temperatures: Array,
    settings: PredictSettings,
    moments: SecondMoments,
) -> dict[str, Array]:
    larmor = 2e6 * pi * np.asarray(settings.larmor_mhz, dtype=np.float64)
    lock = 2e3 * pi * settings.spin_lock_khz
    table = {"temperature_k": temperatures}
    rows = []
    for t, mode in zip(temperatures, modes, strict=True):
        rate = network.jump_rate(t)
        found = quadrupolar_rates(
            mode, network.tensors, larmor, nucleus=network.nucleus, spin_lock_rad_s=lock
        )
        total = np.array([found.r1, found.r1rho, found.r2])
        for second, factor in ((moments.like, 2.0), (moments.unlike, 1.0)):
            if second > 0 and rate > 0:
                part = bpp_rates(second, 1.0 / (factor * rate), larmor, lock)
                total = total + np.array([part.r1, part.r1rho, part.r2])
        rows.append(total)
    values = np.array(rows)  # (T, 3, fields)
    with np.errstate(divide="ignore"):
        for k, mhz in enumerate(settings.larmor_mhz):
            for j, name in enumerate(("t1", "t1rho", "t2")):
                table[f"{name}_s_{mhz:g}mhz"] = 1.0 / values[:, j, k]
    return table


def _echoes(
    network: JumpNetwork, modes: Sequence[Modes], temperatures: Array, settings: PredictSettings
) -> tuple[dict[str, Array], dict[str, Array]]:
    mixing = np.concatenate([[0.0], np.geomspace(*settings.mixing_range_s, MIXING_POINTS)])
    evolution = np.sort(np.asarray(settings.evolution_times_us, dtype=np.float64)) * 1e-6
    decays: list[list[float]] = []
    summary: list[list[float]] = []
    for t, mode in zip(temperatures.tolist(), modes, strict=True):
        if not evolution.size:
            break
        echo = exchange_echo(
            mode,
            network.tensors,
            evolution.tolist(),
            mixing.tolist(),
            nucleus=network.nucleus,
            degree=settings.degree,
        )
        for k, time in enumerate(evolution.tolist()):
            decays.extend(
                [t, time * 1e6, m, s, c] for m, s, c in zip(mixing, echo.sine[k], echo.cosine[k], strict=True)
            )
            start, end = float(echo.sine[k, 0]), float(echo.plateau[k, 0])
            summary.append(
                [t, time * 1e6, float(echo.amplitude[k]), start, end, _decay_time(mixing, echo.sine[k], end)]
            )
    names = ("temperature_k", "evolution_time_us")
    first = (*names, "mixing_time_s", "sine", "cosine")
    second = (*names, "amplitude_left", "sine_start", "sine_plateau", "tau_sae_s")
    return _columns(first, decays), _columns(second, summary)


def _decay_time(times: Array, values: Array, end: float) -> float:
    """Return when the part that decays has fallen to 1/e; NaN outside the mixing times."""
    part = (values - end) / (values[0] - end) if abs(values[0] - end) > 1e-6 else np.ones_like(values)
    below = np.flatnonzero(part <= np.exp(-1.0))
    if not below.size or below[0] < 2:
        return float("nan")
    i = int(below[0])
    x, y = np.log(times[i - 1 : i + 1]), part[i - 1 : i + 1]
    return float(np.exp(x[0] + (y[0] - np.exp(-1.0)) / (y[0] - y[1]) * (x[1] - x[0])))


def _columns(names: Sequence[str], rows: Sequence[Sequence[float]]) -> dict[str, Array]:
    values = np.array(rows, dtype=np.float64).reshape(-1, len(names))
    return {name: values[:, k] for k, name in enumerate(names)}


def _widths(network: JumpNetwork, temperatures: Array, moments: SecondMoments) -> dict[str, Array]:
    second = [moments.like, moments.unlike]
    rates = np.array([network.jump_rate(t) for t in temperatures])
    return {
        "temperature_k": temperatures,
        "centre_fwhm_hz": np.array([fwhm_hz(second, [2.0 * r, r]) for r in rates]),
        "rigid_fwhm_hz": np.full(len(temperatures), fwhm_hz(second, 0.0)),
    }


def _narrowing(temperatures: Array, widths: dict[str, Array]) -> float:
    share = widths["centre_fwhm_hz"] / np.maximum(widths["rigid_fwhm_hz"], 1e-300)
    below = np.flatnonzero(share < NARROWED)
    if not below.size or below[0] == 0 or not widths["rigid_fwhm_hz"][0] > 0:
        return float("nan")
    i = int(below[0])
    part = (share[i - 1] - NARROWED) / (share[i - 1] - share[i])
    return float(temperatures[i - 1] + part * (temperatures[i] - temperatures[i - 1]))


def _flank(relaxation: dict[str, Array], mhz: float) -> Flank:
    t, rate = relaxation["temperature_k"], 1.0 / relaxation[f"t1_s_{mhz:g}mhz"]
    if len(t) < 3 or not np.all(rate > 0):
        return Flank(mhz, *[float("nan")] * 4)
    slope = np.gradient(np.log(rate), 1.0 / (BOLTZMANN_EV_PER_K * t))
    top = int(np.argmax(rate))
    inside = 0 < top < len(t) - 1
    where = (float(t[top]), float(rate[top])) if inside else (float("nan"),) * 2
    return Flank(mhz, *where, float(-slope[0]), float(slope[-1]))


def _add_intervals(
    rates: dict[str, Array],
    relaxation: dict[str, Array],
    fit: NetworkFit,
    settings: PredictSettings,
    moments: SecondMoments,
) -> None:
    """Add columns ``…_low`` and ``…_high`` from the draws of the posterior."""
    temperatures = rates["temperature_k"]
    tail = 0.5 - 0.5 * settings.level
    for table, make in (
        (rates, lambda n, m: _rates(n, m, temperatures)),
        (relaxation, lambda n, m: _relaxation(n, m, temperatures, settings, moments)),
    ):
        drawn = list(_drawn(fit, temperatures, make))
        for name in [key for key in table if key != "temperature_k"]:
            low, high = np.quantile([one[name] for one in drawn], [tail, 1.0 - tail], axis=0)
            table[f"{name}_low"], table[f"{name}_high"] = low, high


def _drawn(
    fit: NetworkFit, temperatures: Array, make: Callable[[JumpNetwork, Sequence[Modes]], dict[str, Array]]
) -> Iterator[dict[str, Array]]:
    for index in range(len(fit.draws)):
        network = fit.sample(index)
        yield make(network, [Modes.of(network, t) for t in temperatures.tolist()])


def _notes(
    network: JumpNetwork,
    modes: Sequence[Modes],
    temperatures: Array,
    moments: SecondMoments,
    fit: NetworkFit | None,
) -> Iterator[str]:
    if fit is not None:
        yield from fit.rare
    pieces = int(modes[0].resting().sum())
    if pieces > 1:
        yield f"the network falls into {pieces} pieces between which nothing jumps"
    if moments.like + moments.unlike == 0:
        yield "no dipolar second moments given: no dipolar width, T1 is quadrupolar alone"
    from lpsnmr.efg.quadrupolar import frequency_correlation

    size = np.sqrt(float(frequency_correlation((network.tensors**2).sum(axis=1).mean(), network.nucleus)))
    slow = [t for t, m in zip(temperatures, modes, strict=True) if size * _slowest(m) > 0.3]
    if slow:
        yield (
            f"up to {max(slow):g} K the slowest motion is not fast against the coupling: T2 and T1ρ are "
            "beyond the theory there; lines and echoes are not"
        )
