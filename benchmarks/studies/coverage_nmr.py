"""How often the intervals of the NMR analysis contain the truth, on processes that are known exactly.

    OMP_NUM_THREADS=1 python benchmarks/studies/coverage_nmr.py [--repeats 200] [--case NAME] > OUT.json

Cases: ``two_site`` (unequal rates, white noise as vibrations), ``four_site`` (equal exchange, with
spin-alignment echoes), ``stretched`` (rates drawn so that C is a Kohlrausch function with γ = 1/2) and
``ornstein_uhlenbeck``. Per quantity: share of repeats whose 95 % interval contains the truth, out of those
in which it was resolved, and how many were.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from math import pi
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from lpsnmr.analysis.nmr import (
    DecaySettings,
    NmrDecay,
    analyze_decay,
    analyze_echo,
    analyze_relaxation,
    relaxation_rate,
    second_moment,
)
from lpsnmr.analysis.statistics.resampling import Interval
from lpsnmr.efg.quadrupolar import frequency_correlation, frequency_rad_s_per_efg
from lpsnmr.sampling import EchoCorrelator, MultiTauCorrelator
from oracles.processes import TwoSite, equal_exchange, levy_mixture, ornstein_uhlenbeck

Hits = Iterator[tuple[str, Interval | None, float]]
EVOLUTION_TIMES_US = (1.0, 5.0, 20.0)
LARMOR_MHZ = 116.6
DEGREE = 41


def correlated(components: np.ndarray, interval: float) -> tuple:
    """Correlate a stored series."""
    correlator = MultiTauCorrelator(*components.shape[1:], sample_interval_ps=interval)
    for values in components:
        correlator.add(values)
    return correlator.statistics(), (len(components) - 1) * interval


def at_lags(decay: NmrDecay, truth: Callable[[np.ndarray], np.ndarray]) -> Hits:
    """Yield C ± 1.96 standard errors at a few of the fitted lags."""
    for index in np.flatnonzero(decay.used)[[0, 5, 12]]:
        value, error = decay.correlation[index], 1.96 * decay.standard_error[index]
        yield "C(t)", Interval(value, value - error, value + error), float(truth(decay.lag_ps[index]))


def one_exponential(decay: NmrDecay, tau: float, amplitude: float, plateau: float, zero: float) -> Hits:
    """Yield all intervals of a decay C∞ + ΔC exp(−t/τ)."""
    yield from at_lags(decay, lambda t: plateau + amplitude * np.exp(-t / tau))
    yield "tau", decay.tau_ps, tau
    yield "gamma", decay.gamma, 1.0
    yield "tau_mean", decay.tau_mean_ps, tau
    yield "rate", decay.rate_per_s, 1e12 / tau
    yield "amplitude", decay.amplitude, amplitude
    yield "plateau", decay.plateau, plateau
    yield "initial", decay.initial, zero
    yield "hopping_fraction", decay.hopping_fraction, amplitude / zero
    yield "plateau_fraction", decay.plateau_fraction, plateau / (plateau + amplitude)
    w = 2e6 * pi * LARMOR_MHZ * 1e-12
    densities = [amplitude * tau * 1e-12 / (1 + (k * w * tau) ** 2) for k in (1, 2)]
    rate = float(relaxation_rate(*densities))
    for relaxation in analyze_relaxation(decay, [LARMOR_MHZ]):
        yield "T1", relaxation.t1_s, 1.0 / rate


def two_site(rng: np.random.Generator, settings: DecaySettings) -> Hits:
    """Unequal rates, decay time 10 ps in a run of 600 ps with 16 Li."""
    process = TwoSite(k_ab=0.06, k_ba=0.04, noise=0.1)
    components = process.components(rng, 1200, 16, 0.5)
    decay = analyze_decay(*correlated(components, 0.5), settings=settings)
    a, p = (float(frequency_correlation(x)) for x in (process.amplitude, process.plateau))
    zero = a + p + float(frequency_correlation(5 * 0.1**2))
    yield from one_exponential(decay, process.tau, a, p, zero)
    yield "second_moment", second_moment(components[::20], n_bootstrap=200), zero / (2e3 * pi) ** 2


def four_site(rng: np.random.Generator, settings: DecaySettings) -> Hits:
    """Equal exchange between four sites, with echoes."""
    process = equal_exchange(4, 0.02, size=1.6)
    tau = 1.0 / (4 * 0.02)
    components = process.components(rng, 1000, 16, 0.5)
    decay = analyze_decay(*correlated(components, 0.5), settings=settings)
    p = float(frequency_correlation(process.trace_correlation(1e4)))
    a = float(frequency_correlation(process.trace_correlation(0.0))) - p
    yield from one_exponential(decay, tau, a, p, a + p)
    factor = frequency_rad_s_per_efg()
    echo = EchoCorrelator(
        16, evolution_times_us=EVOLUTION_TIMES_US, frequency_rad_s_per_efg=factor,
        sample_interval_ps=0.5, degree=DEGREE,
    )  # fmt: skip
    for values in components:
        echo.add(values)
    for found in analyze_echo(echo.statistics(), 499.5, 0.0, settings):
        name = f"echo {found.evolution_time_us:g} us"
        first = process.echo(0.0, found.evolution_time_us, factor, DEGREE)[0]
        last = process.echo(1e4, found.evolution_time_us, factor, DEGREE)[0]
        for key, interval, value in at_lags(
            found.decay, lambda t, a=first, b=last: b + (a - b) * np.exp(-t / tau)
        ):
            yield f"{name} {key.replace('C', 'S')}", interval, value
        yield f"{name} tau", found.decay.tau_ps, tau
        yield f"{name} tau_mean", found.decay.tau_mean_ps, tau
        yield f"{name} gamma", found.decay.gamma, 1.0
        yield f"{name} sites", found.number_of_sites, first / last


def stretched(rng: np.random.Generator, settings: DecaySettings) -> Hits:
    """C = exp(−√(t/τ)) from rates that differ between Li."""
    tau = 6.0
    components = levy_mixture(rng, 3000, 64, 1, 1.0, tau)
    decay = analyze_decay(*correlated(components, 1.0), settings=settings)
    one = float(frequency_correlation(1.0))
    yield from at_lags(decay, lambda t: one * np.exp(-np.sqrt(t / tau)))
    yield "tau", decay.tau_ps, tau
    yield "gamma", decay.gamma, 0.5
    yield "tau_mean", decay.tau_mean_ps, 2 * tau
    yield "amplitude", decay.amplitude, one
    yield "initial", decay.initial, one


def ou(rng: np.random.Generator, settings: DecaySettings) -> Hits:
    """Gaussian process with one time and no plateau."""
    components = ornstein_uhlenbeck(rng, 1200, 16, 5, 0.5, 8.0)
    decay = analyze_decay(*correlated(components, 0.5), settings=settings)
    one = float(frequency_correlation(5.0))
    yield from one_exponential(decay, 8.0, one, 0.0, one)


CASES = {"two_site": two_site, "four_site": four_site, "stretched": stretched, "ornstein_uhlenbeck": ou}


def count(case: Callable[[np.random.Generator, DecaySettings], Hits], repeats: int, bootstrap: int) -> dict:
    """Return coverage per quantity."""
    inside: dict[str, list[bool]] = defaultdict(list)
    asked: dict[str, int] = defaultdict(int)
    for seed in range(repeats):
        for name, interval, truth in case(np.random.default_rng(seed), DecaySettings(n_bootstrap=bootstrap)):
            asked[name] += 1
            if interval is not None:
                # C∞ = 0 lies on the edge of what is allowed: round-off must not decide
                slack = 1e-9 * max(abs(interval.high), abs(interval.low), abs(truth))
                inside[name].append(interval.low - slack <= truth <= interval.high + slack)
    return {
        name: {
            "coverage": round(float(np.mean(inside[name])), 4) if inside[name] else None,
            "resolved": len(inside[name]),
            "asked": asked[name],
        }
        for name in asked
    }


def main() -> None:
    """Run and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--bootstrap", type=int, default=200, help="resampled curves of each kind")
    parser.add_argument("--case", choices=CASES, action="append")
    options = parser.parse_args()
    result = {
        name: count(CASES[name], options.repeats, options.bootstrap) for name in options.case or list(CASES)
    }
    print(json.dumps({"benchmark": "coverage_nmr", "repeats": options.repeats, "cases": result}, indent=2))


if __name__ == "__main__":
    main()
