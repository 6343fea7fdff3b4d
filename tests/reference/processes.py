"""Random processes with known correlation functions and displacements."""

from dataclasses import dataclass

import numpy as np

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
