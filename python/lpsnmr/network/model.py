"""A jump network: sites with tensors, and classes of jumps with Arrhenius rates in detailed balance."""

from dataclasses import dataclass, field, replace

import numpy as np

from lpsnmr.errors import InputError
from lpsnmr.typing import Array, Indices
from lpsnmr.units import BOLTZMANN_EV_PER_K, quadrupolar_coupling_hz_per_efg

__all__ = ["JumpNetwork"]

LARGEST_EXPONENT = 200.0


@dataclass(frozen=True)
class JumpNetwork:
    """Sites of one ion, and the jumps between them.

    A site i of class c has the statistical weight w_i(T) = exp(s_c − ε_c/kT), and the occupation
    p_i = w_i/Σw. A jump of class k has a height E_k of its saddle on the same scale as ε and a prefactor ν_k:

        k(i → j) = (ν_k/w_i) exp(−E_k/kT),

    so p_i k(i → j) is the same both ways, at every temperature and whatever the parameters are. Rates are
    those of one ion among the others: what these do together is in the effective rates, and only there.

    Attributes
    ----------
    names
        (n,) names of the sites.
    site_class
        (n,) int64, class of each site.
    tensors
        (n, 5) float64, mean components at each site, V/Å² (``lpsnmr.efg.tensors``).
    energy_ev, entropy
        (classes,) float64; ε in eV and s in units of k.
    edges
        (e, 2) int64, pairs of different sites; each is gone through both ways. A pair may appear twice
        (through different cell faces).
    edge_class
        (e,) int64, class of jumps.
    saddle_ev, log_prefactor
        (jump classes,) float64; E in eV, and ln ν with ν in 1/s.
    vectors
        (e, 3) float64, Å; from the first site of an edge to the second. None when unknown.
    nucleus
        As ``lpsnmr.nuclides.nuclide`` reads it.
    class_names, jump_names
        Names of the classes of sites and of jumps.

    Raises
    ------
    InputError
        When shapes do not fit, an index is out of range, or a number is not finite.

    Examples
    --------
    >>> network = JumpNetwork.equal_exchange(np.eye(5)[:2], rate_per_s=1e3)
    >>> network.rate_matrix(300.0)
    array([[-1000.,  1000.],
           [ 1000., -1000.]])
    """

    names: tuple[str, ...]
    site_class: Indices
    tensors: Array
    energy_ev: Array
    entropy: Array
    edges: Indices
    edge_class: Indices
    saddle_ev: Array
    log_prefactor: Array
    vectors: Array | None = None
    nucleus: str = "7Li"
    class_names: tuple[str, ...] = field(default=())
    jump_names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Check that everything fits together."""
        n, e = len(self.names), len(self.edges)
        shapes = {
            "site_class": (n,), "tensors": (n, 5), "entropy": self.energy_ev.shape, "edges": (e, 2),
            "edge_class": (e,), "log_prefactor": self.saddle_ev.shape,
        }  # fmt: skip
        if self.vectors is not None:
            shapes["vectors"] = (e, 3)
        for name, shape in shapes.items():
            got = np.shape(getattr(self, name))
            if got != shape:
                raise InputError(f"jump network: {name}: expected shape {shape}, got {got}")
            if not np.all(np.isfinite(getattr(self, name))):
                raise InputError(f"jump network: {name}: values must be finite")
        if n == 0:
            raise InputError("jump network: expected at least one site, got none")
        for name, count in (
            ("site_class", len(self.energy_ev)),
            ("edge_class", len(self.saddle_ev)),
            ("edges", n),
        ):
            value = getattr(self, name)
            if value.size and not (0 <= value.min() and value.max() < count):
                raise InputError(
                    f"jump network: {name}: expected indices from 0 to {count - 1}, got {value.max()}"
                )
        if np.any(self.edges[:, 0] == self.edges[:, 1]):
            raise InputError("jump network: a jump leads from a site to another one, got one to itself")
        quadrupolar_coupling_hz_per_efg(self.nucleus)

    @classmethod
    def equal_exchange(cls, tensors: Array, rate_per_s: float, nucleus: str = "7Li") -> "JumpNetwork":
        """Return a network of equal sites, each jumping to each other at one rate at all temperatures."""
        n = len(tensors)
        edges = np.array([(i, j) for i in range(n) for j in range(i + 1, n)], dtype=np.int64).reshape(-1, 2)
        return cls(
            tuple(str(i) for i in range(n)), np.zeros(n, dtype=np.int64),
            np.asarray(tensors, dtype=np.float64),
            np.zeros(1), np.zeros(1), edges, np.zeros(len(edges), dtype=np.int64),
            np.zeros(1), np.array([np.log(rate_per_s)]), nucleus=nucleus,
        )  # fmt: skip

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.names)

    def log_weights(self, temperature_k: float) -> Array:
        """Return ln w of each site, (n,)."""
        kt = BOLTZMANN_EV_PER_K * _positive(temperature_k)
        return np.asarray((self.entropy - self.energy_ev / kt)[self.site_class])

    def occupations(self, temperature_k: float) -> Array:
        """Return p of each site, (n,); the sum is 1."""
        logs = self.log_weights(temperature_k)
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    def edge_rates(self, temperature_k: float) -> Array:
        """Return the rates of each edge forth and back, (e, 2), 1/s.

        Raises
        ------
        InputError
            For a temperature that is not positive, or at which a rate leaves the range of numbers.
        """
        kt = BOLTZMANN_EV_PER_K * _positive(temperature_k)
        exponent = (self.log_prefactor - self.saddle_ev / kt)[self.edge_class][:, None]
        exponent = exponent - self.log_weights(temperature_k)[self.edges]
        if np.any(exponent > LARGEST_EXPONENT):
            raise InputError(
                f"jump network: a rate at {temperature_k:g} K is beyond any number: check energies"
            )
        return np.asarray(np.exp(exponent))

    def rate_matrix(self, temperature_k: float) -> Array:
        """Return K, (n, n), 1/s: K_ij the rate from i to j, rows sum to zero; dp/dt = p K."""
        rates = self.edge_rates(temperature_k)
        matrix = np.zeros((self.n_sites, self.n_sites))
        np.add.at(matrix, (self.edges[:, 0], self.edges[:, 1]), rates[:, 0])
        np.add.at(matrix, (self.edges[:, 1], self.edges[:, 0]), rates[:, 1])
        matrix[np.diag_indices(self.n_sites)] = -matrix.sum(axis=1)
        return matrix

    def jump_rate(self, temperature_k: float) -> float:
        """Return the mean number of jumps of an ion in a second."""
        matrix = self.rate_matrix(temperature_k)
        return float(-self.occupations(temperature_k) @ np.diag(matrix))

    def backward_share(self, temperature_k: float) -> float:
        """Return the share of jumps that lead back to the site before, as a chain without memory has it."""
        matrix = self.rate_matrix(temperature_k)
        out = -np.diag(matrix).copy()
        flux = self.occupations(temperature_k)[:, None] * matrix
        np.fill_diagonal(flux, 0.0)
        back = matrix.T / np.where(out > 0, out, 1.0)[None, :]  # from j back to i, over all from j
        total = flux.sum()
        return float((flux * back).sum() / total) if total > 0 else float("nan")

    def diffusion_cm2_per_s(self, temperature_k: float) -> Array:
        """Return the diffusion tensor (3, 3), cm²/s, exact for the chain of jumps.

        D = ½ Σ p_i k_ij d d − (p b)ᵀ (−K)⁺ b with d the vectors of the jumps and b_i = Σ_j k_ij d_ij: the
        second term is what jumps back take off (R. Kutner, I. Sosnowska, J. Phys. Chem. Solids 38, 741
        (1977)).

        Raises
        ------
        InputError
            When the network has no vectors.
        """
        if self.vectors is None:
            raise InputError("diffusion: the jumps of this network have no vectors")
        rates, p = self.edge_rates(temperature_k), self.occupations(temperature_k)
        flux = p[self.edges[:, 0]] * rates[:, 0]
        free = np.einsum("e,ea,eb->ab", flux, self.vectors, self.vectors)  # both ways, times ½
        drift = np.zeros((self.n_sites, 3))
        np.add.at(drift, self.edges[:, 0], rates[:, :1] * self.vectors)
        np.add.at(drift, self.edges[:, 1], -rates[:, 1:] * self.vectors)
        values, modes = np.linalg.eigh(symmetrised(self.rate_matrix(temperature_k), p))
        amplitude = modes.T @ (np.sqrt(p)[:, None] * drift)
        moving = values < -1e-13 * np.abs(values).max(initial=0.0)
        lost = np.einsum("ka,k,kb->ab", amplitude[moving], -1.0 / values[moving], amplitude[moving])
        return np.asarray((free - lost) * 1e-16)

    def with_parameters(
        self, energy_ev: Array, entropy: Array, saddle_ev: Array, log_prefactor: Array
    ) -> "JumpNetwork":
        """Return the same network with other energies and prefactors."""
        return replace(
            self, energy_ev=energy_ev, entropy=entropy, saddle_ev=saddle_ev, log_prefactor=log_prefactor
        )


def symmetrised(matrix: Array, occupations: Array) -> Array:
    """Return √p_i K_ij/√p_j, symmetric by detailed balance; made so to the last bit."""
    root = np.sqrt(np.maximum(occupations, 1e-300))
    result = matrix * root[:, None] / root[None, :]
    return np.asarray(0.5 * (result + result.T))


def _positive(temperature_k: float) -> float:
    if not (np.isfinite(temperature_k) and temperature_k > 0):
        raise InputError(f"temperature: expected a positive number of K, got {temperature_k}")
    return float(temperature_k)
