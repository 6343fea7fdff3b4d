"""Ions hopping between the sites of a crystal with known rates, and their exact diffusion tensor."""

from dataclasses import dataclass

import numpy as np

from lpsnmr._core import neighbor_list
from lpsnmr.structures import load_structure, supercell


@dataclass(frozen=True)
class Lattice:
    """Sites (s, 3) in Å, cell (3, 3), and z neighbours of each: index (s, z) and vector (s, z, 3)."""

    sites: np.ndarray
    cell: np.ndarray
    neighbors: np.ndarray
    vectors: np.ndarray

    @classmethod
    def from_sites(cls, sites, cell, z):
        """Connect each site with its ``z`` nearest, and with all that chose it (padded with itself)."""
        first, second, vector, distance = neighbor_list(sites, cell, (True,) * 3, 7.0)
        chosen = {}
        for i in range(len(sites)):
            order = np.argsort(distance[first[i] : first[i + 1]], kind="stable")[:z] + first[i]
            for k in order:
                j, v = int(second[k]), tuple(np.round(vector[k], 6))
                chosen.setdefault(i, {})[j, v] = vector[k]
                back = tuple(np.round(-vector[k], 6))
                chosen.setdefault(j, {})[i, back] = -vector[k]
        width = max(len(edges) for edges in chosen.values())
        neighbors = np.repeat(np.arange(len(sites))[:, None], width, axis=1)
        vectors = np.zeros((len(sites), width, 3))
        for i, edges in chosen.items():
            for k, ((j, _), v) in enumerate(sorted(edges.items(), key=lambda item: item[0])):
                neighbors[i, k], vectors[i, k] = j, v
        return cls(np.asarray(sites), np.asarray(cell), neighbors, vectors)

    @classmethod
    def beta(cls, repeats=(1, 1, 1), z=3):
        """The Li sites of β-Li3PS4 as shipped."""
        atoms = supercell(load_structure("beta-Li3PS4"), repeats)
        return cls.from_sites(atoms.positions[atoms.numbers == 3], atoms.cell[:], z)

    @property
    def moves(self):
        """(s, z) bool, true for real neighbours; padding is false."""
        return np.linalg.norm(self.vectors, axis=2) > 0

    def mean_rate(self, edge_rate):
        """Jumps per ion and time when every edge has the same rate, sites evenly occupied."""
        return edge_rate * self.moves.sum() / len(self.sites)

    def mean_square_length(self):
        return (np.linalg.norm(self.vectors, axis=2) ** 2).sum() / self.moves.sum()

    def diffusion_tensor(self, edge_rate):
        """Exact (3, 3) tensor of one independent walker with equal rates on all edges, Å²/time.

        D = ½⟨Σ_j k d d⟩ minus what correlation takes: with the local drift b_i = Σ_j k d_ij and the
        generator L, D = ½⟨Σ k d d⟩ − ⟨b (−L)⁻¹ b⟩.
        """
        n = len(self.sites)
        generator = np.zeros((n, n))
        for i in range(n):
            for j in self.neighbors[i][self.moves[i]]:
                generator[i, j] += edge_rate
                generator[i, i] -= edge_rate
        drift = edge_rate * self.vectors.sum(axis=1)
        free = 0.5 * edge_rate * np.einsum("ika,ikb->ab", self.vectors, self.vectors) / n
        response = np.linalg.pinv(-generator) @ drift
        return free - drift.T @ response / n

    def walk(self, rng, steps, n, interval, edge_rate, vibration=0.0):
        """Sites (steps, n), unwrapped positions (steps, n, 3) with white vibrations, true jumps."""
        site = np.empty((steps, n), dtype=np.int64)
        offset = np.zeros((steps, n, 3))
        site[0] = rng.integers(0, len(self.sites), n)
        offset[0] = self.sites[site[0]]
        width = self.neighbors.shape[1]
        draws = rng.random((steps, n))
        jumps = 0
        for t in range(1, steps):
            choice = (draws[t] / (edge_rate * interval)).astype(np.int64)
            goes = choice < width
            before = site[t - 1]
            site[t], offset[t] = before, offset[t - 1]
            which = np.flatnonzero(goes)
            site[t, which] = self.neighbors[before[which], choice[which]]
            step = self.vectors[before[which], choice[which]]
            offset[t, which] += step
            jumps += int(np.any(step != 0, axis=1).sum())
        return site, offset + vibration * rng.normal(size=offset.shape), jumps


def cubic_walk(rng, steps, n, interval, rate, back, length=3.0, vibration=0.15):
    """Positions (steps, n, 3) of walkers on a cubic lattice that jump back with probability ``back``.

    A jump that is not back goes along any of the six directions alike, so that the mean cosine between
    successive jumps is −back and 6D = rate · length² · (1 − back)/(1 + back), exactly, in steps of
    ``interval`` too. White vibrations along each axis.
    """
    goes = rng.random((steps, n)) < rate * interval
    goes[0] = False
    x = np.zeros((steps, n, 3))
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    for i in range(n):
        when = np.flatnonzero(goes[:, i])
        if not len(when):
            continue
        fresh = rng.random(len(when)) >= back
        fresh[0] = True
        last = np.maximum.accumulate(np.where(fresh, np.arange(len(when)), 0))
        sign = np.where((np.arange(len(when)) - last) % 2, -1.0, 1.0)
        x[when, i] = length * axes[rng.integers(0, 6, len(when))][last] * sign[:, None]
    return np.cumsum(x, axis=0) + vibration * rng.normal(size=x.shape)
