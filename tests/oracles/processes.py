"""Random processes with known correlation functions and displacements."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from lpsnmr.sampling import lebedev_half_sphere, projections

SITE_A = np.array([0.50, 0.00, 0.25, 0.00, 0.00])  # V/Å², five components
SITE_B = np.array([-0.10, 0.35, 0.00, 0.15, 0.00])


@dataclass(frozen=True)
class TwoSite:
    """Jumps A → B with rate k_ab and back with k_ba (1/ps); a tensor per site, white noise added.

    C(t) = Σ_m ⟨c_m(0) c_m(t)⟩ = plateau + amplitude exp(−(k_ab + k_ba) t) for t > 0.
    """

    k_ab: float
    k_ba: float
    noise: float = 0.0

    @property
    def share_a(self):
        return self.k_ba / (self.k_ab + self.k_ba)

    @property
    def plateau(self):
        mean = self.share_a * SITE_A + (1 - self.share_a) * SITE_B
        return float(mean @ mean)

    @property
    def amplitude(self):
        difference = SITE_A - SITE_B
        return float(self.share_a * (1 - self.share_a) * difference @ difference)

    @property
    def tau(self):
        return 1.0 / (self.k_ab + self.k_ba)

    def sites(self, rng, samples, n, interval):
        """(samples, n) bool, True on A; exact transition probabilities of one interval."""
        decay = np.exp(-interval / self.tau)
        stay = self.share_a + (1 - self.share_a) * decay
        enter = self.share_a * (1 - decay)
        on_a = np.empty((samples, n), dtype=bool)
        on_a[0] = rng.random(n) < self.share_a
        draws = rng.random((samples, n))
        for t in range(1, samples):
            on_a[t] = draws[t] < np.where(on_a[t - 1], stay, enter)
        return on_a

    def components(self, rng, samples, n, interval):
        """(samples, n, 5) float64, V/Å²."""
        values = np.where(self.sites(rng, samples, n, interval)[..., None], SITE_A, SITE_B)
        return values + self.noise * rng.normal(size=values.shape)


def ornstein_uhlenbeck(rng, samples, n, components, interval, tau):
    """Stationary unit-variance process with C(t) = components · exp(−t/τ); (samples, n, components).

    ``tau`` may be one number or one per series.
    """
    a = np.exp(-interval / np.broadcast_to(tau, n))[:, None]
    x = np.empty((samples, n, components))
    x[0] = rng.normal(size=(n, components))
    kicks = np.sqrt(1 - a * a) * rng.normal(size=(samples, n, components))
    for t in range(1, samples):
        x[t] = a * x[t - 1] + kicks[t]
    return x


def random_walk(rng, samples, n, diffusion, interval):
    """Positions with MSD = 6 D t; (samples, n, 3)."""
    return np.cumsum(rng.normal(size=(samples, n, 3)) * np.sqrt(2 * diffusion * interval), axis=0)


@dataclass(frozen=True)
class SiteJumps:
    """Jumps between n sites with a rate matrix; each site has a tensor, white noise is added.

    ``rates[i, j]`` (1/ps) from i to j, i ≠ j; populations are stationary.
    """

    tensors: np.ndarray  # (n, 5), V/Å²
    rates: np.ndarray  # (n, n)
    noise: float = 0.0

    @property
    def generator(self):
        """Q with dp/dt = p Q."""
        rates = self.rates - np.diag(np.diag(self.rates))
        return rates - np.diag(rates.sum(axis=1))

    @property
    def populations(self):
        values, vectors = np.linalg.eig(self.generator.T)
        p = np.real(vectors[:, np.argmin(np.abs(values))])
        return p / p.sum()

    def transition(self, time):
        """P[i, j], the probability of j a time after i."""
        return expm(self.generator * time)

    def joint(self, time):
        """Probability of i at 0 and j at ``time``."""
        return self.populations[:, None] * self.transition(time)

    def trace_correlation(self, time):
        """⟨Tr V(0)V(t)⟩ for t > 0."""
        return float(np.einsum("ij,im,jm->", self.joint(time), self.tensors, self.tensors))

    def echo(self, time, evolution_time_us, factor_rad_s, degree=131):
        """Powder (sine, cosine) echo without noise."""
        directions, weights = lebedev_half_sphere(degree)
        phase = projections(directions) @ self.tensors.T * factor_rad_s * evolution_time_us * 1e-6  # (b, n)
        joint = self.joint(time)
        return tuple(
            float(np.einsum("ij,b,bi,bj->", joint, weights, f(phase), f(phase))) for f in (np.sin, np.cos)
        )

    def components(self, rng, samples, n, interval):
        """(samples, n, 5) float64, V/Å², with exact transition probabilities of one interval."""
        ladder = np.cumsum(self.transition(interval), axis=1)
        site = np.searchsorted(np.cumsum(self.populations), rng.random(n))
        values = np.empty((samples, n, 5))
        draws = rng.random((samples, n))
        last = len(self.tensors) - 1
        for t in range(samples):
            if t:
                site = np.minimum((draws[t][:, None] > ladder[site]).sum(axis=1), last)
            values[t] = self.tensors[site]
        return values + self.noise * rng.normal(size=values.shape)


def equal_exchange(n_sites, rate, seed=0, size=0.8, noise=0.0):
    """All pairs of sites exchange at ``rate``: every correlation decays as exp(−n rate t)."""
    tensors = np.random.default_rng(seed).normal(size=(n_sites, 5))
    tensors *= size / np.linalg.norm(tensors, axis=1, keepdims=True)
    tensors *= np.linspace(0.7, 1.3, n_sites)[:, None]
    return SiteJumps(tensors, np.full((n_sites, n_sites), rate), noise)


def levy_mixture(rng, samples, n, components, interval, tau):
    """OU series whose times are drawn so that the mean correlation is components · exp(−√(t/τ))."""
    times = 2.0 * tau * rng.normal(size=n) ** 2
    return ornstein_uhlenbeck(rng, samples, n, components, interval, np.maximum(times, 1e-9))
