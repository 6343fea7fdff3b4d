"""D with its interval from lpsnmr and from kinisi, on the same trajectories.

    python -m venv kinisi && kinisi/bin/pip install kinisi
    python benchmarks/peers/compare_kinisi.py --kinisi kinisi/bin/python [--repeats 10] [-o OUT.json]

kinisi (A. R. McCluskey, S. W. Coles, B. J. Morgan, J. Chem. Theory Comput. 21, 79 (2025),
doi:10.1021/acs.jctc.4c01249) runs in an environment of its own; both get the same positions and the same
first lag.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

INTERVAL = 0.5
START = 4.0
CASES = ("walk", "vibrations", "jumps")


def trajectory(case, seed, steps=1200, n=24, d=0.01):
    """Return unwrapped positions (steps, n, 3) with D = 0.01 Å²/ps."""
    rng = np.random.default_rng(seed)
    if case == "jumps":
        goes = rng.random((steps, n)) < 6 * d / 9 * INTERVAL
        x = (
            goes[..., None]
            * np.eye(3)[rng.integers(0, 3, goes.shape)]
            * rng.choice([-3, 3], (*goes.shape, 1))
        )
    else:
        x = rng.normal(size=(steps, n, 3)) * np.sqrt(2 * d * INTERVAL)
    x = np.cumsum(x, axis=0)
    return x if case == "walk" else x + 0.3 * rng.normal(size=x.shape)


def with_lpsnmr(x):
    """Return D and the ends of its 95 % interval, Å²/ps."""
    from lpsnmr.analysis.dynamics import DiffusionSettings, analyze_diffusion
    from lpsnmr.sampling import DisplacementCorrelator

    correlator = DisplacementCorrelator(x.shape[1], sample_interval_ps=INTERVAL)
    for r in x:
        correlator.add(r)
    settings = DiffusionSettings(min_lag_ps=START, n_bootstrap=50)
    found = analyze_diffusion(correlator.statistics(), (len(x) - 1) * INTERVAL, settings).diffusion_cm2_s
    return [v * 1e4 for v in (found.value, found.low, found.high)]


def with_kinisi(x, start_ps=START, interval_ps=INTERVAL):
    """Return the mean and the ends of the 95 % interval of kinisi's posterior of D, Å²/ps."""
    import scipp as sc
    from kinisi.diffusion import Diffusion
    from kinisi.displacement import calculate_msd

    steps = len(x)
    # up to the whole run, whose length kinisi takes from the last lag when it counts displacements
    lags = np.unique(np.round(np.geomspace(1, steps - 1, 30)).astype(int))
    parsed = SimpleNamespace(  # what kinisi's readers hand on: displacements since the first frame
        displacements=sc.array(dims=["obs", "particle", "dimension"], values=x[1:] - x[0], unit="angstrom"),
        dt_index=sc.array(dims=["time interval"], values=lags),
        dt=sc.array(dims=["time interval"], values=lags * interval_ps, unit="ps"),
        dimensionality=sc.scalar(3),
    )
    model = Diffusion(calculate_msd(parsed, progress=False))
    model.bayesian_regression(
        sc.scalar(start_ps, unit="ps"), progress=False, random_state=np.random.RandomState(1)
    )
    samples = np.asarray(model.gradient.values) / 6.0
    return [float(samples.mean()), *np.quantile(samples, [0.025, 0.975]).tolist()]


def work(path, method):
    """Read trajectories from an npz file and print one JSON line each."""
    with np.load(path) as file:
        for name in file.files:
            begin = time.perf_counter()
            found = method(file[name])
            print(json.dumps([name, found, time.perf_counter() - begin]), flush=True)


def summarize(rows, truth=0.01):
    """Return mean, spread, coverage and time per trajectory."""
    value, low, high = np.array([row[0] for row in rows]).T
    return {
        "mean_over_truth": float(value.mean() / truth),
        "spread_over_truth": float(value.std() / truth),
        "half_width_over_truth": float(np.mean(high - low) / 2 / truth),
        "coverage": float(np.mean((low <= truth) & (truth <= high))),
        "seconds": float(np.mean([row[1] for row in rows])),
    }


def main():
    """Run both on every case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinisi", type=Path, help="Python that has kinisi")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("-o", "--output", type=Path, default=Path("compare_kinisi.json"))
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker, with_kinisi)
        return
    if options.kinisi is None:
        parser.error("give --kinisi")
    report = {}
    for case in CASES:
        made = {str(seed): trajectory(case, seed) for seed in range(options.repeats)}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.npz"
            np.savez(path, **made)
            done = subprocess.run(
                [options.kinisi, __file__, "--worker", path], stdout=subprocess.PIPE, text=True, check=True
            )
        theirs = {name: (found, s) for name, found, s in map(json.loads, done.stdout.splitlines())}
        ours = {}
        for name, x in made.items():
            begin = time.perf_counter()
            ours[name] = (with_lpsnmr(x), time.perf_counter() - begin)
        difference = np.array([ours[k][0][0] / theirs[k][0][0] - 1 for k in made])
        report[case] = {
            "lpsnmr": summarize(list(ours.values())),
            "kinisi": summarize(list(theirs.values())),
            "mean_difference": float(difference.mean()),
            "rms_difference": float(np.sqrt(np.mean(difference**2))),
        }
        print(case, json.dumps(report[case], indent=1), flush=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
