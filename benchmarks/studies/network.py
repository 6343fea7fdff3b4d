"""Coverage of predictions at 300 K from counts at 550–700 K, and speed.

python benchmarks/studies/network.py [--repeats 200]
"""

import argparse
import json
import resource
import time

import numpy as np

from lpsnmr.network import JumpCounts, JumpNetwork, Modes, exchange_echo, fit_rates, quadrupolar_rates

HOT = (550.0, 600.0, 650.0, 700.0)


def random_network(n: int, rate: float) -> JumpNetwork:
    """Return equal exchange between sites with random tensors."""
    return JumpNetwork.equal_exchange(0.3 * np.random.default_rng(0).normal(size=(n, 5)), rate)


def speed() -> dict[str, float]:
    """Time the echo of 200 sites, and T1 of 50 temperatures at three fields."""
    network = random_network(200, 1e3)
    start = time.perf_counter()
    modes = Modes.of(network, 300.0)
    exchange_echo(modes, network.tensors, [2e-6, 5e-6, 1e-5], np.geomspace(1e-6, 1e-2, 40), degree=35)
    echo = time.perf_counter() - start
    start = time.perf_counter()
    fields = 2e6 * np.pi * np.array([116.6, 155.5, 194.4])
    for temperature in np.linspace(200.0, 500.0, 50):
        quadrupolar_rates(Modes.of(network, temperature), network.tensors, fields)
    t1 = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"echo_s": echo, "t1_s": t1, "memory_gb": memory}


def ring() -> JumpNetwork:
    """Return six sites of two classes on a ring with two barriers."""
    edges = np.array([(i, (i + 1) % 6) for i in range(6)])
    return JumpNetwork(
        tuple("abcdef"), np.array([0, 1] * 3), 0.3 * np.random.default_rng(5).normal(size=(6, 5)),
        np.array([0.0, 0.06]), np.array([0.0, 0.4]), edges, np.array([0, 1] * 3), np.array([0.28, 0.38]),
        np.log([4e12, 8e12]),
    )  # fmt: skip


def coverage(repeats: int, draws: int = 200) -> dict[str, float]:
    """Return how often 95 % intervals of the slowest time, an echo and T1 at 300 K hold the truth."""
    truth = ring()
    larmor = 2e6 * np.pi * 116.6

    def quantities(network: JumpNetwork) -> list[float]:
        modes = Modes.of(network, 300.0)
        tau = -1.0 / modes.rates[-2]
        echo = exchange_echo(modes, network.tensors, [2e-7], [0.5e-8], degree=3).sine[0, 0]
        return [tau, float(echo), float(quadrupolar_rates(modes, network.tensors, larmor).r1)]

    expected, inside = np.array(quantities(truth)), np.zeros(3)
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        counts = []
        for t in HOT:
            waiting = 4e-8 * truth.occupations(t)
            jumps = rng.poisson(truth.edge_rates(t) * waiting[truth.edges]).astype(float)
            counts.append(JumpCounts(t, jumps, waiting))
        fit = fit_rates(truth, counts, n_draws=draws, seed=seed)
        values = np.array([quantities(fit.sample(i)) for i in range(draws)])
        low, high = np.quantile(values, [0.025, 0.975], axis=0)
        inside += (low <= expected) & (expected <= high)
    return dict(zip(("slowest_time", "echo", "t1"), (100.0 * inside / repeats).tolist(), strict=True))


def main() -> None:
    """Print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200, help="of the coverage; 0 for speed alone")
    repeats = parser.parse_args().repeats
    found: dict[str, object] = {"speed": speed()}
    if repeats:
        found["coverage_percent"] = {"repeats": repeats, **coverage(repeats)}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
