"""Slow EFG features, written straight from their definition with SciPy and complex harmonics.

Everything is done in the complex basis, with Clebsch–Gordan coefficients from Racah's formula in exact
integers; only the finished tensor is carried over to real components. Shares no code with the core.
"""

import functools
import itertools
from fractions import Fraction
from math import factorial, sqrt

import numpy as np
from scipy import special


def complex_harmonic(l, m, vector):  # noqa: E741
    """Racah-normalised complex harmonic with the Condon–Shortley phase."""
    x, y, z = vector / np.linalg.norm(vector)
    polar, azimuth = np.arccos(np.clip(z, -1, 1)), np.arctan2(y, x)
    if hasattr(special, "sph_harm_y"):
        value = special.sph_harm_y(l, m, polar, azimuth)
    else:
        value = special.sph_harm(m, l, azimuth, polar)
    return value * sqrt(4 * np.pi / (2 * l + 1))


@functools.cache
def clebsch_gordan(j1, m1, j2, m2, j, m):
    if m != m1 + m2 or not abs(j1 - j2) <= j <= j1 + j2 or abs(m) > j:
        return 0.0
    total = Fraction(0)
    for k in range(j1 + j2 - j + 1):
        terms = [k, j1 + j2 - j - k, j1 - m1 - k, j2 + m2 - k, j - j2 + m1 + k, j - j1 - m2 + k]
        if min(terms) >= 0:
            total += Fraction((-1) ** k, np.prod([factorial(t) for t in terms], dtype=object))
    square = Fraction(
        (2 * j + 1) * factorial(j + j1 - j2) * factorial(j - j1 + j2) * factorial(j1 + j2 - j),
        factorial(j1 + j2 + j + 1),
    )
    for projection in (j + m, j - m, j1 + m1, j1 - m1, j2 + m2, j2 - m2):
        square *= factorial(projection)
    return float(total) * sqrt(square)


def couple(a, b, l1, l2, l):  # noqa: E741
    """Couple complex tensors a (2 l1 + 1) and b (2 l2 + 1) to degree l."""
    out = np.zeros(2 * l + 1, dtype=complex)
    for m1, m2 in itertools.product(range(-l1, l1 + 1), range(-l2, l2 + 1)):
        if abs(m1 + m2) <= l:
            out[m1 + m2 + l] += clebsch_gordan(l1, m1, l2, m2, l, m1 + m2) * a[m1 + l1] * b[m2 + l2]
    return out


def real_components(tensor):
    """Real components m = −l … l of a complex tensor that belongs to a real one."""
    degree = len(tensor) // 2
    out = np.empty(len(tensor))
    out[degree] = tensor[degree].real
    for m in range(1, degree + 1):
        out[degree + m] = (-1) ** m * sqrt(2) * tensor[degree + m].real
        out[degree - m] = (-1) ** m * sqrt(2) * tensor[degree + m].imag
    return out


def radial(count, cutoff, r):
    if r >= cutoff:
        return np.zeros(count)
    return special.eval_chebyt(np.arange(count), 1 - 2 * r / cutoff) * (1 - (r / cutoff) ** 2) ** 3


def neighbours(atoms, i, cutoff):
    """(index, vector) of every neighbour and image; the images are enough for cells ≥ 5 Å."""
    images = [range(-2, 3) if periodic else (0,) for periodic in atoms.pbc]
    for j in range(len(atoms)):
        for image in itertools.product(*images):
            vector = atoms.positions[j] + np.array(image) @ atoms.cell.array - atoms.positions[i]
            if 0 < np.linalg.norm(vector) < cutoff:
                yield j, vector


def density(atoms, i, species, radial_set, l_max):
    """List over l of complex arrays (channels, 2l + 1), channel = species · count + n."""
    count, cutoff = radial_set
    out = [np.zeros((len(species) * count, 2 * l + 1), dtype=complex) for l in range(l_max + 1)]  # noqa: E741
    for j, vector in neighbours(atoms, i, cutoff):
        functions = radial(count, cutoff, np.linalg.norm(vector))
        first = species.index(atoms.numbers[j]) * count
        for l in range(l_max + 1):  # noqa: E741
            harmonics = np.array([complex_harmonic(l, m, vector) for m in range(-l, l + 1)])
            out[l][first : first + count] += np.outer(functions, harmonics)
    return out


def products(channels, l, l_max):  # noqa: E741
    """Products of channels that couple to degree l, in the order of the core."""
    out = []
    for l2 in range(l_max + 1):
        for l1 in range(l2 + 1):
            if (l1 + l2 + l) % 2 or not l2 - l1 <= l <= l1 + l2:
                continue
            n = len(channels[l1])
            for q in range(n):
                for p in range(q if l1 == l2 else 0, n):
                    out.append(couple(channels[l1][q], channels[l2][p], l1, l2, l))
    return out


def features(atoms, target, s):
    """Features of one target: (5, n_features); s is an EfgSettings."""
    species = list(s.species)
    pair = np.zeros((len(species) * s.pair[0], 5))
    for j, vector in neighbours(atoms, target, s.pair[1]):
        first = species.index(atoms.numbers[j]) * s.pair[0]
        harmonics = real_components(np.array([complex_harmonic(2, m, vector) for m in range(-2, 3)]))
        functions = radial(s.pair[0], s.pair[1], np.linalg.norm(vector))
        pair[first : first + s.pair[0]] += np.outer(functions, harmonics)
    groups = [pair]
    if s.chain[0]:
        groups += [chain_features(atoms, target, s, bridge) for bridge in s.bridges]
    if s.triple[0]:
        channels = density(atoms, target, species, s.triple, s.triple_l_max)
        groups.append(np.array([real_components(t) for t in products(channels, 2, s.triple_l_max)]))
    return np.concatenate(groups).T


def vector_to_complex(v):
    """Complex tensor of degree 1 of a vector (x, y, z)."""
    size = np.linalg.norm(v)
    return size * np.array([complex_harmonic(1, m, v) for m in (-1, 0, 1)]) if size else np.zeros(3)


def charge_field(d, cutoff):
    """g(d) d of a unit charge; d may be complex, for a derivative by a complex step."""
    square = np.sum(d * d)
    return (1 - square / cutoff**2) ** 3 / (square + 1.0) ** 1.5 * d


def source_channels(atoms, k, s):
    """Charges (channels,) and dipoles (channels, 3) of the channels of atom k; zero where not its own."""
    own = len(s.species) * s.source[0]
    charges = np.zeros(len(s.species) + 2 * own * len(s.sources))
    dipoles = np.zeros((len(charges), 3))
    charges[s.species.index(atoms.numbers[k])] = 1.0
    if atoms.numbers[k] in s.sources:
        begin = len(s.species) + 2 * own * s.sources.index(atoms.numbers[k])
        scalars, vectors = density(atoms, k, list(s.species), s.source, 1)
        charges[begin : begin + own] = scalars[:, 0].real
        dipoles[begin + own : begin + 2 * own] = [real_components(v)[[2, 0, 1]] for v in vectors]
    return charges, dipoles


def fields(atoms, j, s):
    """Field of each channel at atom j: (channels, 3) in x, y, z."""
    total, step, known = 0.0, 1e-30, {}
    for k, d in neighbours(atoms, j, s.field_cutoff):
        if k not in known:
            known[k] = source_channels(atoms, k, s)
        charges, dipoles = known[k]
        moved = [charge_field(d + 1j * step * p, s.field_cutoff).imag / step for p in dipoles]
        total = total + charges[:, None] * charge_field(d, s.field_cutoff) + np.array(moved)
    return total


def chain_features(atoms, target, s, bridge):
    """Features of the chains through one species: (n, 5)."""
    blocks = {}
    for j, vector in neighbours(atoms, target, s.chain[1]):
        if atoms.numbers[j] != bridge:
            continue
        channels = [list(c) for c in density(atoms, j, list(s.species), s.bridge, s.bridge_l_max)]
        if s.product[0]:
            factors = density(atoms, j, list(s.species), s.product, s.product_l_max)
            for l in range(s.product_degree_max + 1):  # noqa: E741
                channels[l] += products(factors, l, s.product_l_max)
        if s.field_cutoff:
            channels[1] += [vector_to_complex(e) for e in fields(atoms, j, s)]
        functions = radial(s.chain[0], s.chain[1], np.linalg.norm(vector))
        for l2 in range(s.bridge_l_max + 1):
            for l1 in range(abs(2 - l2), l2 + 3):
                if (l1 + l2) % 2:
                    continue
                harmonics = np.array([complex_harmonic(l1, m, vector) for m in range(-l1, l1 + 1)])
                coupled = np.array([real_components(couple(harmonics, c, l1, l2, 2)) for c in channels[l2]])
                block = functions[:, None, None] * coupled
                blocks[l2, l1] = blocks.get((l2, l1), 0.0) + block
    return np.concatenate([block.reshape(-1, 5) for _, block in sorted(blocks.items())])
