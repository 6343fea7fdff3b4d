"""How often the interval of D contains the truth when ions jump back, on a cubic lattice.

    python benchmarks/studies/coverage_hopping.py [--repeats 100] [--kinisi PYTHON] [-o OUT.json]

32 ions, Γ = 0.02/ps, 3 Å, vibrations of 0.15 Å; a jump goes back with a probability p beyond chance, so that
6D = Γa²(1 − p)/(1 + p) exactly. Each run is analysed as ``lpsnmr analyze`` does, with the jumps that the
site detector found, and once more as if jumps had not been followed. kinisi (A. R. McCluskey, S. W. Coles,
B. J. Morgan, J. Chem. Theory Comput. 21, 79 (2025), doi:10.1021/acs.jctc.4c01249) gets the same
positions and begins its line at one and at three residence times, as a user would who knows Γ.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2] / "tests"), str(HERE.parents[1] / "peers")]

N, RATE, LENGTH, INTERVAL = 32, 0.02, 3.0, 0.5
BACK = (0.0, 0.08, 0.3)
DURATIONS_PS = (400.0, 1000.0, 2000.0)
STARTS_PS = (1.0 / RATE, 3.0 / RATE)
CELLS = 4


def truth(back):
    """Return D, Å²/ps."""
    return RATE * LENGTH**2 / 6.0 * (1.0 - back) / (1.0 + back)


def positions(back, duration_ps, seed):
    """Return one run, (steps, n, 3) Å."""
    from oracles.hopping import cubic_walk

    rng = np.random.default_rng([seed, round(100 * back), round(duration_ps)])
    return cubic_walk(rng, round(duration_ps / INTERVAL) + 1, N, INTERVAL, RATE, back, LENGTH)


def with_lpsnmr(x):
    """Return (value, low, high) of D, Å²/ps, with jumps followed and not, and of the Haven ratio."""
    from lpsnmr.analysis.dynamics import (
        DiffusionSettings,
        analyze_collective,
        analyze_diffusion,
        analyze_jumps,
    )
    from lpsnmr.analysis.motion import memory_prior
    from lpsnmr.sampling import DisplacementCorrelator, JumpSettings
    from lpsnmr.sampling.site_jumps import SiteTracker

    side = LENGTH * CELLS
    sites = np.stack(np.meshgrid(*[np.arange(CELLS) / CELLS] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    single = DisplacementCorrelator(N, sample_interval_ps=INTERVAL)
    charge = DisplacementCorrelator(3, sample_interval_ps=INTERVAL)
    tracker = SiteTracker(N, INTERVAL, JumpSettings(), sites)
    for r in x:
        single.add(r)
        charge.add(np.diag(r.sum(axis=0) / np.sqrt(N)))
        tracker.add(r / side, side * np.eye(3))
    duration = (len(x) - 1) * INTERVAL
    settings = DiffusionSettings(n_bootstrap=50)
    prior = memory_prior({"jumps_sites": analyze_jumps(tracker.summary())})
    known = analyze_diffusion(single.statistics(), duration, settings, prior)
    blind = analyze_diffusion(single.statistics(), duration, settings)
    both = analyze_collective(charge.statistics(), known, duration, N, side**3, 600.0)
    intervals = (known.diffusion_cm2_s, blind.diffusion_cm2_s)
    found = [None if i is None else i.scaled(1e4) for i in intervals]
    return [None if i is None else (i.value, i.low, i.high) for i in (*found, both.haven_ratio)]


def with_kinisi(x):
    """Return (value, low, high) of D, Å²/ps, for each first lag."""
    from compare_kinisi import with_kinisi as estimate

    found = []
    for start in STARTS_PS:
        try:
            found.append(estimate(x, start_ps=start, interval_ps=INTERVAL))
        except Exception as error:  # whatever it raises is its answer
            print(f"kinisi from {start:g} ps: {type(error).__name__}: {error}", file=sys.stderr)
            found.append(None)
    return found


def work(path):
    """Print kinisi's answers for the runs of an npz file, one JSON line each."""
    with np.load(path) as file:
        for name in file.files:
            print(json.dumps([name, with_kinisi(file[name])]), flush=True)


def ask_kinisi(python, runs):
    """Return kinisi's answers for runs, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npz"
        np.savez(path, **{str(k): x for k, x in enumerate(runs)})
        done = subprocess.run([python, HERE, "--worker", path], stdout=subprocess.PIPE, text=True, check=True)
    answers = dict(map(json.loads, done.stdout.splitlines()))
    return [answers[str(k)] for k in range(len(runs))]


def summarise(found, true):
    """Return coverage, bias, spread and width of a list of (value, low, high) or None."""
    kept = np.array([f for f in found if f is not None])
    if not len(kept):
        return {"repeats": len(found), "resolved": 0}
    value, low, high = kept.T / true
    return {
        "repeats": len(found),
        "resolved": len(kept),
        "coverage": float(np.mean((low <= 1) & (high >= 1))),
        "mean_over_truth": float(value.mean()),
        "spread_over_truth": float(value.std(ddof=1)),
        "half_width_over_truth": float(np.mean(high - low) / 2),
    }


def main():
    """Run every p and duration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--kinisi", type=Path, help="Python that has kinisi")
    parser.add_argument("--kinisi-repeats", type=int, default=100)
    parser.add_argument("-o", "--output", type=Path, default=Path("coverage_hopping.json"))
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker)
        return
    begin, rows = time.time(), []
    for back in BACK:
        for duration in DURATIONS_PS:
            runs = [positions(back, duration, seed) for seed in range(options.repeats)]
            ours = list(zip(*map(with_lpsnmr, runs), strict=True))
            d = truth(back)
            told = {"D": (ours[0], d), "D, jumps not followed": (ours[1], d), "Haven ratio": (ours[2], 1.0)}
            if options.kinisi is not None:
                theirs = zip(*ask_kinisi(options.kinisi, runs[: options.kinisi_repeats]), strict=True)
                told |= {f"D, kinisi from {s:g} ps": (f, d) for s, f in zip(STARTS_PS, theirs, strict=True)}
            for name, (found, true) in told.items():
                row = {"back": back, "duration_ps": duration, "estimate": name, **summarise(found, true)}
                print(json.dumps(row), flush=True)
                rows.append(row)
            content = {"rows": rows, "seconds": time.time() - begin}
            options.output.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
