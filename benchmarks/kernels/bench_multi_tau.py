"""Time the multi-tau correlator per sample, beside FFT correlation of the stored series.

    python benchmarks/kernels/bench_multi_tau.py [--series 24] [--samples 20000] [--repeats 5] > OUT.json

The FFT peers need the whole series in memory and give every lag; the accumulator needs a fixed amount
and gives lags on a logarithmic grid. Times are medians over repeats, interleaved; the spread is given.
`tidynamics` is used when installed.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lpsnmr.sampling import DisplacementCorrelator, MultiTauCorrelator
from lpsnmr.typing import Array


def multi_tau(series: Array) -> Array:
    """Correlate with the accumulator, one sample at a time."""
    correlator = MultiTauCorrelator(*series.shape[1:], sample_interval_ps=0.1)
    for values in series:
        correlator.add(values)
    return correlator.statistics().values


def displacement(series: Array) -> Array:
    """Accumulate displacements of the first three components."""
    positions = np.ascontiguousarray(series[:, :, :3])
    correlator = DisplacementCorrelator(positions.shape[1], sample_interval_ps=0.1)
    for values in positions:
        correlator.add(values)
    return correlator.statistics().values


def numpy_fft(series: Array) -> Array:
    """Correlate all series by FFT with zero padding."""
    samples = len(series)
    transform = np.fft.rfft(series, 2 * samples, axis=0)
    power = (transform * transform.conj()).real.sum(axis=2)
    counts = samples - np.arange(samples)
    return np.asarray(np.fft.irfft(power, axis=0)[:samples] / counts[:, None])


def tidynamics_acf(series: Array) -> Array:
    """Correlate series by series with tidynamics."""
    import tidynamics

    return np.stack([tidynamics.acf(series[:, s]) for s in range(series.shape[1])], axis=1)


def state_bytes(series: Array) -> int:
    """Memory of the accumulator's state after all samples."""
    correlator = MultiTauCorrelator(*series.shape[1:], sample_interval_ps=0.1)
    for values in series:
        correlator.add(values)
    return sum(array.nbytes for array in correlator.state().values())


def main() -> None:
    """Run and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=24, help="number of Li")
    parser.add_argument("--samples", type=int, default=20000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    series = np.random.default_rng(0).normal(size=(options.samples, options.series, 5))
    methods: dict[str, Callable[[Array], Array]] = {
        "multi_tau": multi_tau, "displacement": displacement, "numpy_fft": numpy_fft,
    }  # fmt: skip
    try:
        import tidynamics  # noqa: F401

        methods["tidynamics_acf"] = tidynamics_acf
    except ImportError:
        pass
    direct = numpy_fft(series)[:16]
    agreement = float(np.abs(multi_tau(series)[:16] - direct).max())
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(options.repeats):
        for name, method in methods.items():
            start = time.perf_counter()
            method(series)
            seconds[name].append(time.perf_counter() - start)
    result: dict[str, Any] = {
        "benchmark": "multi_tau",
        "series": options.series,
        "components": 5,
        "samples": options.samples,
        "repeats": options.repeats,
        "largest_difference_to_fft_at_level_0": agreement,
        "state_bytes": state_bytes(series),
        "series_bytes": series.nbytes,
        "peak_rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "microseconds_per_sample": {
            name: {
                "median": 1e6 * statistics.median(times) / options.samples,
                "lowest": 1e6 * min(times) / options.samples,
                "highest": 1e6 * max(times) / options.samples,
            }
            for name, times in seconds.items()
        },
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
