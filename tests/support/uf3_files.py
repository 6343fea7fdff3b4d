"""Generate random but smooth .uf3 potentials for tests."""

import itertools

import numpy as np

HEADER = "#UF3 POT UNITS: metal DATE: 2026-01-01 00:00:00 AUTHOR: test CITATION:"


def clamped(low, high, spacing):
    inner = np.linspace(low, high, round((high - low) / spacing) + 1)
    return np.concatenate([[low] * 3, inner, [high] * 3])


def row(values):
    return " ".join(f"{v:.17g}" for v in values)


def pair_block(a, b, knots, coefficients, cutoff=None, kind="nk"):
    return [
        HEADER,
        f"2B {a} {b} 0 3 {kind}",
        f"{knots[-1] if cutoff is None else cutoff:.12g} {len(knots)}",
        row(knots),
        str(len(coefficients)),
        row(coefficients),
        "#",
    ]


def triple_block(a, b, c, knots_ij, knots_ik, knots_jk, coefficients, kind="nk"):
    shape = coefficients.shape
    return [
        HEADER,
        f"3B {a} {b} {c} 0 3 {kind}",
        f"{knots_jk[-1]:.12g} {knots_ik[-1]:.12g} {knots_ij[-1]:.12g}"
        f" {len(knots_jk)} {len(knots_ik)} {len(knots_ij)}",
        row(knots_jk),
        row(knots_ik),
        row(knots_ij),
        " ".join(map(str, shape)),
        *[row(coefficients[i, j]) for i in range(shape[0]) for j in range(shape[1])],
        "#",
    ]


def random_coefficients(rng, shape, scale):
    """Random numbers whose last three entries along every axis vanish: C2 at the cutoff."""
    values = rng.normal(0, scale, shape)
    for axis in range(values.ndim):
        np.moveaxis(values, axis, 0)[-3:] = 0
    return values


def random_potential(
    elements,
    seed=0,
    cutoff=5.0,
    cutoff_3b=3.5,
    low=0.8,
    low_3b=0.6,
    three_body=True,
    nonuniform=False,
    anisotropic=False,
):
    """Return the text of a potential; ``anisotropic`` gives the two neighbours different cutoffs."""
    rng = np.random.default_rng(seed)
    lines = []

    def knots(first, last, spacing):
        t = clamped(first, last, spacing)
        if nonuniform:
            t[4:-4] += rng.uniform(-0.3, 0.3, len(t) - 8) * spacing
        return t

    for a, b in itertools.combinations_with_replacement(elements, 2):
        t = knots(low, cutoff, 0.4)
        c = random_coefficients(rng, len(t) - 4, 0.3)
        c[:4] += [9.0, 6.0, 3.0, 1.0]
        lines += pair_block(a, b, t, c)
    if three_body:
        for a in elements:
            for b, c in itertools.combinations_with_replacement(elements, 2):
                shorter = cutoff_3b - 0.5 if anisotropic and b != c else cutoff_3b
                tij, tik = knots(low_3b, shorter, 0.7), knots(low_3b, cutoff_3b, 0.7)
                if b == c:
                    tik = tij
                tjk = knots(low_3b, shorter + cutoff_3b, 0.8)
                w = random_coefficients(rng, (len(tij) - 4, len(tik) - 4, len(tjk) - 4), 0.4)
                if b == c:
                    w = 0.5 * (w + w.transpose(1, 0, 2))
                lines += triple_block(a, b, c, tij, tik, tjk, w)
    return "\n".join(lines) + "\n"
