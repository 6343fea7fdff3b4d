"""How often the intervals of D, the Haven ratio and the jump rate contain the truth, on synthetic runs.

    python benchmarks/studies/coverage_dynamics.py [--repeats 400] [--only NAME ...] [-o coverage.json]

Each case is a process with a known answer, made anew ``--repeats`` times and analysed as
``lpsnmr analyze`` would. A 95 % interval should contain the truth in about 95 % of the repeats.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from lpsnmr.analysis.dynamics import (
    DiffusionSettings,
    analyze_collective,
    analyze_diffusion,
    analyze_jumps,
)
from lpsnmr.sampling import DisplacementCorrelator, JumpSettings
from lpsnmr.sampling.displacement_jumps import DisplacementTracker
from lpsnmr.sampling.site_jumps import SiteTracker
from oracles.hopping import Lattice
from oracles.processes import ornstein_uhlenbeck, random_walk

N, STEPS, INTERVAL, D = 24, 1500, 0.5, 0.01
JUMPS = JumpSettings(min_stay_ps=1.0)
EDGE_RATE = 0.004


def walk(rng):
    """Walk at random with D = 0.01 Å²/ps."""
    return random_walk(rng, STEPS, N, D, INTERVAL), D, 1.0


def walk_with_vibrations(rng):
    """Add librations remembered for 2 ps, which hide the walk at short lags."""
    return walk(rng)[0] + 0.5 * ornstein_uhlenbeck(rng, STEPS, N, 3, INTERVAL, 2.0), D, 1.0


def walk_with_recrossings(rng):
    """Let each ion also rattle between two places 1.5 Å to either side with 3 ps."""
    x = random_walk(rng, STEPS, N, D, INTERVAL)
    x[..., 0] += 1.5 * np.sign(ornstein_uhlenbeck(rng, STEPS, N, 1, INTERVAL, 3.0)[..., 0])
    return x, D, 1.0


def rare_jumps(rng):
    """Jump by 3 Å on a cubic lattice, Γ = 6D/a²: at short lags nothing but shot noise."""
    counts = rng.poisson(6 * D / 9 * INTERVAL, (STEPS, N))
    x = np.zeros((STEPS, N, 3))
    for k in range(counts.max()):
        axis = np.eye(3)[rng.integers(0, 3, counts.shape)] * rng.choice([-3, 3], (*counts.shape, 1))
        x += (counts > k)[..., None] * axis
    return np.cumsum(x, axis=0) + 0.1 * rng.normal(size=x.shape), D, 1.0


def along_one_axis(rng):
    """Diffuse along x only, vibrate along y and z."""
    x = random_walk(rng, STEPS, N, 3 * D, INTERVAL)
    x[..., 1:] = 0.15 * rng.normal(size=(STEPS, N, 2))
    return x, D, 1.0


def in_step(rng):
    """Share a tenth of each ion's diffusion among all 24: D_σ/D = 0.9 + 0.1 · 24."""
    own, common = random_walk(rng, STEPS, N, 0.9 * D, INTERVAL), random_walk(rng, STEPS, 1, 0.1 * D, INTERVAL)
    return own + common, D, 1.0 / (0.9 + 0.1 * N)


LATTICE = Lattice.beta((1, 2, 2))


def beta_lattice(rng):
    """Hop between neighbouring Li sites of β-Li3PS4, vibrating by 0.15 Å."""
    rate = 0.05
    _, x, _ = LATTICE.walk(rng, STEPS, 48, INTERVAL, rate, 0.15)
    return x, float(np.trace(LATTICE.diffusion_tensor(rate))) / 3, 1.0


TRANSPORT = {
    f.__name__: f
    for f in (
        walk, walk_with_vibrations, walk_with_recrossings, rare_jumps, along_one_axis, in_step, beta_lattice,
    )
}  # fmt: skip


def transport(make, seed):
    """Return D and Haven ratio as (value/truth, covered), None where not resolved.

    On the lattice the fit begins at the residence time, which ``lpsnmr analyze`` knows from the jumps.
    """
    start = 1.0 / LATTICE.mean_rate(0.05) if make is beta_lattice else 2.0
    x, diffusion, haven = make(np.random.default_rng(seed))
    single = DisplacementCorrelator(x.shape[1], sample_interval_ps=INTERVAL)
    charge = DisplacementCorrelator(3, sample_interval_ps=INTERVAL)
    for r in x:
        single.add(r)
        charge.add(np.diag(r.sum(axis=0) / np.sqrt(len(r))))
    duration = (len(x) - 1) * INTERVAL
    found = analyze_diffusion(
        single.statistics(), duration, DiffusionSettings(min_lag_ps=start, n_bootstrap=100)
    )
    both = analyze_collective(charge.statistics(), found, duration, x.shape[1], 1000.0, 600.0)
    pairs = ((found.diffusion_cm2_s, diffusion * 1e-4), (both.haven_ratio, haven))
    return [None if i is None else (i.value / t, i.low <= t <= i.high) for i, t in pairs]


def jump_rates(seed, excursions):
    """Return the rate by sites and by displacement as (value/truth, covered)."""
    rng = np.random.default_rng(seed)
    _, x, _ = LATTICE.walk(rng, STEPS, 48, INTERVAL, EDGE_RATE, 0.15)
    if excursions:
        add_excursions(rng, x, LATTICE)
    inverse = np.linalg.inv(LATTICE.cell)
    by_site = SiteTracker(48, INTERVAL, JUMPS, LATTICE.sites @ inverse)
    by_displacement = DisplacementTracker(48, INTERVAL, JUMPS)
    for r in x:
        by_site.add(r @ inverse, LATTICE.cell)
        by_displacement.add(r)
    truth = LATTICE.mean_rate(EDGE_RATE) * 1e12
    out = []
    for tracker in (by_site, by_displacement):
        i = analyze_jumps(tracker.summary()).rate_per_s
        out.append(None if i is None else (i.value / truth, i.low <= truth <= i.high))
    return out


def add_excursions(rng, x, lattice, rate=0.01):
    """Move ions to 3 Å away for one frame and back: recrossings that are no jumps."""
    at = rng.random(x.shape[:2]) < rate * INTERVAL
    direction = rng.normal(size=x.shape)
    x += at[..., None] * 3.0 * direction / np.linalg.norm(direction, axis=-1, keepdims=True)


def report(name, quantity, found):
    """Print and return one row."""
    kept = [f for f in found if f is not None]
    ratios = np.array([f[0] for f in kept])
    hits = sum(f[1] for f in kept)
    row = {
        "case": name, "quantity": quantity, "repeats": len(found), "resolved": len(kept),
        "covered": int(hits),
        "coverage": hits / max(len(kept), 1), "mean_over_truth": float(ratios.mean()) if kept else None,
        "spread": float(ratios.std()) if kept else None,
    }  # fmt: skip
    print(
        f"{name:24s} {quantity:22s} {row['coverage']:6.3f} of {len(kept)}/{len(found)} resolved; "
        f"mean/truth {row['mean_over_truth'] or 0:.3f}, spread {row['spread'] or 0:.3f}", flush=True,
    )  # fmt: skip
    return row


def main():
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("-o", "--output", type=Path, default=Path("coverage_dynamics.json"))
    options = parser.parse_args()
    begin, rows = time.time(), []
    for name, make in TRANSPORT.items():
        if options.only and name not in options.only:
            continue
        found = [transport(make, seed) for seed in range(options.repeats)]
        rows.append(report(name, "D", [f[0] for f in found]))
        rows.append(report(name, "Haven ratio", [f[1] for f in found]))
    for name, excursions in (("jumps", False), ("jumps_and_excursions", True)):
        if options.only and name not in options.only:
            continue
        found = [jump_rates(seed, excursions) for seed in range(options.repeats)]
        rows.append(report(name, "rate by sites", [f[0] for f in found]))
        rows.append(report(name, "rate by displacement", [f[1] for f in found]))
    options.output.write_text(json.dumps({"rows": rows, "seconds": time.time() - begin}, indent=2) + "\n")


if __name__ == "__main__":
    main()
