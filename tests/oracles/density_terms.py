"""Slow oracle of density terms: plain sums over neighbours, whole tensors, SciPy splines."""

import itertools

import numpy as np
from ase.neighborlist import neighbor_list
from scipy.interpolate import BSpline


def _radial(start, cutoff, intervals, coefficients, r):
    h = (cutoff - start) / intervals
    knots = start + h * np.arange(-3, intervals + 4)
    spline = BSpline(knots, np.r_[[0.0] * 3, coefficients, [0.0] * 3], 3)
    return np.where((r > start) & (r < cutoff), spline(np.clip(r, start, cutoff)), 0.0)


def _fade(moment, full, gone):
    x = np.clip((moment - full) / (gone - full), 0.0, 1.0)
    return 1.0 - (6 * x**5 - 15 * x**4 + 10 * x**3)


def _bounded(energy, low, high, room):
    inside = np.clip(energy, low, high)
    return inside + room * np.tanh((energy - inside) / room)


def atom_energies(blocks, atoms):
    """Return the energy of each atom.

    Parameters
    ----------
    blocks : as from ``lpsnmr._core.read_ufd_blocks(path)["blocks"]``
    atoms : ase.Atoms
    """
    symbols = np.array(atoms.get_chemical_symbols())
    out = np.zeros(len(atoms))
    reach = max(channel[3] for block in blocks for channel in block[2])
    centers, others, distances, vectors = neighbor_list("ijdD", atoms, reach)
    for center, orders, channels, coefficients, bound in blocks:
        for i in np.flatnonzero(symbols == center):
            own = centers == i
            r, u, kind = distances[own], vectors[own] / distances[own, None], symbols[others[own]]
            moments, factor = [[], [], []], 1.0
            for element, highest_l, start, cutoff, intervals, functions in channels:
                for full, gone, values in functions:
                    g = _radial(start, cutoff, intervals, values, r) * (kind == element)
                    for order in range(highest_l + 1):
                        tensor = [g.sum(), np.einsum("j,ja->a", g, u), np.einsum("j,ja,jb->ab", g, u, u)]
                        moments[order].append(tensor[order])
                    factor *= _fade(g.sum(), full, gone)
            products = [
                (order, p, (a * b).sum())
                for order in range(3)
                for (p, a), (_, b) in itertools.combinations_with_replacement(enumerate(moments[order]), 2)
            ]
            terms = [value for *_, value in products] if orders != 4 else []
            if orders != 3:
                terms += [
                    s * value
                    for k, s in enumerate(moments[0])
                    for order, p, value in products
                    if order > 0 or k <= p
                ]
            assert len(terms) == len(coefficients)
            out[i] += _bounded(factor * np.dot(terms, coefficients), *bound)
    return out
