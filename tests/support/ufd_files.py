"""Generate random density terms (.ufd) for tests."""

import numpy as np

CHANNELS = {
    "S": [("P", 2, 2, 0.9, 4.6, 9), ("Li", 3, 1, 1.1, 5.3, 8), ("S", 2, 2, 0.7, 4.0, 6)],
    "P": [("S", 4, 0, 0.8, 4.4, 7)],
    "Li": [("Li", 1, 2, 1.0, 5.0, 5), ("S", 5, 2, 1.0, 4.8, 10)],
}
"""Centre: neighbour, functions, highest l, first knot, cutoff, intervals."""


def count_terms(channels, orders):
    """Return the number of products of two, three, or two and three moments."""
    functions = [sum(c[1] for c in channels if c[2] >= order) for order in range(3)]
    pairs = [n * (n + 1) // 2 for n in functions]
    n = functions[0]
    cubes = n * (n + 1) * (n + 2) // 6 + n * (pairs[1] + pairs[2])
    return (sum(pairs) if orders != 4 else 0) + (cubes if orders != 3 else 0)


def random_density(
    seed=0, orders=("34", "3", "4"), full=1e3, scale=0.3, base="-", centers=("S", "P", "Li"), bound=1e9
):
    """Return the text of random terms around three elements.

    ``full``: where they begin to fade; ``bound``: energy of an atom from which it bends.
    """
    rng = np.random.default_rng(seed)
    lines = ["#lpsnmr-ufd 1", "# random", "UNITS metal", f"BASE {base}"]
    for center, order in zip(centers, orders, strict=True):
        channels = CHANNELS[center]
        count = count_terms(channels, int(order))
        lines.append(f"CENTER {center} {order} {len(channels)} {count}")
        lines.append(f"BOUND {-bound} {1.5 * bound} {0.5 * bound}")
        for element, functions, highest_l, start, cutoff, intervals in channels:
            lines.append(f"CHANNEL {element} {functions} {highest_l} {start} {cutoff} {intervals}")
            for _ in range(functions):
                values = rng.uniform(0.1, 1.0, intervals - 3)
                lines.append(f"FUNCTION {full} {1.7 * full} " + " ".join(f"{v:.17g}" for v in values))
        lines.append("COEFFICIENTS")
        values = rng.normal(0, scale, count)
        lines += [" ".join(f"{v:.17g}" for v in values[k : k + 5]) for k in range(0, count, 5)]
    return "\n".join([*lines, "END"]) + "\n"
